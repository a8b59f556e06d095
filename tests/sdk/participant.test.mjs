// participant.test.mjs — interviews in Chromium against a running server: who takes part comes from the page's backend, or is nobody.
// Rows of the acceptance list stand in the names (DG-n), cases of docs/attacks.md too. The pages are those of
// docs/migrate-dialogue.md.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { bundle, lootOf, programsOf, startApp, Visit } from "../harness/app_pages.mjs";
import { startBrowser } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { buildSdk, SDK } from "../harness/sdk_pages.mjs";
import { REPOSITORY, startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { as, bootstrap, good, session } from "../harness/tickets.mjs";

const SCRIPT = `
import { createElement, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import * as coatcheck from "coatcheck/react";
import * as dialogue from "coatcheck/compat/dialogue";
import { createParticipant } from "coatcheck/participant";
import { App, Demo } from "docs:interview.jsx";
Object.assign(window, { createElement, StrictMode, useState, coatcheck, dialogue, createParticipant, App, Demo,
    show(element) { window.reactRoot ??= createRoot(document.getElementById("root"), { onRecoverableError() {} }); window.reactRoot.render(element); } });
`;
const TOKENS = ["sessionToken", "bootstrapToken"];
let server, browser, app, script, backend;

async function start()
{
    buildSdk();
    script = await bundle(SCRIPT, programsOf("docs/migrate-dialogue.md"));
    server = await startServer();
    browser = await startBrowser([]);
    backend = { status: 200, user: "ada", calls: 0, shape: (answer) => answer };
    app = await startApp({ script, connect: [server.url], routes: { "/bootstrap": dialogueToken } });
}

// The product's backend: it alone has the secret.
async function dialogueToken({ method })
{
    backend.calls++;
    if (method !== "POST" || backend.status !== 200) return { status: method === "POST" ? backend.status : 405, json: {} };
    return { json: backend.shape(await good(bootstrap(server, { externalUserId: backend.user }))) };
}

async function stop()
{
    await browser?.stop();
    await app?.stop();
    await server?.stop();
}

const settings = () => ({ baseUrl: server.url, publishableKey: server.contract.publishable_key, studyId: server.contract.study_id });

async function visit(show, { before, ...more } = {})
{
    Object.assign(backend, { status: 200, calls: 0, shape: (answer) => answer }, more);
    const one = await Visit.begin(browser, app.origin, { before });
    await one.until(() => window.show);
    if (show) await one.run(show, settings());
    return one;
}

const showApp = (props) => window.show(window.createElement(window.App, props));
const agrees = () => document.body.innerText.includes("I agree");
const click = (one, text) => one.page.getByRole("button", { name: text }).click();

// ---- refusals ----

test("DG-2 DG-11 a token as a property is a type error", () => {
    const file = path.join(SDK, "src/props.types-test.tsx");
    fs.writeFileSync(file, `
import { CoatcheckProvider, useCoatcheck } from "./react/index.js";
import { DialogueProvider } from "./compat/dialogue.js";
import { createParticipant } from "./participant/index.js";
const good = async () => ({ bootstrapToken: "b", expiresAt: "2030-01-01T00:00:00Z" });
export const fine = [<CoatcheckProvider bootstrapTokenProvider={good}>x</CoatcheckProvider>, <CoatcheckProvider key="2" baseUrl="/dlg" publishableKey="pk_live_1" />,
    <DialogueProvider key="3" baseUrl="/dlg" environment="staging" bootstrapTokenProvider={good}>x</DialogueProvider>];
// @ts-expect-error no such property
export const a = <CoatcheckProvider sessionToken="t" />;
// @ts-expect-error no such property
export const b = <CoatcheckProvider bootstrapToken="t" />;
const spread: { sessionToken: string } = { sessionToken: "t" };
// @ts-expect-error nor among others
export const c = <CoatcheckProvider {...spread} />;
// @ts-expect-error no such property
export const d = <DialogueProvider baseUrl="/dlg" sessionToken="t">x</DialogueProvider>;
// @ts-expect-error no such property
export const e = <DialogueProvider baseUrl="/dlg" bootstrapToken="t">x</DialogueProvider>;
// @ts-expect-error a token is no provider
export const f = <CoatcheckProvider bootstrapTokenProvider="t" />;
// @ts-expect-error a member is missing
export const g = <CoatcheckProvider bootstrapTokenProvider={async () => ({ bootstrapToken: "b" })} />;
// @ts-expect-error no such option
export const h = createParticipant({ sessionToken: "t" });
// @ts-expect-error and none comes out
export const i = () => useCoatcheck().sessionToken;
`);
    try {
        const { status, stdout } = spawnSync(process.execPath, [path.join(SDK, "node_modules/typescript/bin/tsc"), "-p", path.join(SDK, "tsconfig.json")], { encoding: "utf8" });
        assert.equal(status, 0, stdout);
    } finally {
        fs.rmSync(file);
    }
});

test("DG-2 DG-11 a token as a property has no effect: ours refuses it, the vendor's names ignore it", async () => {
    const minted = await good(session(server, (await good(bootstrap(server, { externalUserId: "eve" }))).bootstrapToken), 201);
    const stolen = await good(bootstrap(server, { externalUserId: "mallory" }));
    const ours = await visit();
    for (const props of [{ sessionToken: minted.sessionToken }, { bootstrapToken: stolen.bootstrapToken }]) {
        const code = await ours.run(async ([given, settings]) => {
            const caught = new Promise((resolve) => addEventListener("error", (event) => { event.preventDefault(); resolve(event.error?.code); }, { once: true }));
            window.reactRoot?.unmount();
            window.reactRoot = undefined;
            window.show(window.createElement(window.coatcheck.CoatcheckProvider, { ...settings, ...given }));
            return caught;
        }, [props, settings()]);
        assert.equal(code, "option_invalid");
    }
    assert.deepEqual(ours.asked(server.url), []);
    await ours.end();

    const theirs = await visit();
    await theirs.run(([tokens, { studyId, ...settings }]) => {
        const { DialogueProvider, useDialogue, useInterview } = window.dialogue;
        function Who() { useInterview(studyId); const { userId } = useDialogue(); return window.createElement("p", null, userId); }
        const bootstrapTokenProvider = async () => (await fetch("/bootstrap", { method: "POST" })).json();
        window.show(window.createElement(DialogueProvider, { ...settings, ...tokens, bootstrapTokenProvider }, window.createElement(Who)));
    }, [{ sessionToken: minted.sessionToken, bootstrapToken: stolen.bootstrapToken }, settings()]);
    await theirs.until(() => document.querySelector("p")?.textContent);
    const { userId } = await good(session(server, (await good(bootstrap(server, { externalUserId: "ada" }))).bootstrapToken), 201);
    assert.equal(await theirs.run(() => document.querySelector("p").textContent), userId, "whom the backend named");
    for (const { headers, body } of theirs.requests) for (const token of [minted.sessionToken, stolen.bootstrapToken]) assert.ok(!JSON.stringify([headers, body]).includes(token));
    await theirs.end();
});

test("a provider inside a provider is refused", async () => {
    const one = await visit();
    const message = await one.run(async (props) => {
        const { CoatcheckProvider } = window.coatcheck;
        const caught = new Promise((resolve) => addEventListener("error", (event) => { event.preventDefault(); resolve(`${event.error.code} ${event.error.message}`); }, { once: true }));
        window.show(window.createElement(CoatcheckProvider, props, window.createElement(CoatcheckProvider, props)));
        return caught;
    }, settings());
    assert.match(message, /^option_invalid a CoatcheckProvider stands in another one/);
    await one.end();
});

test("DG-12 a result that lacks a member is refused with a clear error, and nothing is exchanged", async () => {
    for (const shape of [({ bootstrapToken }) => ({ bootstrapToken }), ({ expiresAt }) => ({ expiresAt }), () => ({}), () => [], (answer) => ({ ...answer, expiresAt: "soon" }), (answer) => ({ ...answer, bootstrapToken: 7 })]) {
        const one = await visit();
        backend.shape = shape;
        await one.run(showApp, settings());
        await one.until(() => document.querySelector("[role=alert]"));
        assert.match(await one.run(() => document.querySelector("[role=alert]").textContent), /^auth\.bootstrap-invalid: bootstrapTokenProvider must resolve with \{ bootstrapToken, expiresAt \}/);
        assert.deepEqual(one.asked(server.url), []);
        await one.end();
    }
});

test("DG-9 a function that throws is a visible error, not an anonymous session, and retry calls it again", async () => {
    const one = await visit();
    backend.status = 502;
    await one.run(showApp, settings());
    await one.until(() => document.querySelector("[role=alert]"));
    assert.match(await one.run(() => document.querySelector("[role=alert]").textContent), /^auth\.provider-failed: .*no token: 502/);
    assert.deepEqual([one.asked(server.url), one.asked(`${app.origin}/bootstrap`)], [[], ["POST /bootstrap"]]);
    backend.status = 200;
    await click(one, "Try again");
    await one.until(agrees);
    assert.deepEqual(one.asked(server.url), ["POST /sdk/sessions", `GET /studies/${server.contract.study_id}`]);
    await one.end();
});

test("a token that was used is refused, and told as that", async () => {
    const used = await good(bootstrap(server, { externalUserId: "ada" }));
    await good(session(server, used.bootstrapToken), 201);
    const one = await visit();
    backend.shape = () => used;
    await one.run(showApp, settings());
    await one.until(() => document.querySelector("[role=alert]"));
    assert.match(await one.run(() => document.querySelector("[role=alert]").textContent), /^auth\.bootstrap-expired: .*coatcheck why /);
    await one.end();
});

// ---- what works ----

test("DG-4 DG-10 children render; the function is called when a study is opened and not before, and reaches the page's own endpoint", async () => {
    const one = await visit(({ baseUrl, publishableKey }) => {
        const { CoatcheckProvider, useCoatcheck } = window.coatcheck;
        function Child() { return window.createElement("p", null, `child ${useCoatcheck().status}`); }
        const bootstrapTokenProvider = () => fetch("/bootstrap", { method: "POST" }).then((answer) => answer.json());
        window.show(window.createElement(CoatcheckProvider, { baseUrl, publishableKey, bootstrapTokenProvider }, window.createElement(Child), "and text"));
    });
    await one.until(() => document.body.innerText.includes("child idle"));
    assert.ok(await one.run(() => document.body.innerText.includes("and text")));
    assert.deepEqual([one.asked(server.url), one.asked(`${app.origin}/bootstrap`), backend.calls], [[], [], 0]);
    await one.run(showApp, settings());
    await one.until(agrees);
    assert.deepEqual([one.asked(`${app.origin}/bootstrap`), backend.calls], [["POST /bootstrap"], 1]);
    await one.end();
});

test("DG-9 the sample as it stands, from the study to its end, under a policy without unsafe-anything", async () => {
    const one = await visit(showApp);
    await one.until(agrees);
    await click(one, "I agree");
    await one.until(() => document.querySelectorAll("input").length === 3);
    for (const input of await one.page.locator("input").all()) { await input.fill("Well."); await input.blur(); }
    const answered = () => one.asked(server.url).filter((line) => line.endsWith("/answers")).length;
    while (answered() < 3) await one.page.waitForResponse((answer) => answer.url().endsWith("/answers"));
    await click(one, "Done");
    await one.until(() => document.body.innerText.startsWith("completed"));
    assert.deepEqual(one.problems, []);
    const [token] = (await one.given(["sessionToken"])), at = one.requests.find(({ url }) => url.endsWith("/complete")).url.replace(server.url, "").replace("/complete", "");
    assert.deepEqual([await good(as(server, token, "GET", at))].map(({ status, answerCount }) => [status, answerCount]), [["completed", 3]]);
    await one.end();
});

test("DG-8 the function is called again, and fetches again, whenever a fresh token is needed; the call that found out goes through", async () => {
    const one = await visit(showApp);
    await one.until(agrees);
    await advance(server, "16m"); // the session is over, and nothing has told the page
    await click(one, "I agree");
    await one.until(() => document.querySelectorAll("input").length === 3);
    assert.equal(backend.calls, 2);
    assert.deepEqual(one.asked(server.url).slice(2).map((line) => line.replace(/\/[\w-]{36}\//, "/ID/")),
        ["POST /interviews", "POST /sdk/sessions", "POST /interviews", "POST /interviews/ID/consent"]);
    const given = await one.given(TOKENS);
    assert.equal(new Set(given).size, 4, "two bootstrap tokens, two sessions");
    await one.end();
});

test("DG-18 DG-16 the demo runs from the study id alone: no key, no function, no endpoint", async () => {
    const one = await visit(({ baseUrl, studyId }) => window.show(window.createElement(window.Demo, { baseUrl, studyId })));
    await one.until(agrees);
    await click(one, "I agree");
    await one.until(() => document.querySelectorAll("input").length === 3);
    await click(one, "Done");
    await one.until(() => document.body.innerText.startsWith("completed"));
    assert.equal(backend.calls, 0);
    assert.deepEqual(JSON.parse(one.requests.find(({ url }) => url.endsWith("/sessions")).body), { studyId: server.contract.study_id });
    for (const { headers, body } of one.requests) assert.doesNotMatch(JSON.stringify([headers, body]), /pk_|sk_/);
    await one.end();
});

test("DG-19 F-86 F-87 tokens are in a closure: not in cookies, storage, addresses, the page, nor anything that hangs on window", async () => {
    const one = await visit((props) => {
        function Planted() { window.useState(() => ({ in: "React's state" })); return window.createElement(window.App, props); }
        window.show(window.createElement(Planted));
    }, { before: devtools });
    await one.until(agrees);
    await click(one, "I agree");
    await one.until(() => document.querySelectorAll("input").length === 3);
    await one.run((baseUrl) => { window.mine = window.createParticipant({ baseUrl, bootstrapTokenProvider: async () => (await fetch("/bootstrap", { method: "POST" })).json() }); return window.mine.authenticate(); }, server.url);
    const tokens = await one.given(TOKENS);
    assert.equal(tokens.length, 4);
    const { text, looked } = await lootOf(one.page);
    assert.ok(looked > 3_000 && text.includes("I am planted") && text.includes("\nReact's state\n"), `${looked} objects were looked at`);
    for (const token of tokens) assert.ok(!text.includes(token) && !text.includes(token.slice(-40)), "a token was found");
    for (const { url, headers } of one.requests) for (const token of tokens) assert.ok(!url.includes(token) && !(headers.referer ?? "").includes(token) && !headers.cookie, url);
    for (const name of ["secret_key", "api_token", "client_secret"]) for (const { url, headers, body } of one.requests) assert.ok(!JSON.stringify([url, headers, body]).includes(server.contract[name]));
    await one.end();
});

test("DG-20 after a reload nothing remains, and the function is called again", async () => {
    const one = await visit(showApp);
    await one.until(agrees);
    const before = await one.given(TOKENS);
    await one.page.reload();
    await one.until(() => window.show);
    const { text } = await lootOf(one.page);
    for (const token of before) assert.ok(!text.includes(token));
    assert.equal(backend.calls, 1);
    await one.run(showApp, settings());
    await one.until(agrees);
    assert.equal(backend.calls, 2);
    await one.end();
});

// ---- React's own ways ----

// In the page, before React: what its developer tools see, and its door for hot reload.
function devtools()
{
    window.planted = { deep: ["I am planted"] };
    window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
        supportsFiber: true, renderers: new Map(), isDisabled: false, checkDCE() {}, onScheduleFiberRoot() {}, onCommitFiberUnmount() {}, onPostCommitFiberRoot() {},
        inject(internals) { window.internals = internals; return 1; },
        onCommitFiberRoot(_, root) { window.fiberRoot = root; },
    };
}

test("Strict Mode mounts twice and exchanges once; letting go ends it", async () => {
    const one = await visit((props) => window.show(window.createElement(window.StrictMode, null, window.createElement(window.App, props))));
    await one.until(agrees);
    assert.deepEqual([one.asked(server.url), backend.calls], [["POST /sdk/sessions", `GET /studies/${server.contract.study_id}`], 1]);
    assert.deepEqual(one.problems, []);
    const after = await one.run(async (props) => {
        const { CoatcheckProvider, useCoatcheck } = window.coatcheck;
        let participant;
        function Child() { participant = useCoatcheck().participant; return null; }
        window.show(window.createElement(window.StrictMode, null, window.createElement(CoatcheckProvider, props, window.createElement(Child))));
        while (!participant) await new Promise(requestAnimationFrame);
        const isAlive = await participant.authenticate({ studyId: props.studyId }).then(() => true, ({ code }) => code);
        window.show(null);
        for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame);
        return [isAlive, await participant.study(props.studyId).then(() => "alive", ({ code }) => code)];
    }, settings());
    assert.deepEqual(after, [true, "destroyed"]);
    await one.end();
});

test("hot reload keeps the session: effects run again, nothing is exchanged again", async () => {
    const one = await visit(showApp, { before: devtools });
    await one.until(agrees);
    await one.run(async () => {
        const families = new Map();
        const visitFiber = (fiber) => { for (let at = fiber; at; at = at.sibling) { if (typeof at.type === "function") families.set(at.type, { current: at.type }); visitFiber(at.child); } };
        visitFiber(window.fiberRoot.current);
        window.internals.setRefreshHandler((type) => families.get(type));
        window.internals.scheduleRefresh(window.fiberRoot, { staleFamilies: new Set(), updatedFamilies: new Set(families.values()) });
        for (let i = 0; i < 5; i++) await new Promise(requestAnimationFrame);
        window.reloaded = families.size;
    });
    assert.ok((await one.run(() => window.reloaded)) >= 3);
    await click(one, "I agree");
    await one.until(() => document.querySelectorAll("input").length === 3);
    assert.deepEqual([backend.calls, one.asked(server.url).filter((line) => line === "POST /sdk/sessions").length], [1, 1]);
    await one.end();
});

test("React on a server renders it, and nothing happens", () => {
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", `
        import { createElement } from "react"; import { renderToString } from "react-dom/server";
        globalThis.fetch = () => { console.log("fetched"); };
        const { CoatcheckProvider, useInterview } = await import("./dist/react.js");
        const { DialogueProvider } = await import("./dist/compat/dialogue.js");
        for (const name of ["participant", "embed", "frame", "compat/tortus"]) await import(\`./dist/\${name}.js\`);
        function Child() { return useInterview("s").phase; }
        for (const Provider of [CoatcheckProvider, DialogueProvider]) console.log(renderToString(createElement(Provider, { baseUrl: "/x" }, createElement(Child))));
    `], { cwd: SDK, encoding: "utf8" });
    assert.equal(stderr, "");
    assert.equal(stdout, "idle\nidle\n");
});

test("DG-21 the documents say whom one trusts: the page shares its context, is the trust boundary, and tokens are minted on the server", () => {
    const text = fs.readFileSync(path.join(REPOSITORY, "docs/migrate-dialogue.md"), "utf8").replace(/\s+/g, " ");
    for (const said of [/The package runs in your page, with your page's other scripts/, /\*\*Your page is the trust boundary\*\*/, /\*\*bootstrap tokens are minted by your backend and nowhere else\*\*/])
        assert.match(text, said);
});

await run({ before: start, after: stop });
