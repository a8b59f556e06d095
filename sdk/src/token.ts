/* token.ts — what may be read in an access token without trusting it: where its server is, and until when it says to live.
 * Nothing is believed but by the server that it is sent to. A token that cannot be read is still a token: some servers'
 * are sealed, and then only the header tells something. */

export interface TokenFacts {
    /** Origin of the server that made it, `https://host[:port]`; undefined if it does not say. */
    readonly serverUrl: string | undefined;
    /** The server's time, in ms, at which it ends; undefined if it does not say. */
    readonly endsMs: number | undefined;
}

type Members = Readonly<Record<string, unknown>>;

/** undefined: not a token at all, its first part is no JSON object. */
export function readToken(token: string): TokenFacts | undefined
{
    const [head, body] = token.split(".");
    const header = membersOf(head);
    if (!header) return undefined;
    const claims = membersOf(body) ?? {};
    const { exp } = claims as { exp?: unknown };
    return {
        serverUrl: originOf((claims as { iss?: unknown }).iss) ?? hostOrigin((header as { ch?: unknown }).ch),
        endsMs: typeof exp === "number" ? exp * 1000 : undefined,
    };
}

function membersOf(part: string | undefined): Members | undefined
{
    try {
        const value: unknown = JSON.parse(atob((part ?? "").replace(/-/g, "+").replace(/_/g, "/")));
        return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
    } catch {
        return undefined;
    }
}

function originOf(text: unknown): string | undefined
{
    if (typeof text !== "string" || !/^https?:\/\//.test(text)) return undefined;
    try {
        return new URL(text).origin;
    } catch {
        return undefined;
    }
}

function hostOrigin(host: unknown): string | undefined
{
    return typeof host === "string" && host.includes(".") ? originOf(`https://${host}`) : undefined;
}
