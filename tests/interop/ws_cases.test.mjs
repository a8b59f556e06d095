// ws_cases.test.mjs — the published catalogue of WebSocket cases (groups 1 to 7, 9 and 10), driven by us against
// tests/wsecho, which is the server's own frames over its own streams. A case is named by its id in the catalogue; what
// each sends and expects is written here from its description. The catalogue itself is not part of this repository: where
// it is found, every id of it must have a case here or a reason why not, and payloads must be those it describes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { frame, OPCODE } from "../harness/frames.mjs";
import { BINARY, REPOSITORY } from "../harness/server.mjs";
import { guarded, LIMIT_S, run, test } from "../harness/suite.mjs";
import { WsProbe } from "../harness/ws_probe.mjs";

const ECHO = path.join(path.dirname(BINARY), "tests/wsecho/wsecho");
const CATALOGUE = path.join(process.env.COATCHECK_VECTORS ?? path.join(REPOSITORY, "../shared/vectors"), "ws/autobahn_case_list.json");
const { CONTINUATION, TEXT, BINARY: BYTES, CLOSE, PING, PONG } = OPCODE;
const cases = new Map();     // id -> async (probe) => {}
const utf8Payloads = new Map(); // id -> hex, for comparison with the catalogue
const nonStrict = [];
let echo, port;

const hex = (text) => Buffer.from(text, "hex");
const part = (opcode, payload) => frame(opcode, payload, { fin: false });
const closing = (code, reason = "") => frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
const add = (id, body) => { assert.ok(!cases.has(id), id); cases.set(id, body); };

// Texts of characters of one to four bytes, bytes of every value.
const ALPHABET = Buffer.from("coat µ € 𝄞 ");
const textOf = (length) => Buffer.concat([Buffer.alloc(Math.floor(length / ALPHABET.length) * ALPHABET.length, ALPHABET),
    Buffer.alloc(length % ALPHABET.length, "x")]);
const bytesOf = (length) => Buffer.alloc(length, Buffer.from(Array.from({ length: 251 }, (_, i) => 255 - i)));
const payloadOf = (opcode, length) => (opcode === TEXT ? textOf(length) : bytesOf(length));
const nameOf = (opcode) => (opcode === TEXT ? "text" : "binary");

// The three ways a list of frames may be cut for the wire.
const WAYS = { together: (probe, frames) => probe.send(...frames), byFrame: (probe, frames) => probe.sendEach(...frames),
    byOctet: (probe, frames) => probe.sendChopped(1, ...frames) };

// Sends, sees each wanted [type, payload] in order, closes.
function echoes(id, frames, wanted, way = "together")
{
    add(id, async (probe) => {
        await WAYS[way](probe, frames);
        for (const [type, payload] of wanted) await probe.expect(type, payload);
        await probe.closeCleanly();
    });
}

// Sends, sees what is wanted, then the peer fails the connection and nothing more comes.
function fails(id, frames, { wanted = [], codes = [1002], way = "together", mayCut = true } = {})
{
    add(id, async (probe) => {
        await WAYS[way](probe, frames);
        for (const [type, payload] of wanted) await probe.expect(type, payload);
        await probe.expectClose(codes, { mayCut });
    });
}

// ---- 1 framing ----

for (const [group, opcode] of [["1.1", TEXT], ["1.2", BYTES]]) {
    [0, 125, 126, 127, 128, 65535, 65536].forEach((length, i) => {
        const payload = payloadOf(opcode, length);
        echoes(`${group}.${i + 1}`, [frame(opcode, payload)], [[nameOf(opcode), payload]]);
    });
    add(`${group}.8`, async (probe) => {
        const payload = payloadOf(opcode, 65536);
        await probe.sendChopped(997, frame(opcode, payload));
        await probe.expect(nameOf(opcode), payload);
        await probe.closeCleanly();
    });
}

// ---- 2 pings and pongs ----

const NO_TEXT = hex("00fffefdfcfb00ff"), LONGEST = Buffer.alloc(125, 0xfe);
const TEN = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
["", "Hello, world!", NO_TEXT, LONGEST].forEach((payload, i) => echoes(`2.${i + 1}`, [frame(PING, payload)], [["pong", payload]]));
fails("2.5", [frame(PING, Buffer.alloc(126, 0xfe))]);
echoes("2.6", [frame(PING, LONGEST)], [["pong", LONGEST]], "byOctet");
echoes("2.7", [frame(PONG)], []);
echoes("2.8", [frame(PONG, "unsolicited")], []);
echoes("2.9", [frame(PONG, "unsolicited"), frame(PING, "asked")], [["pong", "asked"]]);
echoes("2.10", TEN.map((payload) => frame(PING, payload)), TEN.map((payload) => ["pong", payload]));
echoes("2.11", TEN.map((payload) => frame(PING, payload)), TEN.map((payload) => ["pong", payload]), "byOctet");

// ---- 3 reserved bits ----

const SMALL = "Hello, world!", small = frame(TEXT, SMALL), smallEcho = [["text", SMALL]];
const reserved = (opcode, rsv, payload = SMALL) => frame(opcode, payload, { rsv });
fails("3.1", [reserved(TEXT, 1)]);
fails("3.2", [small, reserved(TEXT, 2), frame(PING)], { wanted: smallEcho });
fails("3.3", [small, reserved(TEXT, 3), frame(PING)], { wanted: smallEcho, way: "byFrame" });
fails("3.4", [small, reserved(TEXT, 4), frame(PING)], { wanted: smallEcho, way: "byOctet" });
fails("3.5", [reserved(BYTES, 5, NO_TEXT)]);
fails("3.6", [reserved(PING, 6)]);
fails("3.7", [reserved(CLOSE, 7, "")]);

// ---- 4 opcodes ----

for (const [group, first] of [["4.1", 3], ["4.2", 11]])
    for (let i = 0; i < 5; i++) {
        const bad = frame(first + i, i % 2 || i === 4 ? SMALL : "");
        if (i < 2) fails(`${group}.${i + 1}`, [bad]);
        else fails(`${group}.${i + 1}`, [small, bad, frame(PING)], { wanted: smallEcho });
    }

// ---- 5 fragmentation ----

const [A, B] = ["fragment1", "fragment2"], whole = [["text", A + B]];
const halves = [part(TEXT, A), frame(CONTINUATION, B)], around = [part(TEXT, A), frame(PING, "ping"), frame(CONTINUATION, B)];
const [together, byFrame, byOctet] = Object.keys(WAYS);
fails("5.1", [part(PING, A), frame(CONTINUATION, B)]);
fails("5.2", [part(PONG, A), frame(CONTINUATION, B)]);
[together, byFrame, byOctet].forEach((way, i) => {
    echoes(`5.${3 + i}`, halves, whole, way);
    echoes(`5.${6 + i}`, around, [["pong", "ping"], ...whole], way);
    fails(`5.${9 + i}`, [frame(CONTINUATION, "nothing to continue"), small], { way });
    fails(`5.${12 + i}`, [part(CONTINUATION, "nothing to continue"), small], { way });
});
fails("5.15", [...halves, part(CONTINUATION, "fragment3"), small], { wanted: whole });
fails("5.16", [part(CONTINUATION, "x"), ...halves, part(CONTINUATION, "x"), ...halves]);
fails("5.17", [frame(CONTINUATION, "x"), ...halves, frame(CONTINUATION, "x"), ...halves]);
fails("5.18", [part(TEXT, A), frame(TEXT, B)]);
for (const [id, way] of [["5.19", together], ["5.20", byFrame]])
    add(id, async (probe) => {
        const rest = ["fragment3", "fragment4", "fragment5"];
        await WAYS[way](probe, [part(TEXT, A), part(CONTINUATION, B), frame(PING, "pongme 1!")]);
        await probe.expect("pong", "pongme 1!"); // while the message is under way
        await WAYS[way](probe, [part(CONTINUATION, rest[0]), part(CONTINUATION, rest[1]), frame(PING, "pongme 2!"), frame(CONTINUATION,
            rest[2])]);
        await probe.expect("pong", "pongme 2!");
        await probe.expect("text", A + B + rest.join(""));
        await probe.closeCleanly();
    });

// ---- 6 UTF-8 ----

const GREETING = "Hello-µ@ßöäüàá-UTF-8!!", KOSME = hex("cebae1bdb9cf83cebcceb5"), BROKEN = Buffer.concat([KOSME,
    hex("eda080656469746564")]);
const inOctets = (bytes) => [...bytes].map((_, i, all) =>
    frame(i ? CONTINUATION : TEXT, bytes.subarray(i, i + 1), { fin: i === all.length - 1 }));
echoes("6.1.1", [frame(TEXT)], [["text", ""]]);
echoes("6.1.2", [part(TEXT), part(CONTINUATION), frame(CONTINUATION)], [["text", ""]]);
echoes("6.1.3", [part(TEXT), part(CONTINUATION, "middle frame payload"), frame(CONTINUATION)], [["text", "middle frame payload"]]);
echoes("6.2.1", [frame(TEXT, GREETING)], [["text", GREETING]]);
echoes("6.2.2", [part(TEXT, "Hello-µ@ßöä"), frame(CONTINUATION, "üàá-UTF-8!!")], [["text", GREETING]]);
echoes("6.2.3", inOctets(Buffer.from(GREETING)), [["text", GREETING]]);
echoes("6.2.4", inOctets(KOSME), [["text", KOSME]]);
fails("6.3.1", [frame(TEXT, BROKEN)], { codes: [1007] });
fails("6.3.2", inOctets(BROKEN), { codes: [1007] });

// To fail at the second part, before the third is sent, is better; to fail at the end is allowed and told.
async function failsFast(id, probe, second, third)
{
    await probe.send(second);
    const event = await probe.next({ within_s: LIMIT_S });
    if (event) {
        assert.equal(event.type, "close");
        assert.equal(event.code, 1007);
        return probe.expectEnd();
    }
    nonStrict.push(id);
    await probe.send(third);
    return probe.expectClose([1007], { mayCut: true });
}

const SPLITS = [["6.4.1", "6.4.3", KOSME, hex("f4908080"), Buffer.from("edited")],
    ["6.4.2", "6.4.4", Buffer.concat([KOSME, hex("f4")]), hex("90"), hex("8080656469746564")]];
for (const [framesId, chopsId, first, second, third] of SPLITS) {
    add(framesId, async (probe) => {
        await probe.send(part(TEXT, first), frame(PING, "alive?"));
        await probe.expect("pong", "alive?"); // the first frame is taken
        await failsFast(framesId, probe, part(CONTINUATION, second), frame(CONTINUATION, third));
    });
    add(chopsId, async (probe) => {
        const bytes = frame(TEXT, Buffer.concat([first, second, third])),
            head = bytes.length - first.length - second.length - third.length;
        const [from, to] = [head + first.length, head + first.length + second.length];
        await probe.send(bytes.subarray(0, from));
        await failsFast(chopsId, probe, bytes.subarray(from, to), bytes.subarray(to));
    });
}

// One payload a case, in one frame. Which of them are UTF-8 is the platform's own decoder's word.
const everyLast = (lead, tails) => tails.map((tail) => lead + tail);
const planes = ["f09f", "f0af", "f0bf", "f18f", "f19f", "f1af", "f1bf", "f28f", "f29f", "f2af", "f2bf", "f38f", "f39f", "f3af", "f3bf",
    "f48f"];
const range = (from, to, then = "") => Array.from({ length: to - from + 1 }, (_, i) => (from + i).toString(16).padStart(2,
    "0") + then).join("");
const SEQUENCES = {
    "6.5": ["68656c6c6f24776f726c64", "68656c6c6fc2a2776f726c64", "68656c6c6fe282ac776f726c64", "68656c6c6ff0a4ada2776f726c64",
        KOSME.toString("hex")],
    "6.6": Array.from(KOSME, (_, i) => KOSME.toString("hex", 0, i + 1)),
    "6.7": ["00", "c280", "e0a080", "f0908080"],
    "6.8": ["f888808080", "fc8480808080"],
    "6.9": ["7f", "dfbf", "efbfbf", "f48fbfbf"],
    "6.10": ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"],
    "6.11": ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf", "f4908080"],
    "6.12": ["80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", range(0x80, 0xbe)],
    "6.13": [range(0xc0, 0xde, "20"), range(0xe0, 0xee, "20"), range(0xf0, 0xf6, "20"), range(0xf8, 0xfa, "20"), "fc20"],
    "6.14": ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"],
    "6.15": ["c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"],
    "6.16": ["fe", "ff", "fefeffff"],
    "6.17": ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"],
    "6.18": ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"],
    "6.19": ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"],
    "6.20": ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"],
    "6.21": ["eda080", "edadbf", "edae80", "edafbf"].flatMap((lead) => everyLast(lead, ["edb080", "edbfbf"])),
    "6.22": ["efbfbe", "efbfbf", ...planes.flatMap((plane) => everyLast(plane, ["bfbe", "bfbf"]))],
    "6.23": ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"],
};

function isUtf8(bytes)
{
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) !== undefined;
    } catch {
        return false;
    }
}

for (const [group, payloads] of Object.entries(SEQUENCES))
    payloads.forEach((payload, i) => {
        const id = `${group}.${i + 1}`, bytes = hex(payload);
        utf8Payloads.set(id, payload);
        if (isUtf8(bytes)) echoes(id, [frame(TEXT, bytes)], [["text", bytes]]);
        else fails(id, [frame(TEXT, bytes)], { codes: [1007] });
    });

// ---- 7 closing ----

// Sends; one close frame with one of the codes comes, and nothing after it.
const closes = (id, frames, codes, options = {}) => fails(id, frames, { codes, mayCut: false, ...options });
const bare = closing(1000), LONG = textOf(256 * 1024);
closes("7.1.1", [small, bare], [1000], { wanted: smallEcho });
closes("7.1.2", [bare, bare], [1000]);
closes("7.1.3", [bare, frame(PING)], [1000]);
closes("7.1.4", [bare, small], [1000]);
closes("7.1.5", [part(TEXT, A), bare, frame(CONTINUATION, B)], [1000]);
closes("7.1.6", [frame(TEXT, LONG), bare, frame(PING)], [1000], { wanted: [["text", LONG]] });
closes("7.3.1", [frame(CLOSE)], [1000]);
fails("7.3.2", [frame(CLOSE, "a")]);
closes("7.3.3", [bare], [1000]);
closes("7.3.4", [closing(1000, "Hello World!")], [1000]);
closes("7.3.5", [closing(1000, "*".repeat(123))], [1000]);
fails("7.3.6", [closing(1000, "*".repeat(124))]);
fails("7.5.1", [closing(1000, BROKEN)], { codes: [1002, 1007] });
[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
    .forEach((code, i) => closes(`7.7.${i + 1}`, [closing(code)], [code]));
[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].forEach((code, i) => fails(`7.9.${i + 1}`, [closing(code)]));
[5000, 65535].forEach((code, i) => fails(`7.13.${i + 1}`, [closing(code)], { codes: [1000, 1002, code] }));

// ---- 9 limits ----

const K = 1024, M = K * K;

function bigEcho(id, opcode, length, send)
{
    add(id, async (probe) => {
        const payload = payloadOf(opcode, length);
        await Promise.all([send(probe, payload), probe.expect(nameOf(opcode), payload)]);
        await probe.closeCleanly();
    });
}

function inFragments(opcode, payload, size)
{
    const count = Math.ceil(payload.length / size);
    return Array.from({ length: count }, (_, i) =>
        frame(i ? CONTINUATION : opcode, payload.subarray(i * size, (i + 1) * size), { fin: i === count - 1 }));
}

[TEXT, BYTES].forEach((opcode, i) => {
    [64 * K, 256 * K, M, 4 * M, 8 * M, 16 * M].forEach((length, n) =>
        bigEcho(`9.${1 + i}.${n + 1}`, opcode, length, (probe, payload) => probe.send(frame(opcode, payload))));
    [64, 256, K, 4 * K, 16 * K, 64 * K, 256 * K, M, 4 * M].forEach((size, n) =>
        bigEcho(`9.${3 + i}.${n + 1}`, opcode, 4 * M, (probe, payload) => probe.send(...inFragments(opcode, payload, size))));
    [64, 128, 256, 512, K, 2 * K].forEach((size, n) =>
        bigEcho(`9.${5 + i}.${n + 1}`, opcode, M, (probe, payload) => probe.sendChopped(size, frame(opcode, payload))));
    [0, 16, 64, 256, K, 4 * K].forEach((length, n) => add(`9.${7 + i}.${n + 1}`, async (probe) => {
        const payload = payloadOf(opcode, length);
        for (let round = 0; round < 1000; round++) {
            await probe.send(frame(opcode, payload));
            await probe.expect(nameOf(opcode), payload);
        }
        await probe.closeCleanly();
    }));
});

// ---- 10 fragments of the sender's own choice ----

add("10.1.1", async (probe) => {
    const payload = textOf(65536), frames = inFragments(TEXT, payload, 1300);
    assert.equal(frames.length, 51);
    await probe.send(...frames);
    await probe.expect("text", payload);
    await probe.closeCleanly();
});

// ---- past the limit: no case of the catalogue, but the echo's only one of its own ----

test("one byte more than 16 MiB is refused at the frame's head", async () => {
    const probe = await WsProbe.open(port);
    const head = Buffer.alloc(10);
    head[0] = 0x80 | BYTES;
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(16 * M + 1), 2);
    await probe.send(head);
    await probe.expectClose([1009]);
});

// ---- the catalogue ----

const REASONS = { 12: "permessage-deflate is not offered", 13: "permessage-deflate is not offered" };

function readCatalogue()
{
    if (!fs.existsSync(CATALOGUE)) {
        console.log("not found: ws/autobahn_case_list.json (the ids below are our own list)");
        return undefined;
    }
    return JSON.parse(fs.readFileSync(CATALOGUE)).cases;
}

const catalogue = readCatalogue();

test("every case of the catalogue is here, or told why not", () => {
    const count = (groups) => [...cases.keys()].filter((id) => groups.includes(Number(id.split(".")[0]))).length;
    assert.equal(count([1, 2, 3, 4, 5, 6, 7, 10]), 247);
    assert.equal(count([9]), 54);
    if (!catalogue) return;
    const ids = new Set(catalogue.map(({ id }) => id)), left = new Map();
    for (const id of ids) {
        if (cases.has(id)) continue;
        const reason = REASONS[id.split(".")[0]];
        assert.ok(reason, `${id} has no case here`);
        left.set(reason, [...(left.get(reason) ?? []), id]);
    }
    for (const [reason, names] of left) console.log(`     not run, ${reason}: ${names.length} cases\n       ${names.join(" ")}`);
    for (const id of cases.keys()) assert.ok(ids.has(id), `${id} is no case of the catalogue`);
});

test("payloads of group 6 are those that the catalogue describes", () => {
    let compared = 0;
    for (const { id, description, expectation } of catalogue ?? []) {
        const told = description.match(/Payload: 0x([0-9a-f]+)/)?.[1];
        if (!told) continue;
        assert.ok(utf8Payloads.get(id)?.startsWith(told), id); // long ones are cut in the catalogue
        assert.equal(isUtf8(hex(utf8Payloads.get(id))), expectation.includes("echo"), id);
        compared++;
    }
    if (catalogue) assert.equal(compared, utf8Payloads.size);
});

for (const [id, body] of [...cases])
    test(`case ${id}`, async () => {
        const probe = await WsProbe.open(port);
        try {
            await body(probe);
        } finally {
            probe.cut();
        }
    });

test("cases that passed only because late failure is allowed", () => {
    console.log(`     non-strict: ${nonStrict.join(" ") || "none"}`);
    assert.ok(nonStrict.every((id) => id.startsWith("6.4.")));
});

// ---- the peer ----

async function start()
{
    echo = spawn(ECHO, ["0"], { stdio: ["ignore", "pipe", "inherit"] });
    process.on("exit", () => echo.kill("SIGKILL"));
    echo.ended = new Promise((resolve) => echo.once("close", (code, signal) => resolve({ code, signal })));
    const [line] = await guarded(new Promise((resolve, reject) => {
        readline.createInterface({ input: echo.stdout }).once("line", (text) => resolve([text]));
        echo.once("error", reject);
        echo.ended.then(() => reject(new Error("the echo ended before it said its port")));
    }), 20, "the echo's port");
    port = Number(new URL(line).port);
}

async function stop()
{
    echo.kill("SIGTERM");
    assert.deepEqual(await guarded(echo.ended, LIMIT_S, "exit after SIGTERM"), { code: 0, signal: null });
}

await run({ before: start, after: stop });
