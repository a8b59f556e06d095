/* dpop.ts — proofs that this browser holds the key a token is bound to (RFC 9449, in the form the server's call-widget paths
 * take: a path instead of a URL, and proofs for calls on the socket). Loaded for providers that can have a token bound: a page
 * with a guest's, an invitee's or an embed token needs none of it. */
import { readCredential, type SDKCredential } from "./credentials.js";
import { ask } from "./http.js";
import { openKey, wipeKey } from "./key-store.js";
import { uuid } from "./uuid.js";

/** This browser's prover; undefined where there can be no key. */
export async function openProver(): Promise<Prover | undefined>
{
    const pair = await openKey();
    return pair && Prover.of(pair);
}

export { wipeKey };

/** What a proof is for: an HTTP request (ath: its token as well), or a call on the socket. */
export type ProofFor = { readonly htm: string; readonly htu: string; readonly token?: string } | { readonly rpc: "request"; readonly mth: string };

/** What a bound credential is asked for with. nowS: the server's time in seconds, as far as it is known. */
export interface BoundAsking {
    readonly server: string;
    readonly token: string;
    readonly nowS: number;
    readonly signal: AbortSignal;
    onTime(serverMs: number): void;
}

const BOUND_LIFE_S = 900;

interface PublicJwk {
    readonly crv: string;
    readonly kty: string;
    readonly x: string;
    readonly y: string;
}

export class Prover {
    readonly #pair: CryptoKeyPair;
    readonly #jwk: PublicJwk;
    /** RFC 7638: what tokens are bound to. */
    readonly fingerprint: string;

    private constructor(pair: CryptoKeyPair, jwk: PublicJwk, fingerprint: string)
    {
        this.#pair = pair;
        this.#jwk = jwk;
        this.fingerprint = fingerprint;
    }

    static async of(pair: CryptoKeyPair): Promise<Prover>
    {
        const { crv = "", kty = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
        const jwk: PublicJwk = { crv, kty, x, y }; // RFC 7638 §3.2: these members, in this order
        return new Prover(pair, jwk, await digest(JSON.stringify(jwk)));
    }

    /** A credential bound to this key: the first one for one that is not, or its successor. */
    async bound(kind: "bind" | "rebind", { server, token, nowS, signal, onTime }: BoundAsking): Promise<SDKCredential>
    {
        const htu = `/api/fabric/subscriber/devices/${kind === "bind" ? "token" : "refresh"}`;
        const dpop_token = await this.proof({ htm: "POST", htu, ...(kind === "rebind" && { token }) }, nowS);
        const answer = await ask({ url: server + htu, method: "POST", token, body: { dpop_token, expire_in: BOUND_LIFE_S }, signal, onTime });
        return readCredential({ token: answer["token"], expiry_at: Number(answer["expires_at"]) * 1000 || undefined }, htu);
    }

    async proof(about: ProofFor, nowS: number): Promise<string>
    {
        const { token, ...rest } = { token: undefined, ...about };
        const claims = { jti: uuid(), ...rest, iat: Math.floor(nowS), ...(token !== undefined && { ath: await digest(token) }) };
        const input = `${encode({ typ: "dpop+jwt", alg: "ES256", jwk: this.#jwk })}.${encode(claims)}`;
        const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, this.#pair.privateKey, utf8(input));
        return `${input}.${base64url(new Uint8Array(signature))}`;
    }
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const encode = (value: unknown) => base64url(utf8(JSON.stringify(value)));

async function digest(text: string): Promise<string>
{
    return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}

function base64url(bytes: Uint8Array): string
{
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
