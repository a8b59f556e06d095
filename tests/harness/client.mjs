// client.mjs — a backend that signs assertions instead of sending a secret (RFC 7523): its key on the server, and what it signs.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { coatcheck } from "./clock.mjs";
import { form, INTROSPECT, TOKEN } from "./door.mjs";
import { compact } from "./forge.mjs";
import { nowS } from "./http.mjs";
import { keyPair } from "./keys.mjs";

export const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
let files = 0;

// The command as a person types it; { code, out, err }.
export function createKey(server, file, { kind = "client", project = server.contract.project_id } = {})
{
    return coatcheck("key", "create", kind, "--project", project, "--public-key", file, "--data", server.data, "--json");
}

export function writeKey(server, text)
{
    const file = path.join(server.data, `public-key-${++files}`);
    fs.writeFileSync(file, text);
    return file;
}

export class Client {
    static async on(server, alg = "ES256", { as = "jwk", ...more } = {})
    {
        const client = Object.assign(new Client(), { server, alg, ...keyPair(alg) });
        const pem = () => client.publicKey.export({ format: "pem", type: "spki" });
        const { code, out, err } = await createKey(server, writeKey(server, as === "jwk" ? JSON.stringify(client.jwk) : pem()), more);
        assert.deepEqual({ code, err }, { code: 0, err: "" });
        client.made = JSON.parse(out);
        client.id = client.made.id;
        return client;
    }

    claims(changes = {})
    {
        const whole = { iss: this.id, sub: this.id, aud: this.server.publicUrl ?? this.server.url, jti: crypto.randomUUID(), iat: nowS(),
            exp: nowS() + 60, ...changes };
        return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
    }

    // changes go over the claims, header over the header
    assertion(changes = {}, header = {}, key = this.privateKey, alg = header.alg ?? this.alg)
    {
        return compact({ alg: this.alg, ...header }, this.claims(changes), key, alg);
    }

    // What stands in the form: a fresh assertion, or this one.
    fields(assertion = this.assertion()) { return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion }; }

    refresh(refresh_token, assertion, more = {}, headers = {})
    {
        return form(this.server, TOKEN, { grant_type: "refresh_token", refresh_token, ...this.fields(assertion), ...more }, headers);
    }

    introspect(token, assertion, more = {}, headers = {})
    {
        return form(this.server, INTROSPECT, { token, ...this.fields(assertion), ...more }, headers);
    }
}
