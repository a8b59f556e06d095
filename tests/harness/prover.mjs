// prover.mjs — a browser as far as proofs go: a key pair, its thumbprint, and the proofs it makes for HTTP and the socket;
// and the calls by which a client-bound token is activated and renewed.
import crypto from "node:crypto";
import { compact } from "./forge.mjs";
import { call, mintToken, nowS } from "./http.mjs";
import { keyPair, thumbprint } from "./keys.mjs";

export const ACTIVATE = "/api/fabric/subscriber/devices/token";
export const RENEW = "/api/fabric/subscriber/devices/refresh";
export const INVITES = "/api/fabric/subscriber/invites";

export class Prover {
    constructor(alg = "ES256")
    {
        Object.assign(this, { alg }, keyPair(alg));
        this.fingerprint = thumbprint(this.jwk);
    }

    // changes go over the claims, header over the header
    sign(claims, header = {})
    {
        const whole = { jti: crypto.randomUUID(), iat: nowS(), ...claims };
        return compact({ typ: "dpop+jwt", alg: this.alg, jwk: this.jwk, ...header }, whole, this.privateKey, this.alg);
    }

    http(path, token, changes = {}, header = {})
    {
        return this.sign({ htm: "POST", htu: path, ...(token ? { ath: ath(token) } : {}), ...changes }, header);
    }

    rpc(mth = "signalwire.connect", changes = {}) { return this.sign({ rpc: "request", mth, ...changes }); }

    activate(server, token, expire_in = 900) { return devices(server, ACTIVATE, token, this.http(ACTIVATE), { expire_in }); }
    renew(server, token, expire_in = 900) { return devices(server, RENEW, token, this.http(RENEW, token), { expire_in }); }

    // minted with our fingerprint: bound from the start
    async bound(server, more = {})
    {
        return (await mintToken(server, { reference: "bound@example.com", fingerprint: this.fingerprint, scope: "sat:refresh",
            ...more })).token;
    }
}

export const ath = (token) => crypto.createHash("sha256").update(token).digest("base64url");

// A token that is to be bound to the first key that asks.
export async function loose(server, more = {})
{
    return (await mintToken(server, { reference: "loose@example.com", scope: "sat:refresh", ...more })).token;
}

export function devices(server, path, token, dpop_token, more = {})
{
    return bearer(server, path, token, { ...(dpop_token === undefined ? {} : { dpop_token }), ...more });
}

export function bearer(server, path, token, body, headers = {})
{
    return call(server, "POST", path, { body, headers: { authorization: `Bearer ${token}`, ...headers } });
}
