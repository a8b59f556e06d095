// attacks_h_socket.test.mjs — broken frames, upgrades and calls on the live WebSocket, whole and in drops. Names begin
// with the number of the case. Frames and upgrades come from tests/vectors/ws; their files say what each outcome means.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { advance } from "../harness/clock.mjs";
import { stormOne } from "../harness/crowd.mjs";
import { mintToken } from "../harness/http.mjs";
import { closeFrame, frame, OPCODE, RawWebSocket } from "../harness/frames.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { connected, connectParams, Session } from "../harness/session.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { vectors } from "../harness/vectors.mjs";

const GOOD_ORIGIN = "http://localhost:5173";
const PATIENCE_S = "12"; // a test on a busy machine has said all it wants to by then
let server, impatient, baseline;

async function withSocket(body, options = {})
{
    const ws = await RawWebSocket.open(options.server ?? server, options);
    try {
        return await body(ws);
    } finally {
        ws.close();
    }
}

const isText = (f) => f.opcode === OPCODE.TEXT, isClose = (f) => f.opcode === OPCODE.CLOSE, isPong = (f) => f.opcode === OPCODE.PONG;
const rpc = (message) => frame(OPCODE.TEXT, typeof message === "string" ? message : JSON.stringify(message));

// What the server did: "reply", "reply-error", "pong", "close:N" or "closed" (a bare end of the stream).
function outcome(found)
{
    if (found === "closed") return "closed";
    if (isClose(found)) return `close:${found.code ?? 1005}`;
    if (isPong(found)) return "pong";
    return "error" in JSON.parse(found.payload) ? "reply-error" : "reply";
}

function allowed(expect, got, isAuthenticated = false)
{
    if (got === "closed") return expect.startsWith("close"); // a bare TCP close is a soft pass
    return expect.split("|").flatMap((word) => (word === "reply" ? ["reply", "reply-error"] : [word])).some((word) => {
        const wanted = /^\d/.test(word) ? `close:${word}` : word;
        const range = wanted.match(/^close:(\d+)-(\d+)$/);
        const code = Number(got.match(/^close:(\d+)/)?.[1]);
        if (range) return code >= Number(range[1]) && code <= Number(range[2]);
        return wanted === got || (!isAuthenticated && wanted.startsWith("reply") && (code === 1008 || (code >= 4000 && code <= 4999)));
    });
}

async function plays(vector, dribbled)
{
    const label = `${vector.id}${dribbled ? " in drops" : ""}`;
    const bytes = Buffer.from(vector.hex, "hex");
    await withSocket(async (ws) => {
        await (dribbled ? ws.dribble(bytes) : ws.send(bytes));
        if (vector.expect === "wait") { // the other half shows that the first was waited for
            assert.equal(ws.frames().length, 0, label);
            await ws.send(Buffer.from("8037fa213d", "hex"));
            assert.equal(outcome(await ws.untilFrame((f) => isText(f) || isClose(f), label)), "reply-error", label);
            return;
        }
        const found = await ws.untilFrame((f) => isText(f) || isClose(f) || isPong(f), label);
        assert.ok(allowed(vector.expect, outcome(found)), `${label}: wanted ${vector.expect}, got ${outcome(found)}`);
        if (vector.id === "ping-125") assert.equal(found.payload.length, 125);
        assert.ok(ws.frames().every((f) => !f.masked && f.rsv === 0), `${label}: a server masks nothing, sets no bit`);
        if (!outcome(found).startsWith("close:")) return;
        await ws.until((s) => s.isClosed, `${label}: the server ends the stream after its close frame`);
        assert.equal(ws.frames().filter(isClose).length, 1, `${label}: one close frame`);
    });
}

const NUMBERS = { mask: "105", rsv: "105", opcode: "105", control: "105", fragment: "105", utf8: "106", length: "107", "close-code": "109",
    valid: "109", app: "111" };
for (const [group, number] of Object.entries(NUMBERS))
    for (const dribbled of [false, true])
        test(`H-${number} frames, ${group}, ${dribbled ? "in drops" : "whole"}`, async () => {
            const cases = vectors("ws/own_frames.json").filter((vector) => vector.group === group);
            assert.ok(cases.length > 0);
            for (const vector of cases) await plays(vector, dribbled);
        });

test("H-105 the same on a live session: it ends, and only it", async () => {
    const { token } = await mintToken(server, { reference: "h105@example.com" });
    const bystander = await connected(server, token);
    for (const bytes of [frame(OPCODE.TEXT, "{}", { masked: false }), frame(OPCODE.TEXT, "{}", { rsv: 4 }), frame(3, ""), frame(11, ""),
        frame(OPCODE.CONTINUATION, "x"), frame(OPCODE.PING, "x", { fin: false }), frame(OPCODE.PING, "x".repeat(126)),
        Buffer.concat([frame(OPCODE.TEXT, "{", { fin: false }), frame(OPCODE.TEXT, "}")])])
        await withSocket(async (ws) => {
            await ws.send(rpc({ jsonrpc: "2.0", id: "1", method: "signalwire.connect", params: connectParams(token) }));
            assert.ok(JSON.parse((await ws.untilFrame(isText, "the welcome")).payload).result);
            await ws.send(bytes);
            const end = await ws.untilFrame(isClose, "1002");
            if (end !== "closed") assert.equal(end.code, 1002);
        });
    assert.ok((await bystander.request("subscriber.online")).result);
    await bystander.close();
});

test("H-105 binary messages are no JSON-RPC", async () => {
    await withSocket(async (ws) => {
        await ws.send(frame(OPCODE.BINARY, JSON.stringify({ jsonrpc: "2.0", id: "1", method: "no.such", params: {} })));
        const end = await ws.untilFrame((f) => isClose(f) || isText(f), "an end or an error");
        assert.ok(["close:1003", "close:1002", "closed", "reply-error"].includes(outcome(end)), outcome(end));
    });
});

test("H-106 invalid UTF-8 whole, and across fragments at every cut", async () => {
    const bad = { ff: [0x22, 0xff, 0x22], overlong: [0xc0, 0xaf], surrogate: [0xed, 0xa0, 0x80], high: [0xf4, 0x90, 0x80, 0x80],
        cut: [0x41, 0xe2, 0x82], lone: [0x80] };
    for (const [label, list] of Object.entries(bad)) {
        const bytes = Buffer.from(list);
        const ways = [[frame(OPCODE.TEXT, bytes)]];
        for (let at = 0; at <= bytes.length; at++)
            ways.push([frame(OPCODE.TEXT, bytes.subarray(0, at), { fin: false }), frame(OPCODE.CONTINUATION, bytes.subarray(at))]);
        for (const way of ways)
            await withSocket(async (ws) => {
                await ws.send(Buffer.concat(way));
                const end = await ws.untilFrame(isClose, label);
                if (end !== "closed") assert.equal(end.code, 1007, label);
            });
    }
    await withSocket(async (ws) => {
        await ws.send(closeBody(1000, Buffer.from([0xff])));
        const end = await ws.untilFrame(isClose, "bad reason");
        if (end !== "closed") assert.ok([1007, 1002].includes(end.code), `reason in bad UTF-8: ${end.code}`);
    });
});

const closeBody = (code, reason) => frame(OPCODE.CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), reason]));

test("H-107 lengths of 2^63, 2^40 and wrap values are refused at the header", async () => {
    const lengths = ["8000000000000000", "7fffffffffffffff", "0000010000000000", "ffffffffffffffff", "0000000100000000", "0000000080000000",
        "0000000000100001"];
    const resident = server.residentKiB();
    for (const length of lengths)
        await withSocket(async (ws) => {
            await ws.send(Buffer.from(`81ff${length}00000000`, "hex"));
            const end = await ws.untilFrame(isClose, length);
            if (end !== "closed") assert.ok([1002, 1009].includes(end.code), `${length}: ${end.code}`);
        });
    assert.ok(server.residentKiB() - resident < 8 * 1024, "nothing was allocated for them");
});

test("H-107 a message above 64 KiB is 1009, in one frame and in many", async () => {
    const big = " ".repeat(65536);
    await withSocket(async (ws) => {
        await ws.send(frame(OPCODE.TEXT, `${big}1`));
        const end = await ws.untilFrame(isClose, "1009");
        if (end !== "closed") assert.equal(end.code, 1009);
    });
    await withSocket(async (ws) => {
        await ws.send(frame(OPCODE.TEXT, " ".repeat(1000), { fin: false }));
        for (let i = 0; i < 80 && !ws.isClosed; i++) await ws.send(frame(OPCODE.CONTINUATION, " ".repeat(1000), { fin: false }));
        const end = await ws.untilFrame(isClose, "1009");
        if (end !== "closed") assert.equal(end.code, 1009);
    });
});

test("H-108 empty fragments and a flood of pings are bounded", async () => {
    await withSocket(async (ws) => {
        const pings = Buffer.concat(Array.from({ length: 2000 }, () => frame(OPCODE.PING, "flood")));
        await ws.send(frame(OPCODE.TEXT, "", { fin: false }));
        for (let i = 0; i < 20 && !ws.isClosed; i++) await ws.send(frame(OPCODE.CONTINUATION, "", { fin: false }));
        await ws.send(pings);
        await ws.until((s) => s.isClosed || s.frames().filter(isPong).length >= 1, "a pong or the end");
    });
});

test("H-108 two thousand empty fragments end the socket; pings whose pongs are never read make no memory", async () => {
    await withSocket(async (ws) => {
        const empty = frame(OPCODE.CONTINUATION, "", { fin: false });
        await ws.send(Buffer.concat([frame(OPCODE.TEXT, "", { fin: false }), ...Array(2000).fill(empty)]));
        const end = await ws.untilFrame(isClose, "the end of the fragments");
        if (end !== "closed") assert.ok([1002, 1008, 1009].includes(end.code), String(end.code));
    });
    const before = server.residentKiB();
    await withSocket(async (ws) => {
        ws.socket.pause();
        const pings = Buffer.concat(Array(1000).fill(frame(OPCODE.PING, "p".repeat(125))));
        let sent = 0;
        for (; sent < 100 && !ws.isClosed; sent++) {
            const isTaken = await Promise.race([ws.send(pings).then(() => true, () => false), new Promise((resolve) => {
                setImmediate(() => server.settled(Infinity).then(() => server.settled(Infinity)).then(() => resolve(false)));
            })]);
            if (!isTaken) break; // nobody reads it any more: that is one way to bound it
        }
        const grown = server.residentKiB() - before;
        console.log(`     ${sent},000 pings sent, resident grew ${grown} KiB`);
        if (!server.isSanitized()) assert.ok(grown < 4096, `${grown} KiB`);
    });
});

test("H-109 close codes: valid ones are echoed, others are 1002", async () => {
    const answer = (bytes) => withSocket(async (ws) => {
        await ws.send(bytes);
        const end = await ws.untilFrame(isClose, "a close");
        await ws.until((s) => s.isClosed, "the end of the stream");
        return end === "closed" ? undefined : end.code;
    });
    for (const code of [0, 999, 1004, 1005, 1006, 1016, 1100, 2999, 5000, 65535])
        assert.ok([1002, undefined].includes(await answer(closeFrame(code))), String(code));
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
        assert.ok([code, 1000].includes(await answer(closeFrame(code))), String(code));
    assert.equal(await answer(frame(OPCODE.CLOSE, "x")), 1002, "a body of one byte");
    assert.ok([1000, undefined].includes(await answer(closeFrame())), "no body");
});

// ---- upgrades ----

async function upgrade(lines)
{
    const raw = new RawSocket(server.port);
    await raw.connected;
    await raw.send(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
    await raw.until((s) => s.isClosed || responses(s.read).list.length, "the upgrade's answer");
    const [answer] = responses(raw.read).list;
    raw.close();
    return answer;
}

test("H-110 upgrades: method, version, key, body, Origin", async () => {
    for (const vector of vectors("ws/own_handshakes.json")) {
        const lines = [vector.request_line.replace("{WSPATH}", "/"), ...vector.headers.map(([name, value]) =>
            `${name}: ${value.replace("{HOST}", server.host).replace("{GOOD_ORIGIN}", GOOD_ORIGIN)}`)];
        if (vector.id === "origin-default-port") lines.splice(lines.findIndex((l) => l.startsWith("Origin")), 1, "Origin: http://localhost:80");
        const answer = await upgrade(lines);
        assert.ok(vector.expect.split("|").includes(String(answer?.status)), `${vector.id}: wanted ${vector.expect}, got ${answer?.status}`);
        if (answer.status === 101) assert.doesNotMatch(answer.head, /sec-websocket-(extensions|protocol)/i, vector.id);
        if (answer.status === 426) assert.match(answer.head, /sec-websocket-version: *13/i, vector.id);
    }
});

test("H-110 the accept value is exact, HTTP/1.0 and missing fields are refused", async () => {
    const base = ["GET / HTTP/1.1", `Host: ${server.host}`, "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
    const good = await upgrade(base);
    assert.equal(good.status, 101);
    assert.match(good.head, /sec-websocket-accept: *s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=(\r|$)/im); // RFC 6455 §1.3
    assert.match(good.head, /upgrade: *websocket/i);
    assert.match(good.head, /connection: *upgrade/i);
    const without = (name) => base.filter((line) => !line.startsWith(name));
    const changed = (name, line) => base.map((old) => (old.startsWith(name) ? line : old));
    const bad = { "no key": without("Sec-WebSocket-Key"), "no version": without("Sec-WebSocket-Version"), "no upgrade": without("Upgrade"),
        "HTTP/1.0": changed("GET", "GET / HTTP/1.0"), "other protocol": changed("Upgrade", "Upgrade: h2c"), "two keys": [...base,
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], "key of 15 bytes": changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1"),
        "key without padding": changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), "PUT": changed("GET", "PUT / HTTP/1.1"),
        "chunked body": [...base, "Transfer-Encoding: chunked"], "version 0": changed("Sec-WebSocket-Version", "Sec-WebSocket-Version: 0") };
    for (const [label, lines] of Object.entries(bad)) {
        const answer = await upgrade(lines);
        const allowed = label === "no upgrade" ? [200, 400, 404, 426] : [400, 404, 405, 426, 501]; // the first is a plain request
        assert.ok(!answer || allowed.includes(answer.status), `${label}: ${answer?.head}`);
    }
    assert.equal((await upgrade(changed("GET", "GET /elsewhere HTTP/1.1")))?.status, 404, "another path");
});

test("H-110 an Origin that no project lists gets no 101", async () => {
    for (const origin of ["https://evil.example", "http://localhost.evil.example", "http://evil-localhost", "ftp://localhost", "localhost",
        "http://localhost:5173/", "http://LOCALHOST.evil", "file://", "http://[::2]", "https://coatcheck.localhost.evil.example"])
        await assert.rejects(Session.open(server, { origin }), (error) => [400, 403].includes(error.status), origin);
    for (const origin of [GOOD_ORIGIN, "http://127.0.0.1:4321", "null"]) await (await Session.open(server, { origin })).close();
});

test("H-110 bytes sent together with the upgrade are the first frames", async () => {
    const raw = new RawSocket(server.port);
    await raw.connected;
    await raw.send(Buffer.concat([Buffer.from(`GET / HTTP/1.1\r\nHost: ${server.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"), frame(OPCODE.PING, "early")]));
    await raw.until((s) => s.isClosed || s.read.includes("early"), "the pong");
    assert.ok(raw.read.includes("early"));
    raw.close();
});

// ---- calls ----

test("H-111 without a connect the socket is closed with 4408; other methods get -32002 and do nothing", async () => {
    const session = await Session.open(impatient);
    for (const method of ["subscriber.online", "webrtc.verto", "signalwire.reauthenticate", "signalwire.disconnect"])
        assert.equal((await session.request(method)).error.code, -32002, method);
    const pinging = await Session.open(impatient);
    const beat = setInterval(() => pinging.ws.readyState === 1 && pinging.ws.ping(), 50);
    assert.equal((await session.closed).code, 4408);
    assert.equal((await pinging.closed).code, 4408, "pings do not put it off");
    clearInterval(beat);
}, { beside: true });

test("H-112 a parked socket is let go when its time is over", async () => {
    const session = await Session.open(impatient);
    assert.equal((await session.connect("x.y.z")).error.code, -32002);
    const { code } = await session.closed;
    assert.ok(code === 4401 || code === 4403 || code === 1008 || (code >= 4400 && code < 4500), String(code));
}, { beside: true });

test("H-118 a peer that answers no ping is let go", async () => {
    const { token } = await mintToken(impatient, { reference: "silent@example.com" });
    const session = await Session.open(impatient, { answersPings: false });
    assert.ok((await session.connect(token)).result);
    const { code } = await session.closed;
    assert.notEqual(code, 1002, "our decision, not the client's fault");
}, { beside: true });

test("H-111 frames that are no call: an error each, never a session", async () => {
    for (const text of ["", "x", "[]", "{}", "null", "7", '{"jsonrpc":"2.0"}', '{"jsonrpc":"1.0","id":"1","method":"signalwire.connect"}',
        '{"jsonrpc":"2.0","id":7,"method":"signalwire.connect","params":{}}', '{"jsonrpc":"2.0","id":{},"method":"x"}',
        '{"jsonrpc":"2.0","id":"1","method":7}', '{"jsonrpc":"2.0","id":"1","method":"x","params":[]}', '{"id":"1","method":"x"}',
        `[{"jsonrpc":"2.0","id":"1","method":"x"}]`, '{"jsonrpc":"2.0","id":"1","id":"2","method":"x"}', `{"jsonrpc":"2.0","id":"${"i".repeat(5000)}","method":"x"}`,
        `{"jsonrpc":"2.0","id":"1","method":"${"m".repeat(60000)}"}`, `{"jsonrpc":"2.0","id":"1","method":"x","params":${"[".repeat(9000)}${"]".repeat(9000)}}`,
        '{"jsonrpc":"2.0","id":"1","method":"signalwire.connect\\u0000"}'])
        await withSocket(async (ws) => {
            await ws.send(rpc(text));
            const found = await ws.untilFrame((f) => isText(f) || isClose(f), text.slice(0, 40));
            const got = outcome(found);
            assert.ok(got === "reply-error" || /^close:(1002|1003|1007|1008|4\d\d\d)$/.test(got), `${text.slice(0, 40)}: ${got}`);
        });
});

test("H-112 connect with forged, expired, foreign and swapped tokens: -32002, then parked", async () => {
    const old = await mintToken(server, { reference: "h112@example.com" });
    const ending = await connected(server, old.token);
    await advance(server, "2h");
    assert.equal((await ending.closed).code, 4401);
    const good = await mintToken(server, { reference: "h112@example.com" });
    const foreign = await mintToken(impatient, { reference: "h112@example.com" });
    const cut = good.token.slice(0, -4);
    for (const [label, token] of Object.entries({ forged: `${cut}AAAA`, cut, expired: old.token, foreign: foreign.token,
        swapped: good.refresh_token, api: server.contract.api_token, empty: "", text: "x" })) {
        const session = await Session.open(server);
        const reply = await session.connect(token);
        assert.ok([-32002, -32602].includes(reply.error?.code), label);
        assert.equal(reply.error.message.includes("signature"), false, "no reason is told");
        session.connect(good.token).catch(() => {});
        assert.ok(await session.endsWithoutAnswering("signalwire.connect", "subscriber.online"), `${label}: parked means deaf`);
        assert.ok(!session.messages.some((m) => m.result), `${label}: no second try on the same socket`);
    }
});

test("H-112 a refused connect names its error id", async () => {
    const session = await Session.open(server);
    const reply = await session.connect("x.y.z");
    assert.match(reply.error.data?.error_id ?? "", /^[0-9A-Za-z_-]{16,32}$/);
    session.ws.terminate();
});

test("H-112 parked sockets are capped per address: beyond it the upgrade gets 429 with Retry-After", async () => {
    const parked = [];
    let refusal;
    for (let i = 0; i < 12 && !refusal; i++) {
        try {
            const session = await Session.open(impatient);
            await session.connect("x.y.z");
            parked.push(session);
        } catch (error) {
            refusal = error;
        }
    }
    assert.equal(refusal?.status, 429, `${parked.length} sockets were parked`);
    assert.match(refusal.headers["retry-after"] ?? "", /^\d+$/);
    for (const session of parked) session.ws.terminate();
});

test("H-112 connects refused together fill no more than the park, over all loops", async () => {
    const crowded = await startServer({ env: { COATCHECK_LOOPS: "4", COATCHECK_PARKED_PER_ADDRESS_MAX: "5" } });
    const sessions = await Promise.all(Array.from({ length: 40 }, () => Session.open(crowded)));
    const replies = await Promise.all(sessions.map((session) => session.connect("x.y.z")));
    for (const reply of replies) assert.equal(reply.error?.code, -32002);
    const codes = [];
    for (const session of sessions) session.closed.then(({ code }) => codes.push(code));
    while (codes.length < 35) await Promise.race(sessions.filter((session) => !session.isClosed).map((session) => session.closed));
    assert.deepEqual(codes, Array(35).fill(4429));
    assert.equal(sessions.filter((session) => !session.isClosed).length, 5);
    await assert.rejects(Session.open(crowded), { status: 429 });
    for (const session of sessions) session.ws.terminate();
    await crowded.stop();
});

// Five times more than it has room for: the rest waits in the kernel's queue, or is turned away with a reason.
test("H-123 a storm of connects: live sessions go on, the good are let in, the others get nothing, nobody is half in", async () => {
    const small = await startServer({ env: { COATCHECK_CONNECTIONS_MAX: "64", COATCHECK_LOOPS: "2", COATCHECK_PARK_S: "1", COATCHECK_PARKED_PER_ADDRESS_MAX: "10" } });
    const { token } = await mintToken(small, { reference: "storm@example.com" });
    const live = await connected(small, token), before = await small.baseline(), outcomes = {};
    let isOver = false;
    const storm = Promise.all(Array.from({ length: 320 }, async (_, i) => {
        const { outcome, status, session } = await stormOne(small, i % 4 ? token : `${token.slice(0, -8)}AAAAAAAA`);
        outcomes[`${i % 4 ? "good" : "forged"} ${outcome}`] = (outcomes[`${i % 4 ? "good" : "forged"} ${outcome}`] ?? 0) + 1;
        if (status) assert.equal(status, 429);
        if (outcome === "refused") assert.ok(await session.endsWithoutAnswering("subscriber.online"));
        if (outcome === "granted") assert.ok((await session.request("subscriber.online")).result);
        session?.ws.terminate();
    })).finally(() => { isOver = true; });
    let asked = 0, most = 0;
    for (; !isOver; asked++) {
        assert.ok((await live.request("subscriber.online")).result);
        most = Math.max(most, small.descriptors());
    }
    await storm;
    console.log(`     ${JSON.stringify(outcomes)}; ${asked} calls of the live session meanwhile`);
    assert.ok(most <= before.descriptors + 64 + 4, `${most} descriptors`);
    assert.equal(outcomes["forged granted"], undefined);
    assert.equal((outcomes["good granted"] ?? 0) + (outcomes["good turned away"] ?? 0), 240, JSON.stringify(outcomes));
    assert.ok(outcomes["good granted"] > 0 && asked > 0);
    await live.close();
    await small.assertSound(before);
    await small.stop();
});

test("H-113 a second connect on a live socket changes nothing", async () => {
    const ada = await mintToken(server, { reference: "ada-113@example.com" });
    const eve = await mintToken(server, { reference: "eve-113@example.com" });
    const session = await connected(server, ada.token);
    for (const token of [eve.token, ada.token, "x.y.z"]) assert.ok((await session.connect(token)).error);
    assert.ok((await session.request("subscriber.online")).result);
    assert.equal(session.isClosed, undefined);
    await session.close();
});

test("H-113 two connects in one breath give one session", async () => {
    const ada = await mintToken(server, { reference: "ada-113@example.com" });
    const eve = await mintToken(server, { reference: "eve-113@example.com" });
    const session = await Session.open(server);
    const [first, second] = await Promise.all([session.connect(ada.token), session.connect(eve.token)]);
    assert.equal(first.result?.authorization.fabric_subscriber.subscriber_id, ada.subscriber_id);
    assert.ok(second.error);
    await session.close();
});

test("H-113 calls sent in the same breath as connect are answered after it", async () => {
    const { token } = await mintToken(server, { reference: "early@example.com" });
    const session = await Session.open(server);
    const [welcome, online] = await Promise.all([session.connect(token), session.request("subscriber.online")]);
    assert.ok(welcome.result);
    assert.ok(online.result, "the package queues messages while down and sends them before the reply (wire contract §5)");
    await session.close();
});

test("H-116 a state of no session of ours: -32003, no session, and strangers learn nothing", async () => {
    const { token } = await mintToken(server, { reference: "h116@example.com" });
    for (const more of [{ authorization_state: "x", protocol: "x" }, { authorization_state: "rs_00000000.AAAA", protocol: crypto.randomUUID() },
        { authorization_state: "rs_00000000.AAAA", protocol: "x" }]) {
        for (const [who, code] of [[token, -32003], ["x.y.z", -32002]]) {
            const session = await Session.open(server);
            assert.equal((await session.connect(who, more)).error?.code, code, JSON.stringify(more));
            assert.ok(await session.endsWithoutAnswering("subscriber.online"), "no fallback to a session without rights");
        }
    }
});

test("H-120 ids of replies are the caller's own, even when they repeat", async () => {
    const { token } = await mintToken(server, { reference: "ids@example.com" });
    const [one, two] = [await connected(server, token), await connected(server, token)];
    const id = crypto.randomUUID();
    for (const session of [one, two, one]) session.send({ jsonrpc: "2.0", id, method: "subscriber.online", params: {} });
    await one.message((m) => m.id === id, "a reply");
    await two.message((m) => m.id === id, "a reply");
    assert.ok((await one.request("subscriber.offline")).result);
    assert.equal(one.messages.filter((m) => m.id === id).length, 2);
    assert.equal(two.messages.filter((m) => m.id === id).length, 1);
    await one.close();
    await two.close();
});

test("H-121 batches are no call, small or large", async () => {
    const { token } = await mintToken(server, { reference: "h121@example.com" });
    const bystander = await connected(server, token);
    const one = { jsonrpc: "2.0", id: "1", method: "subscriber.online", params: {} };
    for (const count of [0, 1, 2, 500, 10000])
        await withSocket(async (ws) => {
            await ws.send(rpc(Array(count).fill(one)));
            const got = outcome(await ws.untilFrame((f) => isText(f) || isClose(f), String(count)));
            assert.ok(count === 10000 ? ["close:1009", "closed"].includes(got) : got === "reply-error" || got.startsWith("close:"), `${count}: ${got}`);
            assert.ok(ws.frames().filter(isText).length <= 1, `${count}: one answer at most`);
        });
    assert.ok((await bystander.request("subscriber.online")).result);
    await bystander.close();
});

test("H-118 peers that vanish at each step of a session leave nothing behind", async () => {
    const { token } = await mintToken(server, { reference: "gone@example.com" });
    const connect = rpc({ jsonrpc: "2.0", id: "1", method: "signalwire.connect", params: connectParams(token) });
    const refused = rpc({ jsonrpc: "2.0", id: "1", method: "signalwire.connect", params: connectParams("x.y.z") });
    const online = rpc({ jsonrpc: "2.0", id: "2", method: "subscriber.online", params: {} });
    for (const bytes of [Buffer.alloc(0), connect.subarray(0, 40), connect, Buffer.concat([connect, online]), refused,
        Buffer.concat([connect, closeFrame(1000)]), Buffer.concat([connect, connect, online, online])])
        for (const reset of [false, true])
            for (let i = 0; i < 10; i++) {
                const ws = await RawWebSocket.open(server);
                await ws.send(bytes);
                if (reset) ws.socket.resetAndDestroy(); else ws.close();
            }
    await server.settled(baseline.descriptors + 2);
});

test("H-118 parked sockets whose peers go away are let go at once", async () => {
    await server.settled(baseline.descriptors + 2);
    const before = server.descriptors();
    const list = [];
    for (let i = 0; i < 40; i++) {
        const session = await Session.open(server);
        assert.equal((await session.connect("x.y.z")).error.code, -32002);
        list.push(session);
    }
    assert.ok(server.descriptors() > before + 30, "while the peers are there, they are kept");
    for (const session of list) session.ws.terminate();
    await server.settled(before + 2);
});

await run({
    before: async () => {
        server = await startServer();
        impatient = await startServer({ env: { COATCHECK_CONNECT_TIMEOUT_S: PATIENCE_S, COATCHECK_PARK_S: PATIENCE_S, COATCHECK_PING_INTERVAL_S: String(PATIENCE_S / 2),
            COATCHECK_PING_TIMEOUT_S: PATIENCE_S, COATCHECK_PARKED_PER_ADDRESS_MAX: "4" } });
        await (await connected(server, (await mintToken(server, { reference: "warm@example.com" })).token)).close();
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await impatient.stop(); await server.stop(); },
});
