/* credentials.ts — where a session's credential comes from. A provider is an object of the page: `authenticate()` gives the
 * first credential, `refresh()` a fresh one before that ends. What it resolves with is looked at before it is used, so that a
 * mistake in it is told where it was made. */
import { CoatcheckError, InvalidCredentialsError } from "./errors.js";
import { membersOf, textOf, tried } from "./http.js";

export interface SDKCredential {
    /** Access token. */
    readonly token: string;
    /** When the token ends, in milliseconds since 1970. Needed for `refresh()` to be called. */
    readonly expiry_at?: number;
}

export interface AuthenticateContext {
    /** Thumbprint of this browser's key, 43 characters, for the backend to bind the token to; absent if there is no key. */
    readonly fingerprint?: string;
    /** Aborted when the answer is not needed any more. */
    readonly signal?: AbortSignal;
}

export interface CredentialProvider {
    /** Called once, before the socket is opened, and again when a bound session has to begin anew. */
    authenticate(context: AuthenticateContext): Promise<SDKCredential>;
    /** Called shortly before `expiry_at` of the last credential, if the session is not renewed by a key of the browser. */
    refresh?(context: { readonly signal?: AbortSignal }): Promise<SDKCredential>;
}

/** What a token may do and whom it is bound to, as `user.sat_claims` tells. */
export interface SATClaims {
    readonly scope?: readonly string[];
    readonly cnf?: { readonly jkt: string };
    /** Seconds since 1970. */
    readonly expires_at?: number;
}

const MS_OF_1973 = 1e11; // as seconds it is the year 5138: a number below is not in milliseconds

/**
 * What a provider has resolved with, made sure of.
 * @throws InvalidCredentialsError `credential_invalid`
 */
export function readCredential(value: unknown, from: string): SDKCredential
{
    const { token, expiry_at: endsMs } = membersOf(value) as Partial<Record<keyof SDKCredential, unknown>>;
    const wrong = !/^[!-~]+$/.test(textOf(token)) ? "token is no text without blanks"
        : endsMs === undefined ? ""
        : typeof endsMs !== "number" || !Number.isFinite(endsMs) ? "expiry_at is no number; use Date.parse()"
        : endsMs < MS_OF_1973 ? "expiry_at looks like seconds; multiply it by 1000" : "";
    if (wrong) throw new InvalidCredentialsError("credential_invalid", `${from} must resolve with { token, expiry_at? }: ${wrong}`);
    return value as SDKCredential;
}

/** One credential that the page has already. It is not renewed: the session ends with it. */
export class StaticCredentialProvider implements CredentialProvider {
    readonly #credential: SDKCredential;

    /** @throws InvalidCredentialsError `credential_invalid` */
    constructor(credential: SDKCredential)
    {
        this.#credential = readCredential(credential, "the credential of StaticCredentialProvider");
    }

    authenticate(): Promise<SDKCredential> { return Promise.resolve(this.#credential); }
}

/** Exchanges a click-to-call token (`c2c_…`), which may stand in the page, for an access token, and does so again in time. */
export class EmbedTokenCredentialProvider implements CredentialProvider {
    readonly #url: string;
    readonly #embedToken: string;

    /**
     * @param host the server's host, `calls.example.com[:port]`, or its URL
     * @param embedToken the token in the page
     * @throws CoatcheckError `option_missing`, `option_invalid`
     */
    constructor(host: string, embedToken: string)
    {
        if (!textOf(host) || !textOf(embedToken)) throw new CoatcheckError("option_missing", "needed: host and embedToken, texts");
        this.#url = serverUrl(host, "host");
        this.#embedToken = embedToken;
    }

    refresh(context?: { readonly signal?: AbortSignal }): Promise<SDKCredential> { return this.authenticate(context); }

    async authenticate({ signal }: { readonly signal?: AbortSignal } = {}): Promise<SDKCredential>
    {
        return (await import("./embed-exchange.js")).exchange(this.#url, this.#embedToken, signal);
    }
}

/**
 * The origin that a host or URL names.
 * @throws CoatcheckError `option_invalid`
 */
export function serverUrl(text: string, option: string): string
{
    const url = tried(() => new URL(/^https?:/.test(text) ? text : `https://${text}`));
    if (url && url.href === `${url.origin}/`) return url.origin;
    throw new CoatcheckError("option_invalid", `${option} must be a host or an https:// origin`);
}
