// sdk_refresh.test.mjs — a session outlives its credential in Chromium against a running server: by the page's refresh(), by the key of the
// browser, and by exactly one of them; what fails on the way, and who hears of it. The backend is the one of sdk/README.md.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { startBrowser } from "../harness/browser.mjs";
import { coatcheck } from "../harness/clock.mjs";
import { mintToken, nowS } from "../harness/http.mjs";
import { buildSdk, SDK, startSdkPages } from "../harness/sdk_pages.mjs";
import { Visit } from "../harness/sdk_visit.mjs";
import { Session } from "../harness/session.mjs";
import { secretIn } from "../harness/secrets.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { guarded, LIMIT_S, run, test } from "../harness/suite.mjs";

// The server asks for the next token in the last quarter of a life: on a busy machine a page may need most of it. Tests that wait
// for that wait side by side.
const LIFE_S = 40, LIVES_S = 3 * LIFE_S;
const BESIDE = { beside: true, guard_s: 2 * LIVES_S };
const folder = temporaryFolder("coatcheck-sdk");
const heard = []; // what came to the backend of the short lives: [user, path, body]
const failures = new Map(); // by user: what its refresh route does instead
let server, browser, pages, backend, child, people = 0;

// Tokens of a few seconds, as no backend makes them, so that a test sees them end.
async function shortLived(request, answer)
{
    const { pathname, searchParams } = new URL(request.url, "http://x");
    let text = "";
    for await (const chunk of request) text += chunk;
    const { fingerprint } = JSON.parse(text || "{}");
    const user = searchParams.get("user"), fails = pathname === "/short/refresh" && failures.get(user);
    heard.push([user, pathname, { fingerprint }]);
    if (fails) return fails(answer);
    const isBound = searchParams.has("bound") && fingerprint;
    const expire_at = nowS() + Number(searchParams.get("life") ?? LIFE_S);
    const { token } = await mintToken(server, { reference: user, expire_at, ...(isBound && { fingerprint, scope: "sat:refresh" }) });
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, expiry_at: expire_at * 1000 }));
}

async function startBackend()
{
    const [, code] = fs.readFileSync(path.join(SDK, "README.md"), "utf8").match(/^```js\n\/\/ backend\.mjs\n([\s\S]*?)^```$/m);
    fs.writeFileSync(path.join(folder, "backend.mjs"), code);
    const { url, project_id, api_token } = server.contract;
    child = spawn(process.execPath, [path.join(folder, "backend.mjs")], { stdio: ["ignore", "pipe", "inherit"],
        env: { PATH: process.env.PATH, PORT: "0", COATCHECK_URL: url, PROJECT: project_id, API_TOKEN: api_token, STORE_KEY: crypto.randomBytes(32).toString("base64") } });
    return guarded(new Promise((resolve) => readline.createInterface({ input: child.stdout }).once("line", resolve)), LIMIT_S, "the backend's URL");
}

// The page's own origin leads to the backend, as a front door would, and adds who is signed in.
const calls = [];
async function toBackend(request, answer)
{
    let body = "";
    for await (const chunk of request) body += chunk;
    const reply = await fetch(backend + request.url, { method: "POST", body, headers: { "x-demo-user": "ada@example.com" } });
    const text = await reply.text();
    calls.push({ path: request.url, body: JSON.parse(body || "{}"), text });
    answer.writeHead(reply.status, { "content-type": "application/json" }).end(text);
}

async function start()
{
    buildSdk();
    server = await startServer({ env: { COATCHECK_PING_INTERVAL_S: "1" } });
    backend = await startBackend();
    browser = await startBrowser([]);
    pages = await startSdkPages([server.url], { routes: { "/short/token": shortLived, "/short/refresh": shortLived, "/token": toBackend, "/refresh": toBackend } });
}

async function stop()
{
    child?.kill();
    await browser?.stop();
    await pages?.stop();
    await server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
}

async function visit({ bound = false, life = LIFE_S, refresh = true, fails, ...more } = {}, how)
{
    const user = `person-${++people}@example.com`, query = `?user=${user}&life=${life}${bound ? "&bound" : ""}`;
    failures.set(user, fails);
    const routes = { token: `/short/token${query}`, ...(refresh && { refresh: `/short/refresh${query}` }) };
    return Object.assign(await Visit.begin(browser, pages.origin, { routes, ...more }, how), { user });
}

const asksOf = (user) => heard.filter(([who]) => who === user);
const counted = ({ user }) => asksOf(user).map(([, where]) => where.split("/").at(-1));
const printsOf = (user) => asksOf(user).map(([, , { fingerprint }]) => fingerprint);
const asksAgain = (one, times = 1) => one.until((count) => window.asked.filter((where) => where.includes("/refresh")).length >= count, times, LIVES_S);
const passes = (one, seconds) => one.run((ms) => new Promise((resolve) => { setTimeout(resolve, ms); }), seconds * 1000);

test("SW-33 SW-31 shortly before its end refresh() is asked for the next token, by way of the backend; session and socket stay", async () => {
    const one = await visit();
    await one.registered();
    await asksAgain(one, 2); // later than the end of the first token
    while (one.sent("signalwire.reauthenticate").length < 2) await passes(one, 0.2); // each on the live socket
    assert.deepEqual(await one.run(() => [window.states, window.log, window.client.isRegistered]), [[false, true], [], true]);
    assert.equal(one.sockets.length, 1);
    assert.equal(counted(one)[0], "token");
    assert.ok(counted(one).slice(1).every((where) => where === "refresh"));
    await one.end();
}, BESIDE);

test("SW-45 SW-47 without the scope refresh() is used; only a subscriber of warnings$ hears of it, and can raise an alert", async () => {
    const one = await visit();
    await one.ready();
    await one.until(() => window.warnings.length);
    const [{ code, reason, source, message }] = await one.run(() => window.warnings);
    assert.deepEqual([code, reason, source], ["credential_refresh_fallback", "no-scope", "CredentialProvider"]);
    assert.match(message, /sat:refresh/);
    await one.end();
    const two = await visit({}, { quiet: true });
    await two.registered();
    assert.deepEqual([await two.log(), two.console], [[], []], "no error, nothing on the console");
    await two.end();
}, BESIDE);

test("SW-40 SW-41 SW-44 SW-46 with the scope the browser's key renews the session, and refresh() is never called", async () => {
    const one = await visit({ bound: true });
    await one.registered();
    await one.until(() => performance.getEntriesByName(performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/devices/token"))?.name).length);
    await passes(one, LIFE_S + 2);
    assert.match(printsOf(one.user)[0], /^[\w-]{43}$/);
    assert.deepEqual([counted(one), await one.run(() => [window.states, window.log, window.warnings])], [["token"], [[false, true], [], []]]);
    const { dpop_token: proof } = JSON.parse(one.asked("/devices/token").find((request) => request.method() === "POST").postData());
    const { alg, jwk } = JSON.parse(Buffer.from(proof.split(".")[0], "base64url"));
    assert.deepEqual([alg, Object.keys(jwk)], ["ES256", ["crv", "kty", "x", "y"]], "the public half alone");
    assert.equal(one.sent("signalwire.reauthenticate").length, 1);
    const state = await one.run(() => JSON.parse(sessionStorage.getItem("coatcheck:session")));
    const elsewhere = await Visit.begin(await other(), pages.origin, { credential: { token: state.token } });
    await elsewhere.refused();
    assert.equal((await elsewhere.log())[0][0], "InvalidCredentialsError", "the same token with another key");
    await elsewhere.end();
    await one.end();
}, BESIDE);

test("F-86 a script in a live page takes token and state, and not the key: no session, no renewal and no next token elsewhere", async () => {
    const one = await visit({ bound: true, life: 600 });
    await one.registered();
    await one.until(() => performance.getEntriesByName(performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/devices/token"))?.name).length);
    await one.until(() => JSON.parse(atob(JSON.parse(sessionStorage.getItem("coatcheck:session")).token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).cnf);
    const { token, resume } = await one.run(() => JSON.parse(sessionStorage.getItem("coatcheck:session")));
    const stolen = await one.run(async () => {
        const database = await new Promise((resolve) => { const opening = indexedDB.open("coatcheck"); opening.onsuccess = () => resolve(opening.result); });
        const { privateKey } = await new Promise((resolve) => { const asked = database.transaction("keys").objectStore("keys").get("proof"); asked.onsuccess = () => resolve(asked.result); });
        database.close();
        return Promise.all(["jwk", "pkcs8"].map((format) => crypto.subtle.exportKey(format, privateKey).then(() => "exported", ({ name }) => name)));
    });
    assert.deepEqual(stolen, ["InvalidAccessError", "InvalidAccessError"]);
    const thief = await Session.open(server);
    const refused = await thief.connect(token, { authorization_state: resume.state, protocol: resume.protocol });
    assert.equal(refused.error?.code, -32003, JSON.stringify(refused));
    const again = await Session.open(server);
    assert.equal((await again.connect(token)).error?.code, -32002);
    const renewal = await fetch(`${server.url}/api/fabric/subscriber/devices/refresh`, { method: "POST", body: "{}", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });
    assert.equal(renewal.status, 401);
    assert.deepEqual(await one.run(() => [window.states, window.log, window.client.ready]), [[false, true], [], true], "the page's own goes on");
    for (const socket of [thief, again]) await socket.close();
    await one.end();
}, BESIDE);

test("F-87 the token of a live page is in its requests' headers and its socket's messages, in no address, cache, cookie or title", async () => {
    const one = await visit({ bound: true, life: 600 });
    await one.registered();
    const { token } = await one.run(() => JSON.parse(sessionStorage.getItem("coatcheck:session")));
    const places = [one.page.url(), await one.page.content(), ...one.requests.map((request) => request.url()), ...one.addresses,
        JSON.stringify(await one.run(async () => [document.cookie, document.title, document.referrer, history.state, await caches.keys(), { ...localStorage }]))];
    assert.ok(one.requests.length > 3 && one.addresses.length);
    for (const text of places) assert.ok(!text.includes(token) && !text.includes(token.split(".")[2]), text.slice(0, 80));
    for (const request of one.requests) {
        const answer = await request.response();
        if (/\/(devices|subscriber)\//.test(request.url())) assert.equal(answer.headers()["cache-control"], "no-store", request.url());
    }
    await one.end();
}, BESIDE);

let second;
async function other() { return (second ??= await startBrowser([])); }

test("SW-39 a bound token renews itself when it nears its end, and the backend sees no further request", async () => {
    const one = await visit({ bound: true, refresh: false });
    await one.page.route("**/devices/token", async (route) => {
        const body = { ...route.request().postDataJSON(), expire_in: 60 };
        await route.continue({ postData: JSON.stringify(body) });
    });
    await one.registered();
    await one.until(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/devices/refresh")), undefined, LIVES_S); // the server's slot is in the last quarter
    await one.until(() => window.client.ready);
    assert.deepEqual([counted(one), await one.log()], [["token"], []]);
    await one.end();
}, BESIDE);

test("the server binds nothing: refresh() takes over, told on warnings$ alone", async () => {
    const one = await visit({ bound: true, options: { skipConnection: true } });
    await one.page.route("**/devices/token", (route) => route.fulfill({ status: 403, headers: { "access-control-allow-origin": "*" }, body: "{}" }));
    await one.run(() => window.client.connect());
    await one.until(() => window.warnings.length);
    await asksAgain(one, 2);
    await one.ready();
    assert.deepEqual(await one.run(() => [window.log, window.warnings.map(({ reason }) => reason)]), [[], ["endpoint-failed"]]);
    await one.end();
}, BESIDE);

const BROKEN = [
    ["401", "provider_failed", (answer) => answer.writeHead(401).end()],
    ["500", "provider_failed", (answer) => answer.writeHead(500).end()],
    ["HTML", "provider_failed", (answer) => answer.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><p>Sign in")],
    ["truncated JSON", "provider_failed", (answer) => answer.writeHead(200).end('{"token":"ey')],
    ["204", "provider_failed", (answer) => answer.writeHead(204).end()],
    ["no token", "credential_invalid", (answer) => answer.writeHead(200).end("{}")],
    ["seconds for milliseconds", "credential_invalid", (answer) => answer.writeHead(200).end(JSON.stringify({ token: "e30.e30.x", expiry_at: 1795208360 }))],
    ["a date for milliseconds", "credential_invalid", (answer) => answer.writeHead(200).end(JSON.stringify({ token: "e30.e30.x", expiry_at: "2026-11-21" }))],
];

test(`refresh() meets ${BROKEN.map(([what]) => what).join(", ")}: the session lives until its end, then one error says why, and a fresh authenticate() helps`, async () => {
    await Promise.all(BROKEN.map(async ([what, code, fail]) => {
        const one = await visit({ fails: fail });
        await one.registered();
        await one.until(() => window.states.length === 3 && window.log.length, undefined, LIVES_S);
        const log = await one.log();
        assert.deepEqual(log.map(([name, told, , cause]) => [name, told, cause]), [["InvalidCredentialsError", "credential_expired", code]], `${what}: ${JSON.stringify(log)}`);
        assert.ok(one.asked("/short/refresh").length >= 5, `${what}: it was tried again`);
        assert.equal(await one.run(() => window.client.connect().then(() => "open")), "open", what);
        await one.end();
    }));
}, BESIDE);

test("a token endpoint that hangs for a while delays nothing else, and the session lives on with its answer", async () => {
    const waiting = [], one = await visit({ fails: (answer) => waiting.push(answer) });
    await one.registered();
    await asksAgain(one);
    await one.until(() => !window.client.ready, undefined, LIVES_S);
    const { token } = await mintToken(server, { reference: one.user });
    for (const answer of waiting) answer.writeHead(200).end(JSON.stringify({ token, expiry_at: (nowS() + 7200) * 1000 }));
    await one.until(() => window.client.ready);
    assert.deepEqual(await one.log(), []);
    const names = one.sockets.flatMap(({ received }) => received).map(({ result }) => result?.protocol).filter((name) => name);
    assert.deepEqual([names.length, new Set(names).size], [2, 1], "the same session, on another socket");
    await one.end();
}, BESIDE);

// ---- clocks and losses ----

// A page whose clock is off, or jumps while it is open: nothing may hang on it.
async function pageAt(aheadMs, jumpMs = 0)
{
    const page = await browser.newPage();
    await page.addInitScript(([ahead, jump]) => {
        const now = Date.now.bind(Date);
        window.ahead = ahead;
        Date.now = () => now() + window.ahead;
        window.jump = () => { window.ahead += jump; };
    }, [aheadMs, jumpMs]);
    return page;
}

const DAY_MS = 86_400_000;
for (const [what, ahead, jump] of [["a day ahead", DAY_MS, 0], ["a day behind", -DAY_MS, 0], ["that jumps a day ahead", 0, DAY_MS], ["that jumps a day back", 0, -DAY_MS]])
    test(`a clock ${what}: bound by proofs of the server's time, refreshed in time, nothing ends`, async () => {
        const bound = await visit({ bound: true }, { page: await pageAt(ahead, jump) });
        await bound.registered();
        await bound.run(() => window.jump());
        await bound.until(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/devices/token")));
        const loose = await visit({}, { page: await pageAt(ahead, jump) });
        await loose.registered();
        await loose.run(() => window.jump());
        await asksAgain(loose, 2);
        for (const one of [bound, loose]) {
            assert.deepEqual(await one.run(() => [window.states, window.log]), [[false, true], []]);
            await one.end();
        }
    }, BESIDE);

test("timers that come seconds late, as in a hidden tab: refreshed in time, on the same socket", async () => {
    const page = await browser.newPage();
    await page.addInitScript(() => {
        const later = window.setTimeout.bind(window), GRAIN_MS = 4_000;
        window.setTimeout = (run, ms, ...of) => later(run, Math.ceil((ms ?? 0) / GRAIN_MS) * GRAIN_MS, ...of);
    });
    const one = await visit({ life: 2 * LIFE_S }, { page });
    await one.until(() => window.client.isRegistered, undefined, LIFE_S);
    await asksAgain(one);
    while (!one.sent("signalwire.reauthenticate").length) await passes(one, 0.2);
    assert.deepEqual([await one.run(() => [window.states, window.log]), one.sockets.length], [[[false, true], []], 1]);
    await one.end();
}, BESIDE);

test("an answer that is lost on its way, of a binding or of refresh(): asked again, and nothing ends", async () => {
    const lost = [], lose = async (route) => {
        await route.fetch();
        lost.push(new URL(route.request().url()).pathname);
        await route.abort();
    };
    const bound = await visit({ bound: true, life: 120, options: { skipConnection: true } });
    await bound.page.route("**/devices/token", (route) => (route.request().method() === "POST" ? lose(route) : route.fallback()), { times: 2 }); // the preflight is one
    await bound.run(() => window.client.connect());
    await bound.until(() => JSON.parse(atob(JSON.parse(sessionStorage.getItem("coatcheck:session")).token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).cnf);
    const loose = await visit({ options: { skipConnection: true } });
    await loose.page.route("**/short/refresh*", lose, { times: 1 });
    await loose.run(() => window.client.connect());
    await asksAgain(loose, 2);
    while (!loose.sent("signalwire.reauthenticate").length) await passes(loose, 0.2);
    assert.ok(lost.includes("/short/refresh") && lost.some((where) => where.endsWith("/devices/token")), JSON.stringify(lost));
    for (const one of [bound, loose]) {
        assert.deepEqual([await one.run(() => [window.states.at(-1), window.log]), one.sockets.length], [[true, []], 1]);
        await one.end();
    }
}, BESIDE);

test("two tabs of one browser have a session each, by one key, and neither disturbs the other", async () => {
    const user = `person-${++people}@example.com`, routes = { token: `/short/token?user=${user}&life=60&bound` };
    const [one, two] = await Promise.all([1, 2].map(() => Visit.begin(browser, pages.origin, { routes })));
    for (const tab of [one, two]) await tab.registered();
    const prints = printsOf(user);
    assert.equal(prints.length, 2);
    assert.equal(prints[0], prints[1]);
    for (const tab of [one, two]) {
        assert.deepEqual(await tab.run(() => [window.states, window.log]), [[false, true], []]);
        await tab.end();
    }
}, BESIDE);

test("a page that is hidden and frozen past the end of its token comes back with a fresh one", async () => {
    const one = await visit();
    await one.registered();
    const devtools = await one.page.context().newCDPSession(one.page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    await new Promise((resolve) => { setTimeout(resolve, (LIFE_S + 2) * 1000); });
    await devtools.send("Page.setWebLifecycleState", { state: "active" });
    await one.until(() => window.client.ready && window.asked.some((where) => where.includes("/refresh")));
    assert.deepEqual(await one.log(), []);
    await one.end();
}, BESIDE);

// In a page before its own code: each tab makes its key only when the other one has come to it, too.
function makeKeysTogether()
{
    const others = new BroadcastChannel("keys"), make = crypto.subtle.generateKey.bind(crypto.subtle);
    crypto.subtle.generateKey = async (...of) => {
        window.madeKey = true;
        await new Promise((resolve) => {
            others.onmessage = ({ data }) => {
                if (data === "here") others.postMessage("both");
                resolve();
            };
            others.postMessage("here");
        });
        return make(...of);
    };
}

test("two tabs that make a key at once have the same one", async () => {
    const user = `person-${++people}@example.com`, routes = { token: `/short/token?user=${user}&life=60&bound` };
    const first = await browser.newPage();
    await first.goto(pages.origin);
    await first.evaluate(() => new Promise((resolve, reject) => { Object.assign(indexedDB.deleteDatabase("coatcheck"), { onsuccess: resolve, onerror: reject }); }));
    const tabs = await Promise.all([first, await browser.newPage()].map(async (page) => {
        await page.addInitScript(makeKeysTogether);
        return Visit.begin(browser, pages.origin, { routes }, { page });
    }));
    for (const tab of tabs) await tab.registered();
    assert.deepEqual(await Promise.all(tabs.map((tab) => tab.run(() => window.madeKey))), [true, true]);
    const prints = printsOf(user);
    assert.equal(prints.length, 2);
    assert.equal(prints[0], prints[1]);
    for (const tab of tabs) await tab.end();
});

test("a key store that never answers costs some seconds, and no session", async () => {
    const page = await browser.newPage();
    await page.addInitScript(() => { IDBFactory.prototype.open = () => ({}); });
    const one = await visit({ bound: true, life: 60 }, { page });
    await one.registered();
    assert.match(printsOf(one.user)[0], /^[\w-]{43}$/);
    await one.end();
});

// ---- the backend of the guide ----

test("SW-42 the guide's backend forwards the fingerprint and asks for the scope; SW-38 what it gives a page holds no refresh token", async () => {
    const one = await Visit.begin(browser, pages.origin, { routes: { token: "/token", refresh: "/refresh" } });
    await one.registered();
    await one.until(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/devices/token")));
    const [{ body, text }] = calls;
    const { token, ...rest } = JSON.parse(text);
    assert.deepEqual(Object.keys(rest), ["expiry_at"]);
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    assert.deepEqual([claims.cnf.jkt, claims.scope], [body.fingerprint, "sat:refresh"]);
    assert.equal(claims.exp - claims.iat, 7200);
    await one.end();
});

test("SW-34 SW-32 its refresh route rotates the refresh token it keeps, and issues anew when that is no good any more", async () => {
    const post = (where) => fetch(backend + where, { method: "POST", headers: { "x-demo-user": "bob@example.com" } }).then((answer) => answer.json());
    const claimsOf = ({ token }) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    const first = claimsOf(await post("/token")), rotated = await post("/refresh"), second_ = claimsOf(rotated);
    assert.equal(second_.fam, first.fam, "rotated: the same line");
    await coatcheck("revoke", "--token", rotated.token, "--data", server.data);
    const { project_id, api_token } = server.contract;
    await fetch(`${server.url}/oauth/revoke`, { method: "POST", body: new URLSearchParams({ token: rotated.token }), headers: { authorization: `Basic ${btoa(`${project_id}:${api_token}`)}` } });
    const third = claimsOf(await post("/refresh"));
    assert.notEqual(third.fam, first.fam, "issued anew");
    assert.equal(third.sub, first.sub);
    assert.equal((await fetch(`${backend}/refresh`, { method: "POST" })).status, 401, "for nobody who is not signed in");
});

test("SW-7 SW-38 the API token and the refresh tokens are in no page, bundle, storage, socket or answer that a browser got", async () => {
    const one = await Visit.begin(browser, pages.origin, { routes: { token: "/token", refresh: "/refresh" } });
    const bodies = [];
    one.page.on("response", async (answer) => bodies.push(await answer.text().catch(() => "")));
    await one.load(pages.origin, { routes: { token: "/token", refresh: "/refresh" } });
    await one.registered();
    const all = [await one.page.content(), JSON.stringify(await one.storage()), JSON.stringify(one.sockets), ...bodies,
        ...one.requests.flatMap((request) => [request.url(), JSON.stringify(request.headers()), request.postData() ?? ""])];
    const { api_token, secret_key, client_secret } = server.contract;
    for (const text of all) {
        for (const secret of [api_token, secret_key, client_secret, btoa(`${server.contract.project_id}:${api_token}`)]) assert.ok(!text.includes(secret));
        assert.ok(!/"refresh_token"/.test(text));
    }
    assert.ok(all.some((text) => secretIn(text) || text.includes("coatcheck")), "the scan sees something");
    await one.end();
});

await run({ before: start, after: async () => { await second?.stop(); await stop(); } });
