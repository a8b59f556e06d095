#!/usr/bin/env node
// sessions.mjs — live sessions by the thousand: what one holds in memory, what opening it and a call on it cost, how fast a
// revocation closes all of them, and what somebody else feels of waves. README.md explains the figures.
//
//   node bench/sessions.mjs [--build DIR] [--rounds 3] [--many 19000] [--few 1000] [--calls 60000] [--no-waves] [--perf WHAT:FILE]
//
// In each round the server, a bare loop and npm ws in turn; without rounds only the waves. It only ever measures: no figure makes it fail. Wrong replies do.
// --perf samples the server while it does WHAT: calls, opens, revokes.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const { values: option } = parseArgs({
  options: {
    build: { type: "string", default: path.join(root, "build/release") },
    rounds: { type: "string", default: "3" },
    many: { type: "string", default: "19000" },
    few: { type: "string", default: "1000" },
    calls: { type: "string", default: "60000" },
    "no-waves": { type: "boolean", default: false },
    perf: { type: "string" },
  },
});
const FEW = Number(option.few), MANY = Number(option.many), CALLS = Number(option.calls);
const CALLS_AT_ONCE = 16, OPENS_AT_ONCE = 64, WAVE_AT_ONCE = 2000;
const STAGES = ["tcp", "upgrade", "connect", "online"];
const data = mkdtempSync(path.join(os.tmpdir(), "coatcheck-bench-"));
const isPinned = os.cpus().length > 1;
const running = new Set();
const program = (name) => path.join(option.build, `bench/${name}`);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6; // the monotonic clock, which bench_sessions tells as well
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// --- processes ---

/** A process that speaks in lines: `heard()` is the next one, parsed; on a core of its own if there is one. */
class Talker {
  constructor(core, argv, env = {})
  {
    const [command, ...args] = isPinned ? ["taskset", "-c", String(core), ...argv] : argv;
    this.child = spawn(command, args.map(String), { stdio: ["pipe", "pipe", argv[0] === SERVER ? "ignore" : "inherit"], env: { ...process.env, ...env } });
    this.name = path.basename(argv[0]);
    running.add(this);
    this.over = new Promise((resolve) => this.child.once("close", (code) => { running.delete(this); this.code = code ?? "a signal"; resolve(); }));
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async heard()
  {
    const { value } = await this.lines.next();
    if (value === undefined) { await this.over; throw new Error(`${this.name} ended with ${this.code}`); }
    return JSON.parse(value);
  }

  ask(line) { this.child.stdin.write(`${line}\n`); return this.heard(); }
  async stop(signal = "SIGTERM") { this.child.kill(signal); await this.over; }
}

const SERVER = path.join(option.build, "coatcheck");
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function privateKiB(pid)
{
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const of = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)[1]);
  return of("Private_Clean") + of("Private_Dirty");
}

// --- the three ---

/** Tokens of so many users, by the mint's own load; a file with a line each. */
function mintTokens(ours, count, more = "")
{
  const file = path.join(data, "tokens"), raw = path.join(data, "mints"), requests = [];
  for (let i = 0; i < count; i++) {
    const body = `{"reference":"bench-${i}@example.com"${more}}`;
    requests.push(`POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: ${ours.authorization}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
  writeFileSync(raw, requests.join(""));
  execFileSync(program("bench_load"), ["--port", ours.port, "--requests", count, "--connections", Math.min(64, count), "--raw", raw, "--keep", file].map(String), { stdio: ["ignore", "ignore", "inherit"] });
  return file;
}

async function startOurs(count, more)
{
  const folder = path.join(data, `ours-${Math.random()}`);
  const env = { COATCHECK_LOOPS: "1", COATCHECK_PING_INTERVAL_S: "60", COATCHECK_PING_TIMEOUT_S: "600", COATCHECK_IDLE_TIMEOUT_S: "3600", COATCHECK_CONNECT_TIMEOUT_S: "300", COATCHECK_HEAD_TIMEOUT_S: "300",
    COATCHECK_USERS_CACHED_MAX: "65536" };
  const talker = new Talker(0, [SERVER, "dev", "--port", "0", "--data", folder, "--json"], env);
  const told = await talker.heard();
  const ours = { name: "ours", talker, pid: talker.child.pid, told, folder, port: Number(new URL(told.url).port),
    authorization: `Basic ${Buffer.from(`${told.project_id}:${told.api_token}`).toString("base64")}` };
  ours.tokens = mintTokens(ours, count, more);
  ours.closeAll = () => new Promise((resolve, reject) => {
    const socket = connect(path.join(folder, "admin.sock"), () => socket.write(`${JSON.stringify({ command: "revoke",
      project: told.project_id, of: "key", name: told.api_token.slice(0, 18) })}\n`));
    let text = "";
    socket.on("data", (chunk) => { text += chunk; if (text.endsWith("\n")) socket.end(); });
    socket.on("error", reject).on("close", () => resolve({ ...JSON.parse(text), answered_ms: nowMs() }));
  });
  return ours;
}

const isOther = (name, argv) => async (replyBytes) => {
  const talker = new Talker(0, [...argv, replyBytes]);
  const { port } = await talker.heard();
  return { name, talker, pid: talker.child.pid, port, closeAll: async () => { talker.child.stdin.write("close\n"); } };
};
const startBare = isOther("bare", [program("bench_bare_sessions")]);
const startWs = isOther("ws", [process.execPath, path.join(root, "bench/beside_ws.mjs"), process.env.BENCH_PACKAGES ?? path.join(root, "tests")]);

/** 60: about what a call of ours is answered. */
const REPLY_BYTES = 64;
const starts = { ours: startOurs, bare: () => startBare(REPLY_BYTES), ws: () => startWs(REPLY_BYTES) };
const WHO = Object.keys(starts);

function crowdOf(server, tokens)
{
  return new Talker(1, [program("bench_sessions"), "--port", server.port, "--pid", server.pid, ...(isPinned ? ["--spin"] : []),
    ...(tokens ?? server.tokens ? ["--tokens", tokens ?? server.tokens] : [])]);
}

// --- what is measured ---

async function sampled(server, what, body)
{
  const [wanted, file] = (option.perf ?? "").split(":");
  if (wanted !== what || server.name !== "ours") return body();
  const perf = spawn("perf", ["record", "-q", "-e", "cpu-clock", "-F", "4999", "-g", "-p", server.pid, "-o", file].map(String), { stdio: "inherit" });
  await wait(300); // perf has to attach
  const result = await body();
  perf.kill("SIGINT");
  await new Promise((resolve) => perf.on("exit", resolve));
  return result;
}

/** Opens so many stage by stage; private memory after each. */
async function grow(server, crowd, count, kib)
{
  for (const stage of STAGES) {
    await crowd.ask(`stage ${stage} ${count} ${OPENS_AT_ONCE}`);
    kib[stage] = privateKiB(server.pid);
  }
}

/** Memory and calls with few and with many on one server. */
async function memoryAndCalls(who)
{
  const server = await starts[who](MANY), crowd = crowdOf(server), figures = { kib: { none: privateKiB(server.pid), few: {}, many: {} } };
  await grow(server, crowd, FEW, figures.kib.few);
  await crowd.ask(`call ${FEW * 10} ${CALLS_AT_ONCE}`); // warms
  figures.few = await crowd.ask(`call ${CALLS} ${CALLS_AT_ONCE}`);
  await grow(server, crowd, MANY, figures.kib.many);
  await crowd.ask(`call ${MANY} ${CALLS_AT_ONCE}`);
  figures.many = await sampled(server, "calls", () => crowd.ask(`call ${CALLS} ${CALLS_AT_ONCE}`));
  await crowd.stop();
  await server.talker.stop();
  return figures;
}

/** From the order to the last client that has seen it, and what the server spent on it. */
async function closing(server, crowd, again)
{
  await crowd.ask(`closes${again ? " again" : ""}`);
  const began = nowMs(), closing = server.closeAll(), seen = await crowd.heard();
  return { ...seen, first_ms: seen.first_ns / 1e6 - began, last_ms: seen.last_ns / 1e6 - began, over_ms: seen.over_ns / 1e6 - began, ...await closing };
}

/** Opens so many, and has all closed; again: they come back at once. */
async function openAndClose(who, count, again)
{
  const server = await starts[who](count), crowd = crowdOf(server);
  const open = await sampled(server, "opens", () => crowd.ask(`stage online ${count} ${OPENS_AT_ONCE}`));
  const close = await sampled(server, "revokes", () => closing(server, crowd, again));
  await crowd.stop();
  await server.talker.stop();
  return { open, close };
}

// --- waves, and somebody else meanwhile ---

async function guestToken(ours)
{
  const reply = await fetch(`${ours.told.url}/api/embeds/tokens`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: ours.told.c2c_token }) });
  const file = path.join(data, "witness");
  writeFileSync(file, `${JSON.stringify(await reply.json())}\n`);
  return file;
}

/** Somebody else's calls, one every 2 ms, while the body runs. */
async function whileWatching(ours, body)
{
  const witness = crowdOf(ours, await guestToken(ours));
  await witness.ask("stage online 1 1");
  await witness.ask("watch");
  const result = await body();
  const felt = await witness.ask("stop");
  await witness.stop();
  return { ...result, felt };
}

async function waves()
{
  const figures = {};
  let ours = await startOurs(MANY), crowd = crowdOf(ours);
  figures["nobody"] = await whileWatching(ours, () => wait(3000));
  const opened = await crowd.ask(`stage online ${MANY} ${OPENS_AT_ONCE}`), life_s = Math.ceil(opened.wall_ms / 1000 * 2.5) + 15;
  figures[`${MANY} sessions, idle`] = await whileWatching(ours, () => wait(3000));
  figures[`${MANY} connections lost, all come again, ${WAVE_AT_ONCE} at once`] = await whileWatching(ours, async () => {
    await crowd.ask("drop");
    return crowd.ask(`stage online ${MANY} ${WAVE_AT_ONCE}`);
  });
  figures[`${MANY} sessions revoked, all come again at once`] = await whileWatching(ours, () => closing(ours, crowd, true));
  await crowd.stop();
  await ours.talker.stop();
  ours = await startOurs(MANY, `,"expire_at":${Math.floor(Date.now() / 1000) + life_s}`);
  crowd = crowdOf(ours);
  await crowd.ask(`stage online ${MANY} ${OPENS_AT_ONCE}`);
  figures[`${MANY} grants end in one second`] = await whileWatching(ours, async () => {
    await crowd.ask("closes");
    return crowd.heard();
  });
  await crowd.stop();
  await ours.talker.stop();
  return figures;
}

// --- the tables ---

const KINDS = [["few", FEW], ["many", MANY]];
const perSession = (figures, from, to, count) => (to - from) * 1024 / count;

function memoryTable(rounds)
{
  const rows = WHO.map((who) => {
    const kibs = rounds.map((round) => round.calls[who].kib);
    const few = median(kibs.map((kib) => perSession(kib, kib.none, kib.few.online, FEW)));
    const many = median(kibs.map((kib) => perSession(kib, kib.none, kib.many.online, MANY)));
    const parts = STAGES.map((stage, i) => median(kibs.map((kib) =>
      perSession(kib, i ? kib.many[STAGES[i - 1]] : kib.few.online, kib.many[stage], MANY - FEW))));
    return { who, few, many, text: `| ${[who, few, many, ...parts].map((cell) => (typeof cell === "number" ? cell.toFixed(0) : cell)).join(" | ")} |` };
  });
  return { rows, text: [`| private bytes a session | of ${FEW} | of ${MANY} | its connection | upgraded | its session | registered |`, "|---|---|---|---|---|---|---|",
    ...rows.map((row) => row.text)].join("\n") };
}

function callTable(rounds)
{
  const cost = (who, kind) => median(rounds.map((round) => round.calls[who][kind].cpu_us));
  const latency = (who, kind, which) => median(rounds.map((round) => round.calls[who][kind][which]));
  return [`| a call, CPU µs | of ${FEW} | of ${MANY} | × bare | × bare | p50, p99 µs of ${MANY} |`, "|---|---|---|---|---|---|",
    ...WHO.map((who) => `| ${who} | ${cost(who, "few").toFixed(2)} | ${cost(who, "many").toFixed(2)} | ${(cost(who, "few") / cost("bare", "few")).toFixed(2)} | ` +
      `${(cost(who, "many") / cost("bare", "many")).toFixed(2)} | ${latency(who, "many", "p50_us")}, ${latency(who, "many", "p99_us")} |`)].join("\n");
}

function openTable(rounds)
{
  const of = (who, kind, pick) => median(rounds.map((round) => pick(round[kind][who].open)));
  return [`| opening | CPU µs, ${FEW} | CPU µs, ${MANY} | a second, ${MANY} |`, "|---|---|---|---|",
    ...WHO.map((who) => `| ${who} | ${of(who, "few", (o) => o.cpu_us).toFixed(1)} | ${of(who, "many", (o) => o.cpu_us).toFixed(1)} | ${of(who, "many", (o) => o.per_second).toFixed(0)} |`)].join("\n");
}

function closeTable(rounds)
{
  const of = (who, kind, what) => median(rounds.map((round) => round[kind][who].close[what]));
  const line = (name, kind) => WHO.map((who) => `| ${name} | ${who} | ${of(who, kind, "first_ms").toFixed(1)} | ${of(who, kind, "last_ms").toFixed(1)} | ` +
    `${(of(who, kind, "last_ms") / of("bare", kind, "last_ms")).toFixed(2)} | ${of(who, kind, "cpu_us").toFixed(1)} |`);
  return ["| order → closed | | first ms | last ms | × bare | CPU µs each |", "|---|---|---|---|---|---|", ...line(FEW, "few"), ...line(MANY, "many"),
    ...line(`${MANY}, which come back at once`, "again")].join("\n");
}

function waveTable(figures)
{
  return ["| wave | somebody else's call: p50, p99, longest ms | the wave itself |", "|---|---|---|",
    ...Object.entries(figures).map(([name, wave]) => {
      const ms = (us) => (us / 1000).toFixed(1), { felt } = wave;
      const itself = wave.did === "stage" ? `${wave.wall_ms} ms, ${wave.per_second} a second, ${wave.cpu_us} CPU µs each`
        : wave.did === "closes" ? `closed (${wave.code}) within ${((wave.last_ns - wave.first_ns) / 1e6).toFixed(0)} ms of the first; refused ${wave.refused}, turned away ${wave.turned_away}, cut ${wave.cut}` : "";
      return `| ${name} | ${ms(felt.p50_us)}, ${ms(felt.p99_us)}, ${ms(felt.max_us)} | ${itself} |`;
    })].join("\n");
}

// --- the run ---

async function main()
{
  const rounds = [];
  for (let i = 0; i < Number(option.rounds); i++) {
    const round = { calls: {}, few: {}, many: {}, again: {} };
    for (const who of WHO) {
      round.calls[who] = await memoryAndCalls(who);
      round.few[who] = await openAndClose(who, FEW);
      round.many[who] = await openAndClose(who, MANY);
      round.again[who] = await openAndClose(who, MANY, true);
      console.log(`round ${i + 1}, ${who}: call ${round.calls[who].few.cpu_us} µs of ${FEW}, ${round.calls[who].many.cpu_us} of ${MANY}; closed in ` +
        `${round.few[who].close.last_ms.toFixed(1)}, ${round.many[who].close.last_ms.toFixed(1)} and ${round.again[who].close.last_ms.toFixed(1)} ms`);
    }
    rounds.push(round);
  }
  if (!rounds.length) {
    console.log(waveTable(await waves()));
    return;
  }
  const memory = memoryTable(rounds), ours = memory.rows.find(({ who }) => who === "ours");
  const parts = [`${os.cpus()[0].model}, ${os.cpus().length} cores, Linux ${os.release()}; load average ${os.loadavg()[0].toFixed(1)}; medians of ${rounds.length} rounds`,
    memory.text, `A million sessions by this: ${(ours.many * 1e6 / 2 ** 30).toFixed(2)} GiB of ours.`,
    callTable(rounds), openTable(rounds), closeTable(rounds)];
  console.log(`\n${parts.join("\n\n")}`);
  if (!option["no-waves"]) {
    parts.push(waveTable(await waves()));
    console.log(`\n${parts.at(-1)}`);
  }
  mkdirSync(path.join(option.build, "bench"), { recursive: true });
  writeFileSync(path.join(option.build, "bench/sessions.md"), `${parts.join("\n\n")}\n`);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.stack}`);
  process.exitCode = 1;
} finally {
  await Promise.all([...running].map((talker) => talker.stop("SIGKILL")));
  rmSync(data, { recursive: true, force: true });
}
