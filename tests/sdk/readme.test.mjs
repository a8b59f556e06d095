// readme.test.mjs — the guide of the browser SDK, as it stands: each of its programs runs here or in sdk_refresh.test.mjs, its tables
// name what the code has, and it says what the acceptance list wants said.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { startBrowser } from "../harness/browser.mjs";
import { mintToken } from "../harness/http.mjs";
import { nowhere, startProgram } from "../harness/programs.mjs";
import { buildSdk, SDK, startSdkPages } from "../harness/sdk_pages.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const text = fs.readFileSync(path.join(SDK, "README.md"), "utf8");
const snippets = Object.fromEntries([...text.matchAll(/^```js\n\/\/ ([\w.]+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name, code]));
const prose = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/\s+/g, " ");
const folder = temporaryFolder("coatcheck-readme");
let server, browser, pages;

const inPage = (code) => (request, answer) => answer.writeHead(200, { "content-type": "text/javascript" }).end(code.replace('"coatcheck"', '"/sdk/index.js"'));

async function start()
{
    buildSdk();
    server = await startServer();
    browser = await startBrowser([], ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]);
    const token = async (request, answer) => {
        const { fingerprint } = JSON.parse(await new Promise((resolve) => { let all = ""; request.on("data", (part) => { all += part; }); request.on("end", () => resolve(all)); }));
        const minted = await mintToken(server, { reference: "ada@example.com", fingerprint, scope: "sat:refresh" });
        answer.writeHead(200).end(JSON.stringify({ token: minted.token, expiry_at: Date.now() + 7_200_000 }));
    };
    pages = await startSdkPages([server.url], { routes: { "/snippet/page.js": inPage(snippets["page.js"]), "/snippet/call.js": inPage(snippets["call.js"]), "/token": token } });
}

test("it is short, and every program in it is run", () => {
    assert.ok(text.split("\n").length <= 145, `${text.split("\n").length} lines`);
    assert.deepEqual(Object.keys(snippets).sort(), ["backend.mjs", "call.js", "page.js"]);
    assert.match(fs.readFileSync(new URL("sdk_refresh.test.mjs", import.meta.url), "utf8"), /backend\\\.mjs/);
});

// The backend of the guide, and somebody who asks it, signed in unless said otherwise.
async function startBackend(more)
{
    const { url, project_id, api_token } = server.contract;
    const program = await startProgram(folder, "backend.mjs", snippets["backend.mjs"],
        { COATCHECK_URL: url, PROJECT: project_id, API_TOKEN: api_token, STORE_KEY: crypto.randomBytes(32).toString("base64"), ...more });
    const ask = (at, body, { method = "POST", headers = { "x-demo-user": "ada@example.com" } } = {}) => fetch(program.url + at, { method, body, headers });
    return { ...program, ask };
}

const BODIES = ["{", "null", "0", "false", '""', "not JSON", "\u0000", `{"fingerprint":"${"x".repeat(5000)}"}`, "x".repeat(3_000_000), "[".repeat(4000)];

test("backend.mjs refuses what is no request of the page's, and lives on", async () => {
    const backend = await startBackend();
    for (const at of ["/token", "/refresh"]) {
        assert.equal((await backend.ask(at, "{}", { headers: {} })).status, 401);
        for (const method of ["GET", "PUT", "DELETE"]) assert.equal((await backend.ask(at, undefined, { method })).status, 405, method);
        for (const body of BODIES) assert.equal((await backend.ask(at, body)).status, 400, body.slice(0, 20));
    }
    assert.equal((await backend.ask("/other", "{}")).status, 404);
    const gone = net.connect(new URL(backend.url).port, "127.0.0.1"); // a page that is closed in the middle of its request
    await new Promise((resolve) => gone.end("POST /token HTTP/1.1\r\nhost: x\r\nx-demo-user: ada\r\ncontent-length: 9\r\n\r\n{", resolve));
    gone.resume();
    await new Promise((resolve) => gone.once("close", resolve));
    const answer = await backend.ask("/token", "");
    const { token, expiry_at, ...rest } = await answer.json();
    assert.deepEqual([answer.status, rest, backend.said], [200, {}, []]);
    assert.equal(expiry_at, JSON.parse(Buffer.from(token.split(".")[1], "base64url")).exp * 1000);
    assert.ok(expiry_at > Date.now() + 3_600_000);
    assert.ok(backend.isRunning());
    backend.stop();
});

test("backend.mjs answers 502 and lives on when the server is away or refuses, and says why to its operator alone", async () => {
    for (const [more, said] of [[{ COATCHECK_URL: await nowhere() }, /^fetch failed ECONNREFUSED$/], [{ API_TOKEN: "PTwrong" }, /^refused: coatcheck why [\w-]{16}$/]]) {
        const backend = await startBackend(more);
        for (const at of ["/token", "/refresh"]) {
            const answer = await backend.ask(at, "{}");
            assert.deepEqual([answer.status, await answer.text()], [502, "{}"]);
        }
        await eventually(() => backend.said.length === 2, "two lines for the operator");
        for (const line of backend.said) assert.match(line, said);
        assert.ok(backend.isRunning());
        backend.stop();
    }
});

test("page.js opens a session with the guide's provider", async () => {
    const page = await browser.newPage(), said = [];
    page.on("console", (line) => said.push(line.text()));
    await page.goto(pages.origin);
    await page.evaluate(async () => { ({ client: window.client } = await import("/snippet/page.js")); });
    await page.waitForFunction(() => window.client.isRegistered);
    assert.deepEqual(said, ["no session", "session open"]);
    await page.close();
});

test("call.js calls the front desk", async () => {
    const page = await browser.newPage(), { c2c_token, url } = server.contract;
    await page.goto(pages.origin);
    const id = await page.evaluate(async ([token, host]) => (await (await import("/snippet/call.js")).callUs(token, host)).id, [c2c_token, url]);
    assert.match(id, /^[0-9a-f-]{36}$/);
    await page.close();
});

test("SW-56 the request of the guide, sent as it stands, makes a token; SW-57 it warns of what the API token can do", async () => {
    const [, command] = text.match(/^```sh\n([\s\S]*?)^```$/m);
    const { project_id, api_token } = server.contract;
    const { stdout } = await promisify(execFile)("bash", ["-c", command], { env: { PATH: process.env.PATH, COATCHECK_URL: server.url, PROJECT: project_id, API_TOKEN: api_token } });
    assert.deepEqual(Object.keys(JSON.parse(stdout)), ["subscriber_id", "token", "refresh_token"]);
    assert.match(prose, /can act for any user of its project\*\*: use a project for development, or replace the token afterwards/);
});

test("SW-4 choosing, delivering and keeping alive, in this order; SW-13 reach by trust; SW-14 two ways of delivery", () => {
    const at = ["**1. Choose a credential.**", "**2. Deliver it.**", "**3. Keep the session alive.**"].map((heading) => text.indexOf(heading));
    assert.ok(at.every((place, i) => place > (at[i - 1] ?? 0)));
    assert.match(prose, /Give its holder no more than you trust them with.*whatever a page can read, its visitor can read/);
    assert.match(prose, /Only the `c2c_…` token may stand in a page\. Every other token comes from a server/);
});

test("SW-43 the provider's endpoints, events and ways to fail are there, and are those of the code; SW-32 both ways of refreshing", () => {
    const source = fs.readdirSync(path.join(SDK, "src")).filter((name) => /^[\w-]+\.ts$/.test(name)).map((name) => fs.readFileSync(path.join(SDK, "src", name), "utf8")).join("\n");
    for (const code of ["credential_refused", "credential_expired", "credential_revoked", "credential_invalid", "refresh_failed", "network", "credential_refresh_fallback"])
        assert.ok(prose.includes(code) && source.includes(`"${code}"`), code);
    for (const word of ["/api/fabric/subscriber/devices/token", "devices/refresh", "errors$", "warnings$", "ready$", "TokenRefreshError", "InvalidCredentialsError", "`refresh()`, 30 s before `expiry_at`"])
        assert.ok(text.includes(word), word);
    assert.match(source, /LEAD_MS = 30_000/);
});

// Public members by name: of an interface or class, from its head to its closing brace; no fields with #, nothing @internal.
function membersOf(file, kind)
{
    const source = fs.readFileSync(path.join(SDK, "src", file), "utf8");
    const body = source.match(new RegExp(`^export (?:interface|class) ${kind}\\b[^{]*\\{([\\s\\S]*?)^\\}`, "m"))[1].replace(/\/\*\* @internal[^\n]*\n.*$/gm, "");
    return [...body.matchAll(/^ {4}(?:readonly |async |get |static )*([a-z]\w*\$?)\??(?=[(:])/gm)].map(([, name]) => name).filter((name) => name !== "constructor");
}

test("docs/sdk.md names every public member and every code, with the names of the sources", () => {
    const reference = fs.readFileSync(path.join(SDK, "../docs/sdk.md"), "utf8");
    let named = 0;
    for (const [file, kind] of [["client.ts", "ClientOptions"], ["client.ts", "CoatcheckClient"], ["client.ts", "SessionView"], ["client.ts", "Directory"], ["call.ts", "Call"],
        ["call.ts", "MediaOptions"], ["call.ts", "WebRTCApi"], ["credentials.ts", "CredentialProvider"], ["errors.ts", "CoatcheckError"]]) {
        const [, section] = reference.match(new RegExp(`^## [^\\n]*\`${kind}\`[^\\n]*\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, "m")) ?? assert.fail(`no section for ${kind}`);
        for (const name of membersOf(file, kind)) {
            assert.match(section, new RegExp(`\`(?:\\w+\\.)?${name.replace("$", "\\$")}[\`({]`), `${kind}.${name}`);
            named++;
        }
    }
    assert.ok(named > 55, `${named} members were found`);
    const codes = ["errors.ts", "codes.ts"].flatMap((file) => [...fs.readFileSync(path.join(SDK, "src", file), "utf8").matchAll(/^ {4}\| "(\w+)"/gm)].map(([, code]) => code));
    assert.ok(codes.length > 50);
    for (const code of codes) assert.ok(reference.includes(`\`${code}\``), code);
    for (const [, cause] of fs.readFileSync(path.join(SDK, "../src/engine/cause.def"), "utf8").matchAll(/^CAUSE_ROW\((\w+)/gm))
        assert.ok(fs.readFileSync(path.join(SDK, "../docs/calls.md"), "utf8").includes(`\`${cause}\``), cause);
});

await run({ before: start, after: async () => { await browser?.stop(); await pages?.stop(); await server?.stop(); fs.rmSync(folder, { recursive: true, force: true }); } });
