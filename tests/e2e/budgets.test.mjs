// budgets.test.mjs — credentials that run out: how often a guest's, an invite's or a visitor's token may open a session, how
// many at once, and how often a click-to-call token may be exchanged. What is counted survives kill -9.
import assert from "node:assert/strict";
import fs from "node:fs";
import { coatcheck } from "../harness/clock.mjs";
import { call, info, mintToken, refresh } from "../harness/http.mjs";
import { bearer, INVITES } from "../harness/prover.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const GUESTS = "/api/fabric/guests/tokens", EMBEDS = "/api/fabric/embeds/tokens";
const SETTINGS = ["guest", "invite", "embed"].flatMap((kind) => [`${kind}_uses`, `${kind}_uses_hour`, `${kind}_sessions`])
    .concat("click_uses", "click_uses_hour", "click_uses_day", "click_sessions");
const LOOPS = { COATCHECK_LOOPS: "3" }, SAME = { ...LOOPS, COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
let server, baseline;

// ---- asking ----

async function operate(at, ...words)
{
    const { code, out, err } = await coatcheck(...words, "--data", at.data, "--json");
    assert.deepEqual([code, err], [0, ""], words.join(" "));
    return JSON.parse(out);
}

const set = (name, value, at = server) => operate(at, "project", "set", at.contract.project_id, name, String(value));
const why = (error_id, at = server) => operate(at, "why", error_id);

async function made(answer)
{
    const { status, json, text } = await answer;
    assert.equal(status, 201, text);
    return json;
}

const guest = (at = server) => made(call(at, "POST", GUESTS,
    { body: { allowed_addresses: [at.contract.address_id] }, headers: { authorization: at.basic } }));
const exchange = (at = server, token = at.contract.c2c_token) => call(at, "POST", EMBEDS, { body: { token } });
const visitor = async (at = server) => (await made(exchange(at))).token;

async function invite(reference = "ada@example.com")
{
    const { token } = await mintToken(server, { reference });
    const [address] = (await info(server, token)).json.fabric_addresses;
    return (await made(bearer(server, INVITES, token, { address_id: address.id }))).token;
}

async function button(at = server)
{
    const { resources } = await operate(at, "resource", "list", "--project", at.contract.project_id);
    return resources.find(({ type }) => type === "click-to-call").id;
}

// The session, or the error that refused it; a refused socket is let go.
async function attempt(token, at = server)
{
    const session = await Session.open(at);
    const reply = await session.connect(token);
    if (reply.result) return { session };
    session.ws.terminate();
    assert.equal(reply.error.code, -32002);
    return { error_code: reply.error.data.error_code, error_id: reply.error.data.error_id };
}

async function used(token, at = server)
{
    const { session, error_code } = await attempt(token, at);
    if (session) await session.close();
    return error_code ?? "opened";
}

async function usedTimes(token, times, at = server)
{
    const answers = [];
    for (let i = 0; i < times; i++) answers.push(await used(token, at));
    return answers;
}

// What is counted by the clock is tried once more if an hour, and maybe a day, ended meanwhile.
async function withinAnHour(body)
{
    const hour = () => Math.floor(Date.now() / 3600_000);
    const begun = hour();
    try {
        await body();
    } catch (error) {
        if (hour() === begun) throw error;
        await body();
    }
}

// The test, and then all settings as they were: nothing is bounded.
function unbounded(body)
{
    return async () => {
        try {
            await body();
        } finally {
            for (const { name, value } of (await operate(server, "project", "show", server.contract.project_id)).settings)
                if (SETTINGS.includes(name) && value) await set(name, 0);
        }
    };
}

// ---- uses ----

test("nothing is bounded as long as nobody says so", async () => {
    const { settings } = await operate(server, "project", "show", server.contract.project_id);
    for (const name of SETTINGS) assert.equal(settings.find((setting) => setting.name === name)?.value, 0, name);
    const { token } = await guest();
    assert.deepEqual(new Set(await usedTimes(token, 6)), new Set(["opened"]));
});

for (const [kind, make] of [["guest", async () => (await guest()).token], ["invite", () => invite()], ["embed", () => visitor()]])
    test(`a session beyond ${kind}_uses is refused, and other tokens go on`, unbounded(async () => {
        await set(`${kind}_uses`, 2);
        const token = await make(), other = await make(), { token: subscriber } = await mintToken(server, { reference: "bob@example.com" });
        assert.deepEqual(await usedTimes(token, 4), ["opened", "opened", "budget_spent", "budget_spent"]);
        assert.equal(await used(other), "opened");
        assert.deepEqual(new Set(await usedTimes(subscriber, 4)), new Set(["opened"]), "who has a name has no budget");
        const told = await why((await attempt(token)).error_id);
        assert.deepEqual([told.refusal, told.check], ["BUDGET_SPENT", "budget.uses"]);
        assert.match(told.expected, new RegExp(`^at most 2 uses .*${kind}_uses`));
    }));

test("twenty connects at once with five uses: exactly five sessions", unbounded(async () => {
    await set("guest_uses", 5);
    const { token } = await guest();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => Session.open(server)));
    const replies = await Promise.all(sockets.map((socket) => socket.connect(token)));
    assert.equal(replies.filter((reply) => reply.result).length, 5);
    assert.deepEqual(new Set(replies.filter((reply) => reply.error).map((reply) => reply.error.data.error_code)), new Set(["budget_spent"]));
    for (const socket of sockets) socket.ws.terminate();
}));

test("a guest's refreshed token has what was left, and no more", unbounded(async () => {
    await set("guest_uses", 2);
    const first = await guest();
    assert.equal(await used(first.token), "opened");
    const { status, json } = await refresh(server, first.refresh_token);
    assert.equal(status, 201);
    assert.deepEqual(await usedTimes(json.token, 2), ["opened", "budget_spent"]);
}));

test("a visitor's renewed token has what was left, and no more", unbounded(async () => {
    await set("embed_uses", 1);
    const token = await visitor();
    assert.equal(await used(token), "opened");
    const { token: renewed } = await made(exchange(server, token));
    assert.equal(await used(renewed), "budget_spent");
}));

test("each invite has a budget of its own, though all are of one family", unbounded(async () => {
    await set("invite_uses", 1);
    const [one, two] = [await invite(), await invite()];
    assert.deepEqual([await used(one), await used(two), await used(one)], ["opened", "opened", "budget_spent"]);
}));

test("a bound that is raised or lowered holds for tokens that are out already", unbounded(async () => {
    await set("guest_uses", 3);
    const { token } = await guest();
    assert.equal(await used(token), "opened");
    await set("guest_uses", 1);
    assert.equal(await used(token), "budget_spent");
    await set("guest_uses", 2);
    assert.deepEqual(await usedTimes(token, 2), ["opened", "budget_spent"]);
}));

test("a use beyond the hour is told to wait", unbounded(() => withinAnHour(async () => {
    await set("guest_uses_hour", 1);
    const { token } = await guest();
    const [first, second] = [await used(token), await attempt(token)];
    second.session?.ws.terminate();
    assert.deepEqual([first, second.error_code], ["opened", "rate_limited"]);
    assert.deepEqual((({ refusal, check }) => [refusal, check])(await why(second.error_id)), ["BUDGET_WAITS", "budget.hour"]);
})));

// ---- sessions at once ----

for (const [kind, make] of [["guest", async () => (await guest()).token], ["invite", () => invite()], ["embed", () => visitor()]])
    test(`${kind}_sessions at once and one more: refused until one ends`, unbounded(async () => {
        await set(`${kind}_sessions`, 2);
        const token = await make(), other = await make();
        const open = [await connected(server, token), await connected(server, token)];
        const refused = await attempt(token);
        assert.equal(refused.error_code, "too_many_sessions");
        assert.deepEqual((({ refusal, check }) => [refusal, check])(await why(refused.error_id)), ["SESSIONS_FULL", "budget.sessions"]);
        assert.equal(await used(other), "opened");
        await open[0].close();
        open[0] = await connected(server, token);
        assert.equal((await attempt(token)).error_code, "too_many_sessions");
        for (const session of open) await session.close();
    }));

test("twenty connects at once with room for five sessions: exactly five, over all loops", unbounded(async () => {
    await set("guest_sessions", 5);
    const { token } = await guest();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => Session.open(server)));
    const replies = await Promise.all(sockets.map((socket) => socket.connect(token)));
    assert.equal(replies.filter((reply) => reply.result).length, 5);
    for (const socket of sockets) socket.ws.terminate();
}));

test("a place that a refused connect had taken is free again", unbounded(async () => {
    await set("guest_sessions", 1);
    await set("guest_uses", 1);
    const { token } = await guest();
    assert.equal(await used(token), "opened");
    assert.deepEqual(await usedTimes(token, 3), ["budget_spent", "budget_spent", "budget_spent"]);
    await set("guest_uses", 2);
    assert.equal(await used(token), "opened");
}));

test("a revoked session leaves its place", unbounded(async () => {
    await set("guest_sessions", 1);
    const { token, refresh_token } = await guest();
    const session = await connected(server, token);
    const { family } = await why((await attempt(token)).error_id);
    await operate(server, "revoke", "family", family, "--project", server.contract.project_id);
    assert.equal((await session.closed).code, 4403);
    assert.equal((await refresh(server, refresh_token)).status, 422);
    assert.equal(await used((await guest()).token), "opened");
}));

test("click_sessions holds for all visitors of one button together", unbounded(async () => {
    await set("click_sessions", 2);
    const open = [await connected(server, await visitor()), await connected(server, await visitor())];
    const token = await visitor();
    assert.equal((await attempt(token)).error_code, "too_many_sessions");
    assert.equal(await used((await guest()).token), "opened", "a guest came by no button");
    await open[0].close();
    assert.equal(await used(token), "opened");
    await open[1].close();
}));

// ---- exchanges ----

test("F-81 a click-to-call token has its exchanges of the day: then 429 until the day is over, and visitors go on", unbounded(() => withinAnHour(async () => {
    await set("click_uses_day", 0);
    const { token } = await made(exchange());
    await set("click_uses_day", 3);
    const answers = await Promise.all(Array.from({ length: 12 }, () => exchange()));
    const counted = answers.filter(({ status }) => status === 201).length;
    assert.equal(counted, 3);
    const refused = answers.find(({ status }) => status === 429);
    const left_s = 86400 - Math.floor(Date.now() / 1000) % 86400;
    assert.equal(refused.headers["coatcheck-error-code"], "rate_limited");
    const wait_s = Number(refused.headers["retry-after"]);
    assert.ok(wait_s > 0 && Math.abs(wait_s - left_s) < 60, `${wait_s} s, ${left_s} s of the day are left`);
    const told = await why(refused.headers["coatcheck-error-id"]);
    assert.deepEqual([told.refusal, told.check], ["BUDGET_WAITS", "budget.day"]);
    assert.equal((await exchange(server, token)).status, 201, "a visitor renews what he has");
    assert.equal(await used(token), "opened");
    const made_too = await operate(server, "resource", "create", "click-to-call", "Night desk", "--reaches", "ada@example.com",
        "--project", server.contract.project_id);
    assert.equal((await exchange(server, made_too.token)).status, 201, "another button has its own");
    await operate(server, "resource", "delete", made_too.id);
})));

test("F-81 the day's exchanges are counted over a restart and over kill -9", () => withinAnHour(async () => {
    const data = temporaryFolder();
    let at = await startServer({ data, env: LOOPS });
    const c2c_token = at.contract.c2c_token, statuses = [];
    const again = async () => { at = await startServer({ data, env: LOOPS }); };
    await operate(at, "resource", "set", await button(at), "click_uses_day", "4");
    statuses.push((await exchange(at, c2c_token)).status, (await exchange(at, c2c_token)).status);
    await at.kill9();
    await again();
    statuses.push((await exchange(at, c2c_token)).status);
    at.child.kill("SIGTERM");
    await at.ended;
    await again();
    statuses.push((await exchange(at, c2c_token)).status, (await exchange(at, c2c_token)).status);
    await at.kill9();
    await again();
    statuses.push((await exchange(at, c2c_token)).status);
    await at.stop();
    fs.rmSync(data, { recursive: true, force: true });
    assert.deepEqual(statuses, [201, 201, 201, 201, 429, 429]);
}));

// What lets a client have its session back.
async function stateOf(session)
{
    const event = await session.event("signalwire.authorization.state");
    return { protocol: session.result.protocol, authorization_state: event.params.params.authorization_state };
}

async function comeBack(token, state)
{
    const session = await Session.open(server);
    const { result, error } = await session.connect(token, state);
    session.result = result;
    if (error) session.ws.terminate();
    return error ? { code: error.code, why: error.data.error_id } : { session };
}

test("a lost connection keeps its session's place, a goodbye leaves it, and who comes back needs one", unbounded(async () => {
    await set("guest_sessions", 1);
    const { token } = await guest();
    const first = await connected(server, token);
    const lost = await stateOf(first);
    first.ws.terminate();
    assert.equal((await attempt(token)).error_code, "too_many_sessions");
    const { session: again } = await comeBack(token, lost);
    assert.equal(again.result.protocol, lost.protocol, "its place was kept, and no second one was needed");
    const left = await stateOf(again);
    await again.close();
    const { session: another } = await attempt(token);
    assert.ok(another, "the place was left");
    const refused = await comeBack(token, left);
    assert.equal(refused.code, -32003);
    assert.equal((await why(refused.why)).check, "budget.sessions");
    await another.close();
    const { session: last } = await comeBack(token, left);
    assert.equal(last.result.protocol, left.protocol, "it waited, and found a place");
    assert.equal((await attempt(token)).error_code, "too_many_sessions");
    await last.close();
    assert.equal(await used(token), "opened");
}));

test("who comes back needs a place by the bound of now, not by that of its first connect", unbounded(async () => {
    for (const [before, now, welcome] of [[1, 5, 1], [5, 1, 1], [0, 1, 1], [2, 0, 3]]) {
        await set("guest_sessions", before);
        const { token } = await guest(), left = [];
        for (let i = 0; i < (before === 5 || !before ? 3 : before); i++) {
            const session = await connected(server, token);
            left.push(await stateOf(session));
            await session.close();
        }
        await set("guest_sessions", now);
        const others = now === 5 ? [await connected(server, token)] : [], back = [];
        for (const state of left) back.push(await comeBack(token, state));
        const came = back.filter(({ session }) => session);
        assert.equal(came.length, Math.min(welcome, left.length), `${before}, then ${now}`);
        assert.ok(back.every(({ session, code }) => session || code === -32003));
        for (const session of [...came.map((one) => one.session), ...others]) await session.close();
    }
}));

test("uses of a guest's token are counted over kill -9", async () => {
    const data = temporaryFolder();
    let at = await startServer({ data, env: SAME });
    await set("guest_uses", 3, at);
    await set("guest_sessions", 1, at);
    const { token } = await guest(at);
    assert.equal(await used(token, at), "opened");
    await connected(at, token); // open when the server dies: its place dies with it
    await at.kill9();
    at = await startServer({ data, env: SAME });
    assert.deepEqual(await usedTimes(token, 3, at), ["opened", "budget_spent", "budget_spent"]);
    await at.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("click_uses is for ever, and a button's own bounds come before its project's", unbounded(async () => {
    const own = await operate(server, "resource", "create", "click-to-call", "Day desk", "--reaches", "ada@example.com",
        "--project", server.contract.project_id);
    await set("click_uses", 1);
    await operate(server, "resource", "set", own.id, "click_uses", "2");
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await exchange(server, own.token)).status);
    assert.deepEqual(statuses, [201, 201, 403]);
    const shown = await operate(server, "resource", "set", own.id, "click_uses", "0");
    assert.ok(!("click_uses" in shown) && shown.state === "enabled");
    assert.equal((await exchange(server, own.token)).status, 403, "one is left by the project, and two were counted");
    const { code, err } = await coatcheck("resource", "set", own.id, "guest_uses", "1", "--data", server.data);
    assert.equal(code, 1);
    assert.match(err, /click_uses_day/);
    await operate(server, "resource", "delete", own.id);
}));

await run({
    before: async () => { server = await startServer({ env: LOOPS }); baseline = await server.baseline(); },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
