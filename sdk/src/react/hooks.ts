/* hooks.ts — what components see of the participant and the interview. */
import { useEffect } from "react";
import type { Journey, JourneyState } from "../participant/journey.js";
import type { Participant, ParticipantState } from "../participant/participant.js";
import { useRoom, useStates } from "./room.js";

/** Who takes part, and whether that is known yet. */
export function useCoatcheck(): ParticipantState & { readonly participant: Participant }
{
    const { participant } = useRoom();
    return { ...useStates(participant), participant };
}

/** The interview of this provider. With an id it is opened, and the participant authenticated, when the component mounts. */
export function useInterview(studyId?: string): JourneyState & Pick<Journey, "open" | "accept" | "decline" | "answer" | "end" | "retry">
{
    const { journey } = useRoom();
    useEffect(() => { if (studyId !== undefined) void journey.open(studyId); }, [journey, studyId]);
    return { ...journey, ...useStates(journey) };
}

/** The study of the interview that is open. */
export function useStudy(): Pick<JourneyState, "study" | "error"> & { readonly isLoading: boolean }
{
    const { study, error, phase } = useStates(useRoom().journey);
    return { study, error, isLoading: phase === "bootstrapping" || phase === "study" };
}

/** The participant's word on the interview that is open. */
export function useConsent(): Pick<Journey, "accept" | "decline">
{
    const { accept, decline } = useRoom().journey;
    return { accept, decline };
}
