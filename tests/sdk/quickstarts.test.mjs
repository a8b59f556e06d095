// quickstarts.test.mjs — the programs of docs/quickstarts.md as they stand there, in Chromium against a real server: whoever the page is
// for gets through to whom it promises, and to nobody else. And docs/credentials.md: its times are those of the settings.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { programsOf } from "../harness/app_pages.mjs";
import { CALLS, startBrowser } from "../harness/browser.mjs";
import { coatcheck } from "../harness/clock.mjs";
import { call, info, mintToken } from "../harness/http.mjs";
import { nowhere, startProgram } from "../harness/programs.mjs";
import { buildSdk, startSdkPages } from "../harness/sdk_pages.mjs";
import { Visit } from "../harness/sdk_visit.mjs";
import { REPOSITORY, startServer, temporaryFolder } from "../harness/server.mjs";
import { startStun } from "../harness/stun.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const text = fs.readFileSync(path.join(REPOSITORY, "docs/quickstarts.md"), "utf8");
const programs = programsOf("docs/quickstarts.md");
const folder = temporaryFolder("quickstarts");
let server, stun, browser, pages, backend, desk;

function startGuests(more)
{
    const { url, project_id, api_token } = server.contract;
    return startProgram(folder, "guests.mjs", programs["guests.mjs"], { COATCHECK_URL: url, PROJECT: project_id, API_TOKEN: api_token, ADDRESS: desk.address.id, ...more });
}

async function toBackend(request, answer)
{
    const reply = await fetch(backend.url + request.url, { method: "POST" });
    answer.writeHead(reply.status, { "content-type": "application/json" }).end(await reply.text());
}

async function start()
{
    buildSdk();
    stun = await startStun();
    server = await startServer({ env: { COATCHECK_OFFER_CANDIDATES: "none", COATCHECK_ICE_SERVERS: JSON.stringify([{ urls: [stun.url] }]) } });
    browser = await startBrowser([], CALLS);
    const served = (code) => (request, answer) => answer.writeHead(200, { "content-type": "text/javascript" })
        .end(code.replace('"coatcheck"', '"/sdk/index.js"').replace('"coatcheck/participant"', '"/sdk/participant.js"'));
    const routes = Object.fromEntries(Object.entries(programs).map(([name, code]) => [`/quick/${name}`, served(code)]));
    pages = await startSdkPages([server.url], { routes: { ...routes, "/guest": toBackend, "/bootstrap": bootstrap } });
    desk = await person("desk@example.com");
    backend = await startGuests();
}

async function stop()
{
    backend?.stop();
    await browser?.stop();
    await pages?.stop();
    await stun?.stop();
    await server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
}

// Somebody who is online, and whom others call.
async function person(reference)
{
    const { token } = await mintToken(server, { reference });
    const [address] = (await info(server, token)).json.fabric_addresses;
    const one = await Visit.begin(browser, pages.origin, { credential: { token } });
    await one.registered();
    return Object.assign(one, { token, address, to: address.channels.audio });
}

async function bootstrap(request, answer)
{
    const { json } = await call(server, "POST", "/sdk/bootstrap-tokens", { headers: { authorization: `Bearer ${server.contract.secret_key}` }, body: { externalUserId: "ada" } });
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(json));
}

// A page that runs a body with a program's exports.
async function page(hash = "")
{
    const one = await browser.newPage();
    await one.goto(`${pages.origin}/${hash}`);
    return one;
}

// The call that the page has made rings at whom it is for, is answered, and ends when it is hung up.
async function ringsAndEnds(caller, callee)
{
    await callee.until(() => window.client.session.incomingCalls.length === 1);
    await callee.run(() => window.client.session.incomingCalls[0].answer());
    await caller.waitForFunction(() => window.call.status === "connected");
    await caller.evaluate(() => window.call.hangup());
    await callee.until(() => window.client.session.calls.length === 0);
    await caller.close();
}

test("each program of the document is run here", () => {
    assert.deepEqual(Object.keys(programs).sort(), ["button.js", "guest.js", "guests.mjs", "interview.js", "invite.js", "invited.js"]);
});

test("guests.mjs answers 502 and lives on when the server is away or refuses, and says why to its operator alone", async () => {
    for (const [more, said] of [[{ COATCHECK_URL: await nowhere() }, /^fetch failed ECONNREFUSED$/], [{ API_TOKEN: "PTwrong" }, /^refused: coatcheck why [\w-]{16}\s*$/]]) {
        const program = await startGuests(more);
        for (let times = 2; times > 0; times--) {
            const answer = await fetch(`${program.url}/guest`, { method: "POST" });
            assert.deepEqual([answer.status, await answer.json()], [502, { error: "no token now" }]);
        }
        await eventually(() => program.said.length === 2, "two lines for the operator");
        for (const line of program.said) assert.match(line, said);
        assert.ok(program.isRunning());
        program.stop();
    }
});

test("SW-26 a guest calls whom the backend names, and nobody else", async () => {
    const other = await person("other@example.com"), guest = await page();
    const refused = await guest.evaluate(async (to) => (await import("/quick/guest.js")).callAsGuest(to).then(() => "called", (error) => [error.name, error.cause?.code]), other.to);
    assert.equal(refused[0], "CallCreateError");
    await guest.evaluate(async (to) => { window.call = await (await import("/quick/guest.js")).callAsGuest(to); }, desk.to);
    await ringsAndEnds(guest, desk);
    assert.equal(await other.run(() => window.client.session.incomingCalls.length), 0);
    await other.end();
});

test("SW-27 SW-11 an invitation made in a user's page brings one caller to that user, and its token out of the address bar", async () => {
    const inviter = await person("inviter@example.com");
    const link = await inviter.run(async ([url, token, address, to]) => (await import("/quick/invite.js")).invitation(url, token, address, to),
        [server.url, inviter.token, inviter.address, `${pages.origin}/`]);
    const invited = await page(new URL(link).hash);
    await invited.evaluate(async () => { window.call = await (await import("/quick/invited.js")).callInviter(); });
    assert.equal(invited.url(), `${pages.origin}/`);
    await ringsAndEnds(invited, inviter);
    await inviter.end();
});

test("the import map of the document, with sdk/dist served where it says", async () => {
    const [, map] = text.match(/^```html\n(<script type="importmap">.*<\/script>)\n```$/m);
    const mapped = await browser.newPage();
    await mapped.route(`${pages.origin}/mapped`, (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html>${map}` }));
    await mapped.route(`${pages.origin}/coatcheck/**`, (route) => route.fulfill({ contentType: "text/javascript", path: path.join(REPOSITORY, "sdk/dist", new URL(route.request().url()).pathname.slice(11)) }));
    await mapped.goto(`${pages.origin}/mapped`);
    assert.deepEqual(await mapped.evaluate(async () => [typeof (await import("coatcheck")).embeddableCall, typeof (await import("coatcheck/participant")).createParticipant]), ["function", "function"]);
    await mapped.close();
});

test("the command for a button makes one in a project that has been seeded, and says its token", async () => {
    const [, command] = text.match(/`coatcheck (resource create click-to-call [^`]*)`/);
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
    const { code, out, err } = await coatcheck(...words, "--data", server.data);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /token +c2c_\w+/);
});

test("SW-10 SW-19 a button without a backend reaches its address", async () => {
    const { url, c2c_token, c2c_address } = server.contract, visitor = await page();
    const id = await visitor.evaluate(async (of) => (window.call = await (await import("/quick/button.js")).onClick(...of)).id, [url, c2c_token, c2c_address]);
    assert.match(id, /^[0-9a-f-]{36}$/);
    const other = await visitor.evaluate(async (of) => (await import("/quick/button.js")).onClick(...of).then(() => "called", (error) => error.name), [url, c2c_token, desk.to]);
    assert.equal(other, "CallCreateError");
    await visitor.close();
});

test("DG-16 DG-17 an interview to its end: without a name another participant each time, with one the same", async () => {
    const { url, publishable_key, study_id } = server.contract, one = await page();
    const take = (isNamed) => one.evaluate(async ([baseUrl, publishableKey, studyId, named]) => {
        const bootstrapTokenProvider = named ? async () => (await fetch("/bootstrap", { method: "POST" })).json() : undefined;
        return (await import("/quick/interview.js")).interview({ baseUrl, publishableKey, bootstrapTokenProvider, studyId, answerTo: async ({ text }) => `about ${text}` });
    }, [url, publishable_key, study_id, isNamed]);
    const taken = [await take(false), await take(false), await take(true), await take(true)];
    assert.deepEqual(taken.map(({ status }) => status), taken.map(() => "completed"));
    const [first, second, third, fourth] = taken.map(({ userId }) => userId);
    assert.notEqual(first, second);
    assert.equal(third, fourth);
    await one.close();
});

test("the lives in docs/credentials.md are the settings' own", () => {
    const settings = Object.fromEntries([...fs.readFileSync(path.join(REPOSITORY, "src/engine/settings.def"), "utf8")
        .matchAll(/SETTING_ROW\(\w+,\s*"(\w+)",\s*"s", (\d+),/g)].map(([, name, seconds]) => [name, Number(seconds)]));
    const told = [...fs.readFileSync(path.join(REPOSITORY, "docs/credentials.md"), "utf8").matchAll(/`(\w+_life)`, (\d+) (h|min)/g)];
    for (const [, name, count, unit] of told) assert.equal(settings[name], count * (unit === "h" ? 3600 : 60), name);
    const lives = Object.keys(settings).filter((name) => name.endsWith("_life"));
    assert.deepEqual([...new Set(told.map(([, name]) => name))].sort(), lives.sort());
});

await run({ before: start, after: stop });
