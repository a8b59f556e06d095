/* errors.ts — everything that goes wrong is one class with a code out of a closed list, a message that says what to
 * change, and the cause. Classes below it exist only because code written for the vendor's SDK asks `instanceof` by these
 * names; they add no codes of their own. Names are set as text, so that a minifier cannot change them. */
import type { ServerCode } from "./codes.js";

/** Codes that are made here. Those that the server sends come on top, see {@link ErrorCode}. */
export type ClientCode =
    | "option_missing" // a required option is absent; the message names it
    | "option_invalid" // an option has the wrong type or value
    | "provider_failed" // a function of the page threw or rejected: see cause
    | "provider_timeout" // a function of the page did not settle in time
    | "credential_invalid" // what a provider resolved with is no credential
    | "credential_refused" // the server does not take the credential: expired, malformed, revoked or of another server
    | "credential_expired" // the session has ended with its credential, and nothing could renew it
    | "credential_revoked" // what the session rested on was revoked
    | "refresh_failed" // no fresh credential could be had; the session goes on until the old one ends
    | "binding_failed" // the credential could not be bound to this browser's key
    | "key_failed" // no key could be made or read
    | "network" // no answer: no network, no server, or the server does not list this page's origin
    | "timeout" // no answer in time
    | "http_refused" // a status of 4xx without a code of the server's
    | "http_failed" // a status of 5xx without a code of the server's
    | "malformed_answer" // an answer that is not what its path promises: empty, HTML, truncated
    | "aborted" // the caller's signal was aborted
    | "session_elsewhere" // the session goes on on another socket, or another session took its place: a copied tab, a sign-in in another
    | "session_closed" // the socket was closed with a code after which a client must not come back
    | "not_connected" // there is no session, or no connected call, that this could be sent on
    | "call_failed" // a call could not be made or answered
    | "frame_failed" // the embedded app could not start or refused what it was asked for; its own code is the cause
    | "media_failed" // microphone or camera, or the connection for media
    | "destroyed"; // the object was destroyed before

/** Every code that an error may carry. */
export type ErrorCode = ClientCode | ServerCode;

export interface ErrorDetails {
    readonly cause?: unknown;
    /** HTTP status of the answer. */
    readonly status?: number | undefined;
    /** What an operator asks with: `coatcheck why <id>`. */
    readonly errorId?: string | undefined;
}

/** The one class of errors: narrow by `code`. */
export class CoatcheckError extends Error {
    override name = "CoatcheckError";
    readonly code: ErrorCode;
    readonly status: number | undefined;
    readonly errorId: string | undefined;

    constructor(code: ErrorCode, message: string, details?: ErrorDetails)
    {
        super(message, details);
        this.code = code;
        this.status = details?.status;
        this.errorId = details?.errorId;
    }
}

/** The credential was refused: expired, malformed, revoked, or of another server. */
export class InvalidCredentialsError extends CoatcheckError {
    override name = "InvalidCredentialsError";
    /** The same as `message`: why it was refused, as far as a client may know. */
    readonly reason = this.message;
}

/** What goes back to another error, under the name that the vendor's SDK has for it. */
class CausedError extends CoatcheckError {
    readonly originalError: unknown = this.cause;
}

/** No fresh credential could be had. The session goes on until its present credential ends. */
export class TokenRefreshError extends CausedError {
    override name = "TokenRefreshError";
}

/** The credential could not be bound to this browser's key. */
export class DeviceTokenError extends CausedError {
    override name = "DeviceTokenError";
}

/** This browser could not make or keep a key; the session goes on without one. */
export class DPoPInitError extends CausedError {
    override name = "DPoPInitError";
}

/** A call could not be made or answered: `cause.code` says why. */
export class CallCreateError extends CoatcheckError {
    override name = "CallCreateError";
    readonly direction: "inbound" | "outbound";
    readonly error: unknown = this.cause;

    constructor(direction: "inbound" | "outbound", message: string, details?: ErrorDetails)
    {
        super("call_failed", message, details);
        this.direction = direction;
    }
}

/** A required option is absent; the message names it. */
export class DependencyError extends CoatcheckError {
    override name = "DependencyError";
}

/** A code of the server's; another where it sends none. */
export function codeOf(sent: unknown, other: ErrorCode): ErrorCode
{
    return /^[a-z_]+$/.test(String(sent ?? "")) ? (sent as ServerCode) : other;
}

/** What was thrown, as ours: an error of ours stays as it is, anything else becomes the cause of one. */
export function asError(thrown: unknown, code: ErrorCode, message: string): CoatcheckError
{
    return thrown instanceof CoatcheckError ? thrown : new CoatcheckError(code, message, { cause: thrown });
}
