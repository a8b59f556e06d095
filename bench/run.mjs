#!/usr/bin/env node
// run.mjs — CPU time of one mint: the server against `bare`, in interleaved rounds. README.md explains the figures.
//
//   node bench/run.mjs [--build DIR] [--rounds 5] [--requests 20000] [--connections 16] [--loops 1]
//                      [--perf FILE] [--as-built]
//
// It only ever measures: no figure makes it fail, because a slow machine is not a defect. Wrong replies do.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const MINT_PATH = "/api/fabric/subscribers/tokens";
const REFERENCES = 100;
const GOAL = 0.7;

const { values: option } = parseArgs({
  options: {
    build: { type: "string", default: path.join(root, "build/release") },
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "20000" },
    connections: { type: "string", default: "16" },
    loops: { type: "string", default: "1" },
    perf: { type: "string" },
    "as-built": { type: "boolean", default: false },
  },
});

// --- processes ---

const running = [];

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

function load(server, requests) {
  const argv = [path.join(option.build, "bench/bench_load"), "--port", server.port, "--pid", server.pid,
    "--requests", requests, "--connections", option.connections, "--references", REFERENCES, "--path", MINT_PATH,
    ...(isPinned ? ["--spin"] : [])];
  const [command, ...args] = pinned(1, argv).map(String);
  const env = { ...process.env, BENCH_AUTHORIZATION: server.authorization };
  return JSON.parse(execFileSync(command, args, { env, encoding: "utf8" }));
}

// --- what our reply is made of, so that bare does the same amount of work ---

function mintOnce({ port, authorization }) {
  const body = JSON.stringify({ reference: "bench-0@example.com" });
  const request = `POST ${MINT_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${authorization}\r\n` +
    `Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
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
      if (!text.startsWith("HTTP/1.1 200 ")) reject(new Error(`mint refused: ${text}`));
      else resolve({ bytes: text.length, ...JSON.parse(text.slice(head + 4)) });
    });
  });
}

function sizesOf(reply, secret) {
  const [header, payload] = reply.token.split(".");
  const sealed = Buffer.from(reply.refresh_token.split(".")[1], "base64url");
  return { header: header.length, claims: Buffer.from(payload, "base64url").length, sealed: sealed.length - 16,
    secret: secret.length, reply: reply.bytes };
}

// --- the run ---

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const least = (list) => Math.min(...list);

/** One line of the table; `pick` makes one number out of the rounds'. */
function row(name, rounds, pick) {
  const of = (who, what) => pick(rounds.map((round) => round[who][what]));
  const [bare, ours] = [of("bare", "cpu_us"), of("ours", "cpu_us")];
  const cells = [name, bare.toFixed(2), ours.toFixed(2), (bare / ours).toFixed(2)];
  const wall = pick === least ? ["", "", "", ""]
    : [of("bare", "per_second"), of("ours", "per_second"), of("ours", "p50_us"), of("ours", "p99_us")];
  return { ratio: bare / ours, text: `| ${[...cells, ...wall].join(" | ")} |` };
}

function table(rounds, sizes) {
  const typical = row("**median**", rounds, median);
  const text = [
    `${os.cpus()[0].model}, ${os.cpus().length} cores, Linux ${os.release()}; loops: ${option.loops}; ` +
      `${option.requests} mints a round over ${option.connections} connections; token header ${sizes.header} ` +
      `characters, claims ${sizes.claims} bytes, sealed record ${sizes.sealed} bytes, reply ${sizes.reply} bytes.`,
    "",
    "| round | bare, CPU µs | ours, CPU µs | bare / ours | bare, 1/s | ours, 1/s | ours p50, µs | ours p99, µs |",
    "|---|---|---|---|---|---|---|---|",
    ...rounds.map((round, i) => row(i + 1, [round], median).text),
    typical.text,
    row("least", rounds, least).text,
    ""].join("\n");
  return { ratio: typical.ratio, text };
}

/** Samples a server while it mints; cpu-clock works where a virtual machine hides the hardware counters. */
function profile(server, file) {
  const sampling = ["record", "-q", "-e", "cpu-clock", "-F", "4999", "-g", "-p", String(server.pid), "-o", file];
  const perf = spawn("perf", sampling, { stdio: "inherit" });
  load(server, 5 * Number(option.requests));
  perf.kill("SIGINT");
  return new Promise((resolve) => perf.on("exit", resolve));
}

function build() {
  execFileSync("cmake", ["--build", option.build, "--target", "coatcheck", "bench_bare", "bench_load"],
    { stdio: ["ignore", "ignore", "inherit"] });
}

async function main(data) {
  if (!option["as-built"]) build();
  const dev = await start([path.join(option.build, "coatcheck"), "dev", "--port", "0", "--data", data, "--json"],
    { COATCHECK_LOOPS: option.loops });
  const { url, project_id, api_token } = dev.told;
  const authorization = `Basic ${Buffer.from(`${project_id}:${api_token}`).toString("base64")}`;
  const ours = { pid: dev.pid, port: Number(new URL(url).port), authorization };
  const sizes = sizesOf(await mintOnce(ours), api_token);
  const floor = await start([path.join(option.build, "bench/bench_bare"),
    ...Object.entries(sizes).flatMap(([name, size]) => [`--${name}`, String(size)])]);
  const bare = { pid: floor.pid, port: floor.told.port, authorization };

  load(ours, 2000); // writes the subscribers, which are rows, and warms both caches
  load(bare, 2000);
  const rounds = [];
  for (let i = 0; i < Number(option.rounds); i++) {
    rounds.push({ bare: load(bare, option.requests), ours: load(ours, option.requests) });
    const { bare: b, ours: o } = rounds[i];
    console.log(`round ${i + 1}: bare ${b.cpu_us} µs, ours ${o.cpu_us} µs, ${(b.cpu_us / o.cpu_us).toFixed(2)}`);
  }
  const { ratio, text } = table(rounds, sizes);
  mkdirSync(path.join(option.build, "bench"), { recursive: true });
  writeFileSync(path.join(option.build, "bench/mint.md"), text);
  console.log(`\n${text}\nmint ${ratio.toFixed(2)} of bare (goal ${GOAL.toFixed(2)})`);
  if (option.perf) {
    await profile(ours, option.perf);
    await profile(bare, `${option.perf}.bare`);
  }
}

const data = mkdtempSync(path.join(os.tmpdir(), "coatcheck-bench-"));
try {
  await main(data);
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
