/* session-state.ts — the words of a session: its state, what can happen to it, and what it then wants done. All of it is plain
 * data, so that a session can be written down as JSON: tests/vectors/session of the repository holds such stories.
 *
 * Moments are monotonic milliseconds (`…Ms` with `at`, `due`, `heard`, `since`), except those that the server speaks of (`endsMs`,
 * `refreshAtMs`): these are the server's time in milliseconds since 1970, and become moments by its clock alone. */
import type { ErrorCode } from "./errors.js";
import type { ClockOffset } from "./server-clock.js";

export type Phase =
    | "idle" // nobody wants a session
    | "fetching" // it waits for a credential before it can go on
    | "opening" // a socket is being opened
    | "connecting" // connect was sent on it
    | "live" // it carries a session
    | "waiting" // it was lost and comes back at `dueMs`
    | "ended"; // it does not come back by itself

/** What has to be fetched: the first credential; a fresh one by the page's refresh(); one bound to our key; its successor. */
export type ErrandKind = "authenticate" | "refresh" | "bind" | "rebind";

export interface Errand {
    readonly kind: ErrandKind;
    readonly id: number;
    readonly tries: number;
    /** When it is tried again; absent while it is under way. */
    readonly dueMs?: number | undefined;
    /** What it fetched is being put in the place of the session's credential. */
    readonly isRenewing?: boolean;
}

/** How the session is kept beyond its first credential: chosen once for each credential of authenticate(). */
export type Mechanism = "bound" | "refresh" | "none";

export interface SessionSetup {
    readonly canAuthenticate: boolean;
    readonly canRefresh: boolean;
    /** There is a key that a credential can be bound to. */
    readonly canBind: boolean;
}

export interface Resume {
    readonly protocol: string;
    readonly state: string;
}

/** What a page that is loaded again comes back with. */
export interface Kept {
    readonly token?: string | undefined;
    readonly resume?: Resume | undefined;
}

/** What the server says of this client's own times, in the answers to connect and to a renewal: the one to refresh at, and the window
 * to come back in when the connection breaks. */
export interface Slots {
    readonly refreshInMs?: number | undefined;
    readonly returnWithinMs?: number | undefined;
}

/** A flag that is absent is false. */
export interface SessionState {
    readonly setup: SessionSetup;
    readonly phase: Phase;
    readonly token?: string | undefined;
    /** The token that went out with the last connect. */
    readonly sentToken?: string | undefined;
    readonly endsMs?: number | undefined;
    /** The provider said when its credential ends. */
    readonly hasExpiry?: boolean;
    /** The server has not seen the token yet. */
    readonly isFresh?: boolean;
    /** The token is of no use any more. */
    readonly needsFresh?: boolean;
    readonly mechanism?: Mechanism | undefined;
    readonly errand?: Errand | undefined;
    readonly errands: number;
    readonly refreshAtMs?: number | undefined;
    /** When the server wants it to be, as a monotonic moment. */
    readonly slotAtMs?: number | undefined;
    /** The window to come back in after a crash. */
    readonly returnWithinMs?: number | undefined;
    /** Counts sockets; what an older one says is not heard. */
    readonly socket: number;
    readonly resume?: Resume | undefined;
    readonly offset?: ClockOffset;
    /** Attempts since the last session that lasted. */
    readonly losses: number;
    readonly dueMs?: number | undefined;
    readonly sinceMs: number;
    readonly heardMs: number;
    readonly wasLive?: boolean;
    readonly isProbing?: boolean;
    readonly isOffline?: boolean;
    readonly wantsOnline: boolean;
    readonly isOnline: boolean;
    /** Online, but nothing shall ring. */
    readonly isQuiet?: boolean | undefined;
}

/** dice: luck in 0..1, for what must not happen to all clients at once; default 1. */
export type SessionEvent = { readonly atMs: number; readonly dice?: number | undefined } & (
    | { readonly is: "connect" | "disconnect" | "tick" | "wake" }
    | { readonly is: "network"; readonly isThere: boolean }
    /** An errand's credential. endsMs: the server's time. */
    | { readonly is: "fetched"; readonly id: number; readonly token: string; readonly endsMs?: number | undefined; readonly hasExpiry: boolean }
    | { readonly is: "failed"; readonly id: number; readonly code: ErrorCode; readonly isFinal: boolean }
    | { readonly is: "opened"; readonly socket: number }
    /** slotMs: how long the server asks to stay away. */
    | { readonly is: "closed"; readonly socket: number; readonly code: number; readonly slotMs?: number | undefined }
    | { readonly is: "welcome"; readonly socket: number; readonly protocol: string; readonly scope: readonly string[]; readonly endsMs?: number | undefined } & Slots
    /** code: of the reply, one of RPC_CODES. */
    | { readonly is: "refused"; readonly socket: number; readonly code: number }
    | { readonly is: "state"; readonly state: string }
    /** Anything came; serverMs: the time it was there. */
    | { readonly is: "heard"; readonly serverMs?: number | undefined }
    | { readonly is: "renewed"; readonly id: number } & Slots
    | { readonly is: "register" | "registered"; readonly isOnline: boolean; readonly isQuiet?: boolean | undefined }
);

/** Why a warning: see SDKWarning. */
export type WarningReason = "no-scope" | "no-dpop-support" | "endpoint-failed" | "activation-timeout" | "no-refresh-handler";

export type Effect =
    | { readonly do: "fetch"; readonly kind: ErrandKind; readonly id: number }
    | { readonly do: "abort" }
    | { readonly do: "open"; readonly socket: number }
    | { readonly do: "close" }
    | { readonly do: "connect"; readonly socket: number; readonly resume?: Resume | undefined }
    | { readonly do: "renew"; readonly id: number }
    | { readonly do: "register"; readonly isOnline: boolean }
    /** Ask anything, to hear whether anybody is there. */
    | { readonly do: "probe" }
    | { readonly do: "warn"; readonly reason: WarningReason }
    | { readonly do: "fail"; readonly code: ErrorCode };

export function newSession(setup: SessionSetup, wantsOnline: boolean, kept: Kept = {}): SessionState
{
    return { setup, phase: "idle", ...kept, errands: 0, socket: 0, losses: 0, sinceMs: 0, heardMs: 0, wantsOnline, isOnline: false };
}
