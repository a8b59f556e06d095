// door.mjs — the standard door over the wire: forms, keys, and clients that prove possession by RFC 9449.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { b64 } from "./forge.mjs";
import { call, mintToken } from "./http.mjs";
import { Prover as Browser } from "./prover.mjs";
import { basic } from "./server.mjs";

export const METADATA = "/.well-known/oauth-authorization-server";
export const TOKEN = "/oauth/token";
export const INTROSPECT = "/oauth/introspect";
export const REVOKE = "/oauth/revoke";
export const REVOCATIONS = "/oauth/revocations";
export const EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
export const TYPE = (name) => `urn:coatcheck:token-type:${name}`;

export const apiAuth = ({ contract }) => ({ authorization: basic(contract.project_id, contract.api_token) });

export function form(server, path, fields, headers = {})
{
    const body = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
    return call(server, "POST", path, { body, headers: { "content-type": "application/x-www-form-urlencoded", ...headers } });
}

export const refreshBy = (server, refresh_token, headers = {}) =>
    form(server, TOKEN, { grant_type: "refresh_token", refresh_token }, headers);

export async function introspect(server, token, headers = apiAuth(server))
{
    const answer = await form(server, INTROSPECT, { token }, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
}

// A client that proves possession to this door: changes go over the claims, header over the header.
export class Prover extends Browser {
    prove(server, path = TOKEN, changes = {}, header = {})
    {
        return this.sign({ htm: "POST", htu: (server.publicUrl ?? server.url) + path, ...changes }, header);
    }

    mint(server, more = {}) { return mintToken(server, { reference: "door@example.com", fingerprint: this.fingerprint, ...more }); }
}

export const hashOf = (token) => b64(crypto.createHash("sha256").update(token).digest());
