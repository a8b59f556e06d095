/* signalwire.ts — the names of the vendor's browser SDK over ours, for pages that were written for it: another import, and tokens of
 * your server, which say themselves where that is. */
import { CoatcheckClient, type ClientOptions } from "../client.js";
import type { CredentialProvider } from "../credentials.js";
import { CallCreateError, CoatcheckError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError } from "../errors.js";

export { embeddableCall } from "../button.js";
export type { Call, Call as WebRTCCall } from "../call.js";
export type { Address, User } from "../client.js";
export { EmbedTokenCredentialProvider, StaticCredentialProvider, type AuthenticateContext, type CredentialProvider, type SATClaims, type SDKCredential } from "../credentials.js";
export { CallCreateError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError };
export type { SDKWarning } from "../warnings.js";

export interface SignalWireOptions extends ClientOptions {
    /** Without effect, like the others below. */
    readonly logLevel?: string;
    readonly logger?: unknown;
    readonly debug?: unknown;
    readonly reconnectAttachedCalls?: boolean;
    readonly savePreferences?: boolean;
    readonly skipDeviceMonitoring?: boolean;
}

/** Starts at once: authenticate, open the socket, register. */
export class SignalWire extends CoatcheckClient {
    constructor(provider?: CredentialProvider, options?: SignalWireOptions)
    {
        super(provider, options);
    }
}

const NAMED = [CallCreateError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError];

/** Any error of ours that has no class of the vendor's: `error instanceof UnexpectedError` says so, and its `code` says what it is. */
export class UnexpectedError extends CoatcheckError {
    static override [Symbol.hasInstance](value: unknown): boolean
    {
        return value instanceof CoatcheckError && !NAMED.some((name) => value instanceof name);
    }
}
