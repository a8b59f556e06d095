/* credentials.ts — where a session's credential comes from. A provider is an object of the page: `authenticate()` gives the
 * first credential, `refresh()` a fresh one before that ends. What it resolves with is looked at before it is used, so that a
 * mistake in it is told where it was made. */
import { CoatcheckError } from "./errors.js";
import { ask } from "./http.js";

export interface SDKCredential {
    /** Access token; needed unless `authorizationState` is there. */
    readonly token?: string;
    /** State of a session to come back to, as an earlier client kept it. */
    readonly authorizationState?: string;
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
    authenticate(context?: AuthenticateContext): Promise<SDKCredential>;
    /** Called shortly before `expiry_at` of the last credential, if the session is not renewed by a key of the browser. */
    refresh?(context?: { readonly signal?: AbortSignal }): Promise<SDKCredential>;
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
 * @throws CoatcheckError `credential_invalid`
 */
export function readCredential(value: unknown, from: string): SDKCredential
{
    const wrong = (what: string) => new CoatcheckError("credential_invalid", `${from} must resolve with { token, expiry_at? }: ${what}`);
    if (typeof value !== "object" || value === null) throw wrong(`it resolved with ${value === null ? "null" : typeof value}`);
    const { token, authorizationState, expiry_at } = value as Partial<Record<keyof SDKCredential, unknown>>;
    if (token === undefined && authorizationState === undefined) throw wrong("token is missing");
    for (const [name, text] of Object.entries({ token, authorizationState }))
        if (text !== undefined && (typeof text !== "string" || !text)) throw wrong(`${name} is not a text, or empty`);
    if (expiry_at !== undefined && (typeof expiry_at !== "number" || !Number.isFinite(expiry_at)))
        throw wrong("expiry_at is not a number; it is milliseconds since 1970, Date.parse() makes them of a date");
    if (typeof expiry_at === "number" && expiry_at < MS_OF_1973)
        throw wrong(`expiry_at is ${expiry_at}: that looks like seconds, multiply it by 1000`);
    return value;
}

/** One credential that the page has already. It is not renewed: the session ends with it. */
export class StaticCredentialProvider implements CredentialProvider {
    readonly #credential: SDKCredential;

    /** @throws CoatcheckError `credential_invalid` */
    constructor(credential: SDKCredential)
    {
        this.#credential = readCredential(credential, "the credential of StaticCredentialProvider");
    }

    authenticate(): Promise<SDKCredential> { return Promise.resolve(this.#credential); }
}

const EXCHANGE_TIMEOUT_MS = 10_000;

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
        for (const [name, value] of Object.entries({ host, embedToken }))
            if (typeof value !== "string" || !value) throw new CoatcheckError("option_missing", `EmbedTokenCredentialProvider needs ${name}, a text`);
        this.#url = serverUrl(host, "host");
        this.#embedToken = embedToken;
    }

    authenticate(context?: { readonly signal?: AbortSignal }): Promise<SDKCredential> { return this.#exchange(context?.signal); }
    refresh(context?: { readonly signal?: AbortSignal }): Promise<SDKCredential> { return this.#exchange(context?.signal); }

    async #exchange(signal: AbortSignal | undefined): Promise<SDKCredential>
    {
        const answer = await ask({ url: `${this.#url}/api/fabric/embeds/tokens`, method: "POST", body: { token: this.#embedToken },
            signal, timeoutMs: EXCHANGE_TIMEOUT_MS });
        const { token } = readCredential(answer, "the exchange of the embed token");
        return { token: token ?? "", expiry_at: Date.now() + 3_600_000 };
    }
}

/**
 * The origin that a host or URL names.
 * @throws CoatcheckError `option_invalid`
 */
export function serverUrl(text: string, option: string): string
{
    try {
        const url = new URL(/^https?:\/\//.test(text) ? text : `https://${text}`);
        if (url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password) return url.origin;
    } catch {
        // told below, with everything else that is no origin
    }
    throw new CoatcheckError("option_invalid", `${option} is ${JSON.stringify(text)}; it must be a host or an origin, such as https://calls.example.com`);
}
