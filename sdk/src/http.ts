/* http.ts — one request that answers with a JSON object, or one error that says what to change. Redirects are refused (a token
 * must not follow one), cookies stay at home, nothing is cached, and whatever hangs is given up. */
import { asError, codeOf, CoatcheckError } from "./errors.js";
import { LONGEST_MS } from "./platform.js";

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
            `${what} got no answer: it cannot be reached, or does not list this page's origin, or redirects`);
    });
}

function refusal(answer: Response, what: string): CoatcheckError
{
    const slug = answer.headers.get("coatcheck-error-code");
    const errorId = answer.headers.get("coatcheck-error-id") ?? undefined;
    return new CoatcheckError(
        codeOf(slug, answer.status < 500 ? "http_refused" : "http_failed"),
        `${what} was answered ${answer.status} ${slug ?? ""}; ${errorId ? `coatcheck why ${errorId} tells why` : "is this the server's address?"}`,
        { status: answer.status, errorId });
}

function readObject(text: string, what: string): Answer
{
    const value = parsed(text);
    if (isObject(value)) return value;
    throw new CoatcheckError("malformed_answer", `${what} was not answered with a JSON object; is this the server's address?`);
}

/** What JSON says; undefined if it is none. The parser's error is kept from everybody: it repeats the text, and a token may stand there. */
export function parsed(text: string): unknown
{
    return tried(() => JSON.parse(text) as unknown);
}

/** What comes of it, or undefined if it throws. */
export function tried<T>(run: () => T): T | undefined
{
    try {
        return run();
    } catch {
        return undefined;
    }
}

export function isObject(value: unknown): value is Answer
{
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object's members; none of anything else. */
export function membersOf(value: unknown): Answer
{
    return isObject(value) ? value : {};
}

/** A text, empty if it is none. */
export function textOf(value: unknown): string
{
    return typeof value === "string" ? value : "";
}

/** Runs something that can be aborted: by the caller's signal, or because it takes too long; Infinity: by the signal alone. */
export function within<T>(timeoutMs: number, signal: AbortSignal | undefined, what: string, run: (signal: AbortSignal) => Promise<T>): Promise<T>
{
    return new Promise((resolve, reject) => {
        const stop = new AbortController();
        const settle = () => {
            clearTimeout(alarm);
            signal?.removeEventListener("abort", abort);
        };
        const end = (code: "aborted" | "timeout", how: string) => {
            const error = new CoatcheckError(code, `${what} ${how}`, { cause: signal?.reason });
            settle();
            reject(error);
            stop.abort(error);
        };
        const abort = () => end("aborted", "was aborted");
        const alarm = setTimeout(() => end("timeout", `was not done within ${timeoutMs / 1000} s`), Math.min(timeoutMs, LONGEST_MS));
        signal?.addEventListener("abort", abort);
        if (signal?.aborted) abort();
        else run(stop.signal).then(resolve, reject).finally(settle);
    });
}
