/* dialogue.ts — the names of the vendor's React package over ours, for pages that were written for it: another import, and `baseUrl`.
 * Codes of authentication are our choice, as the vendor's are not public. */
import { createElement, useMemo, type ReactNode } from "react";
import { CoatcheckError } from "../errors.js";
import { isRecoverable, type Journey, type JourneyState, type Phase } from "../participant/journey.js";
import type { BootstrapTokenResult, Participant, Study } from "../participant/participant.js";
import { useCoatcheck, useInterview as useOurInterview, useStudy as useOurStudy } from "../react/hooks.js";
import { CoatcheckProvider, useRoom } from "../react/room.js";

export type { BootstrapTokenResult };
export { useConsent } from "../react/hooks.js";

export interface DialogueProviderProps {
    readonly children: ReactNode;
    readonly bootstrapTokenProvider?: () => Promise<BootstrapTokenResult>;
    readonly publishableKey?: string;
    /** Your server, or a path of the page's origin that leads there. */
    readonly baseUrl: string;
    /** Without effect: `baseUrl` says which server. */
    readonly environment?: "production" | "staging";
    /** Without effect, like everything about the looks and sounds of an interview. */
    readonly locale?: string;
    /** Without effect. */
    readonly debug?: boolean;
    /** Without effect: nothing is sent anywhere but to `baseUrl`. */
    readonly sentryDsn?: string;
}

/** What an error looks like in hooks and events. */
export interface DialogueErrorInfo {
    readonly code: string;
    readonly message: string;
    /** `retry()` may help. */
    readonly recoverable: boolean;
}

/** What `core` throws is ours; this is the same under the vendor's name and codes. */
export class DialogueError extends Error implements DialogueErrorInfo {
    override name = "DialogueError";
    readonly code: string;
    readonly recoverable: boolean;
    readonly status: number | undefined;
    readonly raw: unknown;

    constructor(error: CoatcheckError)
    {
        super(error.message, { cause: error });
        this.code = vendorCode(error);
        this.recoverable = isRecoverable(error);
        this.status = error.status;
        this.raw = error;
    }
}

/** Narrows what was caught. */
export function isDialogueError(value: unknown): value is DialogueError
{
    return value instanceof DialogueError;
}

function vendorCode({ code, status }: CoatcheckError): string
{
    switch (code) {
    case "provider_failed": case "provider_timeout": return "auth.provider-failed";
    case "credential_invalid": return "auth.bootstrap-invalid";
    case "credential_refused": return "auth.bootstrap-expired";
    case "network": case "timeout": return "network.unreachable";
    default: return status === 401 ? "auth.session-expired" : status === 403 ? "auth.unauthorized" : `coatcheck.${code.replaceAll("_", "-")}`;
    }
}

function infoOf(error: CoatcheckError | undefined): DialogueErrorInfo | undefined
{
    return error && { code: vendorCode(error), message: error.message, recoverable: isRecoverable(error) };
}

/** One for a whole tree. Properties that it does not know have no effect; a token is not among those it knows. */
export function DialogueProvider({ children, bootstrapTokenProvider, publishableKey, baseUrl }: DialogueProviderProps): ReactNode
{
    if (!baseUrl) throw new CoatcheckError("option_missing", "DialogueProvider needs baseUrl, your Coatcheck server: there is no hosted one");
    return createElement(CoatcheckProvider, { bootstrapTokenProvider, publishableKey, baseUrl, children });
}

/** Who takes part, and whether that is known yet. */
export function useDialogue(): { readonly status: "loading" | "ready" | "error"; readonly userId: string | null; readonly error: DialogueErrorInfo | undefined; readonly core: Participant }
{
    const { status, userId, error, participant } = useCoatcheck();
    return { status: status === "idle" ? "loading" : status, userId, error: infoOf(error), core: participant };
}

/** Payloads of what `on` tells. */
export interface DialogueEvents {
    readonly ready: { readonly userId: string | null };
    readonly phase: { readonly phase: Phase };
    readonly consent: { readonly accepted: boolean };
    readonly completed: { readonly interviewId: string | undefined; readonly durationSeconds: number; readonly completionToken: null };
    readonly aborted: { readonly reason: string };
    readonly error: DialogueErrorInfo;
}

function eventsOf({ phase, interview, error }: JourneyState, before: JourneyState, participant: Participant): Partial<DialogueEvents>
{
    if (phase === before.phase) return {};
    const { createdAt = "", completedAt } = interview ?? {};
    return {
        phase: { phase },
        ...(phase === "study" && { ready: { userId: participant.state.userId } }),
        ...(phase === "live" && { consent: { accepted: true } }),
        ...(phase === "aborted" && { consent: { accepted: false }, aborted: { reason: "consent-declined" } }),
        ...(phase === "completed" && { completed: { interviewId: interview?.id, completionToken: null,
            durationSeconds: Math.round((Date.parse(completedAt ?? "") - Date.parse(createdAt)) / 1000) || 0 } }),
        ...(error && { error: infoOf(error) as DialogueErrorInfo }),
    };
}

export type Listen = <E extends keyof DialogueEvents>(event: E, hear: (payload: DialogueEvents[E]) => void) => () => void;

function listenTo(journey: Journey, participant: Participant): Listen
{
    return (event, hear) => {
        let before = journey.state;
        const { unsubscribe } = journey.state$.subscribe((now) => {
            const payload = eventsOf(now, before, participant)[event];
            before = now;
            if (payload) hear(payload);
        });
        return unsubscribe;
    };
}

/** With an id the study is opened when the component mounts; else by `start(studyId)`. */
export function useInterview(studyId?: string): Pick<Journey, "answer" | "end" | "retry"> & {
    readonly phase: Phase;
    readonly study: Study | undefined;
    readonly error: DialogueErrorInfo | undefined;
    /** Always null: there are none. */
    readonly completionToken: null;
    start(study?: string): Promise<void>;
    readonly on: Listen;
}
{
    const { journey, participant } = useRoom();
    const { phase, study, error, open, answer, end, retry } = useOurInterview(studyId);
    const on = useMemo(() => listenTo(journey, participant), [journey, participant]);
    return { phase, study, error: infoOf(error), completionToken: null, start: (id = studyId ?? "") => open(id), answer, end, retry, on };
}

/** The study of the interview that is open. */
export function useStudy(): { readonly study: Study | undefined; readonly isLoading: boolean; readonly error: DialogueErrorInfo | undefined }
{
    const { study, isLoading, error } = useOurStudy();
    return { study, isLoading, error: infoOf(error) };
}
