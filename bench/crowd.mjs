// crowd.mjs — what others feel of a crowd: attacks 33, 94, 98 and 123 of docs/attacks.md at their full size, timed.
//
//     node bench/crowd.mjs [--slow 5000] [--connects 10000] [--seconds 10] [--proofs 1000000]
//
// One server (COATCHECK_BIN, default build/release/coatcheck). What others feel is measured by processes of their own, so
// that this one's work is not in the figures, though it has the same processors: bench_load mints over kept connections, a
// child of this script calls on a live session. Prints a table; ends with 1 only if an answer was wrong.
import assert from "node:assert/strict";
import { execFile, fork } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { collidingNames, percentile, SlowCrowd, stormOne } from "../tests/harness/crowd.mjs";
import { mint, mintToken } from "../tests/harness/http.mjs";
import { Prover } from "../tests/harness/prover.mjs";
import { connected } from "../tests/harness/session.mjs";
import { BINARY, startServer } from "../tests/harness/server.mjs";

const LOAD = path.join(path.dirname(BINARY), "bench/bench_load");
const option = (name, standard) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? standard : Number(process.argv[at + 1]);
};
const print = (what, of, figures) => console.log(`${what.padEnd(44)} ${of.padEnd(24)} ${figures}`);

// ---- what others feel ----

function minting(server, requests)
{
    const args = ["--port", String(server.port), "--requests", String(requests), "--connections", "4", "--references", "100", "--path", "/api/fabric/subscribers/tokens"];
    return new Promise((resolve, reject) => execFile(LOAD, args, { env: { ...process.env, BENCH_AUTHORIZATION: server.basic } },
        (error, out) => (error ? reject(error) : resolve(JSON.parse(out)))));
}

// Calls on a live session, one after another, until told to stop: the time of each in ms.
async function callUntilStopped({ url, token })
{
    const session = await connected({ url, contract: {} }, token);
    const times = [];
    let isOver = false;
    process.once("message", () => { isOver = true; });
    process.send("ready");
    while (!isOver) {
        const began = performance.now();
        await session.request("subscriber.online");
        times.push(performance.now() - began);
        session.messages.length = 0;
        await new Promise((done) => setTimeout(done, 5));
    }
    process.send(times, () => process.exit(0));
}

async function whileCalling(server, body)
{
    const { token } = await mintToken(server, { reference: "caller@example.com" });
    const child = fork(fileURLToPath(import.meta.url), ["--caller", JSON.stringify({ url: server.url, token })]);
    const heard = () => new Promise((resolve) => child.once("message", resolve));
    await heard();
    const result = await body();
    child.send("stop");
    return { result, times: await heard() };
}

const told = (times) => `p50 ${percentile(times, 50).toFixed(1)} ms, p99 ${percentile(times, 99).toFixed(1)} ms, max ${Math.max(...times).toFixed(1)} ms of ${times.length}`;
const toldLoad = ({ p50_us, p99_us, max_us, requests }) => `p50 ${(p50_us / 1e3).toFixed(1)} ms, p99 ${(p99_us / 1e3).toFixed(1)} ms, max ${(max_us / 1e3).toFixed(1)} ms of ${requests}`;

async function feel(server, what, requests = 20000)
{
    const { result, times } = await whileCalling(server, () => minting(server, requests));
    print(what, "mint, 4 connections", toldLoad(result));
    print("", "call on a session", told(times));
}

// ---- the crowds ----

async function slow(count)
{
    const server = await startServer({ env: { COATCHECK_LOOPS: "2" } });
    await feel(server, "alone (slow clients to come)");
    const before = server.residentKiB(), crowd = new SlowCrowd(server.port, count, { everyMs: 10_000 });
    await crowd.arrived;
    await feel(server, `${count} slow clients`, 100_000); // longer than the 10 s after which they are cut, and come again
    print("", "server", `${((server.residentKiB() - before) / count).toFixed(1)} KiB each, ${crowd.cut} cut meanwhile, ${crowd.refused} refused`);
    await crowd.stop();
    await server.stop();
}

async function storm(count, seconds)
{
    const server = await startServer({ env: { COATCHECK_LOOPS: "2" } });
    const { token } = await mintToken(server, { reference: "storm@example.com" }), outcomes = {};
    const { times } = await whileCalling(server, async () => {
        const all = [], began = Date.now();
        for (let i = 0; i < count; i++) {
            all.push(stormOne(server, token).then(({ outcome, session }) => {
                outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
                session?.ws.terminate();
            }));
            const due = began + (i + 1) / count * seconds * 1000;
            if (i % 20 === 19) await new Promise((done) => setTimeout(done, Math.max(0, due - Date.now())));
        }
        await Promise.all(all);
        outcomes.seconds = ((Date.now() - began) / 1000).toFixed(1);
    });
    print(`${count} connects`, "call on a session", told(times));
    print("", "connects", JSON.stringify(outcomes));
    assert.equal(outcomes.granted, count);
    await server.stop();
}

async function proofs(count)
{
    const server = await startServer({ env: { COATCHECK_LOOPS: "2", COATCHECK_LIMITS: "proof_key=0/1" } });
    const browsers = await Promise.all(Array.from({ length: 64 }, async () => {
        const prover = new Prover();
        return { prover, token: await prover.bound(server) };
    }));
    const began = Date.now(), sizes = [];
    let shown = 0;
    await Promise.all(browsers.map(async ({ prover, token }) => {
        while (shown < count) {
            if (shown++ % Math.ceil(count / 5) === 0) sizes.push(server.residentKiB());
            assert.equal((await prover.renew(server, token)).status, 201);
        }
    }));
    sizes.push(server.residentKiB());
    print(`${count} used proofs`, "server", `resident KiB ${sizes.join(", ")}; ${(count / (Date.now() - began) * 1000).toFixed(0)} a second`);
    await server.stop();
}

async function names()
{
    const server = await startServer(), chosen = collidingNames(1200, 0, 11), plain = collidingNames(1200, 0, 0).map((name) => name.padStart(5, "_"));
    for (const [what, list] of [["names as they come", plain], ["names chosen for one bucket", chosen]]) {
        const body = `{"reference":"names@example.com",${list.map((name) => `"${name}":1`).join(",")}}`, times = [];
        for (let i = 0; i < 500; i++) {
            const began = performance.now();
            assert.equal((await mint(server, body, { "content-type": "application/json" })).status, 200);
            times.push(performance.now() - began);
        }
        print(`1200 ${what}`, "mint", told(times));
    }
    await server.stop();
}

if (process.argv[2] === "--caller") await callUntilStopped(JSON.parse(process.argv[3]));
else {
    await names();
    if (option("slow", 5000)) await slow(option("slow", 5000));
    if (option("connects", 10000)) await storm(option("connects", 10000), option("seconds", 10));
    if (option("proofs", 1_000_000)) await proofs(option("proofs", 1_000_000));
}
