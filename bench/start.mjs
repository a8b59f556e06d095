#!/usr/bin/env node
// start.mjs — how long a start takes, from the call to the first answer, and what an idle server holds. README.md explains.
//
//   node bench/start.mjs [--build DIR] [--rounds 11] [--tls]
//
// It only ever measures: no figure makes it fail, because a slow machine is not a defect.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const GOAL = { start_ms: 100, private_kib: 4096, resident_kib: 18432 };
const IDLE_MS = 2000; // timers have come round, nobody asks

const { values: option } = parseArgs({
  options: {
    build: { type: "string", default: path.join(root, "build/release") },
    rounds: { type: "string", default: "11" },
    tls: { type: "boolean", default: false },
  },
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function answer(url) {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, (reply) => {
      reply.resume();
      reply.on("end", () => (reply.statusCode === 200 ? resolve() : reject(new Error(`status ${reply.statusCode}`))));
    }).on("error", reject).end();
  });
}

/** Starts a server; resolves with the child and the milliseconds to its contract line and to its first answer. */
async function start(data) {
  const begin = performance.now();
  const child = spawn(path.join(option.build, "coatcheck"),
    ["dev", "--port", "0", "--data", data, "--json", ...(option.tls ? ["--tls"] : [])], { stdio: ["ignore", "pipe", "ignore"] });
  const line = await new Promise((resolve, reject) => {
    let text = "";
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.on("data", (chunk) => { if ((text += chunk).includes("\n")) resolve(JSON.parse(text)); });
  });
  const line_ms = performance.now() - begin;
  await answer(`${line.url}/healthz`);
  return { child, line_ms, first_ms: performance.now() - begin };
}

function stop(child) {
  return new Promise((resolve) => child.removeAllListeners("exit").on("exit", resolve).kill("SIGTERM"));
}

/** smaps_rollup in KiB: what nobody else shares, written or not, and all that is in memory. */
function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const of = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)[1]);
  return { private_kib: of("Private_Clean") + of("Private_Dirty"), dirty_kib: of("Private_Dirty"), resident_kib: of("Rss") };
}

async function main(data) {
  const first = await start(path.join(data, "first")); // makes keys, database and project
  await stop(first.child);
  const rounds = [];
  for (let i = 0; i < Number(option.rounds); i++) {
    const round = await start(path.join(data, "first"));
    rounds.push(round);
    if (i + 1 < Number(option.rounds)) await stop(round.child);
  }
  const { child } = rounds.at(-1);
  await wait(IDLE_MS);
  const idle = memory(child.pid);
  await stop(child);
  const of = (name) => rounds.map((round) => round[name]);
  const text = [
    `${os.cpus()[0].model}, ${os.cpus().length} cores, Linux ${os.release()}; ${option.rounds} starts on existing data${option.tls ? ", TLS" : ""}.`,
    "",
    "| what | figure | goal |",
    "|---|---|---|",
    `| start to first answer, median ms | ${median(of("first_ms")).toFixed(1)} | ≤ ${GOAL.start_ms} |`,
    `| start to first answer, most ms | ${Math.max(...of("first_ms")).toFixed(1)} | |`,
    `| start to listening, median ms | ${median(of("line_ms")).toFixed(1)} | |`,
    `| first start of all, to its answer, ms | ${first.first_ms.toFixed(1)} | |`,
    `| idle, private memory (clean and dirty), KiB | ${idle.private_kib} | ≤ ${GOAL.private_kib} |`,
    `| idle, of it dirty, KiB | ${idle.dirty_kib} | |`,
    `| idle, resident memory, KiB | ${idle.resident_kib} | ≤ ${GOAL.resident_kib} |`,
    ""].join("\n");
  mkdirSync(path.join(option.build, "bench"), { recursive: true });
  writeFileSync(path.join(option.build, "bench/start.md"), text);
  console.log(text);
}

const data = mkdtempSync(path.join(os.tmpdir(), "coatcheck-bench-"));
try {
  await main(data);
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(data, { recursive: true, force: true });
}
