// slots.test.mjs — when a client that takes slots is to refresh and to come back: docs/sessions.md, "Slots". Two loops.
import assert from "node:assert/strict";
import { mintToken, nowS } from "../harness/http.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const CROWD = 400;
const TAKES = { params: { takes_slots: true } };
const ENV = { COATCHECK_LOOPS: "2", COATCHECK_RETURNS_PER_S: "100", COATCHECK_DRAIN_WINDOW_S: "0", COATCHECK_PARKED_PER_ADDRESS_MAX: "1" };
let server;

const mint = async (more = {}) => (await mintToken(server, { reference: "slots@example.com", ...more })).token;
const waitOf = (reason) => Number(reason.match(/; come back in (\d+) ms$/)?.[1]);

async function crowd(count, token, options)
{
    const sessions = [];
    while (sessions.length < count)
        sessions.push(...await Promise.all(Array.from({ length: 50 }, () => connected(server, token, options))));
    return sessions;
}

// How many of the values lie in each of so many equal parts from `from` to `to`.
function parts(values, from, to, count)
{
    const found = Array(count).fill(0);
    for (const value of values) found[Math.floor((value - from) / (to - from) * count)]++;
    return found;
}

test("slots: nobody is told any who does not ask, or asks by anything but true", async () => {
    const token = await mint();
    for (const takes_slots of [undefined, null, false, "true", 1, [true], {}]) {
        const session = await connected(server, token, { params: { takes_slots } });
        assert.equal("slots" in session.result, false, JSON.stringify(takes_slots));
        const { result } = await session.request("signalwire.reauthenticate", { authentication: { jwt_token: token } });
        assert.deepEqual(result, { code: "200", message: "OK" });
        await session.close();
    }
});

test("slots: a refusal tells none", async () => {
    const session = await Session.open(server);
    const { error, result } = await session.connect("x.y.z", { takes_slots: true });
    assert.equal(error.code, -32002);
    assert.equal(result, undefined);
    session.ws.terminate();
});

test("slots: tokens of one second are refreshed over the last quarter of their lives, and a minute before the end", async () => {
    const before_s = nowS(), token = await mint({ expire_at: before_s + 3600 });
    const sessions = await crowd(CROWD, token, TAKES);
    const slots = sessions.map((session) => session.result.slots.refresh_in_ms);
    const passed_ms = (nowS() + 1 - before_s) * 1000;
    for (const slot of slots) assert.ok(Number.isInteger(slot) && slot >= 2700_000 - passed_ms && slot < 3540_000, `${slot}`);
    const found = parts(slots, 2700_000 - passed_ms, 3540_000, 4); // 100 each; five standard deviations are 44
    assert.ok(found.every((count) => count > 50 && count < 150), `${found}`);
    const withins = sessions.map((session) => session.result.slots.return_within_ms);
    assert.ok(withins.every((within) => Number.isInteger(within) && within >= 1000), "a second at least");
    assert.ok(Math.max(...withins) > 2000, "and the longer the more are there");
    for (const session of sessions) session.ws.terminate();
});

test("slots: a renewal tells that of the newer token, on the sockets that take them", async () => {
    const session = await connected(server, await mint({ expire_at: nowS() + 100 }), TAKES);
    assert.ok(session.result.slots.refresh_in_ms < 90_000);
    const later = await mint({ expire_at: nowS() + 7200 });
    const { result } = await session.request("signalwire.reauthenticate", { authentication: { jwt_token: later } });
    assert.ok(result.slots.refresh_in_ms > 5300_000 && result.slots.refresh_in_ms < 7140_000, JSON.stringify(result));
    assert.equal((await session.request("subscriber.online")).result.slots, undefined);
    await session.close();
});

test("slots: a token that is nearly over has one before its end", async () => {
    const session = await connected(server, await mint({ expire_at: nowS() + 20 }), TAKES);
    assert.ok(session.result.slots.refresh_in_ms < 20_000);
    await session.close();
});

test("slots: a refused socket without a place comes back in 30 to 60 s, each in its own time", async () => {
    const sessions = [], place = await Session.open(server);
    while (sessions.length < 12) sessions.push(await Session.open(server));
    await place.connect("x.y.z"); // it has the one place, and stays
    for (const [i, session] of sessions.entries()) await session.connect("x.y.z", { takes_slots: i % 3 > 0 });
    const ends = await Promise.all(sessions.map((session) => session.closed)), waits = ends.map(({ reason }) => waitOf(reason)).filter((wait) => wait);
    assert.ok(ends.every(({ code }) => code === 4429));
    assert.equal(ends.filter(({ reason }) => reason === "too many were refused; come back in 30 s").length, 4);
    assert.equal(waits.length, 8);
    assert.ok(waits.every((wait) => wait >= 30_000 && wait < 60_000) && new Set(waits).size > 1, `${waits}`);
    place.ws.terminate();
    await place.closed;
});

test("slots: at a stop each has its own time, evenly over as long as it takes to let all in", async () => {
    const token = await mint(), takers = await crowd(CROWD, token, TAKES), others = await crowd(50, token);
    const ends = Promise.all([...takers, ...others].map((session) => session.closed));
    await server.stop();
    const all = await ends, waits = all.slice(0, takers.length).map(({ reason }) => waitOf(reason));
    assert.ok(all.every(({ code }) => code === 1012));
    for (const { reason } of all.slice(takers.length)) assert.equal(reason, "restarting; come back in 1 s");
    // 451 sockets at 100 a second: 4.5 s if both loops have as many, else a little more for one and less for the other
    assert.ok(waits.every((wait) => wait >= 1000 && wait < 1000 + 9020), `${Math.max(...waits)}`);
    const found = parts(waits, 1000, 1000 + 3600, 4).slice(0, 4);
    assert.ok(found.every((count) => count > 25), `${found}`); // the 50 others have places, too
    server = await startServer({ env: ENV });
});

await run({
    before: async () => { server = await startServer({ env: ENV }); },
    after: async () => { if (server.isAlive) await server.stop(); },
});
