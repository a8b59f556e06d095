// memory.test.mjs — the released binary under valgrind: no byte is used before it was written or after it was freed, and
// none is lost when the server stops. The sanitizers watch another build; this one is what people run.
//
// valgrind itself asks the kernel for more than the server may (docs/operating.md, `sandbox`), so the list stays open here.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { ADDRESSES, INFO, JWKS, TOKENS, call, mint, mintToken } from "../harness/http.mjs";
import { Session, connected } from "../harness/session.mjs";
import { BINARY, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const FOUND = 97; // valgrind's exit code when it has found something
let folder, log;

function underValgrind()
{
    const binary = path.join(folder, "coatcheck");
    log = path.join(folder, "valgrind.log");
    const options = [`--error-exitcode=${FOUND}`, "--leak-check=full", "--show-leak-kinds=definite,indirect",
        "--errors-for-leak-kinds=definite,indirect", "--num-callers=24", `--log-file=${log}`];
    fs.writeFileSync(binary, `#!/bin/sh\nexec valgrind ${options.join(" ")} '${BINARY}' "$@"\n`, { mode: 0o755 });
    return { binary, tls: true, env: { COATCHECK_SANDBOX: "off" } };
}

// Bytes as they are, then the end; what comes back does not matter.
function raw(server, bytes)
{
    return new Promise((resolve) => {
        const socket = net.connect(server.port, "127.0.0.1", () => socket.end(bytes));
        socket.on("error", resolve);
        socket.on("close", resolve);
        socket.resume();
    });
}

async function serves(server, tls)
{
    const reference = `valgrind-${tls}@example.com`;
    const body = { reference, first_name: "Val", password: tls ? undefined : "a password" };
    const first = await call(server, "POST", TOKENS, { body, tls, headers: { authorization: server.basic } });
    assert.equal(first.status, 200, first.text);
    const { token } = await mintToken(server, { reference, job_title: "x".repeat(255) });
    const headers = { authorization: `Bearer ${token}` };
    for (const route of [INFO, ADDRESSES, JWKS, "/healthz", "/readyz", "/nowhere"]) await call(server, "GET", route, { tls, headers });
    const session = await connected(server, token, { tls });
    assert.ok((await session.request("verto.invite", {})).error, "a call without its members is refused");
    await session.request("subscriber.online", { start: true });
    session.send("{ no JSON");
    await session.close();
}

async function refuses(server)
{
    assert.equal((await mint(server, { reference: "" })).status, 422);
    assert.equal((await mint(server, { reference: "nobody@example.com" }, { authorization: "Basic bm86bm8=" })).status, 401);
    assert.equal((await call(server, "GET", INFO, { headers: { authorization: "Bearer e30.e30.AA" } })).status, 401);
    const stranger = await Session.open(server, {});
    await stranger.connect("no.token.here");
    await stranger.close();
    for (const bytes of ["", "GET", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "\x16\x03\x01\x00\x05hello", "POST /x HTTP/1.1\r\n" +
        "Host: a\r\nContent-Length: 9\r\n\r\n{\"a\":", `GET /${"a".repeat(20000)} HTTP/1.1\r\n\r\n`]) await raw(server, bytes);
}

// Until the end is told, the log grows; stop() has waited for it.
function finding() { return fs.readFileSync(log, "utf8"); }

test("nothing is misused and nothing lost from start to SIGTERM, with sessions still open", async () => {
    const server = await startServer(underValgrind());
    for (const tls of [false, true]) await serves(server, tls);
    await refuses(server);
    const { token } = await mintToken(server, { reference: "left-open@example.com" });
    const open = await Promise.all([connected(server, token), connected(server, token, { tls: true })]);
    try {
        await server.stop();
    } catch (error) {
        console.log(finding().split("\n").slice(0, 120).join("\n"));
        throw error;
    }
    await Promise.all(open.map((session) => session.closed));
    assert.match(finding(), /ERROR SUMMARY: 0 errors/);
    assert.match(finding(), /definitely lost: 0 bytes|All heap blocks were freed/);
    assert.match(finding(), /indirectly lost: 0 bytes|All heap blocks were freed/);
});

await run({
    before: async () => { folder = temporaryFolder(); },
    after: async () => { fs.rmSync(folder, { recursive: true, force: true }); },
});
