// clients.test.mjs — backends that sign assertions (private_key_jwt, RFC 7523) instead of sending a secret: their keys, what they
// may do, and what an assertion has to withstand. Whatever is wrong with one, the answer is the same; `coatcheck why` knows more.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { ASSERTION_TYPE, Client, createKey, writeKey } from "../harness/client.mjs";
import { coatcheck } from "../harness/clock.mjs";
import { apiAuth, EXCHANGE_GRANT, form, INTROSPECT, introspect, METADATA, Prover, REVOKE, TOKEN, TYPE } from "../harness/door.mjs";
import { b64, compact } from "../harness/forge.mjs";
import { call, info, mintToken, nowS } from "../harness/http.mjs";
import { keyPair } from "../harness/keys.mjs";
import { RawSocket } from "../harness/raw.mjs";
import { basic, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { bootstrap, good, launch } from "../harness/tickets.mjs";

let server, client;
let people = 0;
const minted = (at = server) => mintToken(at, { reference: `client-${++people}@example.com` });

// One answer for all that can be wrong: status, body and fields but for the id of the error.
const UNIFORM = { status: 401, text: '{"error":"invalid_client"}', challenge: 'Basic realm="coatcheck", charset="UTF-8"', code: "unauthorized" };

function invalidClient(answer, label = "")
{
    const { status, text, headers } = answer;
    assert.deepEqual({ status, text, challenge: headers["www-authenticate"], code: headers["coatcheck-error-code"] }, UNIFORM, label);
    assert.equal(headers["cache-control"], "no-store");
    return answer;
}

async function why(answer, at = server)
{
    const { code, out } = await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", at.data, "--json");
    assert.equal(code, 0, out);
    return JSON.parse(out);
}

const isActive = async (answer, active = true) => assert.deepEqual([answer.status, answer.json?.active], [200, active], answer.text);

// Each is refused in the same way, for its own reason, and costs nothing.
async function refusedEach(by, cases, at = server)
{
    const { token } = await minted(at);
    for (const [label, [check, assertion, more = {}]] of Object.entries(cases)) {
        const answer = invalidClient(await by.introspect(token, assertion, more), label);
        const found = await why(answer, at);
        assert.equal(found.check, check, `${label}: ${JSON.stringify(found)}`);
        assert.ok(!JSON.stringify(found).includes(String(assertion).split(".")[2] || "\0"), "no signature in a finding");
    }
    await isActive(await by.introspect(token));
}

// ---- after a restore ----

test("an assertion that was used since the backup is not taken again when that is restored", async () => {
    const env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" }, data = temporaryFolder(), backup = `${data}.backup`;
    const fine = async (...words) => assert.deepEqual((({ code, err }) => [code, err])(await coatcheck(...words)), [0, ""], words[0]);
    let at = await startServer({ data, env });
    const by = Object.assign(await Client.on(at), { claims(changes) {
        return Client.prototype.claims.call(this, { aud: env.COATCHECK_PUBLIC_URL, ...changes });
    } });
    await fine("backup", backup, "--data", data);
    const shown = [by.assertion(), by.assertion({ iat: undefined }), by.assertion({ iat: undefined, exp: nowS() + 300 })];
    for (const assertion of shown) await isActive(await by.introspect((await minted(at)).token, assertion));
    await at.stop();
    await fine("restore", backup, "--data", data, "--replace");
    at = by.server = await startServer({ data, env });
    const { token } = await minted(at);
    for (const assertion of shown) {
        const found = await why(invalidClient(await by.introspect(token, assertion)), at);
        assert.equal(found.check, "assertion.restored", JSON.stringify(found));
    }
    let answer;
    do answer = await by.introspect(token, by.assertion({ iat: nowS() + 5 })); // as soon as a second has gone by
    while (answer.status === 401);
    await isActive(answer);
    await at.stop();
    for (const left of [data, backup]) fs.rmSync(left, { recursive: true });
});

// ---- keys ----

test("a public key is given as PEM or JWK, of each algorithm; the command tells its thumbprint and no secret", async () => {
    for (const alg of ["ES256", "EdDSA", "RS256"])
        for (const as of ["pem", "jwk"]) {
            const by = await Client.on(server, alg, { as }), { crv, e, kty, n, x, y } = by.jwk;
            const thumbprint = crypto.createHash("sha256").update(JSON.stringify({ crv, e, kty, n, x, y })).digest("base64url");
            assert.deepEqual([by.made.kind, by.made.thumbprint, "secret" in by.made, "public_key" in by.made], ["client", thumbprint, false, false]);
            assert.match(by.id, /^cli_[0-9a-f]{24}$/);
            await isActive(await by.introspect((await minted()).token), true);
            const shown = JSON.parse((await coatcheck("key", "show", by.id, "--data", server.data, "--json")).out);
            assert.deepEqual(shown.public_key, JSON.parse(JSON.stringify({ crv, e, kty, n, x, y })));
            assert.deepEqual([shown.thumbprint, shown.state], [thumbprint, "live"]);
            assert.ok(shown.used_at === null || Date.parse(shown.used_at) > 0);
        }
    const list = await coatcheck("key", "list", "--project", server.contract.project_id, "--data", server.data);
    assert.match(list.out, new RegExp(client.made.thumbprint));
    const told = await coatcheck("key", "create", "client", "--project", server.contract.project_id, "--data", server.data, "--public-key",
        writeKey(server, JSON.stringify(client.jwk)));
    assert.match(told.out, /thumbprint .*\n[^]*iss and sub {2}cli_[^]*aud {10}http/);
    assert.doesNotMatch(told.out, /secret {3}/);
});

test("what is no public key of ours is refused with what to do", async () => {
    const pem = (key) => key.export({ format: "pem", type: "spki" });
    const es256 = keyPair(), { jwk } = es256, small = keyPair("weak").publicKey;
    const cases = [
        [/private key: that stays with the client/, es256.privateKey.export({ format: "pem", type: "pkcs8" })],
        [/private key: that stays with the client/, JSON.stringify(es256.privateJwk)],
        [/no public key that is taken here/, pem(keyPair("ES384").publicKey)],
        [/no public key that is taken here/, pem(crypto.generateKeyPairSync("x25519").publicKey)],
        [/no public key that is taken here/, JSON.stringify({ kty: "oct", k: "AAAA" })],
        [/no public key that is taken here/, JSON.stringify({ ...jwk, use: "enc" })],
        [/no public key that is taken here/, ""],
        [/no public key that is taken here/, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
        [/that is no public key that is taken here/, pem(small)],
        [/that is no public key that is taken here/, pem(keyPair("e of 3").publicKey)],
        [/that is no public key that is taken here/, JSON.stringify({ ...jwk, y: jwk.x })],
    ];
    for (const [pattern, text] of cases) {
        const { code, err } = await createKey(server, writeKey(server, text));
        assert.ok(code > 0, text);
        assert.match(err, pattern);
    }
    assert.match((await createKey(server, "/nowhere/key.pem")).err, /nowhere\/key\.pem: No such file/);
    assert.match((await createKey(server, writeKey(server, JSON.stringify(jwk)), { kind: "api-token" })).err, /for clients only/);
});

test("the metadata name the method and its algorithms", async () => {
    const { json } = await call(server, "GET", METADATA);
    for (const name of ["token", "introspection", "revocation"]) {
        assert.ok(json[`${name}_endpoint_auth_methods_supported`].includes("private_key_jwt"));
        assert.deepEqual(json[`${name}_endpoint_auth_signing_alg_values_supported`], ["ES256", "EdDSA", "Ed25519", "RS256"]);
    }
});

// ---- what one may do ----

test("refresh, introspect and revoke by assertion, with and without client_id", async () => {
    for (const more of [{}, { client_id: client.id }]) {
        const { refresh_token, token } = await minted();
        const answer = await client.refresh(refresh_token, undefined, more);
        assert.equal(answer.status, 200, answer.text);
        const { access_token } = answer.json;
        await isActive(await client.introspect(access_token, undefined, more));
        const gone = await form(server, REVOKE, { token: access_token, ...client.fields(), ...more });
        assert.equal(gone.status, 200, gone.text);
        await isActive(await client.introspect(token, undefined, more), false);
        assert.equal((await info(server, access_token)).status, 401);
    }
});

test("tickets of the key's project are exchanged, a launch without a publishable key", async () => {
    const exchange = (subject_token, type, more = {}) => form(server, TOKEN, { grant_type: EXCHANGE_GRANT, subject_token,
        subject_token_type: TYPE(type), ...client.fields(), ...more });
    const { bootstrapToken } = await good(bootstrap(server, {})), { launch_token } = await good(launch(server, {}));
    invalidClient(await exchange(launch_token, "launch", { client_id: server.contract.publishable_key }));
    assert.equal((await exchange(launch_token, "launch", { client_id: client.id })).status, 200);
    assert.equal((await exchange(bootstrapToken, "bootstrap")).status, 200);
    assert.equal((await exchange(bootstrapToken, "bootstrap")).json.error, "invalid_request", "once");
    const again = await good(bootstrap(server, {})), prover = new Prover();
    const bound = await form(server, TOKEN, { grant_type: EXCHANGE_GRANT, subject_token: again.bootstrapToken,
        subject_token_type: TYPE("bootstrap"), ...client.fields() }, { dpop: prover.prove(server) });
    assert.deepEqual([bound.status, bound.json.token_type], [200, "DPoP"], bound.text);
});

test("Expect: 100-continue gets its 100 where the credential stands in the body", async () => {
    const { token } = await minted(), body = new URLSearchParams({ token, ...client.fields() }).toString();
    const socket = new RawSocket(server.port), text = () => socket.read.toString("latin1");
    await socket.send(`POST ${INTROSPECT} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
        `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
    await socket.until(() => text().includes("\r\n\r\n"), "an interim answer");
    assert.match(text(), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    await socket.send(body);
    await socket.until(() => text().includes('"active":true'), "the answer");
    socket.close();
});

// ---- what it has to withstand ----

test("names, audience, times, jti, type: each check by itself", async () => {
    const by = client, now = nowS(), typ = (typ) => by.assertion({}, { typ });
    const other = await Client.on(server), stranger = `cli_${"0".repeat(24)}`;
    await refusedEach(by, {
        "no iss": ["key.known", by.assertion({ iss: undefined })],
        "iss of nobody": ["key.known", by.assertion({ iss: stranger })],
        "iss of a key with a secret": ["key.public_key", by.assertion({ iss: server.contract.client_id })],
        "iss of another key": ["assertion.signature", by.assertion({ iss: other.id })],
        "iss and sub of another key": ["assertion.signature", by.assertion({ iss: other.id, sub: other.id })],
        "no sub": ["assertion.sub", by.assertion({ sub: undefined })],
        "sub of another key": ["assertion.sub", by.assertion({ sub: other.id })],
        "client_id of another key": ["assertion.client_id", by.assertion(), { client_id: other.id }],
        "client_id of nobody": ["assertion.client_id", by.assertion(), { client_id: "x" }],
        "no aud": ["assertion.aud", by.assertion({ aud: undefined })],
        "aud of another server": ["assertion.aud", by.assertion({ aud: "https://other.example" })],
        "aud of the endpoint": ["assertion.aud", by.assertion({ aud: `${server.url}${TOKEN}` })],
        "aud of several": ["assertion.aud", by.assertion({ aud: [server.url, "https://other.example"] })],
        "aud of none": ["assertion.aud", by.assertion({ aud: [] })],
        "aud with a slash": ["assertion.aud", by.assertion({ aud: `${server.url}/` })],
        "aud a number": ["assertion.form", by.assertion({ aud: 1 })],
        "no exp": ["assertion.exp", by.assertion({ exp: undefined })],
        "expired": ["assertion.exp", by.assertion({ exp: now - 1 })],
        "far exp": ["assertion.exp", by.assertion({ exp: now + 3600 })],
        "exp just too far": ["assertion.exp", by.assertion({ exp: now + 340 })],
        "exp a string": ["assertion.form", by.assertion({ exp: String(now + 60) })],
        "exp a fraction": ["assertion.form", by.assertion({ exp: now + 60.5 })],
        "iat ahead": ["assertion.iat", by.assertion({ iat: now + 60 })],
        "nbf ahead": ["assertion.nbf", by.assertion({ nbf: now + 60 })],
        "no jti": ["assertion.jti", by.assertion({ jti: undefined })],
        "empty jti": ["assertion.form", by.assertion({ jti: "" })],
        "huge jti": ["assertion.form", by.assertion({ jti: "x".repeat(257) })],
        "typ of a proof": ["assertion.typ", typ("dpop+jwt")],
        "typ of an access token": ["assertion.typ", typ("at+jwt")],
        "crit": ["assertion.form", by.assertion({}, { crit: ["exp"] })],
        "no JWT": ["assertion.form", "x"],
        "too long": ["assertion.form", by.assertion({ more: "x".repeat(4000) })],
    });
    for (const good of [by.assertion({ aud: [server.url] }), by.assertion({ iat: undefined }), by.assertion({ nbf: nowS() }), typ("JWT"),
        typ("client-authentication+jwt"), by.assertion({ exp: nowS() + 290 }), by.assertion({}, { kid: "any" })])
        await isActive(await by.introspect((await minted()).token, good));
});

test("a secret where a name belongs is in no finding", async () => {
    const { token } = await minted();
    const { secret_key, api_token, client_id, client_secret } = server.contract;
    for (const secret of [secret_key, api_token, client_secret, `${client_id}:${client_secret}`, token])
        for (const [claims, more] of [[{ iss: secret }, {}], [{ sub: secret }, {}], [{ aud: secret }, {}], [{}, { client_id: secret }]]) {
            const found = JSON.stringify(await why(invalidClient(await client.introspect(token, client.assertion(claims), more))));
            for (let at = 8; at + 12 <= secret.length; at++) {
                const part = secret.slice(at, at + 12);
                assert.ok(!found.includes(part) || client_id.includes(part), `${Object.keys({ ...claims, ...more })}: ${found}`);
            }
        }
});

test("the algorithm is the key's: none, HS256 with the public key, another family, another key", async () => {
    for (const alg of ["ES256", "EdDSA", "RS256"]) {
        const by = await Client.on(server, alg), stranger = await Client.on(server, alg);
        const pem = by.publicKey.export({ format: "pem", type: "spki" }), forged = (header, key, how) => compact(header, by.claims(), key, how);
        const other = await Client.on(server, alg === "EdDSA" ? "ES256" : "EdDSA");
        const [header, claims, signature] = by.assertion().split(".");
        await refusedEach(by, {
            none: ["assertion.form", `${b64('{"alg":"none"}')}.${claims}.`],
            "none, signed": ["assertion.alg", `${b64('{"alg":"none"}')}.${claims}.${signature}`],
            "HS256 with the PEM": ["assertion.alg", forged({ alg: "HS256" }, pem, "HS256")],
            "HS256 with the JWK": ["assertion.alg", forged({ alg: "HS256" }, JSON.stringify(by.jwk), "HS256")],
            "HS256 named as the key's": ["assertion.signature", forged({ alg }, pem, "HS256")],
            "another family": ["assertion.alg", forged({ alg: other.alg }, other.privateKey, other.alg)],
            "another key": ["assertion.signature", forged({ alg }, stranger.privateKey, alg)],
            "another key, sent along": ["assertion.signature", forged({ alg, jwk: stranger.jwk, kid: by.id }, stranger.privateKey, alg)],
            "no alg": ["assertion.form", `${b64("{}")}.${claims}.${signature}`],
            "other claims": ["assertion.signature", `${header}.${b64(JSON.stringify(by.claims()))}.${signature}`],
        });
    }
});

test("an assertion is good once: a hundred times at once, at another endpoint, with another text", async () => {
    const { token } = await minted(), once = client.assertion();
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.introspect(token, once)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers) if (answer.status !== 200) invalidClient(answer);
    const jti = crypto.randomUUID(), { refresh_token } = await minted();
    await isActive(await client.introspect(token, client.assertion({ jti })));
    const again = client.assertion({ jti, exp: nowS() + 200, more: 1 });
    const refused = invalidClient(await client.refresh(refresh_token, again), "the same jti in another assertion");
    assert.equal((await why(refused)).check, "assertion.once");
    invalidClient(await form(server, REVOKE, { token, ...client.fields(again) }));
    await isActive(await client.introspect(token), true);
    assert.equal((await client.refresh(refresh_token)).status, 200, "the refused ones cost the token nothing");
    const other = await Client.on(server);
    await isActive(await other.introspect(token, other.assertion({ jti })), true);
});

test("what tells nothing and writes nothing uses an assertion up, too", async () => {
    for (const [path, fields] of [[INTROSPECT, { token: "x" }], [REVOKE, { token: "x" }]]) {
        const once = client.fields(client.assertion());
        assert.equal((await form(server, path, { ...fields, ...once })).status, 200);
        invalidClient(await form(server, path, { ...fields, ...once }), path);
    }
});

test("a request that cannot be read uses nothing up", async () => {
    const { token } = await minted(), once = client.assertion();
    assert.equal((await form(server, INTROSPECT, { ...client.fields(once) })).status, 400);
    await isActive(await client.introspect(token, once));
});

test("an assertion stays used after kill -9", async () => {
    const data = temporaryFolder(), env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const at = async () => Object.assign(await startServer({ data, env }), { publicUrl: env.COATCHECK_PUBLIC_URL });
    const before = await at(), by = await Client.on(before), { refresh_token, token } = await minted(before);
    const used = [by.assertion(), by.assertion()];
    assert.equal((await by.refresh(refresh_token, used[0])).status, 200);
    await isActive(await by.introspect(token, used[1]));
    before.child.kill("SIGKILL");
    await before.ended;
    by.server = await at();
    for (const assertion of used) invalidClient(await by.introspect(token, assertion), "after the crash");
    await isActive(await by.introspect(token));
    await by.server.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("one method of authentication in a request", async () => {
    const { token } = await minted(), { client_id, client_secret, secret_key } = server.contract;
    const wrong = basic(client_id, `sec_${"0".repeat(48)}`);
    for (const authorization of [apiAuth(server).authorization, basic(client_id, client_secret), wrong, `Bearer ${secret_key}`, "Basic x"])
        for (const [path, fields] of [[INTROSPECT, { token }], [REVOKE, { token }], [TOKEN, { grant_type: "refresh_token", refresh_token: "x" }]]) {
            const answer = await form(server, path, { ...fields, ...client.fields() }, { authorization });
            assert.deepEqual([answer.status, answer.json.error], [400, "invalid_request"], `${path} ${authorization}: ${answer.text}`);
        }
    const secret = await client.introspect(token, undefined, { client_secret: "x" });
    assert.deepEqual([secret.status, secret.json.error], [400, "invalid_request"]);
    for (const fields of [{ client_assertion: client.assertion() }, { client_assertion_type: ASSERTION_TYPE }]) {
        const half = await form(server, REVOKE, { token, ...fields });
        assert.deepEqual([half.status, half.json.error], [400, "invalid_request"], half.text);
    }
    const twice = new URLSearchParams({ token, ...client.fields() }).toString() + `&client_assertion=${client.assertion()}`;
    assert.equal((await form(server, REVOKE, twice)).json.error, "invalid_request");
    for (const client_assertion_type of ["jwt-bearer", ASSERTION_TYPE.toUpperCase(), `${ASSERTION_TYPE} `, ASSERTION_TYPE.replace("jwt", "saml2")]) {
        const answer = invalidClient(await client.introspect(token, undefined, { client_assertion_type }), client_assertion_type);
        assert.equal((await why(answer)).check, "assertion.type");
    }
    await isActive(await client.introspect(token));
});

test("a key without a secret takes none", async () => {
    const { refresh_token, token } = await minted();
    for (const password of ["", "x", `sec_${"0".repeat(48)}`, client.assertion()]) {
        const authorization = basic(client.id, password);
        const answer = await form(server, INTROSPECT, { token }, { authorization });
        assert.deepEqual([answer.status, answer.json.error], [401, "invalid_client"], password);
        assert.equal((await form(server, TOKEN, { grant_type: "refresh_token", refresh_token }, { authorization })).status, 401);
        assert.equal((await launch(server, {}, { authorization })).status, 401);
    }
    const found = await why(await form(server, INTROSPECT, { token }, { authorization: basic(client.id, `sec_${"0".repeat(48)}`) }));
    assert.match(found.seen, /has none: it signs assertions/);
});

test("another project's tokens and tickets are not the key's", async () => {
    const name = `clients-${process.pid}`;
    const made = JSON.parse((await coatcheck("project", "create", name, "--test", "--data", server.data, "--json")).out);
    const theirs = await Client.on(server, "ES256", { project: made.id }), { token, refresh_token } = await minted();
    await isActive(await theirs.introspect(token), false);
    assert.equal((await theirs.refresh(refresh_token)).json.error, "invalid_grant");
    assert.deepEqual((await form(server, REVOKE, { token, ...theirs.fields() })).json, { sessions_closed: 0 });
    await isActive(await client.introspect(token), true);
    invalidClient(await client.introspect(token, theirs.assertion(), { client_id: client.id }), "client_id is another project's");
});

test("retired and revoked keys", async () => {
    const retired = await Client.on(server), revoked = await Client.on(server), { token } = await minted();
    for (const by of [retired, revoked]) await isActive(await by.introspect(token));
    assert.equal((await coatcheck("key", "retire", retired.id, "--data", server.data)).code, 0);
    assert.equal((await coatcheck("revoke", "key", revoked.id, "--project", server.contract.project_id, "--data", server.data)).code, 0);
    const answer = invalidClient(await retired.introspect(token), "retired");
    assert.equal((await why(answer)).check, "key.live");
    await isActive(await revoked.introspect(token), true); // revoking voids what a key minted; to end what it may ask, it is retired
    assert.equal((await coatcheck("key", "retire", revoked.id, "--data", server.data)).code, 0);
    invalidClient(await revoked.introspect(token), "revoked and retired");
    const shown = JSON.parse((await coatcheck("key", "show", retired.id, "--data", server.data, "--json")).out);
    assert.equal(shown.state, "retired");
});

test("from the page of a live project a signing key is as bad as a secret", async () => {
    const answer = await client.introspect((await minted()).token, undefined, {}, { origin: "https://evil.example" });
    invalidClient(answer);
    assert.equal((await why(answer)).check, "key.no_origin");
});

test("wrong assertions count as wrong secrets do; a good one always comes through", async () => {
    const guarded = await startServer({ env: { COATCHECK_LIMITS: "wrong_login=1/3" } });
    const by = await Client.on(guarded), { token } = await minted(guarded);
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await by.introspect(token, by.assertion({ aud: "x" }))).status);
    assert.deepEqual(statuses, [401, 401, 401, 429, 429, 429]);
    await isActive(await by.introspect(token));
    await guarded.stop();
});

test("keys are kept: after a restart, and in the store of a version before", async () => {
    const data = temporaryFolder(), env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const at = async () => Object.assign(await startServer({ data, env }), { publicUrl: env.COATCHECK_PUBLIC_URL });
    const before = await at(), by = await Client.on(before, "RS256"), { token } = await minted(before);
    await before.stop();
    by.server = await at();
    await isActive(await by.introspect(token));
    await by.server.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

await run({
    before: async () => {
        server = await startServer();
        client = await Client.on(server);
    },
    after: async () => {
        const baseline = await server.baseline();
        await server.assertSound(baseline);
        await server.stop();
    },
});
