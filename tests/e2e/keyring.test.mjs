// keyring.test.mjs — the life of the keys that sign and seal, in a running server and in its folder: what is unsafe is
// refused, what is done is done everywhere at once, no token dies before its time, and what is gone is refused.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { coatcheck } from "../harness/clock.mjs";
import { compact, refused } from "../harness/forge.mjs";
import { call, info, JWKS, mint, mintToken, nowS, readToken, refresh, refreshToken } from "../harness/http.mjs";
import { rows, signingKey } from "../harness/ring.mjs";
import { connected } from "../harness/session.mjs";
import { BINARY, REPOSITORY, startRefused, startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS, WAIT_MS = HOUR_MS + 60_000; // RING_SIGN_WAIT_MS
const KEPT_MS = 7 * DAY_MS + 60_000; // RING_SIGN_KEPT_MS
const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443", COATCHECK_LOOPS: "3" };
let data, server, clockFile, preload, aheadMs = 0;

const start = async (env = {}) => { server = await startServer({ data, env: { ...ENV, LD_PRELOAD: preload,
    COATCHECK_TEST_CLOCK: clockFile, ASAN_OPTIONS: `verify_asan_link_order=0:${process.env.ASAN_OPTIONS ?? ""}`, ...env } }); };
const ada = (more = {}) => mintToken(server, { reference: "ada@example.com", ...more });
const signerOf = (token) => readToken(token).header.kid;
const logged = (event) => server.logs.filter((line) => line.includes(` ${event} `)).length;

function setClock(ms)
{
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    fs.writeFileSync(clockFile, bytes, { flag: "r+" });
    aheadMs = ms;
}

const keyring = (...words) => coatcheck("keyring", ...words, "--data", data);

async function ordered(...words)
{
    const { code, out, err } = await keyring(...words, "--json");
    assert.equal(code, 0, `keyring ${words.join(" ")}: ${err}`);
    return { keys: JSON.parse(out).keys, err };
}

async function unsafe(pattern, ...words)
{
    const { code, out, err } = await keyring(...words, "--json");
    assert.deepEqual([code, out], [1, ""], words.join(" "));
    assert.match(err, pattern);
    return err;
}

const list = async () => (await ordered("list")).keys;
const inState = async (use, state) => (await list()).filter((key) => key.use === use && key.state === state).map((key) => key.id);
const only = async (use, state) => { const ids = await inState(use, state); assert.equal(ids.length, 1, `${use} ${state}: ${ids}`); return ids[0]; };

// Every loop shows the same set, and it is exactly what the ring says.
async function published()
{
    const signs = (await list()).filter((key) => key.use === "sign").map((key) => key.id).sort();
    for (let i = 0; i < 12; i++) {
        const { keys } = (await call(server, "GET", JWKS)).json;
        assert.deepEqual(keys.map((key) => key.kid).sort(), signs);
        for (const key of keys) for (const name of ["d", "p", "q", "k", "dp", "dq", "qi"]) assert.ok(!(name in key), name);
    }
    return signs;
}

const acceptedBy = async (token) => { for (let i = 0; i < 12; i++) assert.equal((await info(server, token)).status, 200); };
// Each loop signs with it.
async function signsWith(kid) { for (let i = 0; i < 12; i++) assert.equal(signerOf((await ada()).token), kid); }

// So far the machine's clock is set forward, and somebody says that it is right.
async function later(ms)
{
    setClock(aheadMs + ms);
    await until("there is a step to confirm", async () => (await coatcheck("clock", "confirm", "--data", data, "--json")).out);
}

// What the timetable does by itself comes soon after a start.
const until = (what, condition) => eventually(condition, what);

async function restart(env) { await server.stop(); await start(env); }

// ---- what is refused ----

test("wrong usage says what to write", async () => {
    const [key] = await list();
    for (const words of [["turn"], ["list", "x"], ["rotate", key.id], ["rotate", "--use", "hash "], ["rotate", "--use"], ["retire"], ["remove", "x"],
        ["remove", "../../etc"], ["remove", key.id, key.id], ["remove", key.id, "--use", "sign"], ["list", "--emergency"], ["rewrap", "--emergency"],
        ["rotate", "--new-key", "x"], ["rotate", "--force"], ["retire", key.id.toUpperCase() === key.id ? "0000000G" : key.id.toUpperCase()]]) {
        const { code, out, err } = await keyring(...words);
        assert.deepEqual([code, out], [2, ""], `${words.join(" ")}: ${err}`);
        assert.match(err, /^coatcheck: .+\n$/, words.join(" "));
    }
    assert.match((await coatcheck("keyring", "--help")).out, /^usage: coatcheck keyring/);
});

test("the key of stored secrets takes no step, in an emergency neither, and the ring says why", async () => {
    const hash = await only("hash", "signing");
    for (const words of [["rotate", "--use", "hash"], ["retire", hash], ["remove", hash], ["remove", hash, "--emergency"]])
        await unsafe(/every API key would have to be made anew.*rewrap/, ...words);
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
});

test("a key that signs cannot be retired without another, nor removed", async () => {
    const key = await only("sign", "signing");
    assert.match(await unsafe(/no other key/, "retire", key), /--emergency does it now: new tokens are refused, for up to 3660 s/);
    assert.match(await unsafe(/the one that is used now/, "remove", key), /would have lived 604860 s/);
    await unsafe(/no such key/, "remove", "00000000", "--emergency");
    assert.deepEqual(await published(), [key]);
});

// ---- a rotation by hand ----

test("a new key is published everywhere before it signs, and its turn is refused until verifiers know it", async () => {
    const old = await only("sign", "signing");
    await ordered("rotate");
    const next = await only("sign", "published");
    assert.deepEqual(await published(), [old, next].sort());
    await signsWith(old);
    const { headers } = await call(server, "GET", JWKS);
    assert.match(headers["cache-control"], /^public, max-age=3600, stale-if-error=\d+$/);
    const due = (await list()).find((key) => key.id === next);
    assert.deepEqual([due.next, due.next_ms - due.since_ms], ["signs", WAIT_MS]);
    for (const words of [["rotate"], ["retire", old]]) {
        const said = await unsafe(/not known everywhere yet/, ...words);
        const [moment] = said.match(/safe from (\S+Z)/).slice(1);
        assert.ok(Math.abs(Date.parse(moment) - due.next_ms) <= 1000, `${moment}`);
    }
    await unsafe(/it has never signed/, "retire", next);
});

test("A-24 after its turn the old key's tokens are good to their end, on every loop and without a restart", async () => {
    const old = await only("sign", "signing"), next = await only("sign", "published");
    const before = await ada(), session = await connected(server, before.token);
    await later(WAIT_MS);
    await ordered("rotate");
    assert.deepEqual([await only("sign", "signing"), await only("sign", "retired")], [next, old]);
    await signsWith(next);
    await acceptedBy(before.token);
    await (await connected(server, before.token)).close();
    assert.deepEqual(await published(), [old, next].sort());
    assert.ok((await session.request("subscriber.online")).result !== undefined);
    await session.close();
    const { out } = await coatcheck("token", "inspect", before.token, "--data", data);
    assert.match(out, /key retired 20/);
    assert.match(out, /signature +verifies/);
    await later(2 * HOUR_MS);
    await refused(server, before.token, "past its own end");
});

test("A-24 a retired key goes when the last token under it has expired, not before; the set shows exactly the live keys", async () => {
    const retired = await only("sign", "retired"), signing = await only("sign", "signing");
    const pem = await signingKey(server, (await call(server, "GET", JWKS)).json.keys.find((key) => key.kid === retired));
    const { header, claims } = readToken((await ada()).token);
    const forged = (kid) => compact({ ...header, kid }, { ...claims, jti: crypto.randomUUID() }, pem);
    assert.equal((await info(server, forged(retired))).status, 200);
    await unsafe(/may still be alive.*safe from/s, "remove", retired);
    await later(KEPT_MS);
    await ordered("remove", retired);
    assert.deepEqual(await published(), [signing]);
    await refused(server, forged(retired), "signed by a key that is gone");
    await refused(server, forged(signing), "the same under the key that signs");
    await unsafe(/no such key/, "remove", retired);
    assert.equal(logged("ring_key_gone"), 1);
});

test("A-24 an emergency removal says first what it breaks: later tokens of the key are refused, sessions stay to their end", async () => {
    const key = await only("sign", "signing"), { token } = await ada(), session = await connected(server, token);
    const { err } = await ordered("remove", key, "--emergency");
    assert.match(err, /^coatcheck: this breaks: new tokens are refused, for up to 3660 s.*cannot be verified any more/);
    const [live] = await published();
    assert.notEqual(live, key);
    await signsWith(live);
    const { text, headers } = await info(server, token);
    assert.equal(text, '{"error":"Unauthorized"}');
    const why = JSON.parse((await coatcheck("why", headers["coatcheck-error-id"], "--data", data, "--json")).out);
    assert.equal(why.check, "token.kid");
    await refused(server, token, "of a key that is gone");
    assert.ok((await session.request("subscriber.online")).result !== undefined, "verified at its connect, and not again");
    const again = await session.request("signalwire.reauthenticate", { authentication: { jwt_token: token } });
    assert.ok(again.error, "but no rights follow from that token any more");
    await session.close();
    assert.match((await coatcheck("token", "inspect", token, "--data", data)).out, /no key of this server/);
});

// ---- kinds and uses ----

test("A-3 EdDSA by configuration: the next key is of that kind, both verify, neither's signature under the other's id", async () => {
    const es = await ada(), esKey = signerOf(es.token);
    await restart({ COATCHECK_SIGNING_ALG: "EdDSA" });
    await until("a key of the new kind", async () => (await inState("sign", "published")).length === 1);
    await later(WAIT_MS);
    await ordered("rotate");
    const ed = await ada(), { header, claims } = readToken(ed.token);
    assert.equal(header.alg, "EdDSA");
    await acceptedBy(ed.token);
    await acceptedBy(es.token);
    const jwks = (await call(server, "GET", JWKS)).json.keys, edJwk = jwks.find((key) => key.kid === header.kid);
    assert.deepEqual([edJwk.kty, edJwk.crv, edJwk.alg, "y" in edJwk], ["OKP", "Ed25519", "EdDSA", false]);
    const [input, signature] = [ed.token.slice(0, ed.token.lastIndexOf(".")), ed.token.split(".")[2]];
    assert.ok(crypto.verify(null, Buffer.from(input), crypto.createPublicKey({ key: edJwk, format: "jwk" }), Buffer.from(signature, "base64url")));
    const edHand = await signingKey(server, edJwk), esHand = await signingKey(server, jwks.find((key) => key.kid === esKey));
    assert.equal((await info(server, compact(header, claims, edHand, "EdDSA"))).status, 200, "otherwise no case below says anything");
    for (const [label, token] of Object.entries({
        "EdDSA by our Ed25519 key under our P-256 id": compact({ ...header, kid: esKey }, claims, edHand, "EdDSA"),
        "ES256 by our P-256 key under our Ed25519 id": compact({ ...header, alg: "ES256" }, claims, esHand),
        "ES256 said, EdDSA signed": compact({ ...header, alg: "ES256" }, claims, edHand, "EdDSA"),
        "EdDSA said, ES256 signed": compact({ ...header, kid: esKey, alg: "EdDSA" }, claims, esHand),
        "Ed25519 said": compact({ ...header, alg: "Ed25519" }, claims, edHand, "EdDSA"),
        "HS256 with the public key": compact({ ...header, alg: "HS256" }, claims, Buffer.from(edJwk.x, "base64url"), "HS256"),
    })) await refused(server, token, label);
});

test("a seal key rotates too: the next refresh tokens name the new one, the old one still opens", async () => {
    const sealOf = (token) => token.match(/([0-9a-f]{8})\./)[1];
    const old = await only("seal", "signing"), before = await ada();
    assert.equal(sealOf(before.refresh_token), old);
    await ordered("rotate", "--use", "seal");
    await unsafe(/not known everywhere/, "rotate", "--use", "seal");
    assert.equal(sealOf((await ada()).refresh_token), old);
    const { err } = await ordered("rotate", "--use", "seal", "--emergency");
    assert.match(err, /this breaks: new refresh tokens and tickets are refused/);
    const next = await only("seal", "signing");
    for (let i = 0; i < 12; i++) assert.equal(sealOf((await ada()).refresh_token), next);
    assert.deepEqual(await inState("seal", "retired"), [old]);
    const successor = await refreshToken(server, before.refresh_token);
    assert.equal(sealOf(successor.refresh_token), next, "a successor is sealed by the one that seals now");
    assert.deepEqual((await refreshToken(server, before.refresh_token)).refresh_token, successor.refresh_token, "and a retry gets the same");
    assert.match((await coatcheck("token", "inspect", before.refresh_token, "--data", data)).out, /key retired/);
    const { err: broken } = await ordered("remove", old, "--emergency");
    assert.match(broken, /refresh tokens, tickets and resume states sealed by this key are void/);
    assert.deepEqual(await inState("seal", "retired"), []);
    assert.equal((await refresh(server, before.refresh_token)).status, 422, "void");
    assert.equal((await refresh(server, successor.refresh_token)).status, 201);
});

// ---- by itself ----

test("the timetable: a key is published, signs, is retired and goes without a hand, and the log tells each step", async () => {
    const first = await only("sign", "signing");
    setClock(aheadMs + 30 * DAY_MS - WAIT_MS);
    await restart({ COATCHECK_SIGNING_ALG: "EdDSA" });
    await until("published", async () => (await inState("sign", "published")).length === 1);
    const next = await only("sign", "published");
    assert.equal(await only("sign", "signing"), first);
    setClock(aheadMs + WAIT_MS);
    await restart({ COATCHECK_SIGNING_ALG: "EdDSA" });
    const { token } = await ada();
    await until("signing", async () => (await inState("sign", "signing"))[0] === next);
    assert.ok((await inState("sign", "retired")).includes(first));
    assert.equal((await info(server, token)).status, 200);
    assert.match(server.logs.join("\n"), new RegExp(`ring_key_signs id="${next}" use="sign" by="timetable"`));
    setClock(aheadMs + KEPT_MS);
    await restart({ COATCHECK_SIGNING_ALG: "EdDSA" });
    await until("gone", async () => (await inState("sign", "retired")).length === 0);
    assert.deepEqual(await published(), [next]);
    assert.ok(!rows(data, "SELECT id FROM ring_keys").some((row) => row.id === first));
});

// ---- the master key ----

const master = () => fs.readFileSync(path.join(data, "master.key"), "utf8");

test("rewrap: a running server goes on, the old master key opens nothing, the new one everything", async () => {
    const before = await ada(), old = master();
    const { code, out } = await keyring("rewrap", "--json");
    assert.deepEqual([code, JSON.parse(out)], [0, { rewrapped: true, master: "file" }]);
    assert.notEqual(master(), old);
    assert.equal(fs.statSync(path.join(data, "master.key")).mode & 0o777, 0o600);
    assert.ok(!fs.existsSync(path.join(data, "master.key.new")));
    await acceptedBy(before.token);
    await ordered("rotate"); // a key made under the new master key
    await restart();
    await acceptedBy(before.token);
    assert.equal((await ada()).subscriber_id, before.subscriber_id);
    await server.stop();
    const fresh = master();
    fs.writeFileSync(path.join(data, "master.key"), old);
    const { code: refusedCode, said } = await startRefused({ data, env: ENV });
    assert.equal(refusedCode, 5);
    assert.match(said, /master key does not open/);
    fs.writeFileSync(path.join(data, "master.key"), fresh);
    await start();
});

test("rewrap, then a turn of each kind of key: every key is still under the new master key", async () => {
    const place = temporaryFolder(), other = await startServer({ data: place, env: ENV });
    const order = async (...words) => assert.equal((await coatcheck("keyring", ...words, "--data", place, "--json")).code, 0, words.join(" "));
    for (const use of ["seal", "sign"]) await order("rotate", "--use", use);
    await order("rewrap");
    for (const use of ["seal", "sign"]) await order("rotate", "--use", use, "--emergency");
    const { token } = await mintToken(other, { reference: "ada" });
    await other.stop();
    const again = await startServer({ data: place, env: ENV });
    assert.equal((await info(again, token)).status, 200);
    await again.stop();
    fs.rmSync(place, { recursive: true, force: true });
});

test("rewrap without a server; and neither file nor log of the database keeps anything under the old key", async () => {
    await server.stop();
    const wrapped = rows(data, "SELECT hex(wrapped) AS hex FROM ring_keys").map((row) => Buffer.from(row.hex, "hex"));
    assert.equal((await keyring("rewrap")).code, 0);
    for (const name of fs.readdirSync(data).filter((entry) => /^coatcheck\.db(-wal)?$/.test(entry))) {
        const bytes = fs.readFileSync(path.join(data, name));
        for (const old of wrapped) assert.equal(bytes.indexOf(old), -1, name);
    }
    await start();
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
});

test("rewrap cut short at any step loses nothing: the next start finishes it, or the same command", async () => {
    await server.stop();
    const random = () => crypto.randomBytes(32).toString("base64url");
    const file = (name) => path.join(data, name);
    // before the store: the new key is there, the ring is under the old one
    fs.writeFileSync(file("master.key.new"), `${random()}\n`, { mode: 0o600 });
    await start();
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
    assert.equal((await keyring("rewrap", "--new-key", file("seed.json"))).code, 1, "another key is not taken meanwhile");
    const begun = fs.readFileSync(file("master.key.new"), "utf8");
    assert.equal((await keyring("rewrap")).code, 0);
    assert.equal(master(), begun);
    await server.stop();
    // after the store: the ring is under the new key, the file is still the old one
    const old = master();
    assert.equal((await keyring("rewrap")).code, 0);
    fs.renameSync(file("master.key"), file("master.key.new"));
    fs.writeFileSync(file("master.key"), old, { mode: 0o600 });
    await start();
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
    assert.ok(!fs.existsSync(file("master.key.new")) && master() !== old);
    assert.equal(logged("master_key_changed"), 1);
});

test("rewrap killed at random moments, with a server and without: every key still opens", async () => {
    for (let round = 0; round < 16; round++) {
        const isRunning = round % 2 === 0;
        if (!isRunning) await server.stop();
        const child = spawn(BINARY, ["keyring", "rewrap", "--data", data], { stdio: "ignore" });
        const ended = new Promise((done) => child.once("close", done));
        await new Promise((done) => setTimeout(done, crypto.randomInt(60)));
        child.kill("SIGKILL");
        await ended;
        if (isRunning && round % 4 === 0) await server.kill9();
        if (!server.isAlive) await start();
        assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200, `round ${round}`);
    }
    const { code, err } = await keyring("rewrap");
    assert.equal(code, 0, err);
});

test("a master key from the environment: the new one must be given, and no file of it stays", async () => {
    await server.stop();
    const given = { COATCHECK_MASTER_KEY: master().trim() };
    fs.rmSync(path.join(data, "master.key"));
    await start(given);
    assert.equal((await keyring("rewrap")).code, 2);
    const next = crypto.randomBytes(32).toString("base64url"), file = path.join(data, "next");
    fs.writeFileSync(file, `${next}\n`, { mode: 0o644 });
    assert.equal((await keyring("rewrap", "--new-key", file)).code, 1, "others can read it");
    fs.chmodSync(file, 0o600);
    assert.deepEqual(JSON.parse((await keyring("rewrap", "--new-key", file, "--json")).out), { rewrapped: true, master: "environment" });
    for (const name of ["master.key", "master.key.new"]) assert.ok(!fs.existsSync(path.join(data, name)), name);
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
    await server.stop();
    assert.equal((await startRefused({ data, env: { ...ENV, ...given } })).code, 5);
    await start({ COATCHECK_MASTER_KEY: next });
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
});

// ---- without a server ----

test("a stopped server's folder takes the same orders", async () => {
    await server.stop();
    fs.writeFileSync(path.join(data, "master.key"), fs.readFileSync(path.join(data, "next")), { mode: 0o600 });
    const key = await only("sign", "signing");
    await unsafe(/no other key|not known everywhere/, "retire", key);
    await ordered("retire", key, "--emergency");
    const next = await only("sign", "signing");
    assert.notEqual(next, key);
    await unsafe(/may still be alive/, "remove", key);
    await start();
    await signsWith(next);
    assert.equal(nowS() > 0 && (await published()).includes(key), true);
});

await run({
    before: async () => {
        data = temporaryFolder();
        clockFile = path.join(data, "test-clock");
        preload = path.join(data, "set_clock.so");
        fs.writeFileSync(clockFile, Buffer.alloc(8));
        execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", preload, path.join(REPOSITORY, "tests/harness/set_clock.c")]);
        await start();
    },
    after: async () => {
        await server.stop();
        fs.rmSync(data, { recursive: true, force: true });
    },
});
