// clock.test.mjs — `coatcheck clock advance`: a test project's time moves forward, everything that expires follows it at
// once, what is minted afterwards lives its full time, and nothing else notices.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { advance, askAdvance, coatcheck } from "../harness/clock.mjs";
import { compact, refused } from "../harness/forge.mjs";
import { call, info, JWKS, mintToken, nowS, readToken } from "../harness/http.mjs";
import { Prover } from "../harness/prover.mjs";
import { change, signingKey } from "../harness/ring.mjs";
import { connected } from "../harness/session.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const HOUR_MS = 3_600_000;
const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443", COATCHECK_LOOPS: "3" };
let server;

const ada = (more = {}) => mintToken(server, { reference: "ada@example.com", ...more });
const status = async (token) => (await info(server, token)).status;
const isAlive = async (session) => (await session.request("subscriber.online")).result !== undefined;

// ---- what is refused ----

test("a duration is a number and its unit, more than nothing and at most ten years", async () => {
    for (const duration of ["0s", "0d", "-2h", "+2h", "2", "h", "2.5h", "2h30m", "2 h", "2w", "3653d", "87661h", "99999999999999999999s"]) {
        const { code, out, err } = await askAdvance(server, duration);
        assert.deepEqual([code, out], [2, ""], duration);
        assert.match(err, /^coatcheck: .+\n$/, duration);
    }
});

test("a project is named by its id, and is one of this server's", async () => {
    for (const [project, code] of [["", 2], ["dev", 2], [`${server.contract.project_id}0`, 2], [crypto.randomUUID(), 1]]) {
        const answer = await askAdvance(server, "2h", { project });
        assert.deepEqual([answer.code, answer.out], [code, ""], project);
        assert.match(answer.err, /^coatcheck: .+\n$/);
    }
});

test("wrong usage says what to write", async () => {
    const project = ["--project", server.contract.project_id], data = ["--data", server.data];
    for (const args of [["back", "2h", ...project, ...data], ["advance", ...project, ...data], ["advance", "2h", ...data],
        ["advance", "2h", "2h", ...project, ...data], ["advance", "2h", ...project, "--force", ...data], ["advance", "2h", "--project"]]) {
        const { code, out, err } = await coatcheck("clock", ...args);
        assert.deepEqual([code, out], [2, ""], args.join(" "));
        assert.match(err, /^coatcheck: .+\n$/, args.join(" "));
    }
    assert.match((await coatcheck("clock", "--help")).out, /^usage: coatcheck clock advance/);
});

test("a folder without data is refused and stays empty", async () => {
    const data = temporaryFolder();
    assert.equal((await askAdvance(server, "2h", { data })).code, 1);
    assert.equal((await askAdvance(server, "2h", { data: path.join(data, "none") })).code, 1);
    assert.deepEqual(fs.readdirSync(data), []);
    fs.rmdirSync(data);
});

test("nothing of all that has moved the clock", async () => {
    assert.equal(readToken((await ada()).token).claims.age, undefined);
    assert.equal((await advance(server, "1s")).age_ms, 1000);
});

// ---- what moves ----

test("two hours later: old tokens are refused, their sessions closed with 4401, new ones as good as ever", async () => {
    const old = await ada(), long = await ada({ expire_at: nowS() + 3 * 3600 });
    const dying = await connected(server, old.token), living = await connected(server, long.token);
    assert.deepEqual([await status(old.token), await status(long.token)], [200, 200]);
    const before = readToken(old.token).claims.age;
    const answer = await advance(server, "2h");
    assert.deepEqual(answer, { project: server.contract.project_id, advanced_ms: 2 * HOUR_MS, age_ms: before + 2 * HOUR_MS });
    await refused(server, old.token, "two hours old");
    assert.equal((await dying.closed).code, 4401);
    assert.equal(await status(long.token), 200);
    assert.ok(await isAlive(living));
    const asked = Date.now(), fresh = await ada(), given = Date.now();
    const { claims } = readToken(fresh.token);
    assert.equal(claims.age, answer.age_ms);
    const isReal = (ms) => ms > asked - 2000 && ms < given + 2000;
    assert.ok(isReal(claims.iat * 1000) && claims.exp === claims.iat + 7200, "iat and exp keep real time");
    assert.ok(isReal(claims.gt), "so does gt");
    assert.equal(await status(fresh.token), 200);
    const young = await connected(server, fresh.token);
    assert.ok(await isAlive(young));
    assert.equal((await info(server, fresh.token)).json.sat_claims.expires_at, claims.exp);
    await advance(server, "1h");
    assert.equal((await living.closed).code, 4401);
    assert.deepEqual([await status(long.token), await status(fresh.token)], [401, 200]);
    assert.ok(await isAlive(young));
    await young.close();
});

test("what is minted after an advance lives its full time, to the second", async () => {
    const { token } = await ada({ expire_at: nowS() + 7200 });
    const session = await connected(server, token);
    await advance(server, "119m");
    assert.equal(await status(token), 200);
    assert.ok(await isAlive(session));
    await advance(server, "60s");
    assert.equal(await status(token), 401);
    assert.equal((await session.closed).code, 4401);
});

test("proofs keep real time: a bound token is proved with a proof of now", async () => {
    const prover = new Prover(), { fingerprint } = prover, proof = () => prover.rpc();
    const bound = (more = {}) => ada({ fingerprint, scope: "sat:refresh", ...more });
    const open = (token) => connected(server, token, { params: { dpop_token: proof() } });
    const { token } = await bound();
    const session = await open(token);
    const kept = proof();
    await advance(server, "90m");
    const again = await connected(server, token, { params: { dpop_token: kept } });
    await advance(server, "30m");
    assert.equal((await session.closed).code, 4401);
    assert.equal((await again.closed).code, 4401);
    await assert.rejects(open(token), /-32002/);
    await (await open((await bound()).token)).close();
});

test("a token that says it is older than its project is refused", async () => {
    const { token } = await ada();
    const { header, claims } = readToken(token), { age } = claims;
    const jwk = (await call(server, "GET", JWKS)).json.keys.find((key) => key.kid === header.kid);
    const key = await signingKey(server, jwk);
    assert.equal(await status(compact(header, { ...claims, age }, key)), 200);
    for (const wrong of [age + 1, age + 2 * HOUR_MS, Number.MAX_SAFE_INTEGER, -1, 0.5, "0", null])
        await refused(server, compact(header, { ...claims, age: wrong }, key), `age ${wrong}`);
});

test("why and token inspect know of the moved clock", async () => {
    const { token } = await ada();
    const inspect = async () => (await coatcheck("token", "inspect", token, "--data", server.data)).out;
    assert.doesNotMatch(await inspect(), /expired|clock/);
    await advance(server, "3h");
    assert.match(await inspect(), /^ {2}expires +\S.*, expired 60 min ago$/m);
    assert.match(await inspect(), /^ {2}clock +moved 3h forward since this was issued$/m);
    const answer = await info(server, token);
    const why = await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", server.data);
    assert.match(why.out, /TOKEN_EXPIRED[^]*token\.exp[^]*clock was moved/);
});

test("advances from many hands add up", async () => {
    const { age_ms } = await advance(server, "1s");
    const answers = await Promise.all(Array.from({ length: 8 }, () => advance(server, "1m")));
    assert.equal(Math.max(...answers.map((answer) => answer.age_ms)), age_ms + 8 * 60_000);
    assert.equal((await advance(server, "1s")).age_ms, age_ms + 8 * 60_000 + 1000);
});

test("hundreds of sessions on one loop follow, and those of later tokens stay", async () => {
    const crowded = await startServer({ env: { COATCHECK_LOOPS: "1" } });
    const token = (await mintToken(crowded, { reference: "crowd@example.com" })).token;
    const open = (of, count) => Promise.all(Array.from({ length: count }, () => connected(crowded, of)));
    const old = [];
    while (old.length < 1200) old.push(...await open(token, 100));
    await advance(crowded, "1h");
    const young = await open((await mintToken(crowded, { reference: "crowd@example.com" })).token, 20);
    await advance(crowded, "1h");
    assert.ok((await Promise.all(old.map((session) => session.closed))).every(({ code }) => code === 4401));
    for (const session of young) assert.ok(await isAlive(session));
    await Promise.all(young.map((session) => session.close()));
    await crowded.stop();
});

test("the human's answer is a sentence", async () => {
    const { code, out } = await coatcheck("clock", "advance", "90s", "--project", server.contract.project_id, "--data", server.data);
    assert.equal(code, 0);
    assert.match(out, /^project [0-9a-f-]{36} was moved 1m 30s forward; it is \d+.* ahead of real time\n$/);
});

// ---- what stays ----

test("the age is there after kill -9, after a stop, and moves while no server runs", async () => {
    const data = temporaryFolder();
    server = await replace(data);
    const first = (await ada()).token;
    await advance(server, "1h");
    const second = (await ada()).token;
    await advance(server, "30m");
    await server.kill9();
    server = await startServer({ data, env: ENV });
    assert.deepEqual([await status(first), await status(second)], [200, 200]);
    await advance(server, "30m");
    assert.deepEqual([await status(first), await status(second)], [401, 200]);
    await server.stop();
    assert.deepEqual(JSON.parse((await askAdvance(server, "1h")).out),
        { project: server.contract.project_id, advanced_ms: HOUR_MS, age_ms: 3 * HOUR_MS });
    server = await startServer({ data, env: ENV });
    assert.deepEqual([await status(first), await status(second), await status((await ada()).token)], [401, 401, 200]);
    assert.equal((await advance(server, "1s")).age_ms, 3 * HOUR_MS + 1000);
});

test("a stop or a kill in the midst of advances: what was answered is stored, and the stop is clean", async () => {
    const { data } = server;
    let { age_ms } = await advance(server, "1s");
    for (const signal of ["SIGTERM", "SIGTERM", "SIGTERM", "SIGKILL"]) {
        const asked = Array.from({ length: 12 }, () => askAdvance(server, "1m"));
        await Promise.race(asked);
        await (signal === "SIGKILL" ? server.kill9() : server.stop());
        const done = (await Promise.all(asked)).filter(({ code }) => code === 0).map(({ out }) => JSON.parse(out).age_ms);
        server = await startServer({ data, env: ENV });
        const after = (await advance(server, "1s")).age_ms;
        assert.ok(done.length >= 1 && done.every((ms) => ms < after), `${signal}: ${done} before ${after}`);
        assert.equal((after - 1000 - age_ms) % 60_000, 0, "whole advances only");
        assert.ok(after - 1000 - age_ms >= done.length * 60_000 && after - 1000 - age_ms <= 12 * 60_000, signal);
        age_ms = after;
    }
});

test("a live project's time is real: the running server refuses, and so does the folder", async () => {
    const { data } = server, live = crypto.randomUUID();
    await server.stop();
    change(data, `INSERT INTO projects (id, name, is_test) VALUES (x'${live.replaceAll("-", "")}', 'live', 0)`);
    const stopped = await askAdvance(server, "2h", { project: live });
    assert.deepEqual([stopped.code, stopped.out], [1, ""]);
    assert.match(stopped.err, /live/);
    server = await startServer({ data, env: ENV });
    const running = await askAdvance(server, "2h", { project: live });
    assert.deepEqual([running.code, running.out, running.err], [1, "", stopped.err]);
    assert.equal((await ada()).token.length > 0, true);
    await server.stop();
    assert.throws(() => change(data, "UPDATE projects SET age_ms = 1 WHERE is_test = 0"), /CHECK/);
    fs.rmSync(data, { recursive: true, force: true });
    server = await startServer({ env: ENV });
});

async function replace(data)
{
    await server.stop();
    return startServer({ data, env: ENV });
}

await run({
    before: async () => { server = await startServer({ env: ENV }); },
    after: () => server.stop(),
});
