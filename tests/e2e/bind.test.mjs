// bind.test.mjs — client-bound tokens: a browser binds its token to its key and renews it by proofs over HTTP. Names begin
// with the number of the acceptance list ("SW-41") or of the attack ("B-34").
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { advance } from "../harness/clock.mjs";
import { b64 } from "../harness/forge.mjs";
import { call, info, mintToken, nowS, readToken } from "../harness/http.mjs";
import { ACTIVATE, ath, bearer, devices, loose, Prover, RENEW } from "../harness/prover.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const LISTED = "http://localhost:5173", FOREIGN = "https://evil.example";
let server, baseline;

function good(answer, label = "")
{
    assert.equal(answer.status, 201, `${label}: ${answer.text}`);
    return answer.json.token;
}

function refused(answer, label)
{
    assert.deepEqual([answer.status, answer.text], [401, '{"error":"Unauthorized"}'], label);
}

// Each way of sending: activation of a bound token, and its renewal. name -> how a proof has to be changed to be wrong.
async function refusedEach(wrongs, prover = new Prover())
{
    const token = await prover.bound(server);
    for (const [label, make] of Object.entries(wrongs))
        for (const path of [ACTIVATE, RENEW]) {
            const proof = make(prover, path, token);
            refused(await devices(server, path, token, proof), `${label} at ${path}`);
        }
    good(await prover.renew(server, token), "after all of these the right one is good");
}

// ---- the good way ----

test("SW-40 the answer of activation and renewal: a bound token, its expiry, and what it asked for, clamped", async () => {
    for (const alg of ["RS256", "ES256", "EdDSA"]) {
        const prover = new Prover(alg), minted = await prover.bound(server);
        const answer = await prover.activate(server, minted);
        assert.equal(answer.status, 201, answer.text);
        assert.deepEqual(Object.keys(answer.json).sort(), ["expires_at", "expires_in", "token"]);
        const { claims } = readToken(answer.json.token), root = readToken(minted).claims;
        assert.deepEqual([claims.cnf.jkt, claims.scope, claims.kind], [prover.fingerprint, "sat:refresh", "subscriber"]);
        assert.deepEqual([answer.json.expires_at, answer.json.expires_in], [claims.exp, 900]);
        for (const name of ["sub", "prj", "gt", "fam", "par", "end"]) assert.equal(claims[name], root[name], name);
        assert.notEqual(claims.jti, root.jti);
        const renewed = readToken(good(await prover.renew(server, answer.json.token))).claims;
        assert.deepEqual([renewed.cnf.jkt, renewed.gt, renewed.fam], [prover.fingerprint, root.gt, root.fam]);
    }
});

test("SW-40 expire_in is clamped to 60..3600, and its default is 900", async () => {
    const prover = new Prover(), token = await prover.bound(server);
    const lives = [[undefined, 900], [null, 900], [60, 60], [59, 60], [0, 60], [-1, 60], [3600, 3600], [3601, 3600], [2 ** 52, 3600], [899.5, 900]];
    for (const [asked, given] of lives)
        for (const answer of [await prover.activate(server, token, asked), await prover.renew(server, token, asked)]) {
            const { claims } = readToken(good(answer, String(asked)));
            assert.equal(claims.exp - claims.iat, given, String(asked));
        }
    for (const asked of ["900", true, [900], {}]) {
        const answer = await prover.activate(server, token, asked);
        assert.deepEqual([answer.status, answer.json.errors?.[0].attribute], [422, "expire_in"], JSON.stringify(asked));
    }
});

test("SW-41 an unbound token is bound to the first key that asks, and that key may ask again", async () => {
    const first = new Prover(), token = await loose(server);
    const { claims } = readToken(good(await first.activate(server, token)));
    assert.equal(claims.cnf.jkt, first.fingerprint);
    assert.equal(readToken(good(await first.activate(server, token), "a client that lost the answer")).claims.cnf.jkt, first.fingerprint);
});

test("SW-41 another key at a token that was bound is refused, and ends the family", async () => {
    const first = new Prover(), thief = new Prover(), token = await loose(server);
    const bound = good(await first.activate(server, token));
    refused(await thief.activate(server, token), "the thief");
    refused(await first.renew(server, bound), "the family has ended");
    refused(await first.activate(server, token), "and so has its root");
    assert.equal((await info(server, bound)).status, 401);
});

test("SW-41 of a hundred browsers that bind one token at once, one has it for a moment", async () => {
    const token = await loose(server);
    const answers = await Promise.all(Array.from({ length: 100 }, () => new Prover().activate(server, token)));
    const keys = answers.filter((answer) => answer.status === 201).map((answer) => readToken(answer.json.token).claims.cnf.jkt);
    assert.ok(keys.length <= 1, `${keys.length} got one`);
    assert.ok(answers.every((answer) => answer.status === 201 || answer.status === 401));
});

test("SW-41 a token minted with a fingerprint needs that key", async () => {
    const prover = new Prover(), token = await prover.bound(server), other = new Prover();
    refused(await other.activate(server, token), "activation by another key");
    refused(await other.renew(server, token), "renewal by another key");
    good(await prover.activate(server, token), "nobody's family was harmed");
});

test("the scope sat:refresh is needed, and renewal needs a bound token", async () => {
    const prover = new Prover();
    const plain = (await mintToken(server, { reference: "plain@example.com" })).token;
    const noScope = (await mintToken(server, { reference: "plain@example.com", fingerprint: prover.fingerprint })).token;
    for (const token of [plain, noScope]) {
        refused(await prover.activate(server, token), "activation");
        refused(await prover.renew(server, token), "renewal");
    }
    refused(await prover.renew(server, await loose(server)), "renewal of what is not bound");
});

test("a bound token opens a session with a proof and none without; info and addresses take it as it is", async () => {
    const prover = new Prover(), token = good(await prover.activate(server, await loose(server)));
    const session = await connected(server, token, { params: { dpop_token: prover.rpc() } });
    assert.equal(session.result.authorization.cnf.jkt, prover.fingerprint);
    assert.deepEqual(session.result.authorization.scope, ["sat:refresh"]);
    await session.close();
    const bare = await Session.open(server);
    assert.equal((await bare.connect(token)).error.code, -32002);
    bare.ws.terminate();
    const { sat_claims } = (await info(server, token)).json;
    assert.deepEqual(sat_claims, { scope: ["sat:refresh"], expires_at: readToken(token).claims.exp, cnf: { jkt: prover.fingerprint } });
});

test("no renewal passes the family's end, a day after the mint", async () => {
    const moved = await startServer();
    const prover = new Prover();
    let token = await prover.bound(moved, { expire_at: nowS() + 86400 }), last = 3600, steps = 0;
    while (last === 3600 && steps++ < 40) {
        const answer = await prover.renew(moved, token, 3600);
        token = good(answer, `step ${steps}`);
        last = answer.json.expires_in;
        assert.ok(answer.json.expires_at <= nowS() + 3600, "what is told is real time");
        if (last === 3600) await advance(moved, "50m");
    }
    assert.ok(steps >= 27 && steps <= 29, `${steps} steps of 50 minutes`);
    assert.ok(last < 3600);
    await advance(moved, `${last}s`);
    refused(await prover.renew(moved, token, 3600), "after the end");
    await moved.stop();
});

test("devices/* are for the project's own pages", async () => {
    const prover = new Prover(), token = await prover.bound(server);
    for (const path of [ACTIVATE, RENEW]) {
        const body = () => ({ dpop_token: prover.http(path, token) });
        const own = await bearer(server, path, token, body(), { origin: LISTED });
        assert.deepEqual([own.status, own.headers["access-control-allow-origin"]], [201, LISTED]);
        const foreign = await bearer(server, path, token, body(), { origin: FOREIGN });
        assert.deepEqual([foreign.status, foreign.headers["access-control-allow-origin"]], [403, undefined]);
        const preflight = await call(server, "OPTIONS", path, { headers: { origin: LISTED, "access-control-request-method": "POST" } });
        assert.deepEqual([preflight.status, preflight.headers["access-control-allow-origin"]], [204, LISTED]);
        assert.equal((await call(server, "POST", path, { body: body() })).status, 401, "no token");
        assert.equal((await call(server, "POST", path, { body: body(), headers: { authorization: server.basic } })).status, 401, "a secret");
        assert.equal((await bearer(server, path, token, "{}", { "content-type": "text/plain" })).status, 415);
    }
});

// ---- stolen, copied and broken proofs ----

test("B-29 the same proof to devices/* a hundred times at once: one token", async () => {
    const prover = new Prover(), bound = await prover.bound(server), unbound = await loose(server);
    for (const [path, token, proof] of [[RENEW, bound, prover.http(RENEW, bound)], [ACTIVATE, bound, prover.http(ACTIVATE)],
        [ACTIVATE, unbound, prover.http(ACTIVATE)]]) {
        const answers = await Promise.all(Array.from({ length: 100 }, () => devices(server, path, token, proof)));
        assert.equal(answers.filter((answer) => answer.status === 201).length, 1, path);
        for (const answer of answers.filter((one) => one.status !== 201)) refused(answer, path);
        refused(await devices(server, path, token, proof), "and never again");
    }
    good(await prover.activate(server, unbound), "its family lives: it was one key");
});

test("B-31 over HTTP a proof is known by key and jti", async () => {
    const one = new Prover(), two = new Prover(), jti = crypto.randomUUID();
    const [first, second] = [await one.bound(server), await two.bound(server)];
    good(await devices(server, RENEW, first, one.http(RENEW, first, { jti })));
    good(await devices(server, RENEW, second, two.http(RENEW, second, { jti })), "another key's jti");
    refused(await devices(server, RENEW, first, one.http(RENEW, first, { jti, iat: nowS() - 1 })), "the same jti, another text");
    refused(await devices(server, ACTIVATE, first, one.http(ACTIVATE, undefined, { jti })), "the same jti at another call");
});

test("B-32 a proof used over HTTP stays used after kill -9, and a binding stays bound", async () => {
    const data = temporaryFolder(), env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const before = await startServer({ data, env });
    const prover = new Prover(), token = await prover.bound(before), unbound = await loose(before), proof = prover.http(RENEW, token);
    good(await devices(before, RENEW, token, proof));
    good(await prover.activate(before, unbound));
    await before.kill9();
    const after = await startServer({ data, env });
    refused(await devices(after, RENEW, token, proof), "the same proof");
    good(await prover.renew(after, token), "the next one");
    good(await prover.activate(after, unbound), "the same key");
    refused(await new Prover().activate(after, unbound), "another key");
    await after.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("B-34 B-35 a proof is for one path, byte by byte", async () => {
    const other = { [ACTIVATE]: RENEW, [RENEW]: ACTIVATE };
    const wrong = (change) => (prover, path, token) => prover.http(path, token, { htu: change(path) });
    await refusedEach({ "the other call": wrong((path) => other[path]), "another case": wrong((path) => path.toUpperCase()),
        "a segment more": wrong((path) => `${path}/`), "dot segments": wrong((path) => path.replace("/devices", "/x/../devices")),
        "double slash": wrong((path) => `/${path}`), "%2f": wrong((path) => path.replace("/devices/", "/devices%2f")),
        "%74 for t": wrong((path) => path.replace("token", "%74oken").replace("refresh", "re%66resh")),
        backslash: wrong((path) => path.replace("/devices", "\\devices")), "no slash": wrong((path) => path.slice(1)), list: wrong((path) => [path]),
        "an absolute URL": wrong((path) => server.url + path), "another host": wrong((path) => `https://evil.example${path}`),
        absent: wrong(() => undefined), empty: wrong(() => ""), null: wrong(() => null) });
    const prover = new Prover(), token = await prover.bound(server);
    for (const suffix of ["?a=b", "#x"])
        good(await devices(server, RENEW, token, prover.http(`${RENEW}${suffix}`, token)), "query and fragment do not count (RFC 9449 §4.3)");
    const query = `${RENEW}?page=2`;
    good(await devices(server, query, token, prover.http(RENEW, token)), "nor do those of the request");
});

test("B-36 forwarding headers from a stranger do not change the path", async () => {
    const prover = new Prover(), token = await prover.bound(server);
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil", forwarded: "host=evil.example" };
    for (const htu of [`/evil${RENEW}`, `https://evil.example${RENEW}`])
        refused(await bearer(server, RENEW, token, { dpop_token: prover.http(RENEW, token, { htu }) }, headers), htu);
    good(await bearer(server, RENEW, token, { dpop_token: prover.http(RENEW, token) }, headers));
});

test("B-37 a proof is for one method, letter by letter", async () => {
    const wrong = (htm) => (prover, path, token) => prover.http(path, token, { htm });
    await refusedEach({ GET: wrong("GET"), lower: wrong("post"), "with a space": wrong("POST "), list: wrong(["POST"]), absent: wrong(undefined) });
});

test("B-38 ath names the token that is shown, and nothing else", async () => {
    const prover = new Prover(), token = await prover.bound(server), other = await prover.bound(server);
    const digest = crypto.createHash("sha256").update(token).digest();
    const wrongs = { wrong: ath("x"), "of another token": ath(other), hex: digest.toString("hex"), padded: `${ath(token)}=`, base64: digest.toString("base64"),
        empty: "", number: 7, null: null, cut: ath(token).slice(0, -1) };
    for (const [label, value] of Object.entries(wrongs)) {
        refused(await devices(server, RENEW, token, prover.http(RENEW, token, { ath: value })), label);
        refused(await devices(server, ACTIVATE, token, prover.http(ACTIVATE, undefined, { ath: value })), `${label} at activation`);
    }
    refused(await devices(server, RENEW, token, prover.http(RENEW)), "missing");
    good(await devices(server, ACTIVATE, token, prover.http(ACTIVATE)), "activation needs none");
    good(await devices(server, ACTIVATE, token, prover.http(ACTIVATE, token)), "a right one does no harm");
    good(await devices(server, RENEW, token, prover.http(RENEW, token)));
});

test("B-39 B-40 over HTTP: private members and keys that are none", async () => {
    const jwk = (change) => (prover, path, token) => prover.http(path, token, {}, { jwk: change(prover) });
    await refusedEach({ d: jwk((p) => ({ ...p.jwk, d: p.privateJwk.d })), k: jwk((p) => ({ ...p.jwk, k: "c2VjcmV0" })),
        missing: jwk(() => undefined), null: jwk(() => null), oct: jwk(() => ({ kty: "oct", k: "c2VjcmV0" })), "no y": jwk((p) => ({ ...p.jwk, y: undefined })),
        "off the curve": jwk((p) => ({ ...p.jwk, y: p.jwk.x })), zero: jwk((p) => ({ ...p.jwk, x: b64(Buffer.alloc(32)), y: b64(Buffer.alloc(32)) })),
        "alg none": (p, path, token) => p.http(path, token, {}, { alg: "none" }), "typ JWT": (p, path, token) => p.http(path, token, {}, { typ: "JWT" }) });
});

test("B-41 B-47 over HTTP: another key, another token, no proof", async () => {
    const thief = new Prover();
    await refusedEach({ "no proof": () => undefined, null: () => null, number: () => 7, empty: () => "", "the thief's own": (p, path, token) => thief.http(path, token),
        "our key, the thief's hand": (p, path, token) => thief.http(path, token, {}, { jwk: p.jwk }), "the token itself": (p, path, token) => token,
        "a second key of the same client": (p, path, token) => new Prover().http(path, token) });
    refused(await devices(server, ACTIVATE, await loose(server), undefined), "nor is an unbound token bound without one");
    const prover = new Prover(), token = await prover.bound(server);
    const inHeader = await bearer(server, RENEW, token, {}, { dpop: prover.http(RENEW, token) });
    refused(inHeader, "a proof in a field is not this dialect's");
});

test("B-42 over HTTP: iat outside the window, of other types", async () => {
    const at = (iat) => (prover, path, token) => prover.http(path, token, { iat });
    const now = nowS();
    await refusedEach({ "302 s old": at(now - 302), "340 s ahead": at(now + 340), text: at(String(now)), ms: at(now * 1000), negative: at(-1), zero: at(0),
        fraction: at(now + 0.5), absent: at(undefined), "exp only": (p, path, token) => p.http(path, token, { iat: undefined, exp: now + 60 }) });
    const prover = new Prover(), token = await prover.bound(server);
    good(await devices(server, RENEW, token, prover.http(RENEW, token, { iat: nowS() - 270 })), "old, but within the window");
});

test("B-43 over HTTP: proofs of any length", async () => {
    await refusedEach({ "5 kB": (p, path, token) => p.http(path, token, { pad: "p".repeat(3500) }) });
    const prover = new Prover(), token = await prover.bound(server);
    for (const size of [20000, 100000])
        assert.equal((await devices(server, RENEW, token, prover.http(RENEW, token, { pad: "p".repeat(size) }))).status, 413, String(size));
});

test("B-45 a proof for the socket does nothing over HTTP, and the reverse", async () => {
    await refusedEach({ rpc: (p) => p.rpc(), "rpc of this path": (p, path) => p.rpc(path), both: (p, path, token) => p.http(path, token, { rpc: "request",
        mth: "signalwire.connect" }) });
    const prover = new Prover(), token = await prover.bound(server);
    for (const proof of [prover.http(RENEW, token), prover.http("/", token, { htm: "GET" }), prover.http(ACTIVATE)]) {
        const session = await Session.open(server);
        assert.equal((await session.connect(token, { dpop_token: proof })).error?.code, -32002);
        session.ws.terminate();
    }
});

await run({
    before: async () => {
        server = await startServer();
        await mintToken(server, { reference: "bound@example.com" });
        await mintToken(server, { reference: "loose@example.com" });
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
