#!/usr/bin/env node
// run.mjs — CPU time of one request: the server against `bare`, in interleaved rounds. README.md explains the figures.
//
//   node bench/run.mjs [--build DIR] [--work mint|refresh|redeem|bound|proof] [--rounds 5] [--requests N] [--connections N]
//                      [--loops 1] [--perf FILE] [--as-built] [--beside NAME]...
//
// It only ever measures: no figure makes it fail, because a slow machine is not a defect. Wrong replies do.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { others } from "./beside.mjs";
import { works } from "./works.mjs";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");

const { values: option } = parseArgs({
  options: {
    build: { type: "string", default: path.join(root, "build/release") },
    work: { type: "string", default: "mint" },
    rounds: { type: "string", default: "5" },
    requests: { type: "string" },
    connections: { type: "string" },
    loops: { type: "string", default: "1" },
    perf: { type: "string" },
    "as-built": { type: "boolean", default: false },
    beside: { type: "string", multiple: true, default: [] },
  },
});

const work = works[option.work];
if (!work) throw new Error(`--work is one of ${Object.keys(works).join(", ")}`);
for (const name of option.beside)
  if (!others[name]?.works[option.work]) throw new Error(`--beside ${name}: nothing there for ${option.work}`);
const requestCount = Number(option.requests ?? work.requests);
const connections = Number(option.connections ?? work.connections);

// --- processes ---

const running = [];
const data = mkdtempSync(path.join(os.tmpdir(), "coatcheck-bench-"));

/** Server and load on a core each, so that neither the scheduler nor the load's own work shows in the figures. */
const isPinned = os.cpus().length > 1 && option.loops === "1";

function pinned(core, argv) {
  return isPinned ? ["taskset", "-c", String(core), ...argv] : argv;
}

/** Starts a server; resolves with its pid and the JSON line it prints once it listens. */
function start(argv, env = {}) {
  const [command, ...args] = pinned(0, argv);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  running.push(child);
  return new Promise((resolve, reject) => {
    let text = "";
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${argv[0]} ended with ${code} before it listened`)));
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve({ pid: child.pid, told: JSON.parse(text.slice(0, text.indexOf("\n"))) });
    });
  });
}

// --- the load ---

const requestFile = path.join(data, "requests"), replyFile = path.join(data, "replies");

function load(server, status, count, more = []) {
  const argv = [path.join(option.build, "bench/bench_load"), "--port", server.port, "--pid", server.pid, "--requests", count,
    "--connections", Math.min(connections, count), "--raw", requestFile, "--status", status, ...more, ...(isPinned ? ["--spin"] : [])];
  const [command, ...args] = pinned(1, argv).map(String);
  return JSON.parse(execFileSync(command, args, { encoding: "utf8", maxBuffer: 1 << 20 }));
}

/** Sends each request once; resolves with the bodies of the replies, in the order in which they came. */
function asker(server) {
  return async (requests, status) => {
    writeFileSync(requestFile, requests.join(""), "latin1");
    load(server, status, requests.length, ["--keep", replyFile]);
    return readFileSync(replyFile, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
  };
}

/** One request by itself: the whole reply. */
function askOnce({ port }, request) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write(request));
    let text = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      const length = /\r\nContent-Length: *(\d+)/i.exec(text);
      if (head < 0 || !length || text.length < head + 4 + Number(length[1])) return;
      socket.destroy();
      resolve({ bytes: text.length, status: Number(text.slice(9, 12)), body: JSON.parse(text.slice(head + 4)) });
    });
  });
}

/** What our requests and replies are made of, so that bare does the same amount of work. */
async function sizesOf(ours) {
  const { requests, sizes } = await work.prepare(ours, 1, asker(ours));
  const { bytes, status, body } = await askOnce(ours, requests[0]);
  if (status !== work.status) throw new Error(`status ${status}: ${JSON.stringify(body)}`);
  const { token, ...more } = work.sizes(body);
  const [header, payload] = token.split(".");
  return { header: header.length, claims: Buffer.from(payload, "base64url").length, secret: ours.api_token.length, ...sizes, ...more,
    reply: bytes };
}

// --- rounds ---

const syncFile = path.join(data, "syncs");
const syncs = () => (work.isDurable ? Number(readFileSync(syncFile).readBigUInt64LE()) : 0);

/** bare ends the connection once it has read how many requests one transaction takes. */
function tellBatch({ port }, batch) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write(`BATCH ${batch}`));
    socket.on("error", reject).on("close", resolve).resume();
  });
}

/** Makes what `count` requests need and sends them to ours and then to bare, which does as many together as ours had. */
async function round(ours, bare, count) {
  const { requests } = await work.prepare(ours, count, asker(ours));
  writeFileSync(requestFile, requests.join(""), "latin1");
  const before = syncs();
  const measured = { ours: load(ours, work.status, count) };
  if (work.isDurable) measured.ours.together = count / (syncs() - before);
  if (!bare) return measured;
  if (work.isDurable) await tellBatch(bare, Math.max(1, Math.round(measured.ours.together)));
  return { ...measured, bare: load(bare, 200, count) };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const least = (list) => Math.min(...list);

/** One line of the table; `pick` makes one number out of the rounds'. */
function row(name, rounds, pick) {
  const of = (who, what) => pick(rounds.map((round) => round[who][what]));
  const [bare, ours] = [of("bare", "cpu_us"), of("ours", "cpu_us")];
  const cells = [name, bare.toFixed(2), ours.toFixed(2), (bare / ours).toFixed(2)];
  const wall = pick === least ? ["", "", "", ""]
    : [of("bare", "per_second"), of("ours", "per_second"), of("ours", "p50_us"), of("ours", "p99_us")];
  if (work.isDurable) wall.push(pick === least ? "" : of("ours", "together").toFixed(1));
  return { ratio: bare / ours, text: `| ${[...cells, ...wall].join(" | ")} |` };
}

function table(rounds, sizes) {
  const typical = row("**median**", rounds, median);
  const text = [
    `${os.cpus()[0].model}, ${os.cpus().length} cores, Linux ${os.release()}; loops: ${option.loops}; ` +
      `${requestCount} ${work.says} a round over ${connections} connections; bytes: ` +
      `${Object.entries(sizes).map(([name, size]) => `${name} ${size}`).join(", ")}.`,
    "",
    "| round | bare, CPU µs | ours, CPU µs | bare / ours | bare, 1/s | ours, 1/s | ours p50, µs | ours p99, µs |" +
      (work.isDurable ? " in one transaction |" : ""),
    "|---|---|---|---|---|---|---|---|" + (work.isDurable ? "---|" : ""),
    ...rounds.map((round, i) => row(i + 1, [round], median).text),
    typical.text,
    row("least", rounds, least).text,
    ""].join("\n");
  return { ratio: typical.ratio, text };
}

// --- the run ---

/** Samples a server while it works; cpu-clock works where a virtual machine hides the hardware counters. */
async function profile(ours, server, file) {
  const { requests } = await work.prepare(ours, 5 * requestCount, asker(ours));
  writeFileSync(requestFile, requests.join(""), "latin1");
  const sampling = ["record", "-q", "-e", "cpu-clock", "-F", "4999", "-g", "-p", String(server.pid), "-o", file];
  const perf = spawn("perf", sampling, { stdio: "inherit" });
  await new Promise((resolve) => setTimeout(resolve, 300)); // perf has to attach
  load(server, server === ours ? work.status : 200, 5 * requestCount);
  perf.kill("SIGINT");
  await new Promise((resolve) => perf.on("exit", resolve));
}

/** Another's server under the same load: median and least CPU time of so many rounds, after one that warms it. */
async function measureBeside(name) {
  const other = others[name], task = other.works[option.work];
  const { folder, isOurs, versions } = other.install(other.packages);
  try {
    const { pid, told } = await start([process.execPath, other.script, folder]);
    const server = { pid, ...told }, rounds = [];
    for (let i = 0; i <= Number(option.rounds); i++) {
      writeFileSync(requestFile, (await task.prepare(server, requestCount)).join(""), "latin1");
      rounds.push(load(server, task.status, requestCount));
    }
    const cpu = rounds.slice(1).map((round) => round.cpu_us);
    return `beside, npm ${versions} on Node ${process.versions.node}: ${option.work} ${median(cpu).toFixed(0)} CPU µs, ` +
      `least ${least(cpu).toFixed(0)}; ${median(rounds.slice(1).map((round) => round.per_second))} a second\n`;
  } finally {
    if (isOurs) rmSync(folder, { recursive: true, force: true });
  }
}

function build() {
  execFileSync("cmake", ["--build", option.build, "--target", "coatcheck", "bench_bare", "bench_load", "bench_syncs"],
    { stdio: ["ignore", "ignore", "inherit"] });
}

async function startOurs() {
  const env = { COATCHECK_LOOPS: option.loops };
  if (work.isDurable) Object.assign(env, { LD_PRELOAD: path.join(option.build, "bench/libbench_syncs.so"), BENCH_SYNCS: syncFile });
  const { pid, told } = await start([path.join(option.build, "coatcheck"), "dev", "--port", "0", "--data", path.join(data, "ours"),
    "--json"], env);
  const authorization = `Basic ${Buffer.from(`${told.project_id}:${told.api_token}`).toString("base64")}`;
  return { pid, ...told, port: Number(new URL(told.url).port), authorization };
}

async function startBare(sizes) {
  const rows = work.isDurable ? ["--rows", path.join(data, "bare.db")] : [];
  const { pid, told } = await start([path.join(option.build, "bench/bench_bare"), "--work", option.work, ...rows,
    ...Object.entries(sizes).flatMap(([name, size]) => [`--${name}`, String(size)])]);
  return { pid, port: told.port };
}

async function main() {
  if (!option["as-built"]) build();
  const ours = await startOurs();
  const sizes = await sizesOf(ours);
  const bare = await startBare(sizes);
  await round(ours, bare, 2000); // writes the subscribers, which are rows, and warms the caches
  const rounds = [];
  for (let i = 0; i < Number(option.rounds); i++) {
    rounds.push(await round(ours, bare, requestCount));
    const { bare: b, ours: o } = rounds[i];
    console.log(`round ${i + 1}: bare ${b.cpu_us} µs, ours ${o.cpu_us} µs, ${(b.cpu_us / o.cpu_us).toFixed(2)}`);
  }
  const { ratio, text: ownText } = table(rounds, sizes);
  let text = ownText;
  for (const name of option.beside) text += `\n${await measureBeside(name)}`;
  mkdirSync(path.join(option.build, "bench"), { recursive: true });
  writeFileSync(path.join(option.build, `bench/${option.work}.md`), text);
  console.log(`\n${text}\n${option.work} ${ratio.toFixed(2)} of bare (goal ${work.goal.toFixed(2)})`);
  if (option.perf) {
    await profile(ours, ours, option.perf);
    await profile(ours, bare, `${option.perf}.bare`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
} finally {
  await Promise.all(running.map((child) => new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.removeAllListeners("exit").on("exit", done);
    child.kill("SIGTERM");
  })));
  rmSync(data, { recursive: true, force: true });
}
