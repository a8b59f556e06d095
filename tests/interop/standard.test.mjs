// standard.test.mjs — other people's tools as they are: curl mints, npm `ws` opens a session, npm `jose` verifies our
// tokens against our published keys. Nothing of ours stands between them and the server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { call, info, INFO, JWKS, mintToken, nowS, readToken, TOKENS } from "../harness/http.mjs";
import { connected, Session } from "../harness/session.mjs";
import { CONTRACT_MEMBERS, startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const curl = async (...args) => (await promisify(execFile)("curl", ["--silent", "--show-error", ...args])).stdout;
let server, other;

test("the contract line names everything", () => {
    const { contract } = server;
    assert.deepEqual(CONTRACT_MEMBERS.filter((name) => !(name in contract)), []);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
    for (const name of ["project_id", "address_id", "study_id"]) assert.match(contract[name], uuid, name);
    const shapes = { url: /^http:\/\/127\.0\.0\.1:\d+$/, tls_url: /^https:\/\/coatcheck\.localhost:\d+$/,
        ch: /^puc\.coatcheck\.localhost:\d+$/, admin_url: /^http:\/\/127\.0\.0\.1:\d+$/, api_token: /^PT/, client_id: /^cli_/,
        client_secret: /^sec_/, secret_key: /^sk_test_/, publishable_key: /^pk_test_/, c2c_token: /^c2c_/,
        c2c_address: /^\/public\/front-desk$/ };
    for (const [name, shape] of Object.entries(shapes)) assert.match(contract[name], shape, name);
    assert.equal(new URL(contract.tls_url).port, contract.ch.split(":")[1], "the socket's host is the TLS listener");
    assert.equal(other.contract.tls_url, null, "without --tls there is no TLS listener");
    assert.equal(other.contract.ca_file, null);
});

// ---- curl ----

function curlMint(base, reference, ...more)
{
    const { project_id, api_token } = server.contract;
    return curl("--user", `${project_id}:${api_token}`, "--json", JSON.stringify({ reference }), ...more, base + TOKENS);
}

test("curl mints over plain HTTP", async () => {
    const answer = JSON.parse(await curlMint(server.url, "curl@example.com"));
    assert.deepEqual(Object.keys(answer).sort(), ["refresh_token", "subscriber_id", "token"]);
    assert.equal((await info(server, answer.token)).status, 200);
});

test("curl mints over TLS, on each name, trusting the throw-away authority only", async () => {
    const { tls_url, ca_file } = server.contract;
    const port = new URL(tls_url).port;
    const names = ["localhost", "127.0.0.1", "coatcheck.localhost", "puc.coatcheck.localhost", "fabric.coatcheck.localhost"];
    const plain = JSON.parse(await curlMint(server.url, "tls@example.com"));
    for (const name of names) {
        const answer = JSON.parse(await curlMint(`https://${name}:${port}`, "tls@example.com", "--cacert", ca_file));
        assert.equal(answer.subscriber_id, plain.subscriber_id, name);
    }
    await assert.rejects(curlMint(tls_url, "tls@example.com"), /certificate|SSL/i);
});

test("curl speaks TLS 1.2 and 1.3, nothing older", async () => {
    const { tls_url, ca_file } = server.contract;
    for (const version of ["1.2", "1.3"])
        assert.match(await curl("--cacert", ca_file, "--tls-max", version, tls_url + JWKS), /"keys"/, version);
    await assert.rejects(curl("--cacert", ca_file, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", tls_url + JWKS));
});

test("curl keeps a connection for a second request, and gets 100-continue for a large body", async () => {
    const said = await curl("--write-out", "%{num_connects} ", server.url + JWKS, server.url + JWKS, "--output", "/dev/null",
        "--output", "/dev/null");
    assert.equal(said, "1 0 ");
    const big = await curlMint(server.url, "continue@example.com", "--header", "Expect: 100-continue", "--expect100-timeout", "30");
    assert.ok(JSON.parse(big).token);
});

// ---- ws ----

test("ws: connect, authorization state, online, ping, offline", async () => {
    const { token, subscriber_id } = await mintToken(server, { reference: "ws@example.com" });
    const session = await Session.open(server);
    const { result } = await session.connect(token);
    const { claims } = readToken(token);
    assert.equal(typeof result.identity, "string");
    assert.equal(result.authorization.jti, claims.jti);
    assert.equal(result.authorization.project_id, server.contract.project_id);
    assert.ok(Array.isArray(result.authorization.scope));
    const { fabric_subscriber } = result.authorization;
    assert.equal(fabric_subscriber.version, 1);
    assert.equal(fabric_subscriber.expires_at, claims.exp);
    assert.equal(fabric_subscriber.subscriber_id, subscriber_id);
    assert.equal(fabric_subscriber.application_id, null);
    assert.equal(fabric_subscriber.project_id, server.contract.project_id);
    assert.equal(typeof fabric_subscriber.space_id, "string");
    const event = await session.event("signalwire.authorization.state");
    assert.equal(typeof event.id, "string");
    assert.equal(typeof event.params.params.authorization_state, "string");
    if (event.params.event_channel !== undefined) assert.ok(event.params.event_channel.includes(result.protocol));
    assert.ok((await session.request("subscriber.online")).result);
    const ping = await session.message((m) => m.method === "signalwire.ping", "a ping");
    assert.equal(typeof ping.id, "string");
    assert.equal(typeof ping.params.timestamp, "number");
    assert.ok((await session.request("subscriber.offline")).result);
    assert.ok((await session.request("subscriber.online")).result, "online again");
    assert.equal((await session.close()).code, 1000);
});

test("ws over TLS, trusting the throw-away authority", async () => {
    const { token } = await mintToken(server, { reference: "ws@example.com" });
    const session = await connected(server, token, { tls: true });
    await session.close();
});

test("ws: each session has a name of its own, with 128 random bits", async () => {
    const { token } = await mintToken(server, { reference: "ws@example.com" });
    const names = new Set();
    for (let i = 0; i < 8; i++) {
        const session = await connected(server, token);
        names.add(session.result.protocol);
        await session.close();
    }
    assert.equal(names.size, 8);
    for (const name of names) assert.ok(name.length >= 22, name);
});

test("ws: a second connect is refused and changes nothing", async () => {
    const mine = await mintToken(server, { reference: "ws@example.com" });
    const theirs = await mintToken(server, { reference: "someone-else@example.com" });
    const session = await connected(server, mine.token);
    for (const token of [theirs.token, mine.token]) assert.ok((await session.connect(token)).error);
    assert.ok((await session.request("subscriber.online")).result, "the first session is still there");
    await session.close();
});

test("ws: calls before connect get -32002", async () => {
    const session = await Session.open(server);
    for (const method of ["subscriber.online", "subscriber.offline", "webrtc.verto", "signalwire.reauthenticate", "no.such"])
        assert.equal((await session.request(method)).error?.code, -32002, method);
    await session.close();
});

test("ws: an unknown method on a live session is an error, not a close", async () => {
    const { token } = await mintToken(server, { reference: "ws@example.com" });
    const session = await connected(server, token);
    assert.equal((await session.request("no.such")).error.code, -32601);
    assert.ok((await session.request("subscriber.online")).result);
    await session.close();
});

test("ws: a connect without its parameters is -32602 or -32002, never a session", async () => {
    const cases = [undefined, {}, { authentication: {} }, { authentication: { jwt_token: 7 } }, { authentication: "x" }];
    for (const params of cases) {
        const session = await Session.open(server);
        const reply = await session.request("signalwire.connect", params);
        assert.ok([-32602, -32002].includes(reply.error?.code), JSON.stringify([params, reply]));
        await session.close();
    }
});

test("ws: the socket closes with 4401 when its grant expires", async () => {
    const { token } = await mintToken(server, { reference: "ws@example.com", expire_at: nowS() + 20 });
    const session = await connected(server, token);
    const { code } = await session.closed;
    assert.equal(code, 4401);
    assert.ok(Date.now() / 1000 >= readToken(token).claims.exp, "not before its time");
    assert.equal((await info(server, token)).status, 401);
}, { beside: true });

test("ws: a socket that never connects is closed with 4408", async () => {
    const session = await Session.open(other);
    assert.equal((await session.closed).code, 4408);
}, { beside: true });

// ---- jose ----

const expected = () => ({ algorithms: ["ES256", "EdDSA"], typ: "SAT", issuer: readToken(sample).claims.iss,
    audience: readToken(sample).claims.aud, requiredClaims: ["iss", "aud", "sub", "iat", "exp", "jti", "prj", "kind", "gt", "fam"] });
let sample;

test("jose verifies a token against the key set, local and remote", async () => {
    const { token, subscriber_id } = await mintToken(server, { reference: "jose@example.com" });
    sample = token;
    const fetched = await call(server, "GET", JWKS);
    const local = await jwtVerify(token, createLocalJWKSet(fetched.json), expected());
    const remote = await jwtVerify(token, createRemoteJWKSet(new URL(server.url + JWKS)), expected());
    assert.deepEqual(local.payload, remote.payload);
    assert.equal(local.payload.sub, subscriber_id);
    assert.equal(local.payload.prj, server.contract.project_id);
    assert.equal(local.payload.kind, "subscriber");
    assert.equal(local.payload.exp - local.payload.iat, 7200);
    assert.equal(local.protectedHeader.ch, server.contract.ch);
});

test("jose refuses another server's token and a changed one", async () => {
    const keys = createLocalJWKSet((await call(server, "GET", JWKS)).json);
    const theirs = await mintToken(other, { reference: "jose@example.com" });
    await assert.rejects(jwtVerify(theirs.token, keys, { algorithms: ["ES256"] }), /no applicable key|signature/i);
    const [header, , signature] = sample.split(".");
    const claims = Buffer.from(JSON.stringify({ ...readToken(sample).claims, sub: server.contract.project_id })).toString("base64url");
    await assert.rejects(jwtVerify([header, claims, signature].join("."), keys), /signature verification failed/);
});

test("the key set: exactly the public members, types and cache headers", async () => {
    const answer = await call(server, "GET", JWKS);
    assert.equal(answer.status, 200);
    assert.match(answer.headers["content-type"], /^application\/(jwk-set\+json|json)/);
    assert.match(answer.headers["cache-control"], /public/);
    assert.match(answer.headers["cache-control"], /max-age=\d+/);
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.deepEqual(Object.keys(answer.json), ["keys"]);
    assert.ok(answer.json.keys.length >= 1);
    for (const key of answer.json.keys) {
        const members = { EC: ["alg", "crv", "kid", "kty", "use", "x", "y"], OKP: ["alg", "crv", "kid", "kty", "use", "x"] };
        assert.deepEqual(Object.keys(key).sort(), members[key.kty], "no private or unknown member");
        assert.equal(key.use, "sig");
    }
    assert.ok(answer.json.keys.some((key) => key.kid === decodeProtectedHeader(sample).kid));
});

test("the key set is for everyone: any origin may read it", async () => {
    const answer = await call(server, "GET", JWKS, { headers: { origin: "https://anyone.example" } });
    assert.equal(answer.status, 200);
});

test("HEAD and conditional requests on the key set are answered without a body", async () => {
    const head = await call(server, "HEAD", JWKS);
    assert.ok([200, 405].includes(head.status));
    assert.equal(head.text, "");
});

test("the same facts over TLS and in clear", async () => {
    const { token } = await mintToken(server, { reference: "tls@example.com" });
    const [clear, secret] = await Promise.all([info(server, token),
        call(server, "GET", INFO, { tls: true, headers: { authorization: `Bearer ${token}` } })]);
    assert.equal(secret.status, 200);
    assert.deepEqual(clear.json, secret.json);
});

await run({
    before: async () => {
        server = await startServer({ tls: true, env: { COATCHECK_PING_INTERVAL_S: "1" } });
        other = await startServer({ env: { COATCHECK_CONNECT_TIMEOUT_S: "1" } });
    },
    after: async () => { await other.stop(); await server.stop(); },
});
