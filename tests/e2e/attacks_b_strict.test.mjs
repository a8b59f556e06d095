// attacks_b_strict.test.mjs — stolen, copied and broken proofs at the token endpoint, where the strict profile of RFC 9449
// holds: DPoP field, absolute htu, −60/+5 s. Names begin with the number of the case. Every refresh token here is bound, and
// no key is sent along: the proof is all that authenticates.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { apiAuth, form, hashOf, introspect, METADATA, Prover, refreshBy, REVOKE, TOKEN } from "../harness/door.mjs";
import { b64, compact } from "../harness/forge.mjs";
import { call, info, nowS } from "../harness/http.mjs";
import { keyPair } from "../harness/keys.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { Session } from "../harness/session.mjs";
import { run, test } from "../harness/suite.mjs";

let server, strict;
let people = 0;
const someone = () => ({ reference: `strict-${++people}@example.com` });

function refused(answer, label = "", error = "invalid_dpop_proof", status = 400)
{
    assert.equal(answer.status, status, `${label}: ${answer.text}`);
    assert.equal(answer.json?.error, error, `${label}: ${answer.text}`);
    assert.equal(answer.headers["cache-control"], "no-store");
}

// Each of these is refused, costs the refresh token nothing, and a good proof comes through afterwards.
async function refusedEach(prover, proofs, at = server)
{
    const { refresh_token } = await prover.mint(at, someone());
    for (const [label, proof] of Object.entries(proofs)) refused(await refreshBy(at, refresh_token, { dpop: proof }), label);
    const answer = await refreshBy(at, refresh_token, { dpop: prover.prove(at) });
    assert.equal(answer.status, 200, `a good proof afterwards: ${answer.text}`);
}

test("B-29 the same proof a hundred times at once: one refresh", async () => {
    const prover = new Prover(), { refresh_token } = await prover.mint(server, someone()), dpop = prover.prove(server);
    const answers = await Promise.all(Array.from({ length: 100 }, () => refreshBy(server, refresh_token, { dpop })));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status, json }) => status === 400 && json.error === "invalid_dpop_proof").length, 99);
    refused(await refreshBy(server, refresh_token, { dpop }), "and never again");
    assert.equal((await refreshBy(server, refresh_token, { dpop: prover.prove(server) })).status, 200, "nothing was revoked");
});

test("B-31 a proof is known by key and jti: another key's is another, another text of the same is the same", async () => {
    const one = new Prover(), two = new Prover(), jti = crypto.randomUUID();
    const [first, second] = [await one.mint(server, someone()), await two.mint(server, someone())];
    const mine = await refreshBy(server, first.refresh_token, { dpop: one.prove(server, TOKEN, { jti }) });
    assert.equal(mine.status, 200);
    assert.equal((await refreshBy(server, second.refresh_token, { dpop: two.prove(server, TOKEN, { jti }) })).status, 200);
    const next = mine.json.refresh_token;
    refused(await refreshBy(server, next, { dpop: one.prove(server, TOKEN, { jti, iat: nowS() - 1 }) }), "other iat");
    refused(await refreshBy(server, next, { dpop: one.prove(server, TOKEN, { jti, more: "x" }) }), "other claims");
    refused(await form(server, REVOKE, { token: next }, { dpop: one.prove(server, REVOKE, { jti }) }), "another call");
    assert.equal((await refreshBy(server, next, { dpop: one.prove(server) })).status, 200);
});

test("B-32 a used proof stays used after kill -9", async () => {
    const data = temporaryFolder(), env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const prover = new Prover();
    const at = async () => Object.assign(await startServer({ data, env }), { publicUrl: env.COATCHECK_PUBLIC_URL });
    const before = await at(), { refresh_token } = await prover.mint(before, someone()), dpop = prover.prove(before);
    const first = await refreshBy(before, refresh_token, { dpop });
    assert.equal(first.status, 200, first.text);
    await before.kill9();
    const after = await at();
    refused(await refreshBy(after, refresh_token, { dpop }));
    refused(await refreshBy(after, first.json.refresh_token, { dpop }));
    assert.equal((await refreshBy(after, first.json.refresh_token, { dpop: prover.prove(after) })).status, 200);
    await after.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("B-34 htu of another host, port, scheme or path, in any spelling", async () => {
    const prover = new Prover(), { host, port, hostname } = new URL(server.url);
    const urls = { "other host": `http://evil.example${TOKEN}`, "other port": `http://${hostname}:${Number(port) + 1}${TOKEN}`,
        "other scheme": `https://${host}${TOKEN}`, "other path": `http://${host}/oauth/revoke`, "path case": `http://${host}/oauth/Token`,
        "no path": `http://${host}`, "one slash more": `http://${host}${TOKEN}/`, user: `http://${host}@evil.example${TOKEN}`,
        "userinfo trick": `http://evil.example@${host}${TOKEN}`, "dot segments": `http://${host}/oauth/../oauth/token`,
        "dot segment": `http://${host}/./oauth/token`, "%2f": `http://${host}/oauth%2Ftoken`, backslash: `http:\\\\${host}\\oauth\\token`,
        "relative path": TOKEN, "no scheme": `//${host}${TOKEN}`, "a word": "token", empty: "", array: [`http://${host}${TOKEN}`],
        "twice in one": `http://${host}${TOKEN} http://${host}${TOKEN}`, suffix: `http://${host}.evil.example${TOKEN}` };
    const proofs = Object.fromEntries(Object.entries(urls).map(([label, htu]) => [label, prover.prove(server, TOKEN, { htu })]));
    const head = JSON.stringify({ typ: "dpop+jwt", alg: prover.alg, jwk: prover.jwk });
    const twice = `{"jti":"${crypto.randomUUID()}","htm":"POST","htu":"${server.url}${TOKEN}","htu":"${server.url}${TOKEN}","iat":${nowS()}}`;
    await refusedEach(prover, { ...proofs, duplicate: compact(head, twice, prover.privateKey) });
});

test("B-35 htu may leave the default port out, and its host may be upper case; escapes and queries are as documented", async () => {
    const data = temporaryFolder(), at = await startServer({ data, env: { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost" } });
    at.publicUrl = "https://coatcheck.localhost";
    const prover = new Prover();
    const taken = ["https://coatcheck.localhost:443", "https://COATCHECK.LOCALHOST", "HTTPS://coatcheck.localhost"].map((base) => base + TOKEN);
    taken.push(`https://coatcheck.localhost${TOKEN}?a=b`, `https://coatcheck.localhost${TOKEN}#x`);
    for (const htu of taken) {
        const { refresh_token } = await prover.mint(at, someone());
        const answer = await refreshBy(at, refresh_token, { dpop: prover.prove(at, TOKEN, { htu }) });
        assert.equal(answer.status, 200, `${htu}: ${answer.text}`);
    }
    const { refresh_token } = await prover.mint(at, someone());
    const queried = await form(at, `${TOKEN}?a=b`, { grant_type: "refresh_token", refresh_token }, { dpop: prover.prove(at) });
    assert.equal(queried.status, 200, "a query of the request does not count either");
    await refusedEach(prover, { escape: prover.prove(at, TOKEN, { htu: "https://coatcheck.localhost/oauth/%74oken" }),
        port: prover.prove(at, TOKEN, { htu: `https://coatcheck.localhost:80${TOKEN}` }) }, at);
    await at.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("B-36 forwarded headers and Host do not move the expected htu", async () => {
    const prover = new Prover(), { refresh_token } = await prover.mint(server, someone());
    const forged = { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example", forwarded: "host=evil.example;proto=https" };
    for (const headers of [forged, { host: "evil.example" }, { ...forged, host: "evil.example" }]) {
        const bad = prover.prove(server, TOKEN, { htu: `https://evil.example${TOKEN}` });
        refused(await refreshBy(server, refresh_token, { ...headers, dpop: bad }));
        const plain = prover.prove(server, TOKEN, { htu: `http://evil.example${TOKEN}` });
        refused(await refreshBy(server, refresh_token, { ...headers, dpop: plain }));
    }
    assert.equal((await refreshBy(server, refresh_token, { ...forged, dpop: prover.prove(server) })).status, 200);
    assert.equal((await call(server, "GET", METADATA, { headers: { ...forged, host: "evil.example" } })).json.issuer, server.url);
});

test("B-37 htm of another case or method", async () => {
    const prover = new Prover();
    await refusedEach(prover, Object.fromEntries(["post", "Post", "GET", "HEAD", "PUT", "", " POST", "POST,GET"].map((htm) => [`htm ${htm}`,
        prover.prove(server, TOKEN, { htm })])));
});

test("B-38 ath of nothing, of another token, in hex, padded", async () => {
    const prover = new Prover(), { token } = await prover.mint(server, someone()), { token: other } = await prover.mint(server, someone());
    const digest = crypto.createHash("sha256").update(token).digest();
    const aths = { missing: undefined, empty: "", hex: digest.toString("hex"), base64: digest.toString("base64"), padded: `${b64(digest)}=`,
        "another token's": hashOf(other), upper: hashOf(token).toUpperCase(), list: [hashOf(token)], number: 5 };
    for (const [label, ath] of Object.entries(aths))
        refused(await form(server, REVOKE, { token }, { dpop: prover.prove(server, REVOKE, { ath }) }), label);
    assert.equal((await introspect(server, token)).active, true);
    const good = await form(server, REVOKE, { token }, { dpop: prover.prove(server, REVOKE, { ath: hashOf(token) }) });
    assert.equal(good.status, 200, good.text);
});

test("B-39 a private member in the key is refused, and its value is in no log", async () => {
    const loud = await startServer({ env: { COATCHECK_LOG_LEVEL: "debug" } });
    for (const alg of ["ES256", "EdDSA", "RS256"]) {
        const prover = new Prover(alg);
        const members = ["d", "p", "q", "dp", "dq", "qi", "k"].map((name) => [name, prover.privateJwk[name] ?? prover.privateJwk.d]);
        await refusedEach(prover, Object.fromEntries(members.map(([name, value]) => [`${alg} ${name}`,
            prover.prove(loud, TOKEN, {}, { jwk: { ...prover.jwk, [name]: value } })])), loud);
        for (const [, value] of members) assert.equal(loud.logs.some((line) => line.includes(value)), false);
    }
    await loud.stop();
});

test("B-40 keys that are none, weak or off the curve", async () => {
    const prover = new Prover(), { x, y } = prover.jwk, zero = b64(Buffer.alloc(32));
    const weak = keyPair("weak");
    const keys = { none: undefined, text: "x", list: [prover.jwk], empty: {}, oct: { kty: "oct", k: x }, "no y": { ...prover.jwk, y: undefined },
        "off curve": { ...prover.jwk, y: x }, "zero point": { ...prover.jwk, x: zero, y: zero }, "31 bytes": { ...prover.jwk, x: b64(Buffer.alloc(31, 1)) },
        "33 bytes": { ...prover.jwk, x: b64(Buffer.alloc(33, 1)) }, "other curve": { ...prover.jwk, crv: "P-384" }, "padded x": { ...prover.jwk, x: `${x}=` },
        "e of 1": { kty: "RSA", n: new Prover("RS256").jwk.n, e: "AQ" }, "huge n": { kty: "RSA", n: b64(Buffer.alloc(2048, 255)), e: "AQAB" },
        "small order": { kty: "OKP", crv: "Ed25519", x: zero }, "y for x": { ...prover.jwk, x: y, y: x } };
    const proofs = Object.entries(keys).map(([label, jwk]) => [label, prover.prove(server, TOKEN, {}, { jwk })]);
    const claims = { jti: crypto.randomUUID(), htm: "POST", htu: server.url + TOKEN, iat: nowS() };
    proofs.push(["RSA 1024", compact({ typ: "dpop+jwt", alg: "RS256", jwk: weak.jwk }, claims, weak.privateKey, "RS256")]);
    proofs.push(["alg none", `${b64(JSON.stringify({ typ: "dpop+jwt", alg: "none", jwk: prover.jwk }))}.${b64(JSON.stringify(claims))}.`]);
    proofs.push(["no typ", prover.prove(server, TOKEN, {}, { typ: undefined })], ["typ JWT", prover.prove(server, TOKEN, {}, { typ: "JWT" })]);
    await refusedEach(prover, Object.fromEntries(proofs));
});

test("B-41 signed by another key than it carries, or bound to another", async () => {
    const prover = new Prover(), thief = new Prover();
    await refusedEach(prover, { "another's jwk": thief.prove(server, TOKEN, {}, { jwk: prover.jwk }), "thief's own": thief.prove(server) });
    const { token, refresh_token } = await prover.mint(server, someone());
    const session = await Session.open(server);
    assert.equal((await session.connect(token)).error?.code, -32002, "stolen without the key: no session");
    session.ws.terminate();
    refused(await refreshBy(server, refresh_token), "as a bearer", "invalid_client", 401);
});

test("B-42 iat 61 s old, 6 s ahead, or no number; exp is no substitute", async () => {
    const prover = new Prover(), now = nowS();
    const claims = { old: { iat: now - 62 }, ahead: { iat: now + 30 }, "a minute ahead": { iat: now + 60 }, text: { iat: String(now) },
        ms: { iat: now * 1000 }, negative: { iat: -now }, fraction: { iat: now + 0.5 }, missing: { iat: undefined }, null: { iat: null },
        "old with exp": { iat: now - 120, exp: now + 3600 }, "exp alone": { iat: undefined, exp: now + 3600 } };
    await refusedEach(prover, Object.fromEntries(Object.entries(claims).map(([label, more]) => [label, prover.prove(server, TOKEN, more)])));
    for (let asked, answered; !(answered - asked <= 1);) { // six seconds ahead when it was judged: asked again if that took too long
        const { refresh_token } = await prover.mint(server, someone());
        asked = nowS();
        const answer = await refreshBy(server, refresh_token, { dpop: prover.prove(server, TOKEN, { iat: asked + 8 }) });
        answered = nowS();
        if (answered - asked <= 1) refused(answer, "seven or eight seconds ahead");
    }
    for (const ago of [40, -2]) {
        const { refresh_token } = await prover.mint(server, someone());
        assert.equal((await refreshBy(server, refresh_token, { dpop: prover.prove(server, TOKEN, { iat: nowS() - ago }) })).status, 200);
    }
});

test("B-43 two DPoP fields, a list, a proof of 10 kB", async () => {
    const prover = new Prover(), { refresh_token } = await prover.mint(server, someone());
    const two = () => [prover.prove(server), prover.prove(server)];
    refused(await refreshBy(server, refresh_token, { dpop: two() }), "two fields");
    const same = prover.prove(server);
    refused(await refreshBy(server, refresh_token, { dpop: [same, same] }), "the same twice");
    refused(await refreshBy(server, refresh_token, { dpop: two().join(", ") }), "a list");
    refused(await refreshBy(server, refresh_token, { dpop: two().join(",") }), "a list without space");
    refused(await refreshBy(server, refresh_token, { dpop: prover.prove(server, TOKEN, { pad: "x".repeat(8000) }) }), "10 kB");
    refused(await refreshBy(server, refresh_token, { dpop: "" }), "an empty field");
    refused(await refreshBy(server, refresh_token, { dpop: "x" }), "a word");
    assert.equal((await refreshBy(server, refresh_token, { dpop: prover.prove(server, TOKEN, { pad: "x".repeat(100_000) }) })).status, 431);
    assert.equal((await refreshBy(server, refresh_token, { dpop: prover.prove(server) })).status, 200);
});

test("B-44 with nonces on: none or an unknown one gets a fresh one, and costs nothing", async () => {
    const prover = new Prover(), { refresh_token } = await prover.mint(strict, someone());
    const first = await refreshBy(strict, refresh_token, { dpop: prover.prove(strict) });
    refused(first, "none", "use_dpop_nonce");
    const nonce = first.headers["dpop-nonce"];
    assert.match(nonce, /^[A-Za-z0-9_-]{22}$/);
    for (const bad of ["x", `${nonce}A`, nonce.slice(1), b64(crypto.randomBytes(16))]) {
        const answer = await refreshBy(strict, refresh_token, { dpop: prover.prove(strict, TOKEN, { nonce: bad }) });
        refused(answer, `nonce ${bad}`, "use_dpop_nonce");
        assert.ok(answer.headers["dpop-nonce"]);
    }
    const later = await refreshBy(strict, refresh_token, { dpop: prover.prove(strict, TOKEN, { nonce, iat: nowS() - 120 }) });
    refused(later, "a nonce does not widen the window");
    const good = await refreshBy(strict, refresh_token, { dpop: prover.prove(strict, TOKEN, { nonce }) });
    assert.equal(good.status, 200, good.text);
    assert.ok(good.headers["dpop-nonce"], "the next one rides on success");
    const off = await refreshBy(server, (await prover.mint(server, someone())).refresh_token, { dpop: prover.prove(server, TOKEN, { nonce }) });
    assert.equal(off.status, 200, "with nonces off one that comes is no matter");
    assert.equal(off.headers["dpop-nonce"], undefined);
});

test("B-45 proofs of the socket's form, and of another call", async () => {
    const prover = new Prover(), socket = { htm: undefined, htu: undefined, rpc: "request", mth: "signalwire.connect" };
    await refusedEach(prover, { socket: prover.prove(server, TOKEN, socket), both: prover.prove(server, TOKEN, { rpc: "request", mth: "x" }),
        "another call": prover.prove(server, REVOKE), "path alone": prover.prove(server, TOKEN, { htu: TOKEN }) });
    const { token } = await prover.mint(server, someone()), session = await Session.open(server);
    assert.equal((await session.connect(token, { dpop_token: prover.prove(server) })).error?.code, -32002);
    session.ws.terminate();
});

test("B-47 a bound refresh token without a proof, or with one by another key of the same client", async () => {
    const one = new Prover(), two = new Prover(), { refresh_token } = await one.mint(server, someone());
    await two.mint(server, someone());
    refused(await refreshBy(server, refresh_token), "no proof", "invalid_client", 401);
    refused(await refreshBy(server, refresh_token, { dpop: two.prove(server) }), "second key");
    refused(await refreshBy(server, refresh_token, { ...apiAuth(server), dpop: two.prove(server) }), "second key beside the project's key");
    const answer = await refreshBy(server, refresh_token, { dpop: one.prove(server) });
    assert.equal(answer.status, 200, "and nothing was burnt");
    assert.equal((await info(server, answer.json.access_token)).status, 200);
});

await run({
    before: async () => {
        [server, strict] = await Promise.all([startServer(), startServer({ env: { COATCHECK_DPOP_NONCES: "on" } })]);
    },
    after: () => Promise.all([server.stop(), strict.stop()]),
});
