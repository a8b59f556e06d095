// server.mjs — starts a real `coatcheck dev`, reads the one line it promises, and takes it down again.
//
// COATCHECK_BIN names the binary (default build/release/coatcheck). Each server gets a data folder of its own under the
// system's temporary folder, removed at stop unless it was given. Logs are kept, one string a line, for tests to read.
import { execFile, spawn } from "node:child_process";
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { rememberAll, secretIn, secretsInFolder } from "./secrets.mjs";
import { eventually, guarded, LIMIT_S, witness } from "./suite.mjs";

export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const BINARY = path.resolve(process.env.COATCHECK_BIN ?? path.join(REPOSITORY, "build/release/coatcheck"));
const running = new Map(); // child: its data folder

process.on("exit", () => { for (const child of running.keys()) child.kill("SIGKILL"); });

// A failure that names an error's id is told with what the servers know of it.
witness(async (text) => {
    const ids = new Set([...text.matchAll(/(?:coatcheck why |error_?id["']?: ?["'])([\w-]+)/gi)].map(([, id]) => id)), told = [];
    for (const id of ids)
        for (const data of running.values())
            told.push(await new Promise((resolve) => { execFile(BINARY, ["why", id, "--data", data], { timeout: LIMIT_S * 1000 }, (error, out, err) => resolve(error ? err : out)); }));
    return told.flatMap((lines) => lines.trimEnd().split("\n"));
});

export const CONTRACT_MEMBERS = ["url", "tls_url", "ca_file", "ch", "admin_url", "admin_token", "project_id", "api_token",
    "client_id", "client_secret", "secret_key", "publishable_key", "c2c_token", "c2c_address", "address_id", "study_id"];

export function temporaryFolder(label = "coatcheck")
{
    return fs.mkdtempSync(path.join(os.tmpdir(), `${label}-`));
}

// Resolves to { line } with the first line of stdout, or { code, signal } when the process ended before it wrote one.
function firstLineOrExit(child, out)
{
    return new Promise((resolve, reject) => {
        out.once("line", (line) => resolve({ line }));
        child.once("error", reject);
        child.once("close", (code, signal) => resolve({ code, signal }));
    });
}

function launch({ tls = false, data, env = {}, args = [], as = {}, binary = BINARY })
{
    const argv = ["dev", "--port", "0", "--data", data, "--json", ...(tls ? ["--tls"] : []), ...args];
    const child = spawn(binary, argv, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env }, ...as });
    running.set(child, data);
    child.once("close", () => running.delete(child));
    const logs = [];
    readline.createInterface({ input: child.stderr }).on("line", (line) => logs.push(line));
    const out = readline.createInterface({ input: child.stdout });
    const extra = [];
    out.on("line", (line) => extra.push(line));
    const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
    return { child, logs, out, stdout: extra, ended };
}

// A start that is meant to be refused: gives the exit code and what was said.
export async function startRefused(options = {})
{
    const data = options.data ?? temporaryFolder();
    const { child, logs, out, ended } = launch({ ...options, data });
    const first = await guarded(firstLineOrExit(child, out), LIMIT_S, "an exit");
    if (first.line !== undefined) {
        child.kill("SIGTERM");
        await ended;
        assert.fail(`the server started although it should have refused: ${first.line.slice(0, 80)}`);
    }
    if (!options.data) fs.rmSync(data, { recursive: true, force: true });
    return { code: first.code, said: logs.join("\n") };
}

export async function startServer(options = {})
{
    const data = options.data ?? temporaryFolder();
    const { child, logs, out, stdout, ended } = launch({ ...options, data });
    const first = await guarded(firstLineOrExit(child, out), LIMIT_S, "the contract line");
    if (first.line === undefined) throw new Error(`no start: ${JSON.stringify(first)}\n${logs.slice(-8).join("\n")}`);
    const contract = JSON.parse(first.line);
    return new Server({ child, logs, stdout, ended, data, contract, ownsData: !options.data });
}

// `coatcheck serve` on a folder that is there: url, stop(), and what it logged.
export async function startServe(data, env = {})
{
    const child = spawn(BINARY, ["serve", "--data", data, "--public-url", "https://auth.example.com", "--port", "0", "--admin-port", "0"],
        { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
    running.set(child, data);
    const logs = [], ended = new Promise((resolve) => child.once("close", (code) => { running.delete(child); resolve(code); }));
    const lines = readline.createInterface({ input: child.stderr });
    const listening = new Promise((resolve) => lines.on("line", (line) => {
        logs.push(line);
        const port = line.match(/ listening .* port="?(\d+)/)?.[1];
        if (port) resolve(port);
    }));
    const port = await guarded(Promise.race([listening, ended.then(() => 0)]), LIMIT_S, "listening");
    if (!port) throw new Error(`no start:\n${logs.slice(-5).join("\n")}`);
    const stop = async () => {
        child.kill("SIGTERM");
        assert.equal(await guarded(ended, LIMIT_S, "exit after SIGTERM"), 0, logs.slice(-5).join("\n"));
        for (const line of logs) assert.equal(secretIn(line), undefined, line.slice(0, 60));
    };
    return { data, logs, stop, pid: child.pid, url: `http://127.0.0.1:${port}` };
}

class Server {
    constructor(parts)
    {
        Object.assign(this, parts);
        rememberAll(this.contract);
        this.url = this.contract.url;
        this.port = Number(new URL(this.url).port);
        this.host = new URL(this.url).host;
        this.basic = basic(this.contract.project_id, this.contract.api_token);
        this.ca = this.contract.ca_file ? fs.readFileSync(this.contract.ca_file) : undefined;
    }

    get pid() { return this.child.pid; }
    get isAlive() { return this.child.exitCode === null && this.child.signalCode === null; }

    residentKiB()
    {
        const line = fs.readFileSync(`/proc/${this.pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m);
        return Number(line[1]);
    }

    descriptors() { return fs.readdirSync(`/proc/${this.pid}/fd`).length; }

    // A sanitizer keeps freed memory on purpose and looks for leaks by itself: then the exit code tells.
    isSanitized() { return fs.readFileSync(BINARY).includes("__asan_init") || fs.readFileSync(BINARY).includes("__tsan_init"); }

    // What the process holds now, to compare with later; see assertSound.
    async baseline()
    {
        await this.settled(Infinity);
        return { residentKiB: this.residentKiB(), descriptors: this.descriptors() };
    }

    // Waits until the server has let go of closed connections: the count of descriptors falls to the given one.
    async settled(descriptorsAtMost)
    {
        await eventually(async () => {
            assert.equal((await get(`${this.url}/healthz`)).status, 200);
            return this.descriptors() <= descriptorsAtMost;
        }, `at most ${descriptorsAtMost} open descriptors`).catch((error) => assert.fail(`${error.message}, but ${this.descriptors()}`));
    }

    // The three invariants of every attack: alive, healthy, nothing leaked beyond a bound.
    async assertSound(baseline, { growthKiB = 24 * 1024, descriptors = 2 } = {})
    {
        assert.ok(this.isAlive, `the server has died:\n${this.logs.slice(-8).join("\n")}`);
        await this.settled(baseline.descriptors + descriptors);
        const grown = this.residentKiB() - baseline.residentKiB;
        console.log(`     descriptors ${baseline.descriptors} -> ${this.descriptors()}, resident grew ${grown} KiB`);
        if (!this.isSanitized()) assert.ok(grown <= growthKiB, `resident memory grew by ${grown} KiB`);
    }

    async stop()
    {
        assert.ok(this.isAlive, `the server has died:\n${this.logs.slice(-8).join("\n")}`);
        this.child.kill("SIGTERM");
        const { code, signal } = await guarded(this.ended, LIMIT_S, "exit after SIGTERM");
        this.assertSecretsKept();
        if (this.ownsData) fs.rmSync(this.data, { recursive: true, force: true });
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, this.logs.slice(-5).join("\n"));
        assert.equal(this.stdout.length, 1, "stdout holds the contract line and nothing else");
    }

    async kill9()
    {
        this.child.kill("SIGKILL");
        await guarded(this.ended, LIMIT_S, "exit after SIGKILL");
        this.assertSecretsKept();
    }

    // Case 135, for every script: no token, ticket, proof, secret or Authorization value of it is in a log or a file.
    assertSecretsKept()
    {
        for (const line of this.logs) assert.equal(secretIn(line), undefined, line.slice(0, 60));
        assert.deepEqual(secretsInFolder(this.data), []);
    }
}

export function basic(user, password)
{
    return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function get(url)
{
    return new Promise((resolve, reject) => {
        http.get(url, { agent: false }, (answer) => {
            answer.resume();
            answer.on("end", () => resolve({ status: answer.statusCode }));
        }).on("error", reject);
    });
}
