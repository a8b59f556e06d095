// upgrade.test.mjs — a visitor becomes a guest, a guest becomes a subscriber: the table of docs/sessions.md, row by row, on one
// loop and across two; what goes over, and who is told. And what a user's sessions are told of each other.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { advance, coatcheck } from "../harness/clock.mjs";
import { call, info, mintToken, nowS, readToken } from "../harness/http.mjs";
import { Phone } from "../harness/phone.mjs";
import { bearer, INVITES, Prover } from "../harness/prover.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServer } from "../harness/server.mjs";
import { eventually as until, run, test } from "../harness/suite.mjs";

const STATE = "signalwire.authorization.state", UPGRADED = "session.upgraded", PRESENCE = "subscriber.presence";
const LAPSE_S = 1, TIMES = 5; // two loops share the connections: this often, some upgrades cross
let one, two, hasty, brief, foreign, baselines, people = 0;

// On one loop, and again and again on two.
const onBoth = (body) => async () => {
    await body(one);
    for (let i = 0; i < TIMES; i++) await body(two);
};

// ---- people ----

async function person(server, label = "p", more = {})
{
    const reference = `${label}-${++people}@example.com`;
    const { token, subscriber_id: id } = await mintToken(server, { reference, ...more });
    const [address] = (await info(server, token)).json.fabric_addresses;
    return { token, id, reference, address: address.id, to: address.channels.audio };
}

async function guestToken(server, ...allowed_addresses)
{
    const answer = await call(server, "POST", "/api/fabric/guests/tokens",
        { body: { allowed_addresses }, headers: { authorization: server.basic } });
    return answer.json.token;
}

const inviteToken = async (server, of) => (await bearer(server, INVITES, of.token, { address_id: of.address })).json.token;
const embedToken = async (server) => (await call(server, "POST", "/api/fabric/embeds/tokens",
    { body: { token: server.contract.c2c_token } })).json.token;
const frontDesk = async (server) => Phone.of(server, (await mintToken(server, { reference: "front-desk@example.com" })).token);

// ---- sessions, and what they are remembered by ----

const eventsOf = (session, type) => session.messages.filter((m) => m.params?.event_type === type).map((m) => m.params.params);

async function ticketOf(session)
{
    await session.event(STATE);
    return { authorization_state: eventsOf(session, STATE).at(-1).authorization_state, protocol: session.result.protocol };
}

async function begin(server, token, more = {})
{
    const session = await connected(server, token, { params: more });
    session.ticket = await ticketOf(session);
    return session;
}

async function metric(server, name)
{
    const { text } = await call({ url: server.contract.admin_url }, "GET", "/metrics",
        { headers: { authorization: `Bearer ${server.contract.admin_token}` } });
    return Number(text.match(new RegExp(`^${name} (\\d+)`, "m"))[1]);
}

async function lose(server, session)
{
    const waiting = await metric(server, "coatcheck_sessions_detached");
    session.ws.terminate();
    await until(async () => await metric(server, "coatcheck_sessions_detached") > waiting, "the session waits");
}

// A guest's session that has lost its connection, and what a client can present of it.
async function waitingGuest(server, token)
{
    const session = await begin(server, token ?? await guestToken(server, server.address));
    await lose(server, session);
    return session;
}

// Its socket goes, and then it: on a machine that stands still, nobody sees it wait.
async function lapses(session)
{
    session.ws.terminate();
    await until(async () => await metric(hasty, "coatcheck_sessions_live") === 0, "its socket is gone");
    await until(async () => await metric(hasty, "coatcheck_sessions_detached") === 0, "it lapses");
}

const upgradeOf = (was, more = {}) => ({ upgrade: { ...was.ticket, ...more } });

// Resolves to the new session; what is refused gives the code.
async function upgrade(server, was, token, more = upgradeOf(was))
{
    const session = await Session.open(server);
    const { result, error } = await session.connect(token, more);
    if (error) {
        assert.ok(await session.endsWithoutAnswering("subscriber.online"), "a refused socket is deaf");
        return { refused: error.code };
    }
    session.result = result;
    session.ticket = await ticketOf(session);
    await session.request("subscriber.offline"); // once it is answered the old one has ended, and is counted no more
    return session;
}

const refuses = async (server, was, token, code, more) => assert.deepEqual(await upgrade(server, was, token, more), { refused: code });

// It waits on, and its client gets it back.
async function isAsItWas(server, was, token)
{
    const session = await connected(server, token, { params: was.ticket });
    assert.equal(session.result.protocol, was.result.protocol);
    await session.close();
}

const names = (session) => ({ protocol: session.result.protocol,
    subscriber_id: session.result.authorization.fabric_subscriber.subscriber_id });
const revoke = (server, what, id) => coatcheck("revoke", what, id, "--project", server.contract.project_id, "--data", server.data, "--json");
const flipped = (text, at) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

// ---- what is refused ----

test("upgrade: a forged token, one of another server, one that has expired or was cut: -32002", onBoth(async (server) => {
    const token = await guestToken(server, server.address), was = await waitingGuest(server, token);
    const ada = await person(server, "ada"), short = await person(server, "short", { expire_at: nowS() + 60 });
    await refuses(server, was, flipped(ada.token, ada.token.length - 20), -32002);
    await refuses(server, was, (await person(foreign, "eve")).token, -32002);
    await revoke(server, "user", ada.id);
    await refuses(server, was, ada.token, -32002);
    await advance(server, "61s");
    await refuses(server, await waitingGuest(server), short.token, -32002);
}));

test("upgrade: to the same kind, or downwards: -32003, and the old session is as it was", onBoth(async (server) => {
    const ada = await person(server, "ada"), bob = await person(server, "bob");
    const tokens = { subscriber: ada.token, guest: await guestToken(server, ada.address), invite: await inviteToken(server, bob),
        visitor: await embedToken(server) };
    const others = { subscriber: bob.token, guest: await guestToken(server, bob.address), invite: await inviteToken(server, ada),
        visitor: await embedToken(server) };
    for (const [from, to] of [["subscriber", "subscriber"], ["subscriber", "guest"], ["subscriber", "invite"], ["subscriber", "visitor"],
        ["guest", "guest"], ["guest", "invite"], ["guest", "visitor"], ["invite", "invite"], ["invite", "guest"], ["invite", "visitor"],
        ["visitor", "visitor"]]) {
        const was = await waitingGuest(server, tokens[from]);
        await refuses(server, was, others[to], -32003);
        await isAsItWas(server, was, tokens[from]);
    }
}));

test("upgrade: a state changed, cut short, older than the last two, half, or none: -32003", onBoth(async (server) => {
    const token = await guestToken(server, server.address), was = await waitingGuest(server, token), { token: ada } = await person(server, "ada");
    const { authorization_state, protocol } = was.ticket;
    for (const wrong of [{ authorization_state: flipped(authorization_state, 60) }, { authorization_state: authorization_state.slice(0, -1) },
        { authorization_state: undefined }, { protocol: undefined }, { authorization_state: "", protocol: "" }, { protocol: flipped(protocol, 60) },
        { authorization_state: 7 }]) await refuses(server, was, ada, -32003, upgradeOf(was, wrong));
    for (const wrong of ["x", [], 7, true, {}]) await refuses(server, was, ada, -32003, { upgrade: wrong });
    await refuses(server, was, ada, -32602, { ...was.ticket, ...upgradeOf(was) });
    let session = await connected(server, token, { params: was.ticket });
    for (let i = 0; i < 2; i++) {
        session.ticket = await ticketOf(session);
        await lose(server, session);
        if (i < 1) session = await connected(server, token, { params: session.ticket });
    }
    await refuses(server, was, ada, -32003);
    await isAsItWas(server, session, token);
}));

test("upgrade: another project's session: -32003", onBoth(async (server) => {
    const was = await waitingGuest(server), theirs = await waitingGuest(foreign);
    await refuses(server, theirs, (await person(server)).token, -32003);
    await (await upgrade(server, was, (await person(server)).token)).close();
}));

test("upgrade: a bound token without right proof: -32003, and the old session is as it was", onBoth(async (server) => {
    const token = await guestToken(server, server.address), was = await waitingGuest(server, token);
    const prover = new Prover(), { token: bound } = await person(server, "ada", { fingerprint: prover.fingerprint });
    const spent = prover.rpc();
    await (await begin(server, bound, { dpop_token: spent })).close();
    for (const dpop_token of [undefined, new Prover().rpc(), prover.rpc("signalwire.reauthenticate"), spent])
        await refuses(server, was, bound, -32003, { ...upgradeOf(was), dpop_token });
    await isAsItWas(server, was, token);
    const session = await upgrade(server, await waitingGuest(server), bound, { ...upgradeOf(await waitingGuest(server)), dpop_token: prover.rpc() });
    await session.close();
}));

test("upgrade: a session that has ended, lapsed, was cut or was upgraded before: -32003", onBoth(async (server) => {
    const ada = await person(server, "ada"), token = await guestToken(server, server.address);
    const was = await waitingGuest(server, token);
    await (await upgrade(server, was, ada.token)).close();
    await refuses(server, was, (await person(server)).token, -32003);
    const late = await Session.open(server);
    assert.equal((await late.connect(token, was.ticket)).error?.code, -32003, "nor is it resumed");
    await late.close();
    const cut = await waitingGuest(server, await inviteToken(server, ada));
    await revoke(server, "user", ada.id);
    await refuses(server, cut, (await person(server)).token, -32003);
    const lapsed = await begin(hasty, await guestToken(hasty, hasty.address));
    await lapses(lapsed);
    await refuses(hasty, lapsed, (await person(hasty)).token, -32003);
}));

test("H-122 upgrade: a copied tab takes nothing from a present socket that answers: -32003", onBoth(async (server) => {
    const was = await begin(server, await guestToken(server, server.address));
    await refuses(server, was, (await person(server, "eve")).token, -32003);
    assert.ok((await was.request("subscriber.online")).result, "it goes on");
    await was.close();
}));

test("H-113 upgrade: on the session's own socket it is refused, and changes nothing", onBoth(async (server) => {
    const was = await begin(server, await guestToken(server, server.address));
    assert.equal((await was.connect((await person(server)).token, upgradeOf(was))).error?.code, -32600);
    assert.ok((await was.request("subscriber.online")).result);
    await was.close();
}));

// ---- what is granted ----

test("upgrade: from visitor to guest to subscriber: each a new session that names the old one, with the new token's rights", onBoth(async (server) => {
    const ada = await person(server, "ada"), chain = [await begin(server, await embedToken(server))];
    for (const token of [await guestToken(server, ada.address), ada.token]) {
        const was = chain.at(-1);
        await lose(server, was);
        const session = await upgrade(server, was, token);
        const { params } = (await session.event(UPGRADED));
        assert.deepEqual(params.params, { from: names(was), to: names(session) }, "one event carries both");
        assert.ok(params.event_channel.includes(session.result.protocol));
        assert.notEqual(session.result.protocol, was.result.protocol);
        chain.push(session);
    }
    const [, , last] = chain, registered = await metric(server, "coatcheck_sessions_registered");
    assert.equal(names(last).subscriber_id, ada.id);
    assert.equal(eventsOf(last, UPGRADED).length, 1);
    await last.request("subscriber.online");
    assert.equal(await metric(server, "coatcheck_sessions_registered"), registered + 1, "it may register now");
    await last.close();
    await isAsItWas(server, last, ada.token);
}));

test("upgrade: after a goodbye as well, and past the end of the old one's grant", onBoth(async (server) => {
    const token = await guestToken(server, server.address), was = await begin(server, token);
    await was.close();
    await (await upgrade(server, was, (await person(server)).token)).close();
    const answer = await call(server, "POST", "/api/fabric/guests/tokens",
        { body: { allowed_addresses: [server.address], expire_at: nowS() + 60 }, headers: { authorization: server.basic } });
    const ended = await begin(server, answer.json.token);
    await advance(server, "61s");
    assert.equal((await ended.closed).code, 4401);
    const session = await upgrade(server, ended, (await person(server)).token);
    assert.deepEqual((await session.event(UPGRADED)).params.params.from, names(ended));
    await session.close();
}));

test("upgrade: the present socket is silent: it gets 4410, the newcomer the calls", onBoth(async (server) => {
    const was = await begin(server, await guestToken(server, server.address));
    was.ws._socket.pause();
    const session = await upgrade(server, was, (await person(server)).token);
    was.ws._socket.resume();
    assert.equal((await was.closed).code, 4410);
    await session.close();
}));

test("upgrade: asked for twice at once, by two: one has it", onBoth(async (server) => {
    const was = await waitingGuest(server), tokens = [(await person(server)).token, (await person(server)).token];
    const answers = await Promise.all(tokens.map((token) => upgrade(server, was, token)));
    assert.deepEqual(answers.map((answer) => answer.refused ?? "has it").sort(), [-32003, "has it"]);
    await answers.find((answer) => !answer.refused).close();
}));

test("upgrade: the user's other sessions are told, nobody else is", onBoth(async (server) => {
    const ada = await person(server, "ada"), others = [await begin(server, ada.token), await begin(server, ada.token)];
    const stranger = await begin(server, (await person(server)).token), was = await waitingGuest(server);
    const session = await upgrade(server, was, ada.token);
    for (const other of others)
        assert.deepEqual((await other.event(UPGRADED)).params.params, { from: names(was), to: names(session) });
    await stranger.request("subscriber.online");
    assert.deepEqual(eventsOf(stranger, UPGRADED), []);
    for (const each of [session, stranger, ...others]) await each.close();
}));

test("A-25 upgrade: a cutoff of what the old one rested on does not reach the new one; one of the new token does", onBoth(async (server) => {
    const bob = await person(server, "bob"), ada = await person(server, "ada");
    const session = await upgrade(server, await waitingGuest(server, await inviteToken(server, bob)), ada.token);
    assert.equal(JSON.parse((await revoke(server, "user", bob.id)).out).sessions_closed, 0);
    assert.ok((await session.request("subscriber.online")).result);
    assert.equal(JSON.parse((await revoke(server, "user", ada.id)).out).sessions_closed, 1);
    assert.equal((await session.closed).code, 4403);
}));

test("upgrade: the place of the old credential's session is free again", async () => {
    const set = (value) => coatcheck("project", "set", two.contract.project_id, "guest_sessions", String(value), "--data", two.data);
    assert.equal((await set(1)).code, 0);
    try {
        const attempt = async (token) => {
            const session = await Session.open(two), { error } = await session.connect(token);
            await session.close();
            return error?.data.error_code;
        };
        const isBound = async (token) => {
            const session = await connected(two, token), answer = await attempt(token);
            await session.close();
            return answer === "too_many_sessions";
        };
        await until(async () => isBound(await guestToken(two, two.address)), "the bound holds");
        const token = await guestToken(two, two.address), was = await waitingGuest(two, token);
        assert.equal(await attempt(token), "too_many_sessions", "it keeps its place while it waits");
        const session = await upgrade(two, was, (await person(two)).token);
        assert.equal(await attempt(token), undefined);
        await session.close();
    } finally {
        assert.equal((await set(0)).code, 0);
    }
});

// ---- calls ----

async function lostPhone(server, phone)
{
    const waiting = await metric(server, "coatcheck_sessions_detached"), ticket = await phone.lose();
    await until(async () => await metric(server, "coatcheck_sessions_detached") > waiting, "the session waits");
    return { ticket, result: phone.session.result };
}

const noCallsLeft = (server) => until(async () => await metric(server, "coatcheck_calls") === 0, "no calls are left");

test("upgrade: a call goes on: the peer hears nothing of it, and either side hangs up", onBoth(async (server) => {
    const bob = await person(server, "bob"), callee = await Phone.of(server, bob.token), caller = await Phone.of(server, await embedToken(server));
    const desk = await frontDesk(server);
    const leg = await caller.dial(server.contract.c2c_address), rung = await desk.ring();
    await desk.answer(rung.callID);
    await caller.answered(leg);
    const guest = new Phone(await upgrade(server, await lostPhone(server, caller), await guestToken(server, server.contract.address_id)));
    const ada = new Phone(await upgrade(server, await lostPhone(server, guest), (await person(server, "ada")).token));
    assert.deepEqual([await desk.heard("verto.bye"), await ada.heard("verto.bye")], [[], []]);
    if (people % 2) {
        await ada.bye(leg);
        await desk.ended(rung.callID, "NORMAL_CLEARING", 16);
    } else {
        await desk.bye(rung.callID);
        await ada.ended(leg, "NORMAL_CLEARING", 16);
    }
    for (const each of [ada, desk, callee]) await each.close();
    await noCallsLeft(server);
}));

/** It is granted, and the answer comes as far as the network. */
async function loseWelcome(server, was, token)
{
    const waiting = await metric(server, "coatcheck_sessions_detached"), granted = await metric(server, "coatcheck_connects_granted_total");
    const lost = await Session.open(server);
    lost.ws._socket.pause();
    lost.connect(token, upgradeOf(was)).catch(() => {});
    await until(async () => await metric(server, "coatcheck_connects_granted_total") > granted, "it is granted");
    lost.ws.terminate();
    await until(async () => await metric(server, "coatcheck_sessions_detached") >= waiting, "the new session waits");
}

test("upgrade: a welcome that was lost is asked for again, and the call goes on", onBoth(async (server) => {
    const bob = await person(server, "bob"), ada = await person(server, "ada");
    const callee = await Phone.of(server, bob.token), caller = await Phone.of(server, await guestToken(server, bob.address), { online: false });
    const leg = await caller.dial(bob.to), ring = await callee.ring();
    await callee.answer(ring.callID);
    await caller.answered(leg);
    const was = await lostPhone(server, caller);
    await loseWelcome(server, was, ada.token);
    await loseWelcome(server, was, ada.token);
    await refuses(server, was, (await person(server, "eve")).token, -32003);
    const phone = new Phone(await upgrade(server, was, ada.token));
    assert.notEqual(phone.session.result.protocol, was.ticket.protocol);
    await phone.bye(leg);
    await callee.ended(ring.callID, "NORMAL_CLEARING", 16);
    for (const each of [phone, callee]) await each.close();
    await noCallsLeft(server);
}));

test("H-122 upgrade: an old state brings nothing once something has come from the new session's client", onBoth(async (server) => {
    const ada = await person(server, "ada");
    const answers = await waitingGuest(server), live = await upgrade(server, answers, ada.token);
    await refuses(server, answers, ada.token, -32003);
    assert.ok((await live.request("subscriber.online")).result);
    await lose(server, live);
    await refuses(server, answers, ada.token, -32003);
    const visitor = await waitingGuest(server, await embedToken(server)), guest = await upgrade(server, visitor, await guestToken(server, server.contract.address_id));
    await lose(server, guest);
    await loseWelcome(server, guest, ada.token);
    await refuses(server, visitor, ada.token, -32003);
}));

test("upgrade: what rings, rings on: the answer comes to the new session, also one that came meanwhile", onBoth(async (server) => {
    const bob = await person(server, "bob"), callee = await Phone.of(server, bob.token);
    for (const meanwhile of [false, true]) {
        const caller = await Phone.of(server, await guestToken(server, bob.address)), leg = await caller.dial(bob.to), { callID } = await callee.ring();
        const was = await lostPhone(server, caller);
        if (meanwhile) await callee.answer(callID);
        const ada = new Phone(await upgrade(server, was, (await person(server, "ada")).token));
        if (!meanwhile) await callee.answer(callID);
        await ada.answered(leg);
        await ada.bye(leg);
        await callee.ended(callID, "NORMAL_CLEARING", 16);
        await ada.close();
    }
    await callee.close();
    await noCallsLeft(server);
}));

test("upgrade: a call that the new token could not reach ends, and both are told", onBoth(async (server) => {
    const bob = await person(server, "bob"), desk = await frontDesk(server), caller = await Phone.of(server, await embedToken(server));
    const leg = await caller.dial(server.contract.c2c_address), { callID } = await desk.ring();
    await desk.answer(callID);
    await caller.answered(leg);
    const guest = new Phone(await upgrade(server, await lostPhone(server, caller), await guestToken(server, bob.address)));
    await guest.ended(leg, "CALL_REJECTED", 21);
    await desk.ended(callID, "CALL_REJECTED", 21);
    for (const each of [guest, desk]) await each.close();
    await noCallsLeft(server);
}));

// ---- presence ----

const presences = (session) => eventsOf(session, PRESENCE).map(({ presence }) => presence);

async function presenceIs(session, word)
{
    await until(() => presences(session).at(-1) === word, `${word}, not ${presences(session).at(-1)}`);
    assert.deepEqual(Object.keys(eventsOf(session, PRESENCE).at(-1)).sort(), ["presence", "subscriber_id"]);
}

test("presence: the first registration and the last one's end are told to the user's other sessions", onBoth(async (server) => {
    const ada = await person(server, "ada"), [watcher, first, second] = await Promise.all([0, 1, 2].map(() => begin(server, ada.token)));
    const stranger = await begin(server, (await person(server)).token), guest = await begin(server, await guestToken(server, ada.address));
    await first.request("subscriber.online");
    await presenceIs(watcher, "online");
    await presenceIs(second, "online");
    await second.request("subscriber.online");
    await first.request("subscriber.offline");
    await presenceIs(first, "online"); // it is told what it could not know
    await second.request("subscriber.online", { do_not_disturb: true });
    await presenceIs(watcher, "do_not_disturb");
    await second.close();
    await presenceIs(watcher, "offline");
    await presenceIs(first, "offline");
    assert.deepEqual(presences(watcher), ["online", "do_not_disturb", "offline"], "and nothing between");
    for (const each of [stranger, guest]) assert.deepEqual(presences(each), []);
    for (const each of [watcher, first, stranger, guest]) await each.close();
}));

test("presence: who comes later is told, and who comes back; a user with one session hears nothing", onBoth(async (server) => {
    const ada = await person(server, "ada"), first = await begin(server, ada.token);
    await first.request("subscriber.online");
    const later = await begin(server, ada.token);
    await presenceIs(later, "online");
    await lose(server, later);
    await first.request("subscriber.offline");
    await first.request("subscriber.online", { do_not_disturb: true });
    const last = await connected(server, ada.token);
    await presenceIs(last, "do_not_disturb");
    await last.close();
    const back = await connected(server, ada.token, { params: later.ticket });
    await presenceIs(back, "do_not_disturb");
    assert.deepEqual(presences(first), []);
    await first.close();
    await back.close();
}));

test("presence: each of more sessions than one turn looks at is told, once, of the user and of an upgrade", async () => {
    const ada = await person(one, "ada"), was = await waitingGuest(one), others = [];
    while (others.length < 620) // src/server/session.h: SESSIONS_PER_TURN
        others.push(...await Promise.all(Array.from({ length: 20 }, () => begin(one, ada.token))));
    await others[7].request("subscriber.online");
    await until(() => others.every((other, i) => i === 7 || presences(other).length), "all are told");
    const session = await upgrade(one, was, ada.token);
    await until(() => others.every((other) => eventsOf(other, UPGRADED).length), "all hear of it");
    await others[7].request("subscriber.offline");
    await until(() => others.every((other, i) => i === 7 || presences(other).at(-1) === "offline"), "all are told again");
    assert.ok(others.every((other) => eventsOf(other, UPGRADED).length === 1));
    assert.ok(others.every((other, i) => i === 7 || presences(other).join() === "online,offline"));
    for (const each of [session, ...others]) each.ws.terminate();
});

test("presence: what was told to a connection that was dead already is told again", onBoth(async (server) => {
    const ada = await person(server, "ada"), first = await begin(server, ada.token), watcher = await begin(server, ada.token);
    const sure = await begin(server, ada.token); // hears it when the dead one is told
    await first.request("subscriber.online");
    await presenceIs(watcher, "online");
    watcher.ws._socket.pause();
    await first.request("subscriber.offline");
    await presenceIs(sure, "offline");
    await first.close();
    await lose(server, watcher);
    const back = await connected(server, ada.token, { params: watcher.ticket });
    await presenceIs(back, "offline");
    for (const each of [back, sure]) await each.close();
}));

test("presence: a client that comes and goes without end makes no storm", onBoth(async (server) => {
    const ada = await person(server, "ada"), watcher = await begin(server, ada.token), restless = await begin(server, ada.token);
    const began = performance.now();
    for (let i = 0; i < 500; i++)
        await Promise.all([restless.request("subscriber.online"), restless.request("subscriber.offline"), restless.request("subscriber.online")]);
    await presenceIs(watcher, "online");
    assert.ok(presences(watcher).length <= (performance.now() - began) / 200 + 2, `${presences(watcher).length} of 1500`);
    await restless.close();
    await watcher.close();
}));

// ---- the end ahead ----

test("H-114 a warning before the end, once for each token; after it the session and its calls end", async () => {
    const bob = await person(brief, "bob"), callee = await Phone.of(brief, bob.token);
    const ada = await person(brief, "ada", { expire_at: nowS() + 120 }), caller = await Phone.of(brief, ada.token);
    const expiring = () => eventsOf(caller.session, "session.expiring");
    const leg = await caller.dial(bob.to), { callID } = await callee.ring();
    await callee.answer(callID);
    await caller.answered(leg);
    await advance(brief, "70s");
    const { expires_at } = (await caller.session.event("session.expiring")).params.params;
    assert.equal(expires_at, readToken(ada.token).claims.exp);
    const next = (await mintToken(brief, { reference: ada.reference, expire_at: nowS() + 120 })).token;
    assert.ok((await caller.session.request("signalwire.reauthenticate", { authentication: { jwt_token: next } })).result);
    await advance(brief, "70s");
    await until(() => expiring().length === 2, "the second warning");
    assert.equal(expiring()[1].expires_at, readToken(next).claims.exp);
    assert.deepEqual(await callee.heard("verto.bye"), [], "the call goes on");
    await advance(brief, "60s");
    assert.equal((await caller.session.closed).code, 4401);
    await callee.ended(callID, "DESTINATION_OUT_OF_ORDER", 27);
    assert.equal(expiring().length, 2);
    await callee.close();
});

test("H-114 whose token is short has heard its end in the welcome", async () => {
    const session = await begin(brief, (await person(brief, "short", { expire_at: nowS() + 50 })).token);
    await advance(brief, "40s");
    await session.request("subscriber.online");
    assert.deepEqual(eventsOf(session, "session.expiring"), []);
    await advance(brief, "20s");
    assert.equal((await session.closed).code, 4401);
});

await run({
    before: async () => {
        const env = { COATCHECK_SESSION_LAPSE_S: "300" }; // no other session shall lapse while one is counted
        one = await startServer({ env: { ...env, COATCHECK_LOOPS: "1" } });
        two = await startServer({ env: { ...env, COATCHECK_LOOPS: "2" } });
        brief = await startServer({ env: { COATCHECK_LOOPS: "2" } });
        hasty = await startServer({ env: { COATCHECK_SESSION_LAPSE_S: String(LAPSE_S) } });
        foreign = await startServer();
        for (const server of [one, two, hasty, foreign]) server.address = (await person(server, "warm")).address;
        baselines = [await one.baseline(), await two.baseline()];
    },
    after: async () => {
        await one.assertSound(baselines[0]);
        await two.assertSound(baselines[1]);
        for (const server of [one, two, brief, hasty, foreign]) await server.stop();
    },
});
