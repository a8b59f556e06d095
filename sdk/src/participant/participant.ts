/* participant.ts — who takes part in a study, as the page sees it: state, calls, and no token. Nothing happens on the network before
 * the first of them is needed. */
import { CoatcheckError } from "../errors.js";
import { freshToken } from "../fresh-token.js";
import { ask, type Answer } from "../http.js";
import { Topic, type Observable } from "../observable.js";
import { browserPlatform, type Platform } from "../platform.js";
import { openerOf, type BootstrapTokenProvider } from "./bootstrap.js";

export type { BootstrapTokenProvider, BootstrapTokenResult } from "./bootstrap.js";

export interface ParticipantOptions {
    /** The server, `https://auth.example.com`, or a path of the page's own origin that leads there, `/auth`. Default: the page's origin. */
    readonly baseUrl?: string | undefined;
    /** `pk_…`: which project. No secret. */
    readonly publishableKey?: string | undefined;
    /** Called whenever a bootstrap token is needed. Without it participants are anonymous. */
    readonly bootstrapTokenProvider?: BootstrapTokenProvider | undefined;
}

export interface ParticipantState {
    /** `error`: there is no session, and the last attempt to get one failed; the next call tries again. */
    readonly status: "idle" | "loading" | "ready" | "error";
    /** The participant; null before the first session. */
    readonly userId: string | null;
    readonly isAnonymous: boolean;
    readonly error: CoatcheckError | undefined;
}

/** Every wait can be called off. */
export interface Asking {
    readonly signal?: AbortSignal | undefined;
}

export interface Question {
    readonly id: string;
    readonly text: string;
}

export interface Study {
    readonly id: string;
    readonly title: string;
    readonly questions: readonly Question[];
}

export interface Interview {
    readonly id: string;
    readonly studyId: string;
    readonly userId: string;
    readonly status: "created" | "consented" | "completed";
    readonly answerCount: number;
    readonly createdAt: string;
    readonly completedAt: string | null;
}

/** Each call authenticates if it has to, and is repeated once with a new session when the server refuses the old one. */
export interface Participant {
    readonly state: ParticipantState;
    readonly state$: Observable<ParticipantState>;
    /** Resolves when there is a session. An anonymous one needs `studyId`, unless there is a publishable key. */
    authenticate(options?: Asking & { readonly studyId?: string | undefined }): Promise<{ readonly userId: string }>;
    study(studyId: string, asking?: Asking): Promise<Study>;
    /** Begins an interview. */
    createInterview(studyId: string, asking?: Asking): Promise<Interview>;
    interview(interviewId: string, asking?: Asking): Promise<Interview>;
    /** Only after the participant said yes. */
    consent(interviewId: string, asking?: Asking): Promise<Interview>;
    /** A text, or any JSON. */
    answer(interviewId: string, questionId: string, answer: unknown, asking?: Asking): Promise<Interview>;
    complete(interviewId: string, asking?: Asking): Promise<Interview>;
    /** Forgets the session. Nothing can be asked for after it. */
    destroy(): void;
}

const IDLE: ParticipantState = { status: "idle", userId: null, isAnonymous: false, error: undefined };

/**
 * Somebody who takes part in studies: named by `bootstrapTokenProvider`, anonymous without it. Asks for nothing before its first call.
 * @throws CoatcheckError `option_invalid`
 */
export function createParticipant(options: ParticipantOptions = {}): Participant
{
    return participantOn(browserPlatform(), options);
}

/** @internal */
export function participantOn(platform: Platform, options: ParticipantOptions): Participant
{
    const { publishableKey, bootstrapTokenProvider: provider, baseUrl } = checked(options);
    const states = new Topic<ParticipantState>({ ...IDLE, isAnonymous: !provider });
    const tell = (change: Partial<ParticipantState>) => states.next({ ...(states.value ?? IDLE), error: undefined, ...change });
    const openSession = openerOf({ baseUrl, publishableKey, provider, platform });
    let studyId: string | undefined; // an anonymous session is one of the study that asked for it

    const tokens = freshToken({
        platform,
        isKeptFresh: provider !== undefined, // another anonymous session is another participant: not before it is needed
        async open(signal)
        {
            const grant = await openSession(studyId, signal);
            const known = states.value?.userId;
            if (provider && known && known !== grant.userId)
                throw new CoatcheckError("credential_invalid", "bootstrapTokenProvider has come to speak for another participant; make a new participant for that one");
            return grant;
        },
        opening: () => tell({ status: "loading" }),
        opened: ({ userId }) => tell({ status: "ready", userId }),
        failed: (error, isNeeded) => { if (isNeeded) tell({ status: "error", error: error as CoatcheckError }); },
    });

    async function call(method: "GET" | "POST", path: string, { signal }: Asking = {}, body?: Answer): Promise<never>
    {
        const once = async (token: string) => (await ask({ url: baseUrl + path, method, token, body, signal })) as never;
        const { token } = await tokens.get(signal);
        try {
            return await once(token);
        } catch (error) {
            if (!(error instanceof CoatcheckError) || error.status !== 401) throw error;
            tokens.drop(token);
            return once((await tokens.get(signal)).token);
        }
    }

    const at = (id: string, step = "") => `/interviews/${encodeURIComponent(id)}${step}`;
    const ofStudy = (id: string) => { studyId ??= id; return id; };
    return {
        get state() { return states.value ?? IDLE; },
        state$: states,
        async authenticate({ studyId: study, signal } = {})
        {
            if (study !== undefined) ofStudy(study);
            const { userId } = await tokens.get(signal);
            return { userId };
        },
        study: (id, asking) => call("GET", `/studies/${encodeURIComponent(ofStudy(id))}`, asking),
        createInterview: (id, asking) => call("POST", "/interviews", asking, { studyId: ofStudy(id) }),
        interview: (id, asking) => call("GET", at(id), asking),
        consent: (id, asking) => call("POST", at(id, "/consent"), asking, {}),
        answer: (id, questionId, answer, asking) => call("POST", at(id, "/answers"), asking, { questionId, answer }),
        complete: (id, asking) => call("POST", at(id, "/complete"), asking, {}),
        destroy()
        {
            tokens.end();
            tell({ status: "idle", userId: null });
            states.complete();
        },
    };
}

function checked(options: ParticipantOptions): ParticipantOptions & { readonly baseUrl: string }
{
    const { publishableKey, bootstrapTokenProvider, baseUrl = "" } = options;
    const wrong = "sessionToken" in options || "bootstrapToken" in options ? "tokens are no options: give bootstrapTokenProvider, a function that asks your backend"
        : bootstrapTokenProvider !== undefined && typeof bootstrapTokenProvider !== "function" ? "bootstrapTokenProvider must be a function"
        : publishableKey !== undefined && !/^pk_/.test(publishableKey) ? "publishableKey must begin with pk_; secret keys stay on your backend"
        : !isBase(baseUrl) ? "baseUrl must be an origin, such as https://auth.example.com, or a path of this page's origin, such as /auth" : undefined;
    if (wrong) throw new CoatcheckError("option_invalid", wrong);
    return { publishableKey, bootstrapTokenProvider, baseUrl: baseUrl.replace(/\/$/, "") };
}

function isBase(text: unknown): boolean
{
    return typeof text === "string" && /^($|\/(?![/\\])|https?:\/\/[^/\\@]+($|\/))[^?#\\]*$/.test(text);
}
