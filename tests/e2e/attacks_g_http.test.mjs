// attacks_g_http.test.mjs — broken and hostile HTTP on the live port, whole and in drops. Names begin with the number of
// the case. The raw requests are tests/vectors/http/own_raw_requests.json; its legend says what accept, reject and
// either mean. A sentinel request sent after an answer shows where the server believes the next request begins.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { collidingNames, SlowCrowd } from "../harness/crowd.mjs";
import { call, INFO, JWKS, mint, mintToken, TOKENS } from "../harness/http.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { connected } from "../harness/session.mjs";
import { BINARY, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { vectors } from "../harness/vectors.mjs";

const REFUSALS = [400, 405, 411, 413, 414, 417, 421, 431, 501, 505];
const JSON_TYPE = { "content-type": "application/json" };
let server, baseline;

const closed = (raw, what) => raw.until((s) => s.isClosed, what);

async function withSocket(body)
{
    const raw = new RawSocket(server.port);
    await raw.connected;
    try {
        return await body(raw);
    } finally {
        raw.close();
    }
}

// Sends the bytes; when an answer has come and the connection still stands, asks one clean question to close it.
async function exchange(bytes, { dribbled = false } = {})
{
    return withSocket(async (raw) => {
        await (dribbled ? raw.dribble(bytes) : raw.send(bytes));
        await raw.until((s) => s.isClosed || responses(s.read).list.length, "an answer or the end");
        const stood = !raw.isClosed && /^connection: *close/im.test(responses(raw.read).list.at(-1)?.head ?? "") === false;
        if (stood) await raw.send(`GET ${JWKS} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);
        await closed(raw, "the end of the connection");
        return { answers: responses(raw.read).list, stood };
    });
}

function filled(vector)
{
    const path = Buffer.from(vector.raw_b64, "base64").toString("latin1").startsWith("POST") ? TOKENS : JWKS;
    return Buffer.from(Buffer.from(vector.raw_b64, "base64").toString("latin1").replaceAll("{PATH}", path)
        .replaceAll("{HOST}", server.host), "latin1");
}

async function follows(vector, dribbled)
{
    const label = `${vector.id}${dribbled ? " in drops" : ""}`;
    const { answers, stood } = await exchange(filled(vector), { dribbled });
    const own = answers.length - (stood && answers.length > 1 ? 1 : 0);
    assert.ok(own <= vector.max_responses, `${label}: ${own} answers`);
    const first = answers[0];
    if (vector.expect === "reject") {
        if (vector.id === "dotdot" || vector.group === "request-line" && first?.status === 404) return; // a path of ours that is not
        assert.ok(!first || REFUSALS.includes(first.status), `${label}: ${first?.head}`);
        assert.ok(!stood, `${label}: the connection must be closed`);
    }
    if (vector.expect === "accept") assert.ok(first && first.status < 500 && first.status !== 408, `${label}: ${first?.head}`);
}

for (const [number, group] of [["89", "framing"], ["91", "chunk"], ["92", "header"], ["92", "host"], ["92", "request-line"],
    ["95", "pipeline"]])
    for (const dribbled of [false, true])
        test(`G-${number} raw requests, ${group}, ${dribbled ? "in drops" : "whole"}`, async () => {
            const cases = vectors("http/own_raw_requests.json").filter((vector) => vector.group === group);
            assert.ok(cases.length > 0);
            for (const vector of cases) await follows(vector, dribbled);
            assert.ok(!server.logs.some((line) => line.includes("smuggled=1")), "no hidden request reached a handler");
        });

async function rejected(text, label, statuses = REFUSALS)
{
    const { answers, stood } = await exchange(Buffer.from(text, "latin1"));
    assert.ok(answers.length <= 1, `${label}: ${answers.length} answers`);
    if (answers.length) assert.ok(statuses.includes(answers[0].status), `${label}: ${answers[0].head}`);
    assert.ok(!stood, `${label}: the connection must be closed`);
    return answers[0];
}

const post = (fields, body = "{}") => `POST ${TOKENS} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/json\r\n`
    + `Authorization: ${server.basic}\r\n${fields}\r\n${body}`;
const get = (fields, target = JWKS) => `GET ${target} HTTP/1.1\r\nHost: ${server.host}\r\n${fields}\r\n`;
const hidden = () => `GET ${JWKS}?hidden=1 HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`;

test("G-89 both lengths, two lengths, lists, signs, hex, overflow", async () => {
    const chunked = "Transfer-Encoding: chunked\r\n";
    await rejected(post(`Content-Length: 4\r\n${chunked}`, `0\r\n\r\n${hidden()}`), "both, length first");
    await rejected(post(`${chunked}Content-Length: 4\r\n`, `0\r\n\r\n${hidden()}`), "both, coding first");
    await rejected(post("Content-Length: 2\r\nContent-Length: 3\r\n", `{}${hidden()}`), "two lengths");
    for (const value of ["2, 2", "2,3", "+2", "-2", "0x2", "2 2", "2;", "1e1", "", " ", "٢", "18446744073709551618", "4294967298", "2.0", "2\u000b"])
        await rejected(post(`Content-Length: ${value}\r\n`), `Content-Length ${JSON.stringify(value)}`);
    assert.ok(!server.logs.some((line) => line.includes("hidden=1")));
});

test("G-90 transfer coding not exactly chunked, twice, in 1.0, folded, space before the colon", async () => {
    for (const field of ["Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \u000bchunked", " Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip", "Transfer-Encoding:"])
        await rejected(post(`${field}\r\n`, "2\r\n{}\r\n0\r\n\r\n"), JSON.stringify(field));
    await rejected(post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"), "in 1.0");
    const fine = await exchange(Buffer.from(post("Transfer-Encoding: cHuNkEd\r\nConnection: close\r\n", "2\r\n{}\r\n0\r\n\r\n")));
    assert.equal(fine.answers[0].status, 422, "case is free, as RFC 9112 §7 says");
});

test("G-91 chunk sizes and trailers", async () => {
    const chunked = (body) => post("Transfer-Encoding: chunked\r\n", body);
    const bodies = ["+2\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "0x2\r\n{}\r\n0\r\n\r\n", "2_0\r\n{}\r\n0\r\n\r\n", " 2\r\n{}\r\n0\r\n\r\n",
        "2 \r\n{}\r\n0\r\n\r\n", "\r\n{}\r\n0\r\n\r\n", "ffffffffffffffff\r\n{}", "10000000000000002\r\n{}\r\n0\r\n\r\n", "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n", "2\r\n{}\n0\r\n\r\n", "2\r\n{}\r\n0\n\n", "2;a\nb\r\n{}\r\n0\r\n\r\n", "2;a\rb\r\n{}\r\n0\r\n\r\n",
        `2;${"x".repeat(20000)}\r\n{}\r\n0\r\n\r\n`, `2\r\n{}\r\n0\r\n${"X: y\r\n".repeat(5000)}\r\n`, "2\r\n{}\r\n0\r\nX y\r\n\r\n"];
    for (const body of bodies) await rejected(chunked(body), JSON.stringify(body.slice(0, 24)));
});

test("G-91 a chunked body above the limit is 413, however small its chunks", async () => {
    const bytes = Buffer.from(post("Transfer-Encoding: chunked\r\n", "400\r\n" + "x".repeat(1024) + "\r\n"));
    await withSocket(async (raw) => {
        await raw.send(bytes);
        const piece = Buffer.from(`400\r\n${"x".repeat(1024)}\r\n`);
        for (let i = 0; i < 4096 && !raw.isClosed && !responses(raw.read).list.length; i++) await raw.send(piece);
        await closed(raw, "the end");
        const [answer] = responses(raw.read).list;
        if (answer) assert.equal(answer.status, 413);
    });
});

test("G-92 bare LF and CR, NUL, folding, bad names, Host missing, double, malformed", async () => {
    const heads = { "bare LF": get("X: y\n"), "all bare LF": get("").replaceAll("\r\n", "\n"), "bare CR": get("X: a\rb\r\n"),
        "NUL in value": get("X: a\0b\r\n"), "NUL in name": get("X\0: a\r\n"), "folded": get("X: a\r\n b\r\n"), "tab folded": get("X: a\r\n\tb\r\n"),
        "space in name": get("X y: a\r\n"), "empty name": get(": a\r\n"), "no colon": get("Xy\r\n"), "parenthesis": get("X(: a\r\n"),
        "high byte in name": get("X\xff: a\r\n"), "space before colon": get("X : a\r\n"), "leading space": get(" X: a\r\n"),
        "no host": `GET ${JWKS} HTTP/1.1\r\n\r\n`, "two hosts": get(`Host: ${server.host}\r\n`), "other two hosts": get("host: evil.test\r\n"),
        "host with path": `GET ${JWKS} HTTP/1.1\r\nHost: ${server.host}/x\r\n\r\n`, "host with user": `GET ${JWKS} HTTP/1.1\r\nHost: a@b\r\n\r\n`,
        "host with space": `GET ${JWKS} HTTP/1.1\r\nHost: a b\r\n\r\n`, "host with comma": `GET ${JWKS} HTTP/1.1\r\nHost: a,b\r\n\r\n` };
    for (const [label, head] of Object.entries(heads)) await rejected(head, label);
});

test("G-92 bytes refused before they have a head are answered from nothing that lay in memory", async () => {
    const env = { COATCHECK_LOOPS: "1", MALLOC_PERTURB_: "85", ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ""}:max_malloc_fill_size=1000000` };
    const filled = await startServer({ env });
    for (const bytes of ["GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\n bad: x\r\n\r\n"]) {
        const raw = new RawSocket(filled.port);
        await raw.connected;
        await raw.send(bytes);
        await closed(raw, "the end of the connection");
        const [answer] = responses(raw.read).list;
        assert.ok(REFUSALS.includes(answer?.status), bytes);
        assert.doesNotMatch(answer.head, /^access-control-/im, bytes);
    }
    await filled.stop();
});

test("G-93 101 fields, a head above 16 KiB, a target above 8 KiB", async () => {
    const many = await rejected(get(Array.from({ length: 101 }, (_, i) => `X-${i}: y\r\n`).join("")), "102 fields", [431]);
    assert.ok(many, "an answer, not only a close");
    await rejected(get(`X: ${"y".repeat(17000)}\r\n`), "17 kB head", [431]);
    await rejected(get("", `/${"a".repeat(9000)}`), "9 kB target", [414]);
});

test("G-97 a length of 1 TiB is refused at once; Expect with a bad credential gets no 100", async () => {
    await rejected(post("Content-Length: 1099511627776\r\n", "{}"), "1 TiB", [413]);
    await withSocket(async (raw) => {
        await raw.send(`POST ${TOKENS} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n`
            + "Authorization: Basic eDp5\r\nExpect: 100-continue\r\n\r\n");
        await raw.until((s) => s.isClosed || responses(s.read).list.length, "an answer");
        assert.equal(responses(raw.read).list[0]?.status, 401);
        assert.ok(!raw.read.includes("100 Continue"), "no invitation to send a body nobody wants");
    });
});

test("G-98 large bodies, deep bodies, many members", async () => {
    const large = await mint(server, `{"reference":"${"x".repeat(1024 * 1024)}"}`, JSON_TYPE).catch((error) => error);
    assert.ok(large.status === 413 || ["EPIPE", "ECONNRESET"].includes(large.code), String(large.status ?? large.code));
    const deep = (depth) => `{"reference":"deep@example.com","x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    assert.equal((await mint(server, deep(31), JSON_TYPE)).status, 200, "32 deep is fine");
    assert.equal((await mint(server, deep(32), JSON_TYPE)).status, 400, "33 deep");
    assert.equal((await mint(server, deep(7000), JSON_TYPE)).status, 400, "7 000 deep");
    assert.ok([400, 413].includes((await mint(server, "[".repeat(15000), JSON_TYPE)).status));
    assert.ok([400, 413].includes((await mint(server, '{"a":'.repeat(3000), JSON_TYPE)).status));
    const members = Array.from({ length: 1200 }, (_, i) => `"m${i}":1`).join(",");
    assert.equal((await mint(server, `{"reference":"many@example.com",${members}}`, JSON_TYPE)).status, 200);
});

// Whoever knew the seed of the tables could choose names that all fall into one bucket of them: these do, under 0.
test("G-98 names chosen for one bucket, and a hundred thousand of them", async () => {
    const names = collidingNames(1200, 0, 11), body = (list) => `{"reference":"bucket@example.com",${list.map((name) => `"${name}":1`).join(",")}}`;
    assert.ok(body(names).length < 16384);
    const before = server.residentKiB();
    const { token } = (await mint(server, body(names), JSON_TYPE)).json;
    for (let i = 0; i < 50; i++) assert.equal((await mint(server, body(names), JSON_TYPE)).status, 200);
    assert.equal((await mint(server, body([...names, names[600]]), JSON_TYPE)).status, 400, "and a name given twice is still found");
    const session = await connected(server, token); // a message may be 64 KiB
    for (let i = 0; i < 20; i++) assert.ok((await session.request("subscriber.online", Object.fromEntries(names.map((name) => [name, name])))).result);
    await session.close();
    const wide = body(Array.from({ length: 100000 }, (_, i) => `m${i}`));
    const large = await mint(server, wide, JSON_TYPE).catch((error) => error);
    assert.ok(large.status === 413 || ["EPIPE", "ECONNRESET"].includes(large.code), String(large.status ?? large.code));
    const grown = server.residentKiB() - before;
    if (!server.isSanitized()) assert.ok(grown < 8192, `resident memory grew by ${grown} KiB`);
});

test("G-99 no body is ever read as another value than it has", async () => {
    for (const vector of vectors("own/json_security.json")) {
        const body = Buffer.from(vector.text_b64, "base64");
        const answer = await mint(server, body, JSON_TYPE).catch((error) => ({ status: error.code }));
        const allowed = { accept: [200, 400, 422], reject: [400, 413, 422], either: [200, 400, 422] }[vector.expect];
        assert.ok(allowed.includes(answer.status), `${vector.id}: ${answer.status} ${answer.text}`);
        if (vector.expect === "accept" && vector.text_b64.startsWith("ey"))
            assert.notEqual(answer.status, 400, `${vector.id}: well-formed, refused for what it says only`);
    }
    for (const body of ['{"reference":"a","reference":"b"}', '{"reference":"a","\\u0072eference":"b"}', '\ufeff{"reference":"a"}',
        '{"reference":"a"} x', '{"reference":"a"}{}', Buffer.from([...Buffer.from('{"reference":"'), 0xff, ...Buffer.from('"}')])])
        assert.equal((await mint(server, body, JSON_TYPE)).status, 400, String(body));
});

test("G-100 TRACE, CONNECT, lower case, unknown methods, overrides", async () => {
    for (const method of ["TRACE", "CONNECT", "get", "Get", "PROPFIND", "G", "X".repeat(40)]) {
        const { answers } = await exchange(Buffer.from(`${method} ${JWKS} HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`));
        assert.ok(!answers.length || [400, 405, 501].includes(answers[0].status), `${method}: ${answers[0]?.head}`);
        assert.ok(!answers.some((answer) => answer.body.includes("Host:")), "nothing is echoed");
    }
    const { token } = await mintToken(server, { reference: "override@example.com" });
    for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]) {
        const answer = await call(server, "GET", INFO, { headers: { authorization: `Bearer ${token}`, [name]: "DELETE" } });
        assert.equal(answer.status, 200, name);
        assert.equal((await call(server, "GET", `${INFO}?_method=POST`, { headers: { authorization: `Bearer ${token}` } })).status, 200);
    }
});

test("G-101 paths that climb never leave, and no file is served", async () => {
    for (const target of ["/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%252e%252e/etc/passwd", "/..\\..\\etc\\passwd",
        "/.well-known/../../etc/passwd", "//etc/passwd", "/%00/etc/passwd", "/.well-known/jwks.json%00", "/.well-known/./jwks.json",
        "/%2ewell-known/jwks.json", "/api/fabric/../fabric/subscriber/info"]) {
        const { answers } = await exchange(Buffer.from(get("Connection: close\r\n", target)));
        assert.ok(!answers.length || [400, 404].includes(answers[0].status), `${target}: ${answers[0]?.head}`);
        assert.ok(!answers.some((answer) => answer.body.includes("root:")), target);
    }
});

test("G-102 ranges, conditions and endless Accept fields get the whole answer once, or a refusal", async () => {
    for (const target of [JWKS, "/", "/dev/dev.js"]) {
        const whole = await call(server, "GET", target);
        for (const range of ["bytes=0-0", "bytes=-1", "bytes=0-", `bytes=${Array(1000).fill("0-").join(",")}`, "bytes=9999999999-", "x"])
            for (const more of [{}, { "if-range": "*" }, { "if-none-match": "*" }, { "if-none-match": '"x"' }, { accept: "a/b,".repeat(2000) }]) {
                const answer = await call(server, "GET", target, { headers: { range, ...more } });
                assert.deepEqual([answer.status, answer.text], [200, whole.text], `${target} ${range.slice(0, 20)}`);
                assert.equal(answer.headers["content-range"], undefined);
            }
    }
});

test("G-103 after an error the next bytes are not parsed", async () => {
    const broken = Buffer.from(`GET ${JWKS} HTTP/1.1\r\nHost: ${server.host}\r\nX : y\r\n\r\n${hidden()}${hidden()}`);
    const { answers } = await exchange(broken);
    assert.ok(answers.length <= 1);
    if (answers.length) assert.match(answers[0].head, /^connection: *close/im);
});

test("G-104 CR and LF never reach a header of an answer", async () => {
    const evil = "x\r\nSet-Cookie: a=b";
    const { token } = await mintToken(server, { reference: "g104@example.com" });
    const answers = [await mint(server, { reference: evil }), await mint(server, { reference: "g104@example.com", display_name: evil }),
        await call(server, "GET", INFO, { headers: { authorization: `Bearer ${token}` } }),
        await call(server, "GET", `/api/fabric/addresses?name=${encodeURIComponent(evil)}`, { headers: { authorization: `Bearer ${token}` } }),
        await call(server, "GET", "/x%0d%0aSet-Cookie:%20a=b"), await call(server, "GET", `${INFO}?%0d%0aSet-Cookie:%20a=b`)];
    for (const answer of answers) assert.equal(answer.headers["set-cookie"], undefined, answer.text);
    for (const origin of ["http://localhost\rSet-Cookie: a=b", "http://localhost\nSet-Cookie: a=b", "http://localhost\u0000"]) {
        const { answers: raw } = await exchange(Buffer.from(get(`Origin: ${origin}\r\nConnection: close\r\n`, INFO), "latin1"));
        assert.ok(!raw.some((answer) => /set-cookie/i.test(answer.head)), JSON.stringify(origin));
    }
});

test("G-93 500 connections with unfinished heads cost at most 32 KiB each", async () => {
    const before = server.residentKiB();
    const list = await Promise.all(Array.from({ length: 500 }, async () => {
        const raw = new RawSocket(server.port);
        await raw.connected;
        await raw.send(`GET ${JWKS} HTTP/1.1\r\nHost: ${server.host}\r\nX: ${"y".repeat(14000)}`);
        return raw;
    }));
    assert.equal((await call(server, "GET", "/healthz")).status, 200, "and others are served meanwhile");
    const grown = server.residentKiB() - before;
    for (const raw of list) raw.close();
    console.log(`     ${Math.round(grown / 500)} KiB a connection`);
    if (!server.isSanitized()) assert.ok(grown / 500 <= 32, `${grown / 500} KiB`);
    await server.settled(baseline.descriptors + 2);
});

test("G-94 a head or a body that never ends is cut by 408 or a close", async () => {
    const impatient = await startServer({ env: { COATCHECK_HEAD_TIMEOUT_S: "1", COATCHECK_BODY_TIMEOUT_S: "1", COATCHECK_IDLE_TIMEOUT_S: "1" } });
    const head = `POST ${TOKENS} HTTP/1.1\r\nHost: ${impatient.host}\r\nContent-Type: application/json\r\n`;
    const starts = { "nothing": "", "half a line": "GET /", "half a head": head, "no body": `${head}Content-Length: 10\r\n\r\n`,
        "half a body": `${head}Content-Length: 10\r\n\r\n{`, "half a chunk": `${head}Transfer-Encoding: chunked\r\n\r\na\r\n{`,
        "idle after an answer": `GET ${JWKS} HTTP/1.1\r\nHost: ${impatient.host}\r\n\r\n` };
    await Promise.all(Object.entries(starts).map(async ([label, text]) => {
        const raw = new RawSocket(impatient.port);
        await raw.connected;
        await raw.send(text);
        const drip = setInterval(() => label.startsWith("half") && raw.send("x"), 200); // one byte at a time keeps nothing alive
        await closed(raw, label);
        clearInterval(drip);
        const last = responses(raw.read).list.at(-1);
        assert.ok(!last || last.status === 408 || last.status === 200 || last.status === 400 || last.status === 401, `${label}: ${last?.head}`);
    }));
    await impatient.stop();
});

test("G-94 three hundred slow clients: each is cut, nobody else notices, and nothing of them stays", async () => {
    const impatient = await startServer({ env: { COATCHECK_HEAD_TIMEOUT_S: "6", COATCHECK_BODY_TIMEOUT_S: "6", COATCHECK_LOOPS: "2" } });
    const live = await connected(impatient, (await mintToken(impatient, { reference: "g94@example.com" })).token);
    const before = await impatient.baseline();
    const crowd = new SlowCrowd(impatient.port, 300, { everyMs: 100 });
    await crowd.arrived;
    for (let i = 0; crowd.cut < 600; i++) { // every one of them twice
        await mintToken(impatient, { reference: `g94-${i % 20}@example.com` });
        assert.ok((await live.request(i % 2 ? "subscriber.offline" : "subscriber.online")).result);
    }
    assert.equal(crowd.refused, 0);
    assert.ok(crowd.answered > 0, "a request that began is told 408");
    await crowd.stop();
    await live.close();
    await impatient.assertSound(before);
    await impatient.stop();
});

test("G-96 a client that never reads makes no memory", async () => {
    const before = server.residentKiB();
    await withSocket(async (raw) => {
        raw.socket.pause();
        const many = Buffer.from(get("").repeat(500));
        let sent = 0, stalled = false;
        while (!raw.isClosed && !stalled && sent < 200) {
            stalled = !(await Promise.race([raw.send(many).then(() => true), call(server, "GET", "/healthz").then(() => call(server, "GET",
                "/healthz")).then(() => raw.socket.writableLength === 0)]));
            sent++;
        }
        assert.equal((await call(server, "GET", "/healthz")).status, 200);
        const grown = server.residentKiB() - before;
        console.log(`     ${sent * 500} requests sent, resident grew ${grown} KiB`);
        if (!server.isSanitized()) assert.ok(grown < 4096, `${grown} KiB`);
    });
});

test("G-95 slow and quick requests in one pipeline are answered in order", async () => {
    const body = (n) => `{"reference":"pipeline-${n}@example.com","password":"takes-a-while"}`;
    const slow = (n, more = "") => `POST ${TOKENS} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/json\r\nAuthorization: `
        + `${server.basic}\r\nContent-Length: ${body(n).length}\r\n${more}\r\n${body(n)}`;
    await withSocket(async (raw) => {
        const asked = [slow(1), get(""), slow(2), get("", "/nothing"), slow(3, "Expect: 100-continue\r\n"), get("Connection: close\r\n", "/healthz")];
        await raw.send(asked.join(""));
        await closed(raw, "the last answer");
        const { list } = responses(raw.read);
        assert.deepEqual(list.map((answer) => answer.status), [200, 200, 200, 404, 200, 200]);
        assert.deepEqual(list.map((answer) => "subscriber_id" in JSON.parse(answer.body)), [true, false, true, false, true, false]);
    });
});

test("G-95 peers that vanish in the middle of an answer hurt nobody", async () => {
    const { token } = await mintToken(server, { reference: "stays@example.com" });
    for (let round = 0; round < 10; round++) {
        const list = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
            const raw = new RawSocket(server.port);
            await raw.connected;
            const text = `{"reference":"gone-${round}-${i}@example.com"${i % 5 ? "" : ',"password":"takes-a-while"'}}`;
            await raw.send(`POST ${TOKENS} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/json\r\nAuthorization: `
                + `${server.basic}\r\nContent-Length: ${text.length}\r\n\r\n${text}${get("").repeat(i)}`);
            return raw;
        }));
        for (const [i, raw] of list.entries()) if (i % 2) raw.close(); else raw.socket.resetAndDestroy();
        assert.equal((await call(server, "GET", INFO, { headers: { authorization: `Bearer ${token}` } })).status, 200);
    }
    await server.settled(baseline.descriptors + 2);
});

test("I-124 at the limit of descriptors accepting pauses, sessions go on, and it recovers", async () => {
    const folder = temporaryFolder(), binary = path.join(folder, "limited");
    fs.writeFileSync(binary, `#!/bin/sh\nulimit -n 64\nexec '${BINARY}' "$@"\n`, { mode: 0o755 });
    const limited = await startServer({ binary });
    const live = await connected(limited, (await mintToken(limited, { reference: "i124@example.com" })).token);
    const list = await Promise.all(Array.from({ length: 150 }, async () => {
        const raw = new RawSocket(limited.port);
        await raw.connected;
        return raw;
    }));
    assert.ok((await live.request("subscriber.online")).result);
    for (const raw of list) raw.close();
    assert.equal((await call(limited, "GET", "/healthz")).status, 200);
    await mintToken(limited, { reference: "i124-after@example.com" });
    await live.close();
    await limited.stop();
    fs.rmSync(folder, { recursive: true });
});

// Until the server has nothing left to answer but these questions.
async function answersPause()
{
    const { admin_url, admin_token } = server.contract;
    for (let last = 0, quiet = 0; quiet < 20;) {
        const answer = await fetch(`${admin_url}/metrics`, { headers: { authorization: `Bearer ${admin_token}` } });
        const total = Number((await answer.text()).match(/^coatcheck_http_requests_total (\d+)$/m)[1]);
        quiet = total === last + 1 ? quiet + 1 : 0;
        last = total;
    }
}

// How much the kernel takes is its own affair, so the length is tried upwards. What is kept beyond it is at most 256 KiB:
// more than that may be cut off, less never.
test("G-95 a peer that reads only after its last request gets every answer up to the cap", async () => {
    for (let count = 1000; count <= 12000; count += 500) {
        const socket = net.connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
        await once(socket, "connect");
        socket.pause();
        socket.end(get("").repeat(count));
        await once(socket, "finish");
        await answersPause();
        const parts = [], ended = new Promise((resolve) => socket.once("close", resolve));
        socket.on("error", () => {});
        socket.on("data", (part) => parts.push(part));
        socket.resume();
        await ended;
        const bytes = Buffer.concat(parts), { list } = responses(bytes);
        const missing = count * Math.ceil(bytes.length / list.length) - bytes.length;
        assert.ok(missing < list.length || missing > 200 * 1024, `${count - list.length} of ${count} answers, ${missing} bytes`);
    }
});

test("G-95 a thousand pipelined requests are answered in order", async () => {
    const targets = [JWKS, "/healthz", "/nothing"];
    const wanted = [200, 200, 404];
    await withSocket(async (raw) => {
        const asked = Array.from({ length: 999 }, (_, i) => get("", targets[i % 3])).join("");
        const sending = raw.send(`${asked}GET ${JWKS} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);
        await closed(raw, "the last answer");
        await sending;
        const { list, rest } = responses(raw.read);
        assert.equal(rest, 0);
        assert.deepEqual(list.map((answer) => answer.status), Array.from({ length: 1000 }, (_, i) => (i === 999 ? 200 : wanted[i % 3])));
    });
});

await run({
    before: async () => {
        server = await startServer();
        await mintToken(server, { reference: "warm@example.com" });
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
