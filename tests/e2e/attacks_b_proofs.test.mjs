// attacks_b_proofs.test.mjs — stolen, copied and broken proofs at connect, the one place that takes a proof today. Names
// begin with the number of the case. Every token here is bound; what goes with it is the case.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { b64 } from "../harness/forge.mjs";
import { mintToken, nowS } from "../harness/http.mjs";
import { keyPair } from "../harness/keys.mjs";
import { Prover } from "../harness/prover.mjs";
import { Session } from "../harness/session.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

let server, baseline;

class Browser extends Prover {
    prove(changes = {}, header = {}) { return this.sign({ rpc: "request", mth: "signalwire.connect", ...changes }, header); }

    async token(of = server) { return (await mintToken(of, { reference: "proofs@example.com", fingerprint: this.fingerprint })).token; }
}

async function attempt(token, dpop_token, at = server)
{
    const session = await Session.open(at);
    const reply = await session.connect(token, dpop_token === undefined ? {} : { dpop_token });
    session.ws.terminate();
    return reply;
}

async function refusedEach(token, proofs)
{
    for (const [label, proof] of Object.entries(proofs)) {
        const { error } = await attempt(token, proof);
        assert.equal(error?.code, -32002, label);
        assert.doesNotMatch(error.message, /jti|replay|signature|jwk|key/i, `${label}: no reason is told`);
    }
}

test("B-29 the same proof a hundred times at once: one session", async () => {
    const browser = new Browser(), token = await browser.token(), proof = browser.prove();
    const sessions = await Promise.all(Array.from({ length: 100 }, () => Session.open(server)));
    const replies = await Promise.all(sessions.map((session) => session.connect(token, { dpop_token: proof })));
    assert.equal(replies.filter((reply) => reply.result).length, 1);
    assert.equal(replies.filter((reply) => reply.error?.code === -32002).length, 99);
    assert.equal((await attempt(token, proof)).error?.code, -32002, "and never again");
    for (const session of sessions) session.ws.terminate();
});

test("B-31 a proof is known by key and jti: another key's is another, another text of the same is the same", async () => {
    const one = new Browser(), two = new Browser(), jti = crypto.randomUUID();
    const [first, second] = [await one.token(), await two.token()];
    assert.ok((await attempt(first, one.prove({ jti }))).result);
    assert.ok((await attempt(second, two.prove({ jti }))).result);
    await refusedEach(first, { "other iat": one.prove({ jti, iat: nowS() - 1 }), "other claims": one.prove({ jti, more: "x" }) });
    assert.ok((await attempt(first, one.prove())).result, "its next proof is good");
});

test("B-32 a used proof stays used after kill -9", async () => {
    const data = temporaryFolder(), env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const before = await startServer({ data, env });
    const browser = new Browser(), token = await browser.token(before), proof = browser.prove();
    assert.ok((await attempt(token, proof, before)).result);
    await before.kill9();
    const after = await startServer({ data, env });
    assert.equal((await attempt(token, proof, after)).error?.code, -32002);
    assert.ok((await attempt(token, browser.prove(), after)).result, "a new proof of the same key is good");
    await after.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("B-39 a private member in the key is refused, and its value is in no log", async () => {
    const loud = await startServer({ env: { COATCHECK_LOG_LEVEL: "debug" } });
    for (const alg of ["ES256", "EdDSA", "RS256"]) {
        const browser = new Browser(alg), token = await browser.token(loud);
        assert.ok((await attempt(token, browser.prove(), loud)).result, `${alg}: the key as it should be sent`);
        for (const name of ["d", "p", "q", "dp", "dq", "qi"].filter((member) => browser.privateJwk[member])) {
            const value = browser.privateJwk[name];
            const proof = browser.prove({}, { jwk: { ...browser.jwk, [name]: value } });
            assert.equal((await attempt(token, proof, loud)).error?.code, -32002, `${alg} ${name}`);
            assert.ok(!loud.logs.some((line) => line.includes(value.slice(0, 16))), `${alg} ${name} was logged`);
        }
        const proof = browser.prove({}, { jwk: { ...browser.jwk, k: "c2VjcmV0" } });
        assert.equal((await attempt(token, proof, loud)).error?.code, -32002, `${alg} k`);
    }
    await loud.stop();
});

test("B-40 keys that are none, weak, or no point of their curve", async () => {
    const browser = new Browser(), token = await browser.token(), { kty, crv, x, y } = browser.jwk;
    const rsa = new Browser("RS256").jwk, small = b64(Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])); // order 1
    const jwks = { missing: undefined, null: null, text: "x", list: [browser.jwk], empty: {}, oct: { kty: "oct", k: "c2VjcmV0" },
        none: { kty: "none" }, "no y": { kty, crv, x }, "off the curve": { kty, crv, x, y: x }, zero: { kty, crv, x: b64(Buffer.alloc(32)),
            y: b64(Buffer.alloc(32)) }, "31 bytes": { kty, crv, x: b64(Buffer.from(x, "base64url").subarray(1)), y },
        "33 bytes": { kty, crv, x: b64(Buffer.concat([Buffer.alloc(1), Buffer.from(x, "base64url")])), y }, "RSA 1024":
            keyPair("weak").jwk, "e = 1": { ...rsa, e: "AQ" }, "16384 bits": { ...rsa, n: b64(Buffer.alloc(2048, 0xff)) },
        "small order": { kty: "OKP", crv: "Ed25519", x: small }, "another curve": { kty, crv: "P-384", x, y } };
    for (const [label, jwk] of Object.entries(jwks))
        for (const alg of ["ES256", "RS256", "EdDSA"])
            await refusedEach(token, { [`${label}, ${alg}`]: browser.prove({}, { jwk, alg }) });
});

test("B-41 a proof by another key, a token of another key, no proof at all", async () => {
    const browser = new Browser(), thief = new Browser(), token = await browser.token(), theirs = await thief.token();
    await refusedEach(token, { "no proof": undefined, "the thief's own": thief.prove(), "our key, the thief's hand":
        thief.prove({}, { jwk: browser.jwk }), "the thief's key, our hand": browser.prove({}, { jwk: thief.jwk }), "the token itself": token });
    assert.equal((await attempt(theirs, browser.prove())).error?.code, -32002, "a good proof with a token that is not its own");
});

test("B-42 iat outside the window, of other types; exp is no substitute", async () => {
    const browser = new Browser(), token = await browser.token(), now = nowS();
    const values = { "302 s old": now - 302, "340 s ahead": now + 340, text: String(now), ms: now * 1000, negative: -1, zero: 0, fraction: now + 0.5,
        null: null, list: [now], huge: 2 ** 53 };
    for (const [label, iat] of Object.entries(values)) await refusedEach(token, { [label]: browser.prove({ iat }) });
    await refusedEach(token, { "exp only": browser.prove({ iat: undefined, exp: now + 60 }) });
    assert.ok((await attempt(token, browser.prove({ iat: nowS() - 270 }))).result, "old, but within the vendor's window");
});

test("B-43 long proofs: refused, and above 64 KiB the message is", async () => {
    const browser = new Browser(), token = await browser.token();
    await refusedEach(token, { "20 kB": browser.prove({ pad: "p".repeat(15000) }), "60 kB": browser.prove({ pad: "p".repeat(45000) }) });
    const session = await Session.open(server);
    session.connect(token, { dpop_token: browser.prove({ pad: "p".repeat(75000) }) }).catch(() => {});
    assert.equal((await session.closed).code, 1009);
});

test("B-45 a proof for HTTP, or for another method, opens no session", async () => {
    const browser = new Browser(), token = await browser.token(), url = { htm: "GET", htu: `${server.url}/` };
    const noRpc = { rpc: undefined, mth: undefined };
    await refusedEach(token, { HTTP: browser.prove({ ...noRpc, ...url }), "HTTP, path only": browser.prove({ ...noRpc, htm: "GET", htu: "/" }),
        both: browser.prove(url), "no rpc": browser.prove({ rpc: undefined }), "no mth": browser.prove({ mth: undefined }), "rpc response":
            browser.prove({ rpc: "response" }), "other method": browser.prove({ mth: "subscriber.online" }), "other case":
            browser.prove({ mth: "Signalwire.connect" }), list: browser.prove({ mth: ["signalwire.connect"] }), "typ JWT":
            browser.prove({}, { typ: "JWT" }), "typ SAT": browser.prove({}, { typ: "SAT" }) });
});

await run({
    before: async () => {
        server = await startServer();
        await mintToken(server, { reference: "proofs@example.com" });
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
