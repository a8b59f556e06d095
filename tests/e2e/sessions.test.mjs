// sessions.test.mjs — a session loses its socket and comes back: the table of docs/sessions.md, row by row, on one loop and
// across two; and a live session that goes on under newer tokens.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { advance, coatcheck } from "../harness/clock.mjs";
import { call, mintToken, nowS, readToken } from "../harness/http.mjs";
import { Prover } from "../harness/prover.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually as until, run, test } from "../harness/suite.mjs";

const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443", COATCHECK_SESSION_LAPSE_S: "300" }; // no other session shall lapse while one is counted
const LAPSE_S = 1;
const STATE = "signalwire.authorization.state";
const TIMES = 6; // two loops share the connections: this often, some resumes cross
const refused = (code) => ({ refused: code });
const resumed = { resumed: true };
let one, two, hasty, foreign, baselines;

const mint = async (server, reference, more = {}) => (await mintToken(server, { reference, ...more })).token;
const fresh = () => `${crypto.randomUUID()}@example.com`;

async function metric(server, name)
{
    const { text } = await call({ url: server.contract.admin_url }, "GET", "/metrics", {
        headers: { authorization: `Bearer ${server.contract.admin_token}` } });
    return Number(text.match(new RegExp(`^${name} (\\d+)`, "m"))[1]);
}

// ---- sessions, and what they are remembered by ----

const statesOf = (session) => session.messages.filter((m) => m.params?.event_type === STATE)
    .map((m) => m.params.params.authorization_state);

// What the newest welcome and state let a client present.
async function ticketOf(session, count = 1)
{
    while (statesOf(session).length < count) await session.message((m) => m.params?.event_type === STATE &&
        statesOf(session).length >= count, `state ${count}`);
    return { authorization_state: statesOf(session).at(-1), protocol: session.result.protocol };
}

async function begin(server, token, more = {})
{
    const session = await connected(server, token, { params: more });
    session.ticket = await ticketOf(session);
    return session;
}

// Its connection breaks, without a goodbye.
async function lose(server, session)
{
    const waiting = await metric(server, "coatcheck_sessions_detached");
    session.ws.terminate();
    await until(async () => await metric(server, "coatcheck_sessions_detached") > waiting, "the session waits");
}

// Its socket goes, and then it: on a machine that stands still, nobody sees it wait.
async function lapses(session)
{
    session.ws.terminate();
    await until(async () => await metric(hasty, "coatcheck_sessions_live") === 0, "its socket is gone");
    await until(async () => await metric(hasty, "coatcheck_sessions_detached") === 0, "it lapses");
}

// { resumed } with the session that came of it, { began } for a new one, { refused } with the code.
async function comeBack(server, was, token, more = {})
{
    const session = await Session.open(server);
    const { result, error } = await session.connect(token, { ...was.ticket, ...more });
    session.result = result;
    if (error) {
        if (error.code === -32003) assert.equal(error.message, "Requester validation failed");
        assert.match(error.data.error_id, /^[A-Za-z0-9_-]{16}$/);
        assert.ok(await session.endsWithoutAnswering("subscriber.online"), "a refused socket is deaf");
        return refused(error.code);
    }
    session.ticket = await ticketOf(session);
    session.isBack = result.protocol === was.result.protocol && result.identity === was.result.identity;
    return session.isBack ? { resumed: true, session } : { began: true, session };
}

async function check(server, was, token, more, wanted)
{
    const { session, ...answer } = await comeBack(server, was, token, more);
    assert.deepEqual(answer, wanted);
    return session;
}

const renew = (session, token, dpop_token) => session.request("signalwire.reauthenticate",
    { authentication: { project: session.result.authorization.project_id, jwt_token: token }, dpop_token });

const flipped = (text, at) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

// On one loop, and again and again on two.
const onBoth = (body) => async () => {
    await body(one);
    for (let i = 0; i < TIMES; i++) await body(two);
};

// ---- what is refused ----

test("resume: a forged token, a good state: -32002", onBoth(async (server) => {
    const user = fresh(), token = await mint(server, user);
    const was = await begin(server, token);
    await lose(server, was);
    await check(server, was, flipped(token, token.length - 20), {}, refused(-32002));
    await check(server, was, "x.y.z", {}, refused(-32002));
    await (await check(server, was, token, {}, resumed)).close();
}));

test("resume: a token of another server, a good state: -32002", onBoth(async (server) => {
    const was = await begin(server, await mint(server, fresh()));
    await check(server, was, await mint(foreign, fresh()), {}, refused(-32002));
    await was.close();
}));

test("A-25 resume: a token that was cut, a good state: -32002, and the session is gone", onBoth(async (server) => {
    const user = fresh(), token = await mint(server, user);
    const [was, other] = [await begin(server, token), await begin(server, token)];
    await lose(server, was);
    const { out } = await coatcheck("revoke", "user", readToken(token).claims.sub, "--project", server.contract.project_id,
        "--data", server.data, "--json");
    assert.equal(JSON.parse(out).sessions_closed, 2, "the waiting one counts");
    assert.equal((await other.closed).code, 4403);
    await check(server, was, token, {}, refused(-32002));
    await check(server, was, await mint(server, user), {}, refused(-32003));
}));

test("B-45 connect: live, no state, bound, no right proof: -32002", onBoth(async (server) => {
    const prover = new Prover(), token = await prover.bound(server);
    const none = { ticket: {}, result: {} };
    await check(server, none, token, {}, refused(-32002));
    await check(server, none, token, { dpop_token: new Prover().rpc() }, refused(-32002));
    await check(server, none, token, { dpop_token: prover.rpc("signalwire.reauthenticate") }, refused(-32002));
    await (await check(server, none, token, { dpop_token: prover.rpc() }, { began: true })).close();
}));

test("resume: bound without right proof: -32003, and the session waits on", onBoth(async (server) => {
    const prover = new Prover(), token = await prover.bound(server), dpop_token = prover.rpc();
    const was = await begin(server, token, { dpop_token });
    await lose(server, was);
    await check(server, was, token, {}, refused(-32003));
    await check(server, was, token, { dpop_token }, refused(-32003)); // used before
    await check(server, was, token, { dpop_token: new Prover().rpc() }, refused(-32003));
    await check(server, was, token, { dpop_token: prover.rpc("signalwire.reauthenticate") }, refused(-32003));
    await (await check(server, was, token, { dpop_token: prover.rpc() }, resumed)).close();
}));

test("resume: an expired token without a state, or past the state's deadline: -32002", onBoth(async (server) => {
    const token = await mint(server, fresh(), { expire_at: nowS() + 60 });
    const was = await begin(server, token);
    await lose(server, was);
    await advance(server, "61s");
    await check(server, was, token, {}, refused(-32002));
    await check(server, { ticket: {}, result: {} }, token, {}, refused(-32002));
}));

test("H-116 resume: a state with any bit changed, cut short, or with no name of a session: -32003", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token), { authorization_state: state } = was.ticket;
    await lose(server, was);
    for (let at = 0; at < state.length; at += 29)
        await check(server, was, token, { authorization_state: flipped(state, at) }, refused(-32003));
    for (const more of [{ authorization_state: state.slice(0, -1) }, { authorization_state: `${state}A` },
        { protocol: "signalwire_x" }, { protocol: `${was.ticket.protocol}0` }])
        await check(server, was, token, more, refused(-32003));
    await (await check(server, was, token, {}, resumed)).close();
}), { guard_s: 240 });

test("resume: half of the pair is none: a new session, and the old one waits on", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    await lose(server, was);
    for (const more of [{ authorization_state: "" }, { authorization_state: undefined }, { authorization_state: undefined, protocol: "x" },
        { protocol: "" }, { protocol: undefined }, { protocol: undefined, authorization_state: "rs_1.A" }])
        await (await check(server, was, token, more, { began: true })).close();
    const prover = new Prover(), bound = await prover.bound(server), { protocol, authorization_state } = was.ticket;
    for (const half of [{ protocol }, { authorization_state }]) {
        await check(server, { ticket: {}, result: {} }, bound, half, refused(-32002));
        await check(server, { ticket: {}, result: {} }, flipped(token, token.length - 20), half, refused(-32002));
    }
    await (await check(server, was, token, {}, resumed)).close();
}));

test("H-122 resume: another user's, another project's: -32003, and the owner still has it", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    await lose(server, was);
    await check(server, was, await mint(server, fresh()), {}, refused(-32003));
    const theirs = await begin(server, await mint(server, fresh()));
    await check(server, was, token, { protocol: theirs.ticket.protocol }, refused(-32003));
    await check(server, was, token, { authorization_state: theirs.ticket.authorization_state }, refused(-32003));
    const far = await begin(foreign, await mint(foreign, fresh()));
    await check(server, far, token, {}, refused(-32003));
    assert.match(was.ticket.protocol, /^signalwire_[0-9a-f-]{36}_[0-9a-f]{32}$/);
    await (await check(server, was, token, {}, resumed)).close();
    await theirs.close();
    await far.close();
}));

test("H-116 resume: a state older than the last two: -32003", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    const first = was.ticket;
    for (let i = 0; i < 2; i++) {
        assert.ok((await renew(was, token)).result);
        was.ticket = await ticketOf(was, 2 + i);
    }
    const [, second, third] = statesOf(was);
    assert.equal(new Set([first.authorization_state, second, third]).size, 3);
    await lose(server, was);
    await check(server, was, token, first, refused(-32003));
    const back = await check(server, was, token, { authorization_state: second }, resumed);
    await lose(server, back);
    await check(server, was, token, { authorization_state: second }, refused(-32003));
    await (await check(server, was, token, { authorization_state: third }, resumed)).close();
}));

test("resume: a copied tab does not evict the first", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    await was.request("subscriber.online");
    await check(server, was, token, {}, refused(-32003));
    assert.ok((await was.request("subscriber.online")).result, "the first goes on");
    assert.equal(was.isClosed, undefined);
    await was.close();
}));

// The answer waits in the kernel while the server's second passes: it is heard before anybody is called silent.
test("resume: a server that stands still while it asks evicts nobody who has answered", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    was.ws._autoPong = false;
    was.ws.once("ping", (asked) => {
        server.child.kill("SIGSTOP");
        was.ws.pong(asked);
        was.ws._autoPong = true;
        setTimeout(() => server.child.kill("SIGCONT"), 3000);
    });
    await check(server, was, token, {}, refused(-32003));
    assert.ok((await was.request("subscriber.online")).result, "the first goes on");
    await was.close();
}));

// Half a second is left when it asks, and the present socket has one to answer.
test("resume: a newcomer whose token ends while it waits takes nothing from a silent socket", async () => {
    for (const server of [one, two]) {
        const reference = fresh(), was = await begin(server, await mint(server, reference));
        const end_s = nowS() + 4, token = await mint(server, reference, { expire_at: end_s });
        await until(() => Date.now() >= end_s * 1000 - 500, "half a second is left");
        was.ws._socket.pause();
        await check(server, was, token, {}, refused(-32002));
        was.ws._socket.resume();
        assert.ok((await was.request("subscriber.online")).result, "the first goes on");
        await was.close();
    }
});

// The calls wait in the kernel beyond the end of what they are made with.
test("a server that stands still while a token ends runs none of the calls that came later", async () => {
    const end_s = nowS() + 20, session = await begin(one, await mint(one, fresh(), { expire_at: end_s }));
    let replies = 0;
    one.child.kill("SIGSTOP");
    const ids = Array.from({ length: 3 }, () => crypto.randomUUID());
    session.ws.on("message", (text) => { replies += ids.includes(JSON.parse(text).id); });
    while (Date.now() < (end_s + 1) * 1000) await new Promise((resolve) => { setTimeout(resolve, 100); });
    for (const id of ids) session.send({ jsonrpc: "2.0", id, method: "subscriber.online", params: {} });
    await new Promise((resolve) => { session.ws._socket.write("", resolve); });
    one.child.kill("SIGCONT");
    assert.equal((await session.closed).code, 4401);
    assert.equal(replies, 0);
});

test("resume: lapsed: -32003, and nothing is left", async () => {
    const token = await mint(hasty, fresh()), was = await begin(hasty, token);
    await lapses(was);
    await check(hasty, was, token, {}, refused(-32003));
});

test("resume: after a restart, on fewer loops: -32003, then a new session", async () => {
    const data = temporaryFolder();
    let server = await startServer({ data, env: { ...ENV, COATCHECK_LOOPS: "4" } });
    const token = await mint(server, fresh()), all = [];
    while (all.length < 12) all.push(await begin(server, token));
    await server.stop();
    for (const was of all) assert.equal((await was.closed).code, 1012);
    server = await startServer({ data, env: { ...ENV, COATCHECK_LOOPS: "1" } });
    for (const was of all) await check(server, was, token, {}, refused(-32003));
    await (await check(server, { ticket: {}, result: {} }, token, {}, { began: true })).close();
    await server.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

// ---- what is given back ----

test("resume: live, good state: the same session, registered still", onBoth(async (server) => {
    const token = await mint(server, fresh()), before = await metric(server, "coatcheck_sessions_registered");
    let session = await begin(server, token);
    await session.request("subscriber.online");
    for (let i = 0; i < 3; i++) {
        const was = session;
        await lose(server, was);
        session = await check(server, was, token, {}, resumed);
        assert.equal(await metric(server, "coatcheck_sessions_registered"), before + 1);
        assert.notEqual(session.ticket.authorization_state, was.ticket.authorization_state);
        assert.deepEqual(session.messages.filter((m) => m.method).map((m) => m.params.event_type), [STATE]);
    }
    await session.request("subscriber.offline");
    await session.close();
}));

test("resume: after a goodbye as well", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    await was.close();
    await (await check(server, was, token, {}, resumed)).close();
}));

test("resume: with a newer token: until that one's end", onBoth(async (server) => {
    const user = fresh(), was = await begin(server, await mint(server, user, { expire_at: nowS() + 60 }));
    await lose(server, was);
    const token = await mint(server, user);
    const back = await check(server, was, token, {}, resumed);
    assert.equal(back.result.authorization.fabric_subscriber.expires_at, readToken(token).claims.exp);
    await advance(server, "61s");
    assert.ok((await back.request("subscriber.offline")).result);
    await back.close();
}));

test("resume: expired, the state's deadline ahead: until that, and no further", onBoth(async (server) => {
    const user = fresh(), short = await mint(server, user, { expire_at: nowS() + 60 });
    const was = await begin(server, short);
    assert.ok((await renew(was, await mint(server, user, { expire_at: nowS() + 600 }))).result);
    was.ticket = await ticketOf(was, 2);
    await lose(server, was);
    await advance(server, "61s");
    const back = await check(server, was, short, {}, resumed);
    assert.ok((await back.request("subscriber.offline")).result);
    await advance(server, "10m");
    assert.equal((await back.closed).code, 4401);
    await check(server, back, short, {}, refused(-32002));
}));

test("H-114 at the end of its grant the socket closes with 4401, and a fresh token brings the session back", onBoth(async (server) => {
    const user = fresh(), token = await mint(server, user, { expire_at: nowS() + 60 }), was = await begin(server, token);
    await advance(server, "61s");
    assert.equal((await was.closed).code, 4401);
    await check(server, was, token, {}, refused(-32002));
    const back = await check(server, was, await mint(server, user), {}, resumed);
    assert.ok((await back.request("subscriber.online")).result);
    await back.close();
}));

test("resume: the present socket is silent: it gets 4409, the newcomer the session", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    was.ws._socket.pause(); // as a machine that sleeps: nothing is read, nothing answered
    const back = await check(server, was, token, {}, resumed);
    was.ws._socket.resume();
    assert.equal((await was.closed).code, 4409);
    assert.ok((await back.request("subscriber.online")).result);
    await back.close();
}));

// What it sent before it fell asleep arrives late, and proves nothing of now.
test("resume: the present socket sends, but answers no ping: it gets 4409 as well", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    was.ws._socket.pause();
    const late = setInterval(() => was.send({ jsonrpc: "2.0", id: crypto.randomUUID(), result: {} }), 20);
    const back = await check(server, was, token, {}, resumed);
    clearInterval(late);
    was.ws._socket.resume();
    assert.equal((await was.closed).code, 4409);
    await back.close();
}));

test("H-122 two sockets ask for one session at once: one has it", onBoth(async (server) => {
    const token = await mint(server, fresh()), was = await begin(server, token);
    await lose(server, was);
    const answers = await Promise.all(Array.from({ length: 4 }, () => comeBack(server, was, token)));
    assert.equal(answers.filter((answer) => answer.resumed).length, 1);
    assert.equal(answers.filter((answer) => answer.refused === -32003).length, 3);
    await answers.find((answer) => answer.resumed).session.close();
}));

// ---- a newer token for a live session ----

test("connect: a crowd that comes at once leaves others their turns, and each is decided, in order", async () => {
    const token = await mint(one, fresh()), witness = await begin(one, await mint(one, fresh())), crowd = [], heard = [];
    while (crowd.length < 200) crowd.push(await Session.open(one));
    process.kill(one.child.pid, "SIGSTOP"); // so that all of it lies there when it goes on
    crowd.forEach((session, i) => {
        session.connect(token).then((reply) => heard.push(reply), () => heard.push(undefined));
        session.online = session.request("subscriber.online").catch(() => undefined); // waits behind it
        if (i >= 190) setImmediate(() => session.ws.terminate());
    });
    const called = witness.request("subscriber.online").then(() => heard.length);
    await Promise.all(crowd.slice(190).map(({ closed }) => closed));
    process.kill(one.child.pid, "SIGCONT");
    const before = await called; // src/server/lane.h: CONNECTS_PER_TURN
    assert.ok(before < 100, `${before} connects were decided before a call that came behind them`);
    for (const session of crowd.slice(0, 190)) assert.ok((await session.online).result);
    assert.equal(heard.filter((reply) => reply?.result).length, 190);
    for (const session of [witness, ...crowd]) session.ws.terminate();
});

test("H-115 reauthenticate: another's token, kind, key: refused, identity and end stay", onBoth(async (server) => {
    const user = fresh(), prover = new Prover(), session = await begin(server, await mint(server, user, { expire_at: nowS() + 60 }));
    const bound = await mint(server, user, { fingerprint: prover.fingerprint });
    for (const [token, proof] of [[await mint(server, fresh())], [await mint(foreign, user)], ["x.y.z"], [flipped(bound, bound.length - 9)],
        [bound], [bound, prover.rpc()], [bound, new Prover().rpc("signalwire.reauthenticate")]])
        assert.equal((await renew(session, token, proof)).error?.code, -32002);
    assert.equal(statesOf(session).length, 1, "no new state");
    assert.ok((await session.request("subscriber.online")).result, "the session goes on");
    await advance(server, "61s");
    assert.equal((await session.closed).code, 4401, "at its old end");
}));

test("H-115 reauthenticate: bound once, it stays with its key", onBoth(async (server) => {
    const user = fresh(), [mine, other] = [new Prover(), new Prover()], session = await begin(server, await mint(server, user));
    const reauthenticate = "signalwire.reauthenticate";
    const bound = await mint(server, user, { fingerprint: mine.fingerprint });
    const theirs = await mint(server, user, { fingerprint: other.fingerprint });
    assert.ok((await renew(session, bound, mine.rpc(reauthenticate))).result);
    assert.equal((await renew(session, await mint(server, user))).error?.code, -32002);
    assert.equal((await renew(session, theirs, other.rpc(reauthenticate))).error?.code, -32002);
    const proof = mine.rpc(reauthenticate);
    assert.ok((await renew(session, bound, proof)).result);
    assert.equal((await renew(session, bound, proof)).error?.code, -32002, "a proof is good once");
    const [first] = statesOf(session); // of before it was bound: proves nothing of the key
    session.ticket = await ticketOf(session, 3);
    await lose(server, session);
    await check(server, session, await mint(server, user), {}, refused(-32003));
    await check(server, session, await mint(server, user), { authorization_state: first }, refused(-32003));
    await (await check(server, session, bound, { dpop_token: mine.rpc() }, resumed)).close();
}));

test("reauthenticate: the end moves, calls behind it are answered in order", onBoth(async (server) => {
    const user = fresh(), session = await begin(server, await mint(server, user, { expire_at: nowS() + 60 }));
    const token = await mint(server, user), prover = new Prover(), bound = await mint(server, user, { fingerprint: prover.fingerprint });
    const ids = [];
    for (const [method, params] of [["signalwire.reauthenticate", { authentication: { jwt_token: token } }], ["subscriber.online", {}],
        ["signalwire.reauthenticate", { authentication: { jwt_token: bound }, dpop_token: prover.rpc("signalwire.reauthenticate") }],
        ["subscriber.offline", {}]]) {
        ids.push(crypto.randomUUID());
        session.send({ jsonrpc: "2.0", id: ids.at(-1), method, params });
    }
    await session.message((m) => m.id === ids.at(-1), "the last reply");
    assert.deepEqual(session.messages.filter((m) => ids.includes(m.id)).map((m) => [m.id, !!m.result]), ids.map((id) => [id, true]));
    assert.equal(statesOf(session).length, 3);
    await advance(server, "61s");
    assert.ok((await session.request("subscriber.online")).result);
    await session.close();
}));

test("A-25 reauthenticate moves a session to its new family: it goes with that one, not with the old", onBoth(async (server) => {
    const user = fresh(), tokens = [await mint(server, user), await mint(server, user)], session = await begin(server, tokens[0]);
    assert.ok((await renew(session, tokens[1])).result);
    const closed = [];
    for (const token of tokens) {
        const { out } = await coatcheck("revoke", "family", readToken(token).claims.fam, "--project", server.contract.project_id,
            "--data", server.data, "--json");
        closed.push(JSON.parse(out).sessions_closed);
    }
    assert.deepEqual(closed, [0, 1]);
    assert.equal((await session.closed).code, 4403);
}));

await run({
    before: async () => {
        one = await startServer({ env: { ...ENV, COATCHECK_LOOPS: "1" } });
        two = await startServer({ env: { ...ENV, COATCHECK_LOOPS: "2" } });
        hasty = await startServer({ env: { ...ENV, COATCHECK_SESSION_LAPSE_S: String(LAPSE_S) } });
        foreign = await startServer({ env: ENV });
        for (const server of [one, two]) await (await connected(server, await mint(server, fresh()))).close();
        baselines = [await one.baseline(), await two.baseline()];
    },
    after: async () => {
        await one.assertSound(baselines[0]);
        await two.assertSound(baselines[1]);
        for (const server of [one, two, hasty, foreign]) await server.stop();
    },
});
