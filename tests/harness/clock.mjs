// clock.mjs — moves a test project's time, and runs the commands of the binary as a person does.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { BINARY } from "./server.mjs";

// Resolves to { code, out, err }, whatever the code.
export function coatcheck(...args)
{
    return new Promise((resolve, reject) => {
        execFile(BINARY, args, { timeout: 20_000 }, (error, out, err) => {
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
