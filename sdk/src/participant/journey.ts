/* journey.ts — an interview from its study to its end, as phases that a page can show. One journey at a time; what comes back for an
 * earlier one is dropped. Asking twice for the same step is asking once, so that a doubled click or a doubled mount does no harm. */
import { asError, CoatcheckError, type ErrorCode } from "../errors.js";
import { Topic, type Observable } from "../observable.js";
import type { Asking, Interview, Participant, Study } from "./participant.js";

export type Phase = "idle" | "bootstrapping" | "study" | "consent" | "creatingInterview" | "live" | "ending" | "completed" | "aborted" | "errored";

export interface JourneyState {
    readonly phase: Phase;
    readonly study: Study | undefined;
    readonly interview: Interview | undefined;
    /** Why the phase is `errored`. */
    readonly error: CoatcheckError | undefined;
}

/** Steps never reject: the state tells how they went. Only `answer` does, and leaves the phase as it is. */
export interface Journey {
    readonly state: JourneyState;
    readonly state$: Observable<JourneyState>;
    /** Authenticates and fetches the study; ends in phase `consent`. The same study again changes nothing. */
    open(studyId: string): Promise<void>;
    /** The participant agrees: creates the interview; ends in phase `live`. */
    accept(): Promise<void>;
    decline(): void;
    answer(questionId: string, answer: unknown, asking?: Asking): Promise<Interview>;
    /** Completes the interview. */
    end(): Promise<void>;
    /** Takes the step again that failed, if that can help ({@link isRecoverable}). */
    retry(): Promise<void>;
}

const PASSING: readonly ErrorCode[] = ["provider_failed", "provider_timeout", "credential_refused", "network", "timeout", "http_failed", "malformed_answer",
    "rate_limited", "try_again", "restarting", "internal", "unauthorized"];

/** True if the same may go well when it is tried again. */
export function isRecoverable(error: CoatcheckError): boolean
{
    return PASSING.includes(error.code);
}

const IDLE: JourneyState = { phase: "idle", study: undefined, interview: undefined, error: undefined };

/** An interview of this participant, not yet opened. */
export function createJourney(participant: Participant): Journey
{
    const states = new Topic<JourneyState>(IDLE);
    const state = () => states.value ?? IDLE;
    let studyId: string | undefined, turn = 0;
    let running: { readonly phase: Phase; readonly done: Promise<void> } | undefined;
    let again: () => Promise<void> = async () => {};

    // A step begins in a phase and is told as another; whoever asks for it while it runs waits for the same.
    function take(phase: Phase, body: (tell: (change: Partial<JourneyState>) => void) => Promise<void>): Promise<void>
    {
        const mine = ++turn;
        const tell = (change: Partial<JourneyState>) => { if (mine === turn) states.next({ ...state(), error: undefined, ...change }); };
        again = () => take(phase, body);
        tell({ phase });
        const done = body(tell).catch((thrown: unknown) => tell({ phase: "errored", error: asError(thrown, "http_failed", String(thrown)) }))
            .finally(() => { if (mine === turn) running = undefined; });
        running = { phase, done };
        return done;
    }

    function from(wanted: Phase, step: string): JourneyState
    {
        if (state().phase !== wanted) throw new CoatcheckError("interview_state", `${step} has its place in phase ${wanted}; it is ${state().phase} now`);
        return state();
    }

    return {
        get state() { return state(); },
        state$: states,
        async open(id)
        {
            if (id === studyId && state().phase !== "errored") return running?.done;
            studyId = id;
            states.next(IDLE);
            return take("bootstrapping", async (tell) => {
                if (!id) throw new CoatcheckError("option_missing", "an interview needs the id of its study");
                await participant.authenticate({ studyId: id });
                tell({ phase: "study" });
                tell({ phase: "consent", study: await participant.study(id) });
            });
        },
        async accept()
        {
            if (running?.phase === "creatingInterview") return running.done;
            const id = from("consent", "accept()").study?.id ?? "";
            return take("creatingInterview", async (tell) => {
                const interview = state().interview ?? await participant.createInterview(id);
                tell({ interview });
                tell({ phase: "live", interview: await participant.consent(interview.id) });
            });
        },
        decline()
        {
            from("consent", "decline()");
            turn++;
            states.next({ ...state(), phase: "aborted" });
        },
        async answer(questionId, answer, asking)
        {
            const id = from("live", "answer()").interview?.id ?? "";
            const mine = turn, interview = await participant.answer(id, questionId, answer, asking);
            if (mine === turn) states.next({ ...state(), interview });
            return interview;
        },
        async end()
        {
            if (running?.phase === "ending") return running.done;
            const id = from("live", "end()").interview?.id ?? "";
            return take("ending", async (tell) => tell({ phase: "completed", interview: await participant.complete(id) }));
        },
        async retry()
        {
            const { phase, error } = state();
            if (phase === "errored" && error && isRecoverable(error)) await again();
        },
    };
}
