/* index.ts — the package's front door: what is exported here is its promise. */
export type { Call, CallStatus, MediaOptions, WebRTCApi } from "./call.js";
export { CoatcheckClient, type Address, type ClientOptions, type Directory, type SessionView, type User } from "./client.js";
export type { ServerCode } from "./codes.js";
export { EmbedTokenCredentialProvider, StaticCredentialProvider, type AuthenticateContext, type CredentialProvider, type SATClaims, type SDKCredential } from "./credentials.js";
export { embeddableCall } from "./button.js";
export type { EmbeddableCallOptions } from "./embeddable-call.js";
export { CallCreateError, CoatcheckError, DependencyError, DeviceTokenError, DPoPInitError, InvalidCredentialsError, TokenRefreshError,
    type ClientCode, type ErrorCode } from "./errors.js";
export type { Observable, Observer, Subscription } from "./observable.js";
export type { SDKWarning } from "./warnings.js";
