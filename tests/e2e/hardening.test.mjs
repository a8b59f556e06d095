// hardening.test.mjs — what a started server has given up: system calls, privileges, core files, memory of its start; and
// that what it keeps is enough in the corners that no other test comes to.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import readline from "node:readline";
import { call, mintToken } from "../harness/http.mjs";
import { BINARY, startServer, temporaryFolder } from "../harness/server.mjs";
import { guarded, LIMIT_S, run, test } from "../harness/suite.mjs";

let server;

const statusOf = (pid, thread = pid) => fs.readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
const field = (status, name) => status.match(new RegExp(`^${name}:\\s+(\\S+)`, "m"))[1];
const threadsOf = (pid) => fs.readdirSync(`/proc/${pid}/task`);

test("every thread is behind the list, the ones that came later too", async () => {
    const before = threadsOf(server.pid).length;
    await mintToken(server, { reference: "late@example.com", password: "slow work makes threads" });
    assert.ok(threadsOf(server.pid).length > before, "passwords are hashed by threads that start when they are needed");
    for (const thread of threadsOf(server.pid)) {
        const status = statusOf(server.pid, thread);
        assert.equal(field(status, "Seccomp"), "2", `${field(status, "Name")}: a filter`);
        assert.equal(field(status, "NoNewPrivs"), "1", field(status, "Name"));
    }
    assert.ok(!server.logs.some((line) => line.includes("forbidden_system_call")));
});

test("sandbox = off keeps the system calls, and nothing else changes", async () => {
    const open = await startServer({ env: { COATCHECK_SANDBOX: "off" } });
    const status = statusOf(open.pid);
    assert.equal(field(status, "Seccomp"), "0");
    assert.equal(field(status, "NoNewPrivs"), "1");
    await mintToken(open, { reference: "open@example.com" });
    await open.stop();
});

test("the keys of a server lie in locked memory", async () => {
    assert.notEqual(field(statusOf(server.pid), "VmLck"), "0");
    assert.ok(!server.logs.some((line) => line.includes("keys_may_be_swapped")));
});

test("too little memory that may be locked: a warning, and it serves", async () => {
    // uid 65534 where we are root, because root may lock what it likes.
    const data = temporaryFolder(), folder = temporaryFolder(), binary = path.join(folder, "coatcheck");
    fs.copyFileSync(BINARY, binary);
    fs.chmodSync(binary, 0o755);
    fs.chmodSync(folder, 0o755);
    const as = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
    if (as.uid) fs.chownSync(data, as.uid, as.gid);
    const script = path.join(folder, "unlocked");
    fs.writeFileSync(script, `#!/bin/sh\nulimit -l 0\nexec '${binary}' "$@"\n`, { mode: 0o755 });
    const other = await startServer({ data, binary: script, as });
    assert.equal(field(statusOf(other.pid), "VmLck"), "0");
    assert.equal(other.logs.filter((line) => line.includes("warn keys_may_be_swapped")).length, 1);
    await mintToken(other, { reference: "unlocked@example.com" });
    await other.stop();
    fs.rmSync(data, { recursive: true });
    fs.rmSync(folder, { recursive: true });
});

// The C library looks at a device it writes to in a way it does not look at a pipe.
test("output to a device, not a pipe: it starts, and ends well", async () => {
    const data = temporaryFolder(), device = fs.openSync("/dev/null", "w");
    const child = spawn(BINARY, ["dev", "--port", "0", "--data", data], { stdio: ["ignore", device, "pipe"] });
    const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
    const logs = [];
    const lines = readline.createInterface({ input: child.stderr });
    const first = new Promise((resolve) => lines.once("line", resolve));
    lines.on("line", (line) => logs.push(line));
    await guarded(first, LIMIT_S, "a log line"); // from now on a signal waits until the server listens to it
    child.kill("SIGTERM");
    assert.deepEqual(await guarded(ended, LIMIT_S, "the end"), { code: 0, signal: null }, logs.join("\n"));
    fs.rmSync(data, { recursive: true });
    fs.closeSync(device);
});

// A pipe, and the socket that a service manager gives: full, with nobody who reads. Every refusal is a line at debug.
for (const kind of ["pipe", "socket"])
    test(`logs that nobody reads, into a ${kind}: it serves on, and says later how many lines were lost`, async () => {
        const data = temporaryFolder(), fifo = path.join(data, "log");
        execFileSync("mkfifo", [fifo]);
        const reading = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), writing = fs.openSync(fifo, "w");
        const child = spawn(BINARY, ["dev", "--port", "0", "--data", data, "--json"], { stdio: ["ignore", "pipe", kind === "pipe" ? writing : "pipe"],
            env: { ...process.env, COATCHECK_LOG_LEVEL: "debug", COATCHECK_LOOPS: "2" } });
        const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
        const contract = JSON.parse(await guarded(new Promise((resolve) => readline.createInterface({ input: child.stdout }).once("line", resolve)), LIMIT_S, "a start"));
        const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        const ask = (path) => new Promise((resolve, reject) => http.get(`${contract.url}${path}`, { agent }, (answer) => {
            answer.resume().once("end", () => resolve(answer.statusCode));
        }).once("error", reject));
        for (let i = 0; i < 500; i++) // some 100 bytes and a line each; a pipe holds 64 KiB, such a socket twice as much
            for (const status of await guarded(Promise.all(Array.from({ length: 16 }, () => ask(`/nothing?${"x".repeat(200)}`))), LIMIT_S, "answers")) assert.equal(status, 404);
        const metrics = await (await fetch(`${contract.admin_url}/metrics`, { headers: { authorization: `Bearer ${contract.admin_token}` } })).text();
        const lost = Number(metrics.match(/^coatcheck_log_lines_lost_total (\d+)$/m)[1]);
        assert.ok(lost > 100, `${lost} lines were lost`);
        const said = [], log = kind === "socket" ? child.stderr : spawn("cat", [fifo], { stdio: ["ignore", "pipe", "ignore"] }).stdout;
        log.on("data", (part) => said.push(part));
        while (!/ warn log_lines_lost /.test(said.join(""))) { assert.equal(await ask("/nothing"), 404); await new Promise((done) => setTimeout(done, 20)); }
        for (const line of said.join("").split("\n").slice(0, -1)) assert.match(line, /^\d{4}-\d\d-\d\dT\S+ (?:debug|info|warn|error) \S+/, "lines are whole");
        agent.destroy();
        child.kill("SIGTERM");
        fs.closeSync(writing);
        fs.closeSync(reading);
        assert.deepEqual(await guarded(ended, LIMIT_S, "the end"), { code: 0, signal: null });
        fs.rmSync(data, { recursive: true });
    });

test("E-74 killed by a fault, it leaves no core file where another program would", () => {
    const folder = temporaryFolder();
    // The kernel says in the wait status whether it has dumped, and the shell prints that.
    const shell = (command) => execFileSync("bash", ["-c", `exec 2>&1; cd '${folder}'; ulimit -c unlimited; ${command}; wait $pid; echo "code $?"`],
        { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    const left = () => fs.readdirSync(folder).filter((name) => /core/.test(name));
    const said = shell(`'${BINARY}' dev --port 0 --data '${folder}/data' --json >out 2>err & pid=$!
        while [ ! -s out ] && kill -0 $pid; do read -r -t 0.05 <> <(:); done; kill -ABRT $pid`);
    assert.match(said, /code 134/);
    assert.deepEqual(left(), []);
    assert.ok(!/core dumped/i.test(said), said);
    const other = shell("cat <> <(:) & pid=$!; kill -ABRT $pid");
    assert.match(other, /code 134/);
    console.log(`     another program on this machine: ${/core dumped/i.test(other) ? "dumped" : "not dumped, so this proves little here"}`);
    fs.rmSync(folder, { recursive: true });
});

test("a start's memory is given back: what is left is small", async () => {
    const other = await startServer();
    assert.equal((await call(other, "GET", "/healthz")).status, 200);
    const map = fs.readFileSync(`/proc/${other.pid}/smaps_rollup`, "utf8");
    const kib = (name) => Number(map.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))[1]);
    const sanitized = other.isSanitized();
    console.log(`     private ${kib("Private_Clean") + kib("Private_Dirty")} KiB, resident ${kib("Rss")} KiB`);
    if (!sanitized) assert.ok(kib("Private_Clean") + kib("Private_Dirty") <= 4096 && kib("Rss") <= 18432, map);
    await other.stop();
});

await run({
    before: async () => { server = await startServer(); },
    after: async () => { await server.stop(); },
});
