/* http.ts — one request that answers with a JSON object, or one error that says what to change. Redirects are refused (a token
 * must not follow one), cookies stay at home, nothing is cached, and whatever hangs is given up. */
import { asError, CoatcheckError, isServerCode } from "./errors.js";

export interface Ask {
    readonly url: string;
    readonly method?: "GET" | "POST" | "PATCH";
    /** Access token, sent as Bearer. */
    readonly token?: string | undefined;
    /** Sent as JSON. */
    readonly body?: unknown;
    readonly signal?: AbortSignal | undefined;
    /** Default 30 000. */
    readonly timeoutMs?: number;
    /** Hears the time at the server, in ms since 1970, of whatever answer. */
    readonly onTime?: ((serverMs: number) => void) | undefined;
}

export type Answer = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 30_000;

/**
 * Asks, and resolves with the object that the answer holds.
 * @throws CoatcheckError `network`, `timeout`, `aborted`, `malformed_answer`, `http_refused`, `http_failed` or a code of the server's.
 */
export async function ask({ url, method = "GET", token, body, signal, timeoutMs = TIMEOUT_MS, onTime }: Ask): Promise<Answer>
{
    const what = `${method} ${url}`;
    return within(timeoutMs, signal, what, async (both) => {
        const answer = await fetch(url, {
            method,
            headers: {
                accept: "application/json",
                ...(token !== undefined && { authorization: `Bearer ${token}` }),
                ...(body !== undefined && { "content-type": "application/json" }),
            },
            ...(body !== undefined && { body: JSON.stringify(body) }),
            credentials: "omit",
            cache: "no-store",
            redirect: "error",
            referrerPolicy: "no-referrer",
            signal: both,
        });
        const date = Date.parse(answer.headers.get("date") ?? "");
        if (date) onTime?.(date);
        if (!answer.ok) throw refusal(answer, what);
        return readObject(await answer.text(), what);
    }).catch((error: unknown) => {
        throw asError(error, "network",
            `${what} got no answer: the server cannot be reached, redirects, or does not list this page's origin (coatcheck origin add)`);
    });
}

function refusal(answer: Response, what: string): CoatcheckError
{
    const slug = answer.headers.get("coatcheck-error-code");
    const errorId = answer.headers.get("coatcheck-error-id") ?? undefined;
    return new CoatcheckError(
        isServerCode(slug) ? slug : answer.status < 500 ? "http_refused" : "http_failed",
        `${what} was answered ${answer.status}${slug ? ` ${slug}` : ""}; ${errorId ? `its operator learns why with: coatcheck why ${errorId}` : "is this the server's address?"}`,
        { status: answer.status, errorId });
}

function readObject(text: string, what: string): Answer
{
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch (cause) {
        throw new CoatcheckError("malformed_answer", `${what} was not answered with JSON; is this the server's address, and nothing in between?`, { cause });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
        throw new CoatcheckError("malformed_answer", `${what} was not answered with a JSON object`);
    return value as Answer;
}

/** Runs something that can be aborted: by the caller's signal, or because it takes too long. */
export async function within<T>(timeoutMs: number, signal: AbortSignal | undefined, what: string, run: (signal: AbortSignal) => Promise<T>): Promise<T>
{
    const stop = new AbortController();
    let alarm: ReturnType<typeof setTimeout> | undefined;
    let onAbort: (() => void) | undefined;
    const ended = new Promise<never>((_, reject) => {
        const end = (error: CoatcheckError) => { reject(error); stop.abort(error); };
        onAbort = () => end(new CoatcheckError("aborted", `${what} was aborted`, { cause: signal?.reason }));
        if (signal?.aborted) onAbort();
        signal?.addEventListener("abort", onAbort);
        alarm = setTimeout(() => end(new CoatcheckError("timeout", `${what}: no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    });
    try {
        return await Promise.race([ended, stop.signal.aborted ? ended : run(stop.signal)]);
    } finally {
        clearTimeout(alarm);
        if (onAbort) signal?.removeEventListener("abort", onAbort);
    }
}
