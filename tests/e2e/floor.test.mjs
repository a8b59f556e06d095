// floor.test.mjs — the time a server decides by never runs backwards, over a stop, a kill and a clock that was set back, and
// does not follow a clock that jumps far ahead before somebody confirms it.
import assert from "node:assert/strict";
import fs from "node:fs";
import { coatcheck, movedClock } from "../harness/clock.mjs";
import { call, info, mint, mintToken, nowS, readToken, refresh, refreshToken } from "../harness/http.mjs";
import { Prover } from "../harness/prover.mjs";
import { change, rows } from "../harness/ring.mjs";
import { connected, connectParams, Session } from "../harness/session.mjs";
import { startRefused, startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const HOUR_MS = 3_600_000, AHEAD_MS = 5000; // CLOCK_FLOOR_AHEAD_MS
const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
const folders = [];
let data, server, moved;

const floorMs = () => rows(data, "SELECT floor_ms FROM meta")[0].floor_ms;
const start = async () => { server = await startServer({ data, env: { ...ENV, ...moved.env } }); };
const setClock = (aheadMs) => moved.set(aheadMs);
const stop = async () => { await server.stop(); };
const ada = (more = {}) => mintToken(server, { reference: "ada@example.com", ...more });
const logged = (event) => server.logs.filter((line) => line.includes(` ${event} `)).length;

async function clock(...words)
{
    const { code, out, err } = await coatcheck("clock", ...words, "--data", data, "--json");
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    return JSON.parse(out);
}

// Minting is a decision; its floor is in the file a second or so later.
async function floorIs(condition)
{
    await eventually(() => condition(floorMs()), `${condition} of the floor`);
}

async function bound()
{
    const prover = new Prover(), { token } = await ada({ fingerprint: prover.fingerprint });
    return { token, proof: prover.rpc() };
}

test("I-128 what was decided by is kept a few seconds ahead, and exactly at a stop", async () => {
    assert.equal(floorMs(), 0);
    const before = Date.now();
    await ada();
    await floorIs((ms) => ms > before);
    assert.ok(floorMs() <= Date.now() + AHEAD_MS, `${floorMs()}`);
    await stop();
    assert.ok(floorMs() > before && floorMs() <= Date.now(), `${floorMs()}`);
    assert.equal((await clock()).state, "stopped");
    await start();
    assert.equal(logged("clock_behind"), 0);
    assert.equal((await clock("status")).state, "ready");
});

test("I-128 a floor an hour ahead: tokens are stamped from it on, what it is past stays expired, also after kill -9", async () => {
    const short = await ada({ expire_at: nowS() + 1800 }), long = await ada({ expire_at: nowS() + 3 * 3600 });
    await stop();
    const floor = Date.now() + HOUR_MS;
    change(data, `UPDATE meta SET floor_ms = ${floor}`);
    for (const end of ["SIGTERM", "SIGKILL"]) {
        await start();
        assert.equal(logged("clock_behind"), 1);
        assert.equal((await info(server, short.token)).status, 401);
        assert.equal((await info(server, long.token)).status, 200);
        const { claims } = readToken((await ada()).token);
        assert.ok(claims.iat >= Math.floor(floor / 1000) && claims.iat < floor / 1000 + 120, `${claims.iat}`);
        assert.equal(claims.exp, claims.iat + 7200);
        assert.equal((await call(server, "GET", "/readyz")).status, 200);
        assert.equal((await clock()).state, "behind");
        await floorIs((ms) => ms > claims.iat * 1000);
        if (end === "SIGKILL") { // goes on from there
            server.child.kill(end);
            await server.ended;
            await start();
            assert.equal((await info(server, short.token)).status, 401);
            assert.ok(readToken((await ada()).token).claims.iat >= claims.iat);
        } else
            await stop();
    }
});

test("I-128 a proof is judged by the machine's clock, which the browser's is like", async () => {
    const { token, proof } = await bound();
    await (await connected(server, token, { params: { dpop_token: proof } })).close();
});

test("I-128 an hour back under a running server: nothing expired lives again, nothing stands still", async () => {
    await stop();
    folders.push(data = temporaryFolder()); // the other has seen an hour that is ahead
    await start();
    const old = await ada({ expire_at: nowS() + 60 });
    setClock(70_000);
    assert.equal((await info(server, old.token)).status, 401);
    setClock(-HOUR_MS);
    assert.equal((await info(server, old.token)).status, 401);
    const { iat } = readToken((await ada()).token).claims;
    while (readToken((await ada()).token).claims.iat === iat) await new Promise((done) => setTimeout(done, 100));
    setClock(0);
});

test("I-128 a day forward: not ready, nothing is granted or stored, until it is confirmed", async () => {
    const token = (await ada()).token, session = await connected(server, token);
    const nothing = await coatcheck("clock", "confirm", "--data", data);
    assert.equal(nothing.code, 1);
    assert.match(nothing.err, /nothing to confirm/);
    const before = Date.parse((await clock()).server);
    setClock(24 * HOUR_MS);
    const ready = await call(server, "GET", "/readyz");
    assert.deepEqual([ready.status, ready.json], [503, { status: "not ready", because: "clock stepped" }]);
    const refused = [await mint(server, { reference: "eve@example.com" }), await info(server, token)];
    for (const answer of refused) {
        assert.equal(answer.status, 503);
        assert.equal(answer.headers["coatcheck-error-code"], "try_again");
        const why = await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", data);
        assert.match(why.out, /CLOCK_STEPPED[\s\S]*coatcheck clock confirm/);
    }
    const other = await Session.open(server);
    assert.equal((await other.request("signalwire.connect", connectParams(token))).error.code, -32603);
    assert.equal((await other.closed).code, 1013);
    assert.ok((await session.request("subscriber.online")).result, "who is in stays in");
    assert.deepEqual([(await clock()).state, logged("clock_stepped")], ["stepped", 1]);
    assert.ok(floorMs() < before + 60_000 + AHEAD_MS, `${floorMs()}`);
    assert.equal((await clock("confirm")).state, "ready");
    assert.equal((await call(server, "GET", "/readyz")).status, 200);
    assert.equal((await info(server, token)).status, 401, "it expired in the day that is over");
    const { claims } = readToken((await ada()).token);
    assert.ok(Math.abs(claims.iat - nowS() - 24 * 3600) < 60, `${claims.iat}`);
    await floorIs((ms) => ms > Date.now() + 24 * HOUR_MS - 60_000);
});

test("I-128 a step that is taken back needs nobody", async () => {
    setClock(48 * HOUR_MS);
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 503);
    setClock(24 * HOUR_MS);
    assert.equal((await mint(server, { reference: "ada@example.com" })).status, 200);
    assert.equal(logged("clock_came_back"), 1);
});

test("a start takes a clock that is far past the floor: nothing says how long the machine was off", async () => {
    await stop();
    setClock(72 * HOUR_MS);
    await start();
    assert.equal((await call(server, "GET", "/readyz")).status, 200);
    assert.ok(readToken((await ada()).token).claims.iat > nowS() + 71 * 3600);
});

test("a floor that no clock can have said is damage", async () => {
    await stop();
    change(data, "UPDATE meta SET floor_ms = 9223372036854775807");
    const { code, said } = await startRefused({ data, env: ENV });
    assert.equal(code, 5, said);
    change(data, `UPDATE meta SET floor_ms = ${Date.now()}`);
    setClock(0);
    await start();
});

test("C-55 a refresh token that was over by a second stays over: the clock an hour back, a stop, kill -9", async () => {
    await stop();
    folders.push(data = temporaryFolder()); // the other has seen days that are ahead
    await start();
    const expire_at = nowS() + 60, over_s = expire_at + 300; // it lives five minutes longer
    const short = await ada({ expire_at });
    let long = await ada();
    const staysOver = async (when) => {
        const answer = await refresh(server, short.refresh_token);
        assert.deepEqual([answer.status, answer.json.errors?.[0].code], [422, "token_expired"], when);
        long = await refreshToken(server, long.refresh_token); // and nothing stands still
    };
    setClock(250_000); // no step of more than five minutes
    assert.equal((await info(server, long.token)).status, 200);
    setClock((over_s + 1) * 1000 - Date.now());
    await staysOver("a second later");
    await floorIs((ms) => ms > over_s * 1000);
    setClock(-HOUR_MS);
    await staysOver("an hour back");
    await stop();
    await start();
    await staysOver("after a stop");
    server.child.kill("SIGKILL");
    await server.ended;
    await start();
    await staysOver("after kill -9");
});

await run({
    before: async () => {
        folders.push(data = temporaryFolder());
        moved = movedClock(data);
        await start();
    },
    after: async () => {
        await stop();
        for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
    },
});
