/* envelope.ts — what the two windows say to each other, and the line between them. A message is heard only if it comes from the one
 * window at the other end, from the one origin agreed on, and carries this version and the number of this conversation; whatever else
 * arrives is not answered. Each goes to that origin by name, never to `*`: a window that was navigated elsewhere gets nothing. */

/** A line of another version is another language. */
export const VERSION = 1;

export type HostMessage =
    | { readonly is: "hello"; readonly publishableKey: string; readonly environment: string }
    | { readonly is: "token"; readonly id: number; readonly launchToken: string }
    | { readonly is: "ask"; readonly id: number; readonly method: string; readonly params: unknown }
    | Refused;

export type FrameMessage =
    | { readonly is: "want-token"; readonly id: number }
    | { readonly is: "ready"; readonly userId: string }
    | { readonly is: "event"; readonly name: string; readonly detail: unknown }
    | { readonly is: "answer"; readonly id: number; readonly result: unknown }
    | Refused;

/** What was asked for under this number will not come; 0: nothing will. */
export interface Refused {
    readonly is: "refused";
    readonly id: number;
    readonly code: string;
    readonly message: string;
}

interface Envelope {
    readonly coatcheck: number;
    /** Number of the conversation: each load of the frame begins another. */
    readonly line: string;
}

/** What is needed of a window. */
export interface Post {
    postMessage(message: unknown, targetOrigin: string): void;
}

export interface Heard {
    readonly data: unknown;
    readonly origin: string;
    readonly source: unknown;
}

export function send(to: Post | null, origin: string, line: string, message: HostMessage | FrameMessage): void
{
    to?.postMessage({ ...message, coatcheck: VERSION, line } satisfies Envelope & (HostMessage | FrameMessage), origin);
}

/** The message in an event, if it comes from that window and one of these origins; undefined is what nobody reacts to. */
export function receive<M extends HostMessage | FrameMessage>({ data, origin, source }: Heard, from: unknown, origins: readonly string[]): (M & Envelope) | undefined
{
    if (!from || source !== from || !origins.includes(origin)) return undefined;
    const message = data as (M & Partial<Envelope>) | null | undefined;
    return typeof message === "object" && message?.coatcheck === VERSION && typeof message.line === "string" ? (message as M & Envelope) : undefined;
}

/** True for an origin as browsers write it, of a page that is safe from others on its network, or of this machine. */
export function isOrigin(text: unknown): text is string
{
    try {
        const { origin, protocol, hostname } = new URL(text as string);
        return origin === text && !hostname.includes("*") && (protocol === "https:" || (protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\]|.+\.localhost)$/.test(hostname)));
    } catch {
        return false;
    }
}
