// migrate.test.mjs — the program of docs/migrate-signalwire.md in Chromium, once with the vendor's package, unmodified, and once with ours
// under the vendor's names: what it tells is the same, and where the documents say that ours tells more, it does.
import assert from "node:assert/strict";
import fs from "node:fs";
import { bundle, programsOf, startApp, Visit } from "../harness/app_pages.mjs";
import { startBrowser } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { mintToken } from "../harness/http.mjs";
import { startProgram } from "../harness/programs.mjs";
import { buildSdk } from "../harness/sdk_pages.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const OURS = "coatcheck/compat/signalwire", THEIRS = "@signalwire/js";
const sites = {};
const folder = temporaryFolder("coatcheck-migrate");
const asked = []; // of the printed backend, by the page beside it
let server, browser, credential, backend;

async function start()
{
    buildSdk();
    server = await startServer({ tls: true });
    const { project_id, api_token } = server.contract;
    backend = await startProgram(folder, "calls.mjs", programsOf("docs/backends.md")["calls.mjs"], { COATCHECK_URL: server.url, PROJECT: project_id, API_TOKEN: api_token });
    browser = await startBrowser([server.contract.ca_file]);
    const program = programsOf("docs/migrate-signalwire.md")["softphone.js"];
    assert.ok(program.includes(`from "${OURS}"; // was "${THEIRS}"`));
    const token = () => ({ json: credential }), host = `*.${new URL(server.contract.tls_url).host}`;
    for (const name of [OURS, THEIRS]) {
        const script = await bundle(`import { signIn } from "docs:softphone.js"; import * as names from "${name}"; Object.assign(window, { signIn, names });`, { "softphone.js": program.replaceAll(OURS, name) });
        const connect = [server.url, server.url.replace("http", "ws"), `https://${host}`, `wss://${host}`]; // what tokens name: iss for ours, ch for theirs
        sites[name] = await startApp({ script, connect, routes: { "/token": token, "/refresh": token } });
        if (name === OURS) sites.pair = await startApp({ script, connect, routes: { "/token": toBackend, "/refresh": toBackend } });
    }
}

// The page's own origin leads to the backend, as a front door would, and adds who is signed in.
async function toBackend({ method, url }, body)
{
    asked.push(url);
    const answer = await fetch(backend.url + url, { method, body, headers: { "x-demo-user": "ada@example.com" } });
    return { status: answer.status, json: await answer.json() };
}

async function stop()
{
    await browser?.stop();
    for (const site of Object.values(sites)) await site.stop();
    backend?.stop();
    await server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
}

async function visit(name, { clock = false } = {})
{
    const one = await Visit.begin(browser, sites[name].origin);
    if (clock) {
        await one.page.clock.install();
        await one.page.reload();
    }
    await one.until(() => window.signIn);
    await one.run(() => { window.told = []; window.client = window.signIn((line) => window.told.push(line)); });
    return one;
}

test("the same program, with the vendor's package and with ours: ready and registered", async () => {
    for (const name of [THEIRS, OURS]) {
        credential = { token: (await mintToken(server, { reference: "ada@example.com", display_name: "Ada" })).token, expiry_at: Date.now() + 7_000_000 };
        const one = await visit(name);
        await one.until(() => window.told.includes("registered") && window.told.includes("ready"));
        assert.deepEqual([...new Set(await one.run(() => window.told))].sort(), ["ready", "registered"], name);
        await one.run(() => window.client.destroy());
        await one.end();
    }
});

test("page and backend as printed are a pair that renews: the page knows when its token ends, and asks for the next one before", async () => {
    const one = await visit("pair", { clock: true });
    const renewals = [];
    await one.until(() => window.told.includes("ready") && window.told.includes("registered"));
    assert.deepEqual(asked, ["/token"]);
    one.page.on("response", (answer) => { if (answer.url().endsWith("/refresh")) renewals.push(answer.status()); });
    await one.page.clock.fastForward("01:59:00"); // past the moment that the server gave, not past the end
    await eventually(() => renewals.length, "the page asks for the next token");
    assert.deepEqual([asked, renewals, await one.run(() => [window.client.ready, [...new Set(window.told)]])], [["/token", "/refresh"], [200], [true, ["ready", "registered"]]]);
    await one.run(() => window.client.destroy());
    await one.end();
});

test("an expired token: ours says that somebody has to sign in again", async () => {
    credential = { token: (await mintToken(server, { reference: "ada@example.com" })).token, expiry_at: Date.now() + 7_000_000 };
    await advance(server, "3h");
    const one = await visit(OURS);
    await one.until(() => window.told.length);
    assert.deepEqual((await one.run(() => window.told)).slice(0, 1), ["sign in again"]);
    await one.end();
});

test("debug: { logWsTraffic: true }: the vendor's tells a message whole, ours by its names, without token and state", async () => {
    for (const name of [THEIRS, OURS]) {
        const { token } = await mintToken(server, { reference: "ada@example.com" }), one = await Visit.begin(browser, sites[name].origin);
        await one.until(() => window.signIn);
        await one.run((sent) => {
            window.lines = [];
            const tell = (...of) => window.lines.push(of.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ").trim());
            const logger = { trace: tell, debug: tell, info: tell, warn: tell, error: tell };
            window.client = new window.names.SignalWire({ authenticate: async () => ({ token: sent }) }, { logger, debug: { logWsTraffic: true } });
        }, token);
        await one.until(() => window.client.isRegistered && window.lines.some((line) => /^RECV.*signalwire\.authorization\.state/s.test(line)));
        const lines = await one.run(() => window.lines.filter((line) => /^(SEND|RECV)/.test(line)));
        assert.equal(lines.some((line) => line.includes(token)), name === THEIRS, name);
        if (name === OURS) {
            assert.ok(["SEND 1 signalwire.connect", "RECV 1"].every((line) => lines.includes(line)), lines.join("; "));
            for (const line of lines) assert.match(line, /^(SEND|RECV) [\w-]+( signalwire\.event \S+| [\w.]+)?$/);
        }
        await one.run(() => window.client.destroy());
        await one.end();
    }
});

test("every name of the vendor's that the page may use is there; UnexpectedError is what has no other class", async () => {
    const one = await visit(OURS), theirs = await visit(THEIRS);
    const names = ["SignalWire", "StaticCredentialProvider", "EmbedTokenCredentialProvider", "embeddableCall", "CallCreateError", "DPoPInitError", "DeviceTokenError", "InvalidCredentialsError", "TokenRefreshError", "UnexpectedError",
        "CollectionFetchError", "MediaTrackError", "MessageParseError", "RecoveryError", "VertoPongError", "getLogger", "setDebugOptions", "setLogLevel", "setLogger"];
    for (const page of [one, theirs]) assert.deepEqual(await page.run((all) => all.map((name) => typeof window.names[name]), names), names.map(() => "function"));
    assert.deepEqual(await one.run(() => {
        const { UnexpectedError, InvalidCredentialsError, SignalWire } = window.names;
        let thrown;
        try { new SignalWire({}); } catch (error) { thrown = error; }
        return [thrown instanceof UnexpectedError, new InvalidCredentialsError("credential_refused", "x") instanceof UnexpectedError, new Error("x") instanceof UnexpectedError, null instanceof UnexpectedError];
    }), [true, false, false, false]);
    await Promise.all([one.end(), theirs.end()]);
});

await run({ before: start, after: stop });
