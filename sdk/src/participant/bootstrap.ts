/* bootstrap.ts — from what the page has to a session: its backend's bootstrap token is exchanged, or, where there is no backend,
 * an anonymous session is asked for. What the page's function resolves with is looked at before it is sent anywhere. */
import { asError, CoatcheckError } from "../errors.js";
import type { Grant } from "../fresh-token.js";
import { ask, isObject, within, type Answer } from "../http.js";
import type { Platform } from "../platform.js";
import { momentOf, offsetAfter, type ClockOffset } from "../server-clock.js";

/** What a backend gets for its secret key at `POST /sdk/bootstrap-tokens`, handed on unchanged. */
export interface BootstrapTokenResult {
    /** Good once. */
    readonly bootstrapToken: string;
    /** When that token ends: RFC 3339, such as `2030-01-01T00:00:00Z`. */
    readonly expiresAt: string;
}

/** Asks the page's own backend for a bootstrap token: a new one at each call. */
export type BootstrapTokenProvider = (context: { readonly signal: AbortSignal }) => Promise<BootstrapTokenResult>;

export interface Door {
    readonly baseUrl: string;
    readonly publishableKey: string | undefined;
    readonly provider: BootstrapTokenProvider | undefined;
    readonly platform: Platform;
}

const PROVIDER_TIMEOUT_MS = 30_000;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

function instantMs(text: unknown): number
{
    return typeof text === "string" && RFC_3339.test(text) ? Date.parse(text) : NaN;
}

function readBootstrap(value: unknown, serverMs: number | undefined): string
{
    const { bootstrapToken, expiresAt } = (isObject(value) ? value : {}) as Partial<Record<keyof BootstrapTokenResult, unknown>>;
    const endsMs = instantMs(expiresAt);
    const wrong = typeof bootstrapToken !== "string" || !bootstrapToken ? "bootstrapToken is no text"
        : Number.isNaN(endsMs) ? "expiresAt is no date such as 2030-01-01T00:00:00Z"
        : serverMs !== undefined && endsMs <= serverMs ? "it has expired; fetch a new one at each call" : undefined;
    if (wrong) throw new CoatcheckError("credential_invalid",
        `bootstrapTokenProvider must resolve with { bootstrapToken, expiresAt }, as the server gave it to your backend: ${wrong}`);
    return bootstrapToken as string;
}

/** Gives the function that opens one session after the other. It remembers what time it is at the server, and nothing else. */
export function openerOf({ baseUrl, publishableKey, provider, platform }: Door): (studyId: string | undefined, signal: AbortSignal) => Promise<Grant>
{
    let offset: ClockOffset;

    async function fromPage(call: BootstrapTokenProvider, signal: AbortSignal): Promise<string>
    {
        const what = "bootstrapTokenProvider()";
        const value = await within<unknown>(PROVIDER_TIMEOUT_MS, signal, what, async (stop) => call({ signal: stop })).catch((error: unknown) => {
            if (signal.aborted) throw error;
            if (error instanceof CoatcheckError && error.code === "timeout")
                throw new CoatcheckError("provider_timeout", `${error.message}; let it give up earlier`, { cause: error });
            throw new CoatcheckError("provider_failed", `${what} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        });
        return readBootstrap(value, offset === undefined ? undefined : offset + platform.nowMs());
    }

    function post(path: string, body: Answer, signal: AbortSignal): Promise<Answer>
    {
        return ask({ url: baseUrl + path, method: "POST", body, signal, onTime: (ms) => { offset = offsetAfter(offset, ms, platform.nowMs()); } });
    }

    function readSession({ sessionToken: token, userId, expiresAt }: Answer, beganMs: number): Grant
    {
        const saysMs = instantMs(expiresAt);
        if (typeof token !== "string" || !token || typeof userId !== "string" || Number.isNaN(saysMs))
            throw new CoatcheckError("malformed_answer", `the session of ${baseUrl || "this page's own server"} lacks sessionToken, userId or expiresAt; is baseUrl right?`);
        return { token, userId, beganMs, endsMs: momentOf(offset, saysMs) ?? Infinity };
    }

    return async (studyId, signal) => {
        const visitor = { ...(publishableKey !== undefined && { publishableKey }), ...(studyId !== undefined && { studyId }) };
        if (!provider) {
            if (!Object.keys(visitor).length)
                throw new CoatcheckError("option_missing", "an anonymous participant needs a study: open one first, or give publishableKey");
            const beganMs = platform.nowMs();
            return readSession(await post("/sessions", visitor, signal), beganMs);
        }
        const bootstrapToken = await fromPage(provider, signal), beganMs = platform.nowMs();
        const key = publishableKey === undefined ? {} : { publishableKey };
        return readSession(await post("/sdk/sessions", { bootstrapToken, ...key }, signal).catch((thrown: unknown) => {
            const error = asError(thrown, "network", String(thrown));
            if (error.status !== 401) throw error;
            throw new CoatcheckError("credential_refused", `the bootstrap token was refused: expired, used before, or of another project; ${error.message}`,
                { cause: error, status: error.status, errorId: error.errorId });
        }), beganMs);
    };
}
