/* signalwire.ts — the names of the vendor's browser SDK over ours, for pages that were written for it: another import, and tokens of
 * your server, which say themselves where that is. */
import { CoatcheckClient, type ClientOptions } from "../client.js";
import type { AuthenticateContext, CredentialProvider as Provider, SDKCredential } from "../credentials.js";
import { CallCreateError, CoatcheckError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError, type ErrorCode } from "../errors.js";
import { getLogger, setDebugOptions, setLogger, setLogLevel, toldSocket, type DebugOptions, type LogLevel, type SDKLogger } from "./signalwire-log.js";

export { embeddableCall } from "../button.js";
export type { Call, Call as WebRTCCall } from "../call.js";
export type { Address, Directory, SessionView as SessionState, User } from "../client.js";
export { EmbedTokenCredentialProvider, StaticCredentialProvider, type AuthenticateContext, type SATClaims, type SDKCredential } from "../credentials.js";
export { CallCreateError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError };
export type { SDKWarning } from "../warnings.js";
export { getLogger, setDebugOptions, setLogger, setLogLevel, type DebugOptions, type LogLevel, type SDKLogger } from "./signalwire-log.js";

/** As the vendor types it: one provider may ask another without a context. */
export interface CredentialProvider extends Provider {
    authenticate(context?: AuthenticateContext): Promise<SDKCredential>;
    refresh?(context?: { readonly signal?: AbortSignal }): Promise<SDKCredential>;
}

export interface SignalWireOptions extends ClientOptions {
    /** For all clients of the page. Default: `warn`. */
    readonly logLevel?: LogLevel;
    /** For all clients of the page, instead of the console. */
    readonly logger?: SDKLogger | null;
    /** For all clients of the page, as setDebugOptions(). */
    readonly debug?: DebugOptions | null;
    /** Without effect: a call outlives a lost socket in any case, and never the page, because its media ends there. */
    readonly reconnectAttachedCalls?: boolean;
    /** Without effect: there are no preferences. */
    readonly savePreferences?: boolean;
    /** Without effect: no devices are watched. */
    readonly skipDeviceMonitoring?: boolean;
}

/** Starts at once: authenticate, open the socket, register. */
export class SignalWire extends CoatcheckClient {
    constructor(provider?: Provider, options: SignalWireOptions = {})
    {
        super(provider, { ...options, webSocketConstructor: toldSocket(options.webSocketConstructor) });
        if (options.logger !== undefined) setLogger(options.logger);
        if (options.logLevel !== undefined) setLogLevel(options.logLevel);
        if (options.debug) setDebugOptions(options.debug);
        const log = getLogger();
        this.errors$.subscribe((error) => log.error(error.name, error.code, error.message));
        this.warnings$.subscribe(({ code, message }) => log.info(code, message));
        this.ready$.subscribe((isReady) => log.debug(isReady ? "session open" : "no session"));
    }
}

const NAMED = [CallCreateError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError];

/** A class of the vendor's without one of ours: an error is one of it by its code. */
class CodedError extends CoatcheckError {
    static readonly code?: ErrorCode;

    static override [Symbol.hasInstance](value: unknown): boolean
    {
        return value instanceof CoatcheckError && value.code === this.code;
    }
}

/** A message or an answer that could not be read. */
export class MessageParseError extends CodedError {
    static override readonly code = "malformed_answer";
}

/** Microphone, camera, or the connection for media. */
export class MediaTrackError extends CodedError {
    static override readonly code = "media_failed";
}

/** Nothing here is one of these three: who answers no ping is asked once more and given up, a session that is lost comes back or says
 * why not, and a list that cannot be read rejects with its own code. */
export class VertoPongError extends CodedError {}
export class RecoveryError extends CodedError {}
export class CollectionFetchError extends CodedError {}

/** Any error of ours that has no class of the vendor's: `error instanceof UnexpectedError` says so, and its `code` says what it is. */
export class UnexpectedError extends CoatcheckError {
    static override [Symbol.hasInstance](value: unknown): boolean
    {
        return value instanceof CoatcheckError && ![...NAMED, MessageParseError, MediaTrackError].some((name) => value instanceof name);
    }
}
