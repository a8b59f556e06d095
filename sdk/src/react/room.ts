/* room.ts — the provider: one participant and one journey for everything below it. React sees what a page may show, never a token:
 * those stay in the participant's closure.
 *
 * React may mount everything twice (Strict Mode), again in place (hot reload), or take effects away from what it hides and give them
 * back. So nothing begins while rendering; what is let go of is ended a moment later, unless it was taken up again; and what was ended
 * is replaced when it is needed again. */
import { createContext, createElement, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import { CoatcheckError } from "../errors.js";
import type { Observable } from "../observable.js";
import { createJourney, type Journey } from "../participant/journey.js";
import { createParticipant, type Participant, type ParticipantOptions } from "../participant/participant.js";

/** Options are those of the first render; give the provider another `key` to begin anew with others. */
export interface CoatcheckProviderProps extends ParticipantOptions {
    readonly children?: ReactNode;
    /** There is no such property: tokens come from `bootstrapTokenProvider` alone. */
    readonly sessionToken?: never;
    /** There is no such property: tokens come from `bootstrapTokenProvider` alone. */
    readonly bootstrapToken?: never;
}

/** @internal */
export interface Room {
    readonly participant: Participant;
    readonly journey: Journey;
    /** Keeps it until the function it gives is called. */
    hold(): () => void;
    isOver(): boolean;
}

const Rooms = /* @__PURE__ */ createContext<Room | undefined>(undefined);

function roomOf(options: ParticipantOptions): Room
{
    const participant = createParticipant(options);
    let holders = 0, isOver = false;
    return {
        participant,
        journey: createJourney(participant),
        hold()
        {
            holders++;
            return () => {
                holders--;
                queueMicrotask(() => {
                    if (holders || isOver) return;
                    isOver = true;
                    participant.destroy();
                });
            };
        },
        isOver: () => isOver,
    };
}

/**
 * One participant for everything below. Exactly one in a tree.
 * @throws CoatcheckError `option_invalid`: a nested provider, a token as a property, or a wrong option
 */
export function CoatcheckProvider(props: CoatcheckProviderProps): ReactNode
{
    if (useContext(Rooms)) throw new CoatcheckError("option_invalid", "a CoatcheckProvider stands in another one; keep the outer one alone");
    const { children, bootstrapTokenProvider: given, ...others } = props;
    const provider = useRef(given);
    useEffect(() => { provider.current = given; });
    const make = () => roomOf({ ...others, bootstrapTokenProvider: given && ((context) => (provider.current ?? given)(context)) });
    const [room, setRoom] = useState(make);
    useEffect(() => (room.isOver() ? setRoom(make) : room.hold()), [room]);
    return createElement(Rooms.Provider, { value: room }, children);
}

/** @internal */
export function useRoom(): Room
{
    const room = useContext(Rooms);
    if (!room) throw new CoatcheckError("not_connected", "this hook has its place below a CoatcheckProvider");
    return room;
}

/** @internal */
export function useStates<T>(source: { readonly state: T; readonly state$: Observable<T> }): T
{
    const subscribe = useCallback((changed: () => void) => {
        const { unsubscribe } = source.state$.subscribe(changed);
        return unsubscribe;
    }, [source]);
    const read = () => source.state;
    return useSyncExternalStore(subscribe, read, read);
}
