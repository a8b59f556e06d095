// wire_test.mjs — docs/wire.md against a server: what a line says is sent is sent, in the document's order, and what it says comes must come,
// member by member. <names> are bound to what came first, and must be the same from then on.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { WebSocket } from "ws";
import { mintToken } from "../harness/http.mjs";
import { ANSWER, OFFER } from "../harness/phone.mjs";
import { REPOSITORY, startServer } from "../harness/server.mjs";
import { guarded, LIMIT_S, run, test } from "../harness/suite.mjs";

const text = fs.readFileSync(path.join(REPOSITORY, "docs/wire.md"), "utf8");
const lines = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block.trim().split("\n"));
const REST = "…"; // members that the line leaves out
let server;

// One side's socket; what came waits until the document comes to it. Pings that it does not speak of are answered and passed over.
class Line {
    static async open()
    {
        const line = new Line();
        line.ws = new WebSocket(server.url.replace(/^http/, "ws"));
        line.came = [];
        line.ws.on("message", (data) => { line.came.push(JSON.parse(data)); line.heard?.(); });
        await guarded(new Promise((resolve, reject) => { line.ws.once("open", resolve); line.ws.once("error", reject); }), LIMIT_S, "the upgrade");
        return line;
    }

    async next(isPing)
    {
        for (;;) {
            while (!this.came.length) await guarded(new Promise((resolve) => { this.heard = resolve; }), LIMIT_S, "a message");
            const message = this.came.shift();
            if ((message.method === "signalwire.ping") === isPing) return message;
            if (message.method === "signalwire.ping") this.ws.send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: {} }));
            else assert.fail(`no ping, but ${JSON.stringify(message)}`);
        }
    }
}

const nameOf = (value) => typeof value === "string" ? value.match(/^<(.+)>$/)?.[1] : undefined;
const read = (json) => JSON.parse(json.replaceAll(REST, `"${REST}":null`));

function filled(value, known)
{
    const name = nameOf(value);
    if (name) return assert.ok(known.has(name), `<${name}> was not told before`), known.get(name);
    if (Array.isArray(value)) return value.map((one) => filled(one, known));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, known)]));
    return value;
}

function compared(seen, told, known, where)
{
    const name = nameOf(told);
    if (name && !known.has(name)) return void known.set(name, seen);
    if (name || told === null || typeof told !== "object") return assert.deepEqual(seen, name ? known.get(name) : told, where);
    assert.ok(seen && typeof seen === "object", where);
    const { [REST]: hasMore, ...members } = told;
    if (hasMore === undefined) assert.deepEqual(Object.keys(seen), Object.keys(members), where);
    for (const [key, one] of Object.entries(members)) compared(seen[key], one, known, `${where}.${key}`);
}

async function start() { server = await startServer({ env: { COATCHECK_PING_INTERVAL_S: "1" } }); }

async function stop() { await server?.stop(); }

test("every line of the document, in its order", async () => {
    const mint = async (reference) => (await mintToken(server, { reference })).token;
    const known = new Map([["token", await mint("ada@example.com")], ["next token", await mint("ada@example.com")],
        ["bob's token", await mint("bob@example.com")], ["offer", OFFER], ["answer", ANSWER]]);
    const open = new Map(), counts = { "→": 0, "←": 0, "✗": 0 };
    for (const line of lines) {
        const [, who, way, json] = line.match(/^(\w+) ([→←✗]) ?(.*)$/) ?? assert.fail(line);
        counts[way]++;
        if (way === "✗") {
            open.get(who).ws.terminate();
            open.delete(who);
            continue;
        }
        if (!open.has(who)) open.set(who, await Line.open());
        const told = read(json), side = open.get(who);
        if (way === "→") side.ws.send(JSON.stringify(filled(told, known)));
        else compared(await side.next(told.method === "signalwire.ping"), told, known, line.slice(0, 60));
    }
    assert.ok(counts["→"] >= 12 && counts["←"] >= 14 && counts["✗"] === 1, JSON.stringify(counts));
    for (const { ws } of open.values()) ws.close();
});

test("the test itself can fail: another value, a member more, a name that was another value", () => {
    const fails = (seen, told, known = new Map()) => assert.throws(() => compared(seen, told, known, "x"));
    fails({ a: 1 }, { a: 2 });
    fails({ a: 1, b: 1 }, { a: 1 });
    fails({ a: 1 }, { a: "<n>" }, new Map([["n", 2]]));
    compared({ a: 1, b: 1 }, read('{"a":1,…}'), new Map(), "x");
    assert.throws(() => filled("<never>", new Map()));
});

await run({ before: start, after: stop });
