// calls.test.mjs — calls between live sessions, over two event loops: dialling, ringing, the first answer, farewells, and who may
// reach whom. Names begin with the number of the acceptance list ("SW-8") or of the attack ("A-26").
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { advance, coatcheck } from "../harness/clock.mjs";
import { call, info, mintToken, nowS, readToken } from "../harness/http.mjs";
import { ANSWER, AUDIO, HEAD, HOST, OFFER, Phone, SRFLX, VIDEO } from "../harness/phone.mjs";
import { bearer, INVITES, Prover } from "../harness/prover.mjs";
import { startServer } from "../harness/server.mjs";
import { connected } from "../harness/session.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const ENV = { COATCHECK_LOOPS: "2", COATCHECK_LIMITS: "dial_user=0/1 dial_resource=0/1",
    COATCHECK_SESSION_LAPSE_S: "300" }; // no other session shall lapse while one is counted
const UNKNOWN = { code: -32004, message: "Unknown destination" };
let server, baseline, people = 0;

// ---- people ----

// A subscriber nobody has met before: { token, id, address, name }.
async function person(label = "p", { on = server, ...more } = {})
{
    const { token, subscriber_id: id } = await mintToken(on, { reference: `${label}-${++people}@example.com`, ...more });
    const [address] = (await info(on, token)).json.fabric_addresses;
    return { token, id, address: address.id, to: address.channels.audio, name: address.channels.audio.split("?")[0] };
}

const ofPerson = (who, options) => Phone.of(options?.on ?? server, who.token, options);

// Two people, one telephone each.
async function pair(options = {})
{
    const [ada, bob] = [await person("ada", options), await person("bob", options)];
    return { ada, bob, caller: await ofPerson(ada, options), callee: await ofPerson(bob, options) };
}

async function closeAll(...phones) { await Promise.all(phones.flat().map((phone) => phone.close())); }

async function talking({ caller, callee, bob })
{
    const leg = await caller.dial(bob.to), rung = await callee.ring();
    await callee.answer(rung.callID);
    await caller.answered(leg);
    return [leg, rung.callID];
}

async function guestToken(...allowed_addresses)
{
    const answer = await call(server, "POST", "/api/fabric/guests/tokens", { body: { allowed_addresses }, headers: { authorization: server.basic } });
    return answer.json.token;
}

const inviteToken = async (of) => (await bearer(server, INVITES, of.token, { address_id: of.address })).json.token;
const embedToken = async (on = server) => (await call(on, "POST", "/api/fabric/embeds/tokens", { body: { token: on.contract.c2c_token } })).json.token;
const frontDesk = async (on = server) => Phone.of(on, (await mintToken(on, { reference: "front-desk@example.com" })).token);

// The refusal of an unknown destination, without what differs from one refusal to the next.
async function assertUnknown(phone, to, label = to)
{
    const { data, ...told } = await phone.refused(to);
    assert.deepEqual(told, UNKNOWN, label);
    assert.deepEqual([Object.keys(data).sort(), data.error_code], [["error_code", "error_id"], "unknown_destination"], label);
    return data.error_id;
}

// ---- what is refused ----

test("SW-8 a dial that is none of ours to carry is refused, whole and at once", async () => {
    const { caller, bob, callee } = await pair();
    const cases = { "no SDP": { sdp: null }, "empty SDP": { sdp: "" }, "SDP that is no text": { sdp: { v: 0 } }, "a NUL in it": { sdp: `${HEAD}\0` },
        "a lone CR": { sdp: "v=0\ra=x\r\n" }, "33 KB of it": { sdp: HEAD + "a=x\r\n".repeat(6600) }, "no name": { leg: "" },
        "a name of 65 bytes": { leg: "x".repeat(65) }, "a name that is no text": { leg: 7 } };
    for (const [label, wrong] of Object.entries(cases)) {
        const error = await caller.refused(bob.to, wrong);
        assert.deepEqual([error.code, error.message], [-32600, "Invalid request"], label);
        assert.ok(error.data.error_id, label);
    }
    for (const to of [undefined, "", null, 7, "/x\0"]) assert.equal((await caller.refused(to)).code, -32600, String(to));
    await callee.isQuiet();
    await closeAll(caller, callee);
});

test("SW-8 addresses of nobody, in every spelling: unknown, and nobody rings", async () => {
    const { caller, bob, callee } = await pair();
    const { name } = bob;
    for (const to of ["/private/nobody", "/public/nobody", "nobody", "/", "?", `${name}?`.toUpperCase(), name.replace("bob", "Bob"), `${name} `, ` ${name}`,
        `${name}/`, name.slice(1), name.slice(0, -1), `/${name}`, name.replace("/private", "/public"), encodeURIComponent(name), `${name}%20`,
        `${name}#`, "+15551234567", "sip:bob@example.com", "x".repeat(500), `/${"x".repeat(300)}`]) await assertUnknown(caller, to);
    await callee.isQuiet();
    await closeAll(caller, callee);
});

test("A-26 a guest off its list: unknown like what is not there, no ring, however the address is spelled", async () => {
    const listed = await person("listed"), other = await person("other"), phone = await ofPerson(other), reached = await ofPerson(listed);
    const guest = await Phone.of(server, await guestToken(listed.address));
    const { name } = other;
    for (const to of [other.to, name, `${name}?channel=video`, `${name} `, name.toUpperCase(), name.slice(0, -1), `${name}/`, other.address,
        other.address.toUpperCase(), `${listed.name}/../${name.split("/").at(-1)}`, `${listed.name}?to=${name}`.replace(listed.name, name),
        server.contract.c2c_address, "/private/nobody", `${listed.name}x`, listed.name.toUpperCase(), ` ${listed.name}`]) await assertUnknown(guest, to);
    await phone.isQuiet();
    await reached.isQuiet();
    const leg = await guest.dial(`${listed.name}?channel=audio&to=${name}`);
    assert.equal((await reached.ring()).callee_id_number, listed.name);
    await phone.isQuiet();
    await guest.bye(leg);
    await closeAll(phone, reached, guest);
});

test("A-26 the operator can ask why: off the list and not there differ for nobody else", async () => {
    const listed = await person("listed"), other = await person("other"), guest = await Phone.of(server, await guestToken(listed.address));
    const why = async (id) => JSON.parse((await coatcheck("why", id, "--data", server.data, "--json")).out);
    for (const to of [other.name, "/private/nobody"]) {
        const record = await why(await assertUnknown(guest, to));
        assert.equal(JSON.stringify(record).includes("DESTINATION_UNKNOWN"), true, JSON.stringify(record));
        assert.equal(JSON.stringify(record).includes("dial.address"), true, JSON.stringify(record));
    }
    await guest.close();
});

// ---- one call ----

test("SW-25 a call from dial to hang-up, by either side", async () => {
    const { ada, bob, caller, callee } = await pair();
    for (const [first, second, firstIsCaller] of [[caller, callee, true], [callee, caller, false]]) {
        const leg = await caller.dial(bob.to), rung = await callee.ring();
        assert.deepEqual(Object.keys(rung).sort(), ["callID", "callee_id_name", "callee_id_number", "caller_id_name", "caller_id_number", "display_direction", "sdp"]);
        assert.deepEqual([rung.caller_id_number, rung.callee_id_number, rung.display_direction], [ada.name, bob.name, "outbound"]);
        assert.match(rung.callID, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.notEqual(rung.callID, leg);
        assert.deepEqual(await callee.answer(rung.callID), {});
        assert.deepEqual(await caller.answered(leg), { callID: leg, sdp: ANSWER }, "the answer comes as it was given");
        assert.deepEqual(await first.bye(firstIsCaller ? leg : rung.callID), {});
        await second.ended(firstIsCaller ? rung.callID : leg, "NORMAL_CLEARING", 16);
    }
    await closeAll(caller, callee);
});

test("SW-8 an event has a string id and the session's channel outside, a number and a node within", async () => {
    const { bob, caller, callee } = await pair();
    const leg = await caller.dial(bob.to);
    await callee.ring();
    const { id, params } = callee.session.messages.find((m) => m.params?.event_type === "webrtc.message");
    assert.equal(typeof id, "string");
    assert.ok(params.event_channel.includes(callee.session.result.protocol));
    assert.ok(params.node_id);
    assert.deepEqual([params.params.jsonrpc, Number.isInteger(params.params.id)], ["2.0", true]);
    await caller.bye(leg);
    await closeAll(caller, callee);
});

test("a side whose media failed says so, and the other hears it", async () => {
    const { bob, caller, callee } = await pair();
    const leg = await caller.dial(bob.to), { callID } = await callee.ring();
    await callee.answer(callID);
    await callee.bye(callID, { cause: "MEDIA_TIMEOUT", causeCode: "604" });
    await caller.ended(leg, "MEDIA_TIMEOUT", 604);
    await closeAll(caller, callee);
});

test("SW-8 a reject ends it busy, a cancel tells the callee, and what comes too late is answered with a farewell", async () => {
    const { bob, caller, callee } = await pair();
    const rejected = await caller.dial(bob.to);
    await callee.reject((await callee.ring()).callID);
    await caller.ended(rejected, "USER_BUSY", 17);
    const cancelled = await caller.dial(bob.to), rung = await callee.ring();
    await caller.bye(cancelled);
    await callee.ended(rung.callID, "ORIGINATOR_CANCEL", 487);
    const before = (await callee.heard("verto.bye")).length;
    assert.deepEqual(await callee.answer(rung.callID), {}, "harmless");
    const byes = await callee.heard("verto.bye");
    assert.deepEqual(byes.slice(before), [{ callID: rung.callID, cause: "NORMAL_CLEARING", causeCode: 16 }]);
    assert.deepEqual(await caller.heard("verto.answer"), []);
    for (const leg of [cancelled, rung.callID, "nobody's", crypto.randomUUID()]) assert.deepEqual(await caller.bye(leg), {}, "a farewell to nobody");
    await closeAll(caller, callee);
});

test("SW-8 nobody there: created, then ended", async () => {
    const ada = await person("ada"), bob = await person("bob"), caller = await ofPerson(ada);
    await caller.ended(await caller.dial(bob.to), "USER_NOT_REGISTERED", 20);
    const unregistered = await ofPerson(bob, { online: false });
    await caller.ended(await caller.dial(bob.to), "USER_NOT_REGISTERED", 20);
    await unregistered.isQuiet();
    await caller.ended(await caller.dial(ada.to), "USER_NOT_REGISTERED", 20);
    await caller.isQuiet();
    const mine = await ofPerson(ada), leg = await caller.dial(ada.to);
    assert.equal((await mine.ring()).caller_id_number, ada.name, "one's other telephone does ring");
    await caller.isQuiet();
    await caller.bye(leg);
    await closeAll(caller, unregistered, mine);
});

test("SW-52 unregister stops inbound, outbound goes on, and it can be toggled back; do not disturb likewise", async () => {
    const { ada, bob, caller, callee } = await pair();
    for (const leave of [() => callee.offline(), () => callee.online({ do_not_disturb: true })]) {
        await leave();
        await caller.ended(await caller.dial(bob.to), "USER_NOT_REGISTERED", 20);
        await callee.isQuiet();
        const out = await callee.dial(ada.to), rung = await caller.ring();
        await caller.answer(rung.callID);
        await callee.answered(out);
        await callee.bye(out);
        await caller.ended(rung.callID, "NORMAL_CLEARING", 16);
        await callee.online();
        const back = await caller.dial(bob.to);
        await callee.ring();
        await caller.bye(back);
        callee.session.messages.length = 0;
    }
    await closeAll(caller, callee);
});

test("SW-8 whatever else is said of a call has an answer and no effect", async () => {
    const { bob, caller, callee } = await pair(), legs = await talking({ bob, caller, callee });
    const dialogParams = { callID: legs[0] };
    for (const [method, params] of [["verto.modify", { dialogParams, sdp: OFFER, action: "updateMedia" }], ["verto.modify", { dialogParams, action: "hold" }],
        ["verto.modify", { dialogParams, action: "unhold" }], ["verto.modify", { dialogParams, action: "transfer", destination: bob.to }],
        ["verto.info", { dialogParams, dtmf: "5" }], ["verto.subscribe", {}], ["verto.pong", { callID: legs[0], dialogParams }], ["verto.ping", { dialogParams }],
        ["verto.nonsense", {}]]) assert.deepEqual(await caller.verto(method, params), {}, method);
    assert.deepEqual(await callee.verto(undefined, undefined, { result: { method: "verto.answer" } }), {}, "a reply of an older client");
    assert.deepEqual(await callee.verto(undefined, undefined, { id: 695468737, result: { method: "verto.bye" } }), {});
    assert.deepEqual(await caller.answer(legs[0]), {}, "who dialled does not answer");
    assert.deepEqual(await callee.answer(legs[1]), {}, "a second answer");
    await caller.dial(bob.to, { leg: legs[0] });
    assert.equal((await callee.heard("verto.invite")).length, 1, "the same call dialled again rings nobody again");
    assert.equal((await caller.heard("verto.answer")).length, 1);
    assert.deepEqual([await caller.heard("verto.bye"), await callee.heard("verto.bye")], [[], []]);
    const again = await caller.refused(bob.to, { leg: crypto.randomUUID(), attach: true, reattaching: true });
    assert.equal(again.message, UNKNOWN.message, "a call of before that is over");
    await callee.bye(legs[1]);
    await caller.ended(legs[0], "NORMAL_CLEARING", 16);
    await closeAll(caller, callee);
});

// ---- many telephones ----

test("SW-50 every registered telephone rings, the first answer wins, and the others are told", async () => {
    const ada = await person("ada"), bob = await person("bob"), caller = await ofPerson(ada);
    const phones = await Promise.all(Array.from({ length: 8 }, () => ofPerson(bob))), quiet = await ofPerson(bob, { online: { do_not_disturb: true } });
    const leg = await caller.dial(bob.to), rung = await Promise.all(phones.map((phone) => phone.ring()));
    assert.equal(new Set(rung.map(({ callID }) => callID)).size, 8, "a name each");
    await phones[0].reject(rung[0].callID);
    await phones[3].answer(rung[3].callID, `${ANSWER}a=x-third:3\r\n`);
    assert.equal((await caller.answered(leg)).sdp, `${ANSWER}a=x-third:3\r\n`);
    await Promise.all(phones.map((phone, i) => i !== 0 && i !== 3 && phone.ended(rung[i].callID, "ANSWERED_ELSEWHERE", 200)));
    assert.deepEqual(await phones[0].heard("verto.bye"), [], "who refused knows");
    await quiet.isQuiet();
    await caller.bye(leg);
    await phones[3].ended(rung[3].callID, "NORMAL_CLEARING", 16);
    await closeAll(caller, phones, quiet);
});

test("SW-50 all telephones refuse: busy, once, when the last one has", async () => {
    const ada = await person("ada"), bob = await person("bob"), caller = await ofPerson(ada);
    const phones = await Promise.all(Array.from({ length: 4 }, () => ofPerson(bob)));
    const leg = await caller.dial(bob.to), rung = await Promise.all(phones.map((phone) => phone.ring()));
    for (let i = 0; i < 3; i++) await phones[i].reject(rung[i].callID);
    assert.deepEqual(await caller.heard("verto.bye"), []);
    await phones[3].reject(rung[3].callID);
    await caller.ended(leg, "USER_BUSY", 17);
    assert.equal((await caller.heard("verto.bye")).length, 1);
    await closeAll(caller, phones);
});

test("SW-50 of twenty telephones sixteen ring", async () => {
    const ada = await person("ada"), bob = await person("bob"), caller = await ofPerson(ada);
    const phones = await Promise.all(Array.from({ length: 20 }, () => ofPerson(bob)));
    const leg = await caller.dial(bob.to);
    await Promise.any(phones.map((phone) => phone.ring()));
    await caller.bye(leg);
    await caller.ended(await caller.dial("/private/front-desk"), "USER_NOT_REGISTERED", 20); // through every loop, and back
    const rang = await Promise.all(phones.map((phone) => phone.heard("verto.invite")));
    assert.equal(rang.filter((invites) => invites.length).length, 16);
    for (const [i, invites] of rang.entries()) for (const { callID } of invites) await phones[i].ended(callID, "ORIGINATOR_CANCEL", 487);
    await closeAll(caller, phones);
});

test("SW-50 of more sessions than one turn looks at each that is registered rings, as long as nobody has answered", () =>
    withServer({ COATCHECK_LOOPS: "1" }, async (on) => {
        const caller = await ofPerson(await person("ada", { on }), { on }), bob = await person("bob", { on }), phones = [];
        while (phones.length < 620) // src/server/session.h: SESSIONS_PER_TURN
            phones.push(...await Promise.all(Array.from({ length: 20 }, () => ofPerson(bob, { on, online: false }))));
        const online = [phones[0], phones[310], phones[619]];
        for (const phone of online) await phone.online();
        const ringing = async () => {
            const leg = await caller.dial(bob.to);
            return [leg, ...(await Promise.all(online.map((phone) => phone.ring()))).map(({ callID }) => callID)];
        };
        for (let winner = 0; winner < 3; winner++) {
            const [leg, ...rung] = await ringing();
            await online[winner].answer(rung[winner]);
            await caller.answered(leg);
            await Promise.all(online.map((phone, i) => i !== winner && phone.ended(rung[i], "ANSWERED_ELSEWHERE", 200)));
            await caller.bye(leg);
            await online[winner].ended(rung[winner], "NORMAL_CLEARING", 16);
        }
        const [refused, ...rejected] = await ringing();
        for (const [i, phone] of online.entries()) await phone.reject(rejected[i]);
        await caller.ended(refused, "USER_BUSY", 17);
        const before = online.map((phone) => phone.answeredLegs.size);
        for (let round = 0; round < 20; round++) { // cancelled before the last of them rings, mostly
            const leg = await caller.dial(bob.to);
            if (round % 2) await Promise.any(online.map((phone) => phone.ring()));
            await caller.bye(leg);
        }
        await caller.ended(await caller.dial("/private/front-desk"), "USER_NOT_REGISTERED", 20); // through the loop, and back
        for (const [i, phone] of online.entries()) for (const { callID } of (await phone.heard("verto.invite")).slice(before[i]))
            await phone.ended(callID, "ORIGINATOR_CANCEL", 487);
        for (const phone of phones) phone.session.ws.terminate();
        await caller.close();
    }));

test("SW-50 two answer at once, again and again: one is joined, the other told", async () => {
    const ada = await person("ada"), bob = await person("bob"), caller = await ofPerson(ada);
    const phones = await Promise.all(Array.from({ length: 4 }, () => ofPerson(bob)));
    for (let round = 0; round < 25; round++) {
        const leg = await caller.dial(bob.to), rung = await Promise.all(phones.map((phone) => phone.ring()));
        await Promise.all(phones.map((phone, i) => phone.answer(rung[i].callID, `${ANSWER}a=x-who:${i}\r\n`)));
        const winner = Number((await caller.answered(leg)).sdp.match(/a=x-who:(\d)/)[1]);
        await Promise.all(phones.map((phone, i) => i !== winner && phone.ended(rung[i].callID, "ANSWERED_ELSEWHERE", 200)));
        assert.deepEqual((await phones[winner].heard("verto.bye")).filter(({ callID }) => callID === rung[winner].callID), []);
        await caller.bye(leg);
        await phones[winner].ended(rung[winner].callID, "NORMAL_CLEARING", 16);
    }
    assert.equal((await caller.heard("verto.answer")).length, 25, "one answer a call");
    await closeAll(caller, phones);
});

test("SW-50 a cancel against an answer, again and again: whoever wins, the callee is told once and nothing is left", async () => {
    const { bob, caller, callee } = await pair();
    for (let round = 0; round < 40; round++) {
        const leg = await caller.dial(bob.to), { callID } = await callee.ring();
        await Promise.all(round % 2 ? [callee.answer(callID), caller.bye(leg)] : [caller.bye(leg), callee.answer(callID)]);
        const bye = await callee.news("verto.bye", callID);
        assert.ok(["ORIGINATOR_CANCEL", "NORMAL_CLEARING"].includes(bye.cause), bye.cause);
    }
    assert.deepEqual(await caller.heard("verto.bye"), [], "who hung up is not told so");
    await closeAll(caller, callee);
    await noCallsLeft();
});

test("SW-50 both hang up at once, again and again", async () => {
    const parts = await pair();
    for (let round = 0; round < 25; round++) {
        const [leg, rung] = await talking(parts);
        await Promise.all([parts.caller.bye(leg), parts.callee.bye(rung)]);
    }
    await closeAll(parts.caller, parts.callee);
    await noCallsLeft();
});

test("a hang-up while the dial is looked up, and a hundred calls begun and dropped without waiting", async () => {
    const { bob, caller, callee } = await pair();
    for (let round = 0; round < 100; round++) {
        const leg = crypto.randomUUID();
        await Promise.all([caller.invite(bob.to, { leg }), caller.bye(leg)]);
    }
    await noCallsLeft();
    const invites = await callee.heard("verto.invite"), byes = await callee.heard("verto.bye");
    assert.deepEqual(byes.map(({ callID }) => callID).sort(), invites.map(({ callID }) => callID).sort(), "who rang was told");
    await closeAll(caller, callee);
});

// ---- who may reach whom ----

test("SW-10 SW-15 an embed token dials its one resource and nothing else", async () => {
    const desk = await frontDesk(), bob = await person("bob"), callee = await ofPerson(bob);
    const visitor = await Phone.of(server, await embedToken());
    for (const to of [bob.to, "/private/front-desk", "/private/nobody", `${server.contract.c2c_address}x`, server.contract.c2c_address.toUpperCase()])
        await assertUnknown(visitor, to);
    const leg = await visitor.dial(`${server.contract.c2c_address}?channel=audio`), rung = await desk.ring();
    assert.deepEqual([rung.caller_id_name, rung.callee_id_number], ["Guest", server.contract.c2c_address]);
    assert.ok(rung.caller_id_number);
    await desk.answer(rung.callID);
    await visitor.answered(leg);
    await visitor.bye(leg);
    await desk.ended(rung.callID, "NORMAL_CLEARING", 16);
    await callee.isQuiet();
    await closeAll(desk, callee, visitor);
});

test("SW-11 SW-27 an invite reaches its inviter and nobody else", async () => {
    const ada = await person("ada"), bob = await person("bob"), inviter = await ofPerson(ada), other = await ofPerson(bob);
    const invitee = await Phone.of(server, await inviteToken(ada));
    for (const to of [bob.to, server.contract.c2c_address, "/private/nobody"]) await assertUnknown(invitee, to);
    const leg = await invitee.dial(ada.to), rung = await inviter.ring();
    await inviter.answer(rung.callID);
    await invitee.answered(leg);
    await inviter.bye(rung.callID);
    await invitee.ended(leg, "NORMAL_CLEARING", 16);
    await other.isQuiet();
    await closeAll(inviter, other, invitee);
});

test("SW-9 SW-26 a guest dials every address of its list", async () => {
    const listed = [await person("one"), await person("two")], phones = [await ofPerson(listed[0]), await ofPerson(listed[1])];
    const guest = await Phone.of(server, await guestToken(...listed.map(({ address }) => address), server.contract.address_id)), desk = await frontDesk();
    for (const [i, to] of [listed[0].to, listed[1].name, server.contract.c2c_address].entries()) {
        const callee = [...phones, desk][i], leg = await guest.dial(to), rung = await callee.ring();
        assert.deepEqual([rung.caller_id_name, rung.callee_id_number], ["Guest", to.split("?")[0]]);
        await guest.bye(leg);
        await callee.ended(rung.callID, "ORIGINATOR_CANCEL", 487);
    }
    await closeAll(phones, guest, desk);
});

test("SW-55 limited tokens register without effect: nobody can call them", async () => {
    const ada = await person("ada"), bob = await person("bob"), caller = await ofPerson(bob);
    for (const token of [await guestToken(ada.address), await inviteToken(ada), await embedToken()]) {
        const limited = await Phone.of(server, token);
        assert.deepEqual((await limited.online()).result, { code: "200", message: "OK" });
        await caller.ended(await caller.dial(ada.to), "USER_NOT_REGISTERED", 20);
        await limited.isQuiet();
        await limited.close();
    }
    await caller.close();
});

test("SW-41 a bound session calls and is called like any other", async () => {
    const prover = new Prover(), ada = await person("ada"), bob = await person("bob"), other = await ofPerson(bob);
    const token = await prover.bound(server, { reference: `ada-${people - 1}@example.com` });
    const phone = await Phone.of(server, token, { params: { dpop_token: prover.rpc() } });
    const [leg] = await talking({ caller: phone, callee: other, bob });
    await phone.bye(leg);
    const back = await other.dial(ada.to);
    await phone.ring();
    await other.bye(back);
    await closeAll(phone, other);
});

test("F-82 at the dial its resource must be there and switched on, and its user too", async () => {
    const command = async (...args) => JSON.parse((await coatcheck(...args, "--data", server.data, "--json")).out || "{}");
    const bob = await person("bob"), callee = await ofPerson(bob);
    const button = await command("resource", "create", "click-to-call", "hot-line", "--address", "/public/hot-line", "--reaches", `bob-${people}@example.com`,
        "--project", server.contract.project_id);
    const c2c = JSON.stringify(button).match(/c2c_[0-9a-f]{32}/)[0];
    const { token } = (await call(server, "POST", "/api/fabric/embeds/tokens", { body: { token: c2c } })).json, visitor = await Phone.of(server, token);
    const dials = async () => { const leg = await visitor.dial("/public/hot-line"); await callee.ring(); await visitor.bye(leg); };
    await dials();
    await command("resource", "disable", readToken(token).claims.res);
    await assertUnknown(visitor, "/public/hot-line", "switched off");
    await command("resource", "enable", readToken(token).claims.res);
    await dials();
    const gone = await call(server, "DELETE", `/api/fabric/resources/subscribers/${bob.id}`, { headers: { authorization: server.basic } });
    assert.equal(gone.status, 204, gone.text);
    await assertUnknown(visitor, "/public/hot-line", "its user is gone");
    await visitor.close();
});

// ---- ends that nobody meant ----

test("A-25 a revocation in the middle of a call: the other side is told, while it rings and while they talk", async () => {
    const revoke = (id) => coatcheck("revoke", "user", id, "--project", server.contract.project_id, "--data", server.data, "--json");
    for (const who of ["ada", "bob"])
        for (const isTalking of [false, true]) {
            const parts = await pair();
            const [leg, rung] = isTalking ? await talking(parts) : [await parts.caller.dial(parts.bob.to), (await parts.callee.ring()).callID];
            assert.equal((await revoke(parts[who].id)).code, 0);
            const [cut, other, name] = who === "ada" ? [parts.caller, parts.callee, rung] : [parts.callee, parts.caller, leg];
            assert.equal((await cut.session.closed).code, 4403);
            if (who === "ada" && !isTalking) await other.ended(name, "ORIGINATOR_CANCEL", 487);
            else await other.ended(name, "DESTINATION_OUT_OF_ORDER", 27);
            await other.close();
        }
    await noCallsLeft();
});

test("a session whose token expires in the middle of a call: the other side is told", async () => {
    const parts = await pair(), short = await person("short", { expire_at: nowS() + 120 }), phone = await ofPerson(short);
    const [leg, rung] = await talking({ caller: parts.caller, callee: phone, bob: short });
    const ringing = await parts.caller.dial(short.to), second = await phone.ring();
    assert.ok(second.callID !== rung && ringing !== leg);
    await advance(server, "3m");
    assert.equal((await phone.session.closed).code, 4401);
    await parts.caller.ended(leg, "DESTINATION_OUT_OF_ORDER", 27);
    await parts.caller.ended(ringing, "DESTINATION_OUT_OF_ORDER", 27);
    await closeAll(parts.caller, parts.callee);
});

// ---- sessions that lose their socket ----

// Lost, and the server knows: what is sent from now on waits for its return.
async function lose(phone)
{
    const before = await metric("coatcheck_sessions_detached", server), state = await phone.lose();
    await until("coatcheck_sessions_detached", before + 1);
    return state;
}

test("SW-31 a call outlives a lost connection, on whichever loop its session comes back", async () => {
    const parts = await pair();
    for (let round = 0; round < 10; round++) {
        const [leg, rung] = await talking(parts);
        const states = [await lose(parts.caller), await lose(parts.callee)];
        parts.caller = await Phone.back(server, parts.ada.token, states[0]);
        parts.callee = await Phone.back(server, parts.bob.token, states[1]);
        assert.deepEqual([await parts.caller.heard("verto.bye"), await parts.callee.heard("verto.bye")], [[], []]);
        const [first, second, own, other] = round % 2 ? [parts.caller, parts.callee, leg, rung] : [parts.callee, parts.caller, rung, leg];
        await first.bye(own);
        await second.ended(other, "NORMAL_CLEARING", 16);
    }
    await closeAll(parts.caller, parts.callee);
    await noCallsLeft();
});

test("SW-31 what happens to a call meanwhile is told when its session comes back", async () => {
    const parts = await pair();
    for (let round = 0; round < 6; round++) {
        const leg = await parts.caller.dial(parts.bob.to), { callID } = await parts.callee.ring();
        const rings = await lose(parts.callee);
        parts.callee = await Phone.back(server, parts.bob.token, rings);
        const dials = await lose(parts.caller);
        await parts.callee.answer(callID);
        parts.caller = await Phone.back(server, parts.ada.token, dials);
        assert.equal((await parts.caller.answered(leg)).sdp, ANSWER);
        const talks = await lose(parts.caller);
        await parts.callee.bye(callID);
        parts.caller = await Phone.back(server, parts.ada.token, talks);
        await parts.caller.ended(leg, "NORMAL_CLEARING", 16);
    }
    await closeAll(parts.caller, parts.callee);
    await noCallsLeft();
});

test("a telephone that has lost its connection rings when it is back; one that was closed does not", async () => {
    const { bob, caller, callee } = await pair();
    const lost = await lose(callee), leg = await caller.dial(bob.to);
    const back = await Phone.back(server, bob.token, lost), { callID } = await back.ring();
    await back.answer(callID);
    await caller.answered(leg);
    await caller.bye(leg);
    await back.close();
    await caller.ended(await caller.dial(bob.to), "USER_NOT_REGISTERED", 20);
    await caller.close();
});

test("who closes the page while it rings is out of the call, on either side", async () => {
    const parts = await pair();
    const leg = await parts.caller.dial(parts.bob.to);
    await parts.callee.ring();
    await parts.callee.close();
    await parts.caller.ended(leg, "DESTINATION_OUT_OF_ORDER", 27);
    const callee = await ofPerson(parts.bob);
    await parts.caller.dial(parts.bob.to);
    const { callID } = await callee.ring();
    await parts.caller.close();
    await callee.ended(callID, "ORIGINATOR_CANCEL", 487);
    await callee.close();
});

test("a lost telephone keeps no more than it may: further calls find it busy, and it is still there", async () => {
    const { bob, caller, callee } = await pair(), lost = await lose(callee);
    const sdp = HEAD + "a=x\r\n".repeat(5000), legs = [];
    for (let i = 0; i < 5; i++) legs.push(await caller.dial(bob.to, { sdp }));
    await caller.ended(legs[4], "USER_BUSY", 17);
    const back = await Phone.back(server, bob.token, lost);
    assert.ok((await back.heard("verto.invite")).length >= 1);
    for (const leg of legs) await caller.bye(leg);
    await closeAll(caller, back);
});

test("a telephone that does not read is not rung out of its session: calls find it busy, and it goes on", async () => {
    const { bob, caller, callee } = await pair(), sdp = `${HEAD}a=${"<".repeat(32000)}\r\n`; // six times as long in JSON
    let busy = false;
    callee.session.ws._socket.pause();
    for (let tries = 0; tries < 150 && !busy; tries++) {
        const leg = await caller.dial(bob.to, { sdp });
        await caller.ended(await caller.dial("/private/front-desk"), "USER_NOT_REGISTERED", 20); // through every loop, and back
        busy = (await caller.heard("verto.bye")).some(({ callID, cause }) => callID === leg && cause === "USER_BUSY");
        await caller.bye(leg);
    }
    assert.ok(busy);
    callee.session.ws._socket.resume();
    assert.ok((await callee.heard("verto.invite")).length > 0);
    assert.ok(!callee.session.isClosed);
    await closeAll(caller, callee);
});

// ---- limits ----

test("eight calls at once on one session; a telephone with eight does not ring", async () => {
    const { bob, caller, callee } = await pair(), other = await ofPerson(await person("carl"));
    const legs = [];
    for (let i = 0; i < 8; i++) legs.push(await caller.dial(bob.to));
    const error = await caller.refused(bob.to);
    assert.deepEqual([error.code, error.message, error.data.error_code], [-32005, "Too many calls", "rate_limited"]);
    for (let i = 0; i < 8; i++) await callee.ring();
    await other.ended(await other.dial(bob.to), "USER_BUSY", 17);
    await caller.bye(legs[0]);
    const leg = await caller.dial(bob.to), { callID } = await callee.ring();
    await callee.answer(callID);
    await caller.answered(leg);
    await caller.bye(leg);
    await closeAll(caller, callee, other);
    await noCallsLeft();
});

// ---- servers of another mind ----

async function withServer(env, body)
{
    const on = await startServer({ env: { COATCHECK_LOOPS: "2", ...env } });
    try {
        await body(on);
    } finally {
        await on.stop();
    }
}

test("nobody answers: both sides are told when it has rung long enough", () =>
    withServer({ COATCHECK_RING_TIMEOUT_S: "1" }, async (on) => {
        const { bob, caller, callee } = await pair({ on });
        const leg = await caller.dial(bob.to), { callID } = await callee.ring();
        await Promise.all([caller.ended(leg, "NO_ANSWER", 19), callee.ended(callID, "NO_ANSWER", 19)]);
        await closeAll(caller, callee);
    }));

test("a call does not last forever: both sides are told its end", () =>
    withServer({ COATCHECK_CALL_MAX_S: "1" }, async (on) => {
        const { bob, caller, callee } = await pair({ on });
        const [a, b] = await talking({ bob, caller, callee });
        await Promise.all([caller.ended(a, "NORMAL_CLEARING", 16), callee.ended(b, "NORMAL_CLEARING", 16)]);
        await closeAll(caller, callee);
    }));

test("an offer reaches the callee without its bundle, and with the candidates that the setting leaves", async () => {
    const without = (line) => OFFER.replace("a=group:BUNDLE 0 1\r\n", "").replaceAll(line, "");
    for (const [offer_candidates, sdp] of [["all", without("\0")], ["drop-host", without(HOST)], ["none", without(HOST).replaceAll(SRFLX, "")]])
        await withServer({ COATCHECK_OFFER_CANDIDATES: offer_candidates }, async (on) => {
            const { bob, caller, callee } = await pair({ on });
            const leg = await caller.dial(bob.to);
            assert.equal((await callee.ring()).sdp, sdp, offer_candidates);
            await caller.bye(leg);
            const one = HEAD + "a=group:BUNDLE 0\r\n" + AUDIO;
            await caller.dial(bob.to, { sdp: one });
            assert.equal((await callee.ring()).sdp, one, "one medium stays as it is");
            await closeAll(caller, callee);
        });
    assert.ok(OFFER.includes(VIDEO));
});

test("F-80 calls with one resource's tokens, by one user and in all are capped; so is how often", () =>
    withServer({ COATCHECK_CALLS_PER_USER_MAX: "3", COATCHECK_CALLS_PER_RESOURCE_MAX: "2", COATCHECK_CALLS_MAX: "6",
        COATCHECK_LIMITS: "dial_user=1/12 dial_resource=1/4" }, async (on) => {
        const desk = await frontDesk(on), to = on.contract.c2c_address;
        const visitors = await Promise.all(Array.from({ length: 3 }, async () => Phone.of(on, await embedToken(on))));
        const tooMany = async (phone, target, label) => assert.deepEqual([(await phone.refused(target)).code], [-32005], label);
        const legs = [await visitors[0].dial(to), await visitors[1].dial(to)];
        await tooMany(visitors[2], to, "the third with the button");
        await visitors[0].bye(legs[0]);
        await desk.ended((await desk.ring()).callID, "ORIGINATOR_CANCEL", 487);
        await callsAre(1, on);
        legs[0] = await visitors[2].dial(to);
        const { bob, caller, callee } = await pair({ on });
        const second = await Phone.of(on, (await mintToken(on, { reference: `ada-${people - 1}@example.com` })).token);
        const mine = [await caller.dial(bob.to), await second.dial(bob.to), await caller.dial(bob.to)];
        await tooMany(second, bob.to, "one user's fourth, on another session");
        const third = await person("carl", { on }), other = await ofPerson(third, { on });
        await other.dial(bob.to);
        await tooMany(other, bob.to, "the seventh in all");
        for (const leg of [mine[0], mine[2]]) await caller.bye(leg);
        await visitors[2].bye(legs[0]);
        await callsAre(3, on);
        await visitors[0].dial(to);
        await visitors[1].bye(legs[1]);
        await callsAre(3, on);
        await tooMany(visitors[0], to, "the button's tokens, too often");
        for (let i = 0; i < 12; i++) await caller.invite("/private/nobody");
        await tooMany(caller, "/private/nobody", "one user, too often");
        await closeAll(desk, visitors, caller, callee, second, other);
    }));

test("H-117 ten thousand events of calls for a peer that does not read: it is owed no more than the cap, others go on", () => withServer({ COATCHECK_PING_TIMEOUT_S: "600",
    COATCHECK_CALLS_PER_USER_MAX: "1000", COATCHECK_LIMITS: ENV.COATCHECK_LIMITS }, async (on) => {
    const { bob, caller, callee } = await pair({ on }), others = await pair({ on }), causes = new Map();
    callee.session.ws._socket.pause();
    const ringAndGo = async () => {
        const leg = await caller.dial(bob.to);
        await caller.bye(leg);
        return leg;
    };
    const busy = () => {
        caller.session.messages = caller.session.messages.filter(({ params }) => {
            const { cause } = params?.params?.params ?? {};
            if (cause) causes.set(cause, (causes.get(cause) ?? 0) + 1);
            return !params;
        });
        return causes.get("USER_BUSY") ?? 0;
    };
    let stuck = 0;
    for (let round = 0; round < 50; round++) {
        for (let i = 0; i < 100; i += 5) await Promise.all(Array.from({ length: 5 }, ringAndGo));
        if (busy() === stuck) continue;
        const [leg] = await talking(others); // somebody else's call meanwhile
        await others.caller.bye(leg);
        callee.session.ws._socket.resume(); // who takes nothing at all for STREAM_STALL_MS is given up
        await callee.heard("verto.bye");
        callee.session.ws._socket.pause();
        stuck = busy();
    }
    assert.ok(stuck > 0, "from some call on it was busy");
    callee.session.ws._socket.resume();
    assert.ok(!callee.session.isClosed, "it is still there");
    const [rings, byes] = [await callee.heard("verto.invite"), await callee.heard("verto.bye")];
    assert.ok(rings.length > 100 && rings.length < 5000, `${rings.length} rings`);
    assert.deepEqual(byes.map(({ callID }) => callID).sort(), rings.map(({ callID }) => callID).sort(), "what rang was told its end, once");
    assert.ok(!callee.session.isClosed);
    const leg = await caller.dial(bob.to), last = await callee.session.message((m) => m.params?.params?.method === "verto.invite" &&
        !rings.some(({ callID }) => callID === m.params.params.params.callID), "it rings again");
    await callee.answer(last.params.params.params.callID);
    await caller.answered(leg);
    await caller.bye(leg);
    await closeAll(caller, callee, others.caller, others.callee);
    await callsAre(0, on);
}));

test("a server that stops in the midst of calls ends sound", () =>
    withServer({}, async (on) => {
        const parts = await pair({ on });
        await talking(parts);
        await parts.caller.dial(parts.bob.to);
        await parts.callee.ring();
    }));

// ---- nothing is left ----

async function metric(name, on)
{
    const answer = await fetch(`${on.contract.admin_url}/metrics`, { headers: { authorization: `Bearer ${on.contract.admin_token}` } });
    return Number((await answer.text()).match(new RegExp(`^${name} (\\d+)$`, "m"))[1]);
}

// Farewells cross loops: a call is gone when its last leg has said so.
async function until(name, value, on = server)
{
    await eventually(async () => (await metric(name, on)) === value, `${name} ${value}`);
}

const callsAre = (count, on) => until("coatcheck_calls", count, on);
const noCallsLeft = () => callsAre(0);

await run({
    before: async () => {
        server = await startServer({ env: ENV });
        const session = await connected(server, (await mintToken(server, { reference: "warm@example.com" })).token);
        await session.close();
        baseline = await server.baseline();
    },
    after: async () => {
        await noCallsLeft();
        await server.assertSound(baseline);
        await server.stop();
    },
});
