// embed.test.mjs — an app in a frame, in Chromium against a running server: three origins (a page that may show the app, one that may
// not, the app), as docs/migrate-tortus.md has them. Rows of the acceptance list stand in the names (TT-n), cases of
// docs/attacks.md too.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { bundle, lootOf, programsOf, startApp, Visit } from "../harness/app_pages.mjs";
import { startBrowser } from "../harness/browser.mjs";
import { advance, coatcheck } from "../harness/clock.mjs";
import { buildSdk, SDK } from "../harness/sdk_pages.mjs";
import { REPOSITORY, startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";
import { clientAuth, good, launch } from "../harness/tickets.mjs";

const HOST_SCRIPT = `
import { openTortus } from "docs:clinic.js";
import { loadTortus } from "coatcheck/compat/tortus";
import { loadEmbed } from "coatcheck/embed";
Object.assign(window, { openTortus, loadTortus, loadEmbed });
`;
const appScript = (serverUrl, hosts) => `import { openApp } from "docs:app.js"; window.opening = openApp(${JSON.stringify(serverUrl)}, ${JSON.stringify(hosts)}); window.opening.catch(() => {});`;
const STRANGER_SCRIPT = `window.heard = []; addEventListener("message", ({ data, origin }) => window.heard.push([origin, data]));
window.forge = (target, message, origin) => target.postMessage(message, origin);`;
const [, CONTAINER] = fs.readFileSync(path.join(REPOSITORY, "docs/migrate-tortus.md"), "utf8").match(/^```html\n<!-- clinic\.html -->\n([\s\S]*?)^```$/m);
const TOKENS = ["launchToken", "accessToken"];
let server, browser, clinic, offList, stranger, app, appHeaders, scripts, backend;

async function start()
{
    buildSdk();
    const programs = programsOf("docs/migrate-tortus.md"), folder = temporaryFolder("coatcheck-embed");
    fs.writeFileSync(path.join(folder, "policy.mjs"), programs["app_policy.mjs"].replace("coatcheck/frame", path.join(SDK, "dist/frame.js")));
    ({ appHeaders } = await import(path.join(folder, "policy.mjs")));
    fs.rmSync(folder, { recursive: true });
    server = await startServer();
    browser = await startBrowser([]);
    backend = { isUp: true, calls: 0 };
    scripts = { host: await bundle(HOST_SCRIPT, programs) };
    const host = { script: scripts.host, html: CONTAINER, routes: { "/launch": clientSecrets } };
    const mayFrame = {};
    clinic = await startApp({ ...host, headers: mayFrame });
    offList = await startApp({ ...host, headers: mayFrame });
    scripts.app = await bundle(appScript(server.url, [clinic.origin]), programs);
    app = await startApp({ script: scripts.app, headers: appHeaders(server.url, [clinic.origin]), routes: { "/notes": notes, "/anybody": anybody } });
    stranger = await startApp({ script: STRANGER_SCRIPT, headers: { "content-security-policy": "default-src 'none'; script-src 'self'" } });
    mayFrame["content-security-policy"] = `default-src 'none'; script-src 'self'; style-src 'sha256-${await hashOf(CONTAINER)}'; connect-src 'self'; frame-src ${app.origin} ${stranger.origin} ${clinic.origin}; base-uri 'none'; form-action 'none'`;
}

async function hashOf(html)
{
    const [, style] = html.match(/<style>([\s\S]*?)<\/style>/);
    return Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(style))).toString("base64");
}

// The clinic's backend: it alone has the client's secret.
async function clientSecrets({ method })
{
    backend.calls++;
    if (!backend.isUp || method !== "POST") return { status: 502, json: {} };
    const { launch_token, user_id } = await good(launch(server, { userId: backend.userId, externalUserId: "clinician-1" }));
    backend.userId = user_id;
    return { json: { launchToken: launch_token } };
}

// The app's own API, which asks whether the token is good.
async function notes({ headers })
{
    const token = headers.authorization?.replace(/^Bearer /, "") ?? "";
    const answer = await fetch(`${server.url}/oauth/introspect`, { method: "POST", headers: { authorization: clientAuth(server) }, body: new URLSearchParams({ token }) });
    const told = await answer.json();
    return told.active ? { json: { savedFor: told.sub } } : { status: 401, json: {} };
}

// The app as an older backend would serve it: to whoever asks.
const anybody = () => ({ type: "text/html", headers: { "content-security-policy": "default-src 'none'; script-src 'self'; connect-src *" },
    text: '<!doctype html><html lang="en"><title>app</title><body><script type="module" src="/app.js"></script></body></html>' });

async function stop()
{
    await browser?.stop();
    for (const one of [clinic, offList, stranger, app]) await one?.stop();
    await server?.stop();
}

async function visit(site = clinic)
{
    Object.assign(backend, { isUp: true, calls: 0 });
    const one = await Visit.begin(browser, site.origin);
    await one.until(() => window.loadEmbed);
    return one;
}

const frameOf = (one, origin = app.origin) => one.page.frames().find((frame) => frame !== one.page.mainFrame() && frame.url().startsWith(origin));
const opened = (one) => one.run(async ([key, url]) => {
    window.client = await window.openTortus(key, url);
    return window.client !== undefined;
}, [server.contract.publishable_key, `${app.origin}/`]);
const loading = (one, more = {}) => one.run(async ([publishableKey, frameUrl, options]) => {
    window.asked = 0;
    const fetchClientSecrets = async () => { window.asked++; return (await fetch("/launch", { method: "POST" })).json(); };
    return window.loadEmbed({ publishableKey, frameUrl, container: "#tortus", environment: "production", fetchClientSecrets, ...options })
        .then((client) => { window.client = client; return "ready"; }, ({ code, message }) => `${code}: ${message}`);
}, [server.contract.publishable_key, `${app.origin}/`, more]);
const screen = (one) => one.run(() => document.querySelector("#tortus [role=alert]")?.innerText);

// ---- refusals ----

test("TT-3 without its backend a page gets nothing: no code of ours mints, and what fails is told with its code", async () => {
    const one = await visit();
    backend.isUp = false;
    const code = await one.run(([key, url]) => window.openTortus(key, url).catch((error) => `${error.name} ${error.code}`), [server.contract.publishable_key, `${app.origin}/`]);
    assert.equal(code, "TortusError EMBED_7007");
    assert.match(await screen(one), /^EMBED_7007/);
    assert.deepEqual([one.asked(server.url), await one.run(() => document.querySelectorAll("iframe").length)], [[], 0]);
    for (const script of Object.values(scripts))
        assert.deepEqual([...script.matchAll(/\/v1\/oauth\/[\w/]+|\/sdk\/bootstrap-tokens|\/subscribers\/tokens|cli_|sec_/g)].map(([found]) => found), script === scripts.app ? ["/v1/oauth/launch/exchange"] : []);
    await one.end();
});

test("wrong options are refused by their vendor's code, and so is a frame of the page's own origin", async () => {
    const one = await visit();
    const tried = await one.run(async ([publishableKey, baseUrl, own]) => {
        const goodOnes = { publishableKey, baseUrl, container: "#tortus", environment: "production", fetchClientSecrets: async () => ({ launchToken: "x" }) };
        const codes = [];
        for (const wrong of [{ publishableKey: "" }, { environment: undefined }, { environment: "staging" }, { container: "#none" }, { baseUrl: own }, { baseUrl: "http://app.example/" }])
            codes.push(await window.loadTortus({ ...goodOnes, ...wrong }).then(() => "ready", (error) => error.code));
        document.querySelector("#tortus").hidden = true;
        codes.push(await window.loadTortus(goodOnes).then(() => "ready", (error) => error.code));
        return codes;
    }, [server.contract.publishable_key, `${app.origin}/`, `${clinic.origin}/frame`]);
    assert.deepEqual(tried, Array(7).fill("EMBED_7006"));
    await one.end();
});

test("F-83 a page that is not listed shows nothing of the app, also with a listed page between; the listed one does", async () => {
    const far = await visit(offList);
    const shown = loading(far, { readyTimeoutMs: 8_000 });
    await eventually(() => far.problems.some((line) => /frame-ancestors/.test(line)), "the browser tells of the policy");
    assert.match(await shown, /^timeout: /);
    assert.match(await screen(far), /^timeout/);
    assert.ok(!far.asked(app.origin).includes("GET /app.js"), "not even its script was loaded");
    assert.deepEqual([far.asked(server.url), backend.calls], [[], 0]);

    await far.run((url) => { const frame = document.createElement("iframe"); frame.src = url; document.body.append(frame); }, clinic.origin);
    await far.until(() => document.querySelectorAll("iframe").length === 1);
    let between;
    while (!(between = frameOf(far, clinic.origin))) await far.page.waitForEvent("framenavigated");
    await between.waitForFunction(() => window.loadEmbed);
    assert.match(await loading({ run: (body, argument) => between.evaluate(body, argument) }, { readyTimeoutMs: 3_000 }), /^timeout: /);
    assert.deepEqual(far.asked(server.url), []);
    await far.end();

    const near = await visit();
    assert.equal(await loading(near), "ready");
    assert.match(await frameOf(near).evaluate(() => document.body.innerText), /^Notes of tortus\|/);
    await near.end();
});

test("F-83 what the operator lists is what the policy says", async () => {
    const { code, out } = await coatcheck("origin", "list", "--project", server.contract.project_id, "--data", server.data, "--json");
    assert.equal(code, 0);
    const listed = JSON.stringify(JSON.parse(out)).match(/https?:\/\/[^"\s]+/g).filter((origin) => !origin.includes("*"));
    assert.equal(appHeaders(server.url, listed)["content-security-policy"].split("; ").at(-1), `frame-ancestors ${listed.join(" ") || "'none'"}`);
    assert.throws(() => appHeaders(server.url, ["http://localhost:*"]), /exact origins/, "a pattern frames nothing");
});

test("F-84 an app that anybody may show says nothing to a page that it does not list, and takes nothing from it", async () => {
    const far = await visit(offList);
    await far.run(() => { window.heard = []; addEventListener("message", ({ data }) => window.heard.push(data)); });
    assert.match(await loading(far, { frameUrl: `${app.origin}/anybody`, readyTimeoutMs: 8_000 }), /^timeout: /);
    assert.ok(far.asked(app.origin).includes("GET /app.js"), "it ran");
    assert.deepEqual([await far.run(() => window.heard), far.asked(server.url), await far.run(() => window.asked)], [[], [], 0]);
    await far.end();
});

test("F-84 messages of another window or another origin are not answered, and get no token", async () => {
    const one = await visit();
    await one.run(() => { window.lines = []; addEventListener("message", ({ data }) => window.lines.push(data.line)); });
    assert.equal(await loading(one), "ready");
    const line = await one.run(() => window.lines[0]), frame = frameOf(one);
    await one.run((url) => { const other = document.createElement("iframe"); other.src = url; document.body.append(other); }, stranger.origin);
    let other;
    while (!(other = frameOf(one, stranger.origin))) await one.page.waitForEvent("framenavigated");
    await other.waitForFunction(() => window.forge);
    const before = [one.asked(server.url).length, await one.run(() => window.asked)];
    await other.evaluate(([line_, hostOrigin, appOrigin]) => {
        const envelope = { coatcheck: 1, line: line_ };
        for (const message of [{ is: "want-token", id: 7 }, { is: "event", name: "error", detail: "forged" }, { is: "refused", id: 0, code: "x", message: "forged" }])
            window.forge(parent, { ...envelope, ...message }, hostOrigin);
        for (const message of [{ is: "hello", publishableKey: "pk_x", environment: "x" }, { is: "token", id: 1, launchToken: "forged.token" }, { is: "ask", id: 7, method: "display", params: "forged" }])
            window.forge(parent.frames[0], { ...envelope, ...message }, appOrigin);
        for (const data of [null, "x", 7, [], { coatcheck: 1 }, { coatcheck: 2, line: line_, is: "want-token", id: 1 }]) window.forge(parent, data, hostOrigin);
    }, [line, clinic.origin, app.origin]);
    assert.equal(await one.run(() => window.client.ask("display", "after").then(() => "answered")), "answered", "the two still talk");
    assert.equal(await frame.evaluate(() => document.title), "after");
    assert.deepEqual([[one.asked(server.url).length, await one.run(() => window.asked)], await other.evaluate(() => window.heard)], [before, []]);
    await one.end();
});

test("F-84 a frame that was led elsewhere hears nothing, whatever it says", async () => {
    const one = await visit();
    assert.equal(await loading(one), "ready");
    const before = await one.run(() => window.asked);
    await frameOf(one).evaluate((url) => { location.href = url; }, stranger.origin);
    let other;
    while (!(other = frameOf(one, stranger.origin))) await one.page.waitForEvent("framenavigated");
    await other.waitForFunction(() => window.forge);
    await one.run(() => { window.arrived = 0; addEventListener("message", () => window.arrived++); });
    await other.evaluate(([origin, times]) => { for (let id = 0; id < times; id++) window.forge(parent, { coatcheck: 1, line: "0.1.1", is: "want-token", id }, origin); }, [clinic.origin, 5]);
    await one.until(() => window.arrived === 5);
    assert.deepEqual([await other.evaluate(() => window.heard), await one.run(() => window.asked)], [[], before]);
    await one.end();
});

// ---- what works ----

test("TT-4 TT-20 the sample as it stands gives a usable client, under a policy without unsafe-anything", async () => {
    const one = await visit();
    assert.equal(await opened(one), true);
    assert.deepEqual(one.asked(`${clinic.origin}/launch`), ["POST /launch"]);
    assert.deepEqual(one.asked(server.url), ["POST /v1/oauth/launch/exchange"]);
    assert.deepEqual(one.asked(app.origin).slice(-1), ["POST /notes"]);
    await one.run(() => window.client.display("home"));
    assert.equal(await frameOf(one).evaluate(() => document.title), "home");
    assert.equal(await one.run(() => window.client.dictations.start().catch(({ code }) => code)), "CLIENT_4001");
    assert.equal(await one.run(() => window.client.meetings.start({}).catch(({ name, code }) => `${name} ${code}`)), "TortusError OURS_FRAME_FAILED", "this app offers none");
    const iframe = await one.run(() => Object.fromEntries([...document.querySelector("iframe").attributes].filter(({ name }) => name !== "style").map(({ name, value }) => [name, value])));
    assert.deepEqual(iframe, { sandbox: "allow-scripts allow-same-origin allow-forms", referrerpolicy: "no-referrer", allow: "microphone", title: "Embedded app", src: `${app.origin}/` });
    assert.deepEqual(one.problems, []);
    await one.run(() => window.client.destroy());
    assert.equal(await one.run(() => document.querySelector("#tortus").innerHTML), "");
    await one.end();
});

test("TT-19 what the function returns is what is used, and it is called again when the session is over: the same user, another token", async () => {
    const one = await visit();
    assert.equal(await opened(one), true);
    await advance(server, "61m"); // the session is over, and nothing has told the page
    const { savedFor } = await frameOf(one).evaluate(async () => (await window.opening).ask({ url: `${location.origin}/notes`, method: "POST", body: {} }));
    assert.equal(backend.calls, 2);
    const launched = await one.given(["launchToken"]), exchanged = one.requests.filter(({ url, method }) => url.endsWith("/exchange") && method === "POST").map(({ body }) => JSON.parse(body).launchToken);
    assert.deepEqual(exchanged, launched);
    assert.equal(new Set(launched).size, 2);
    assert.equal(`tortus|${savedFor.replaceAll("-", "")}`, backend.userId);
    assert.deepEqual(one.asked(app.origin).slice(-2), ["POST /notes", "POST /notes"]);
    await one.end();
});

test("F-86 F-87 no token is in the page, the frame, their storage, their addresses; no secret is in what passed", async () => {
    const one = await visit();
    assert.equal(await opened(one), true);
    const tokens = await one.given(TOKENS);
    assert.equal(tokens.length, 2);
    for (const frame of [one.page, frameOf(one)]) {
        const { text } = await lootOf(frame);
        for (const token of tokens) assert.ok(!text.includes(token) && !text.includes(token.slice(-40)), "a token was found");
    }
    const { client_secret, client_id, api_token, secret_key } = server.contract;
    for (const { url, headers, body } of one.requests) {
        assert.ok(!headers.cookie && !(headers.referer ?? "").includes(app.origin), url);
        for (const token of tokens) assert.ok(!url.includes(token) && !(headers.referer ?? "").includes(token), url);
        for (const secret of [client_secret, client_id, api_token, secret_key, Buffer.from(`${client_id}:${client_secret}`).toString("base64")]) assert.ok(!JSON.stringify([url, headers, body]).includes(secret), url);
    }
    assert.equal(one.requests.find(({ url }) => url.startsWith(`${app.origin}/`)).headers.referer, undefined, "the frame does not learn the page's address");
    await one.end();
});

test("F-87 the app's token goes to its own API and to nobody else", async () => {
    const one = await visit();
    assert.equal(await opened(one), true);
    const refused = await frameOf(one).evaluate(async (urls) => {
        const frame = await window.opening, codes = [];
        for (const url of urls) codes.push(await frame.ask({ url }).then(() => "sent", ({ code }) => code));
        return codes;
    }, [`${server.url}/participants/me`, stranger.origin, clinic.origin]);
    assert.deepEqual(refused, Array(3).fill("option_invalid"));
    await one.end();
});

await run({ before: start, after: stop });
