/* token.ts — what may be read in an access token without trusting it: where its server is, and until when it says to live.
 * Nothing is believed but by the server that it is sent to. A token that cannot be read is still a token: some servers'
 * are sealed, and then only the header tells something. */
import { isObject, membersOf, textOf, tried } from "./http.js";

export interface TokenFacts {
    /** Origin of the server that made it, `https://host[:port]`; undefined if it does not say. */
    readonly serverUrl: string | undefined;
    /** The server's time, in ms, at which it ends; undefined if it does not say. */
    readonly endsMs: number | undefined;
}

/** undefined: not a token at all, its first part is no JSON object. */
export function readToken(token: string): TokenFacts | undefined
{
    const [head, body] = token.split(".");
    const header = partOf(head);
    if (!isObject(header)) return undefined;
    const { exp, iss } = membersOf(partOf(body)) as Record<string, unknown>, { ch } = header;
    return {
        serverUrl: originOf(iss) ?? (textOf(ch).includes(".") ? originOf(`https://${textOf(ch)}`) : undefined),
        endsMs: typeof exp === "number" ? exp * 1000 : undefined,
    };
}

function partOf(part = ""): unknown
{
    return tried(() => JSON.parse(atob(part.replace(/-/g, "+").replace(/_/g, "/"))) as unknown);
}

function originOf(text: unknown): string | undefined
{
    return /^https?:\/\//.test(textOf(text)) ? tried(() => new URL(text as string).origin) : undefined;
}
