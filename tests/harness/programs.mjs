// programs.mjs — a program of a document, run as it stands with the environment that the document names: its URL, what it says on
// stderr, and whether it still runs. And a server that is away.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import readline from "node:readline";
import { guarded, LIMIT_S } from "./suite.mjs";

export async function startProgram(folder, name, code, env)
{
    fs.writeFileSync(path.join(folder, name), code);
    const child = spawn(process.execPath, [path.join(folder, name)], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH, PORT: "0", ...env } });
    const said = [];
    readline.createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
    const first = new Promise((resolve, reject) => {
        readline.createInterface({ input: child.stdout }).once("line", resolve);
        child.once("exit", () => reject(new Error(`${name} has ended: ${said.join("\n")}`)));
    });
    const url = await guarded(first, LIMIT_S, `the URL of ${name}`);
    return { url, said, isRunning: () => child.exitCode === null && child.signalCode === null, stop: () => child.kill("SIGKILL") };
}

// A URL of this machine where nobody listens.
export async function nowhere()
{
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return `http://127.0.0.1:${port}`;
}
