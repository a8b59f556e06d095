// clock.mjs — moves a test project's time, and runs the commands of the binary as a person does.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { BINARY, REPOSITORY } from "./server.mjs";
import { LIMIT_S } from "./suite.mjs";

// Resolves to { code, out, err }, whatever the code.
export function coatcheck(...args)
{
    return new Promise((resolve, reject) => {
        execFile(BINARY, args, { timeout: LIMIT_S * 1000 }, (error, out, err) => {
            if (error && typeof error.code !== "number") reject(error);
            else resolve({ code: error?.code ?? 0, out, err });
        });
    });
}

export function askAdvance(server, duration, { project = server.contract.project_id, data = server.data } = {})
{
    return coatcheck("clock", "advance", duration, "--project", project, "--data", data, "--json");
}

// What exists now gets older by so much ("2h"), and is so when this resolves.
export async function advance(server, duration)
{
    const { code, out, err } = await askAdvance(server, duration);
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    return JSON.parse(out);
}

// A machine's clock for servers on that folder: `env` starts them under it, `set` puts it so many ms ahead of the real one.
export function movedClock(data)
{
    const file = path.join(data, "test-clock"), library = path.join(data, "set_clock.so");
    fs.writeFileSync(file, Buffer.alloc(8));
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, path.join(REPOSITORY, "tests/harness/set_clock.c")]);
    const set = (aheadMs) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(BigInt(aheadMs));
        fs.writeFileSync(file, bytes, { flag: "r+" });
    };
    return { set, env: { LD_PRELOAD: library, COATCHECK_TEST_CLOCK: file, ASAN_OPTIONS: `verify_asan_link_order=0:${process.env.ASAN_OPTIONS ?? ""}` } };
}
