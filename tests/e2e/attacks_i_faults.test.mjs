// attacks_i_faults.test.mjs — what lies below gives way: the disk is full, the database is locked. Names begin with the
// number of the case. What needs no write goes on, what needs one is answered 503, and nothing has to be restarted.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { info, mint, mintToken } from "../harness/http.mjs";
import { databaseFile } from "../harness/ring.mjs";
import { connected } from "../harness/session.mjs";
import { BINARY, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

let folder;

// What must go on whatever the disk does.
async function stillServes(server, known)
{
    const again = await mint(server, { reference: known.reference });
    assert.equal(again.status, 200, again.text);
    assert.equal(again.json.subscriber_id, known.subscriber_id);
    assert.equal((await info(server, known.token)).status, 200);
    await (await connected(server, known.token)).close();
}

async function knownUser(server, reference) { return { reference, ...await mintToken(server, { reference }) }; }

function assertTryAgain(answer)
{
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.headers["retry-after"] ?? "", /^\d+$/);
    assert.equal(answer.json?.token, undefined, "no token of a user that was not stored");
}

// A file-size limit stands for a full disk. The signal that comes with it is ignored, as it does not come with a full one.
test("I-126 on a full disk known users go on, new ones get 503, and with room it goes on by itself", async () => {
    const binary = path.join(folder, "full");
    fs.writeFileSync(binary, `#!/bin/sh\ntrap '' XFSZ\nexec '${BINARY}' "$@"\n`, { mode: 0o755 });
    const server = await startServer({ binary });
    const limit = (bytes) => execFileSync("prlimit", ["--pid", String(server.pid), `--fsize=${bytes}:unlimited`]);
    const known = await knownUser(server, "i126@example.com");
    limit(64 * 1024);
    let refused, stored = [];
    for (let i = 0; i < 200 && !refused; i++) {
        const answer = await mint(server, { reference: `i126-${i}@example.com`, job_title: "x".repeat(255) });
        if (answer.status === 200) stored.push({ reference: `i126-${i}@example.com`, ...answer.json }); else refused = answer;
    }
    assertTryAgain(refused);
    await stillServes(server, known);
    limit("unlimited");
    const after = await mintToken(server, { reference: "i126-after@example.com" });
    for (const user of [...stored.slice(-20), { reference: "i126-after@example.com", ...after }]) await stillServes(server, user);
    await server.stop();
});

test("I-130 while somebody else locks the database, a write is answered 503 in seconds, and the next one works", async () => {
    const server = await startServer();
    const known = await knownUser(server, "i130@example.com");
    const holder = spawn("sqlite3", [databaseFile(server.data)], { stdio: ["pipe", "pipe", "inherit"] });
    holder.stdin.write("BEGIN IMMEDIATE;\n.print locked\n");
    await once(holder.stdout, "data");
    const [refused] = await Promise.all([mint(server, { reference: "i130-new@example.com" }), stillServes(server, known)]);
    assertTryAgain(refused);
    holder.stdin.end("ROLLBACK;\n");
    await once(holder, "close");
    await stillServes(server, await knownUser(server, "i130-new@example.com"));
    await server.stop();
});

await run({
    before: async () => { folder = temporaryFolder(); },
    after: async () => { fs.rmSync(folder, { recursive: true, force: true }); },
});
