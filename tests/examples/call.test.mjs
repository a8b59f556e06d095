// call.test.mjs — the example "Call us" in Chromium, as its visitors and its staff meet it, and its backend, as strangers do.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { CALLS, startBrowser } from "../harness/browser.mjs";
import { advance, coatcheck } from "../harness/clock.mjs";
import { info } from "../harness/http.mjs";
import { REPOSITORY, startServer, temporaryFolder } from "../harness/server.mjs";
import { askRaw, Caller, startProduct } from "../harness/products.mjs";
import { startStun } from "../harness/stun.mjs";
import { guarded, LIMIT_S, run, test } from "../harness/suite.mjs";

const qrcode = createRequire(path.join(REPOSITORY, "examples/package.json"))("qrcode-generator");
const PRODUCT = path.join(REPOSITORY, "examples/call"), AXE = path.join(REPOSITORY, "sdk/node_modules/axe-core/axe.min.js");
const KEY = crypto.randomBytes(32), data = temporaryFolder("coatcheck-call");
const traffic = []; // all that any page sent or got, as text
let server, stun, browser, second, backend, shop;

async function start()
{
    execFileSync(path.join(REPOSITORY, "tools/install.sh"), ["products"], { stdio: ["ignore", "ignore", "inherit"] }); // builds the package if a source is newer
    stun = await startStun();
    server = await startServer({ env: { COATCHECK_OFFER_CANDIDATES: "none", COATCHECK_ICE_SERVERS: JSON.stringify([{ urls: [stun.url] }]) } });
    const { url, project_id, api_token, c2c_token, c2c_address } = server.contract;
    backend = spawn(process.execPath, [path.join(PRODUCT, "backend.mjs")], { stdio: ["ignore", "pipe", "ignore"],
        env: { PATH: process.env.PATH, PORT: "0", COATCHECK_URL: url, PROJECT: project_id, API_TOKEN: api_token, EMBED_TOKEN: c2c_token, DESK: c2c_address,
            DATA: data, STORE_KEY: KEY.toString("base64") } });
    const said = await guarded(new Promise((resolve) => readline.createInterface({ input: backend.stdout }).once("line", resolve)), LIMIT_S, "the backend's URL");
    shop = said.match(/^call (http:\/\/127\.0\.0\.1:\d+)\/$/)[1];
    [browser, second] = await Promise.all([startBrowser([], CALLS), startBrowser([], CALLS)]); // two computers
}

async function stop()
{
    backend?.kill();
    await browser?.stop();
    await second?.stop();
    await stun?.stop();
    await server?.stop();
    fs.rmSync(data, { recursive: true, force: true });
}

// ---- the backend, as a stranger meets it ----

async function send(where, { body = {}, cookie, method = "POST", ...headers } = {})
{
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(shop + where, { method, body: method === "POST" ? text : undefined, headers: { ...(cookie && { cookie }), ...headers } });
    const said = await answer.text();
    assert.ok(!said.includes(server.contract.api_token), "the API token is for no page");
    return { status: answer.status, json: said.startsWith("{") ? JSON.parse(said) : null, cookie: answer.headers.get("set-cookie")?.split(";")[0], headers: answer.headers };
}

const signedIn = async (user) => (await send("/sign-in", { body: { user } })).cookie;
const OWN = ["/token", "/refresh", "/invite", "/sign-out"];

test("without a sign-in there is no token, no refresh and no invitation, whatever the request says of itself", async () => {
    const forged = (await signedIn("mira")).replace(/\.[^.]+$/, `.${"A".repeat(43)}`);
    for (const where of OWN)
        for (const more of [{}, { cookie: forged }, { cookie: "call_user=bWlyYQ.9999999999." }, { "x-demo-user": "mira" }, { body: { user: "mira" } }])
            assert.equal((await send(where, more)).status, 401, `${where} ${JSON.stringify(more)}`);
    for (const user of ["nobody", "", "__proto__", "constructor", ["mira"], { length: 1 }, 7, null]) {
        const { status, cookie } = await send("/sign-in", { body: { user } });
        assert.deepEqual([status, cookie], [422, undefined], JSON.stringify(user));
    }
});

test("user A gets A's token, and cannot get B's", async () => {
    const cookie = await signedIn("mira");
    for (const body of [{}, { user: "jonas" }, { reference: "jonas@example.com" }]) {
        for (const where of ["/token", "/refresh", "/token?user=jonas"]) {
            const { status, json } = await send(where, { body, cookie, "x-demo-user": "jonas" });
            assert.deepEqual([status, Object.keys(json).sort()], [200, ["expiry_at", "token"]]);
            assert.equal((await info(server, json.token)).json.email, "mira@example.com");
        }
    }
    const { token } = (await send("/token", { cookie: `${cookie.replace("mira", "jonas")}` })).json;
    assert.equal((await info(server, token)).json.email, "mira@example.com");
});

test("what another site's page sends is refused, although the cookie comes along", async () => {
    const cookie = await signedIn("mira");
    for (const where of [...OWN, "/sign-in", "/join"])
        for (const more of [{ origin: "https://evil.example" }, { origin: "null" }, { origin: `${shop}.evil.example` }, { "sec-fetch-site": "cross-site" }])
            assert.equal((await send(where, { cookie, ...more })).status, 403, `${where} ${JSON.stringify(more)}`);
    assert.equal((await send("/token", { cookie, origin: shop })).status, 200);
    assert.match((await send("/sign-in", { body: { user: "mira" } })).headers.get("set-cookie"), /HttpOnly; SameSite=Lax/);
});

test("a page under a stranger's name that leads to this machine is none of ours", async () => {
    for (const host of ["evil.example", `localhost:${new URL(shop).port}`])
        for (const target of ["/", "/button", "/me"]) assert.deepEqual(await askRaw(shop, target, host), [308, `${shop}/`]);
});

test("what is no JSON object, too long, by another method or a file beside the pages is refused", async () => {
    const cookie = await signedIn("mira");
    for (const body of ["{", "[]", "null", "7", `{"a":"${"x".repeat(20_000)}"}`]) assert.equal((await send("/token", { cookie, body })).status, 400, body.slice(0, 9));
    for (const where of ["/token", "/refresh", "/invite", "/backend.mjs", "/../backend.mjs", "/..%2fbackend.mjs", "/package.json", "/coatcheck/../../package.json"])
        assert.deepEqual([(await send(where, { cookie, method: "GET" })).status, (await askRaw(shop, where))[0]], [404, 404], where);
    for (const code of ["", "x", "__proto__", 7]) assert.equal((await send("/join", { body: { code } })).status, 404);
});

// The file's text, opened as the backend does.
function refreshTokens()
{
    return fs.readdirSync(data).map((name) => {
        const row = fs.readFileSync(path.join(data, name));
        const users = ["mira", "jonas", "front-desk"];
        const user = users.find((one) => name.startsWith(crypto.createHash("sha256").update(one).digest("hex")));
        const cipher = crypto.createDecipheriv("aes-256-gcm", KEY, row.subarray(0, 12)).setAAD(Buffer.from(user)).setAuthTag(row.subarray(-16));
        return { user, mode: fs.statSync(path.join(data, name)).mode & 0o777, row: row.toString("latin1"), token: cipher.update(row.subarray(12, -16), undefined, "utf8") + cipher.final("utf8") };
    });
}

test("a refresh token is in its file encrypted, readable by its owner alone, and each refresh puts another in its place", async () => {
    const cookie = await signedIn("jonas"), of = () => refreshTokens().find(({ user }) => user === "jonas");
    await send("/token", { cookie });
    const first = of();
    assert.ok(first.token.length > 40 && !first.row.includes(first.token.slice(-20)), "not in clear");
    assert.equal(first.mode, 0o600);
    await send("/refresh", { cookie });
    assert.notEqual(of().token, first.token, "the next one");
    const files = fs.readdirSync(data), [mine, other] = ["jonas", "mira"].map((user) => path.join(data, `${crypto.createHash("sha256").update(user).digest("hex")}.refresh`));
    fs.copyFileSync(other, mine); // another user's row in this one's place opens for nobody
    const { status, json } = await send("/refresh", { cookie });
    assert.deepEqual([status, (await info(server, json.token)).json.email], [200, "jonas@example.com"]);
    assert.deepEqual(fs.readdirSync(data), files);
    await send("/sign-out", { cookie });
    assert.equal(of(), undefined, "signed out, forgotten");
});

test("a sign-out while a renewal is under way: what comes of that is not kept, and the next sign-in's is", async () => {
    const folder = temporaryFolder("coatcheck-call"), held = [], kept = () => fs.readdirSync(folder).length;
    let begun;
    const slow = http.createServer((request, response) => { // answers renewals when it is told to
        const give = (status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ token: "t", refresh_token: "r" }));
        if (!request.url.endsWith("/refresh")) return give();
        held.push(give);
        begun();
    });
    await new Promise((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const other = await startProduct("call", [process.execPath, path.join(PRODUCT, "backend.mjs")], { COATCHECK_URL: `http://127.0.0.1:${slow.address().port}`, PROJECT: "p", API_TOKEN: "PT-x", EMBED_TOKEN: "c2c_x", DATA: folder });
    try {
        const mira = new Caller(other.origin), ask = (where, body = {}) => mira.ask("POST", where, body);
        for (const status of [200, 401]) { // of the renewal; refused, a new pair is minted instead
            await ask("/sign-in", { user: "mira" });
            await ask("/token");
            assert.equal(kept(), 1);
            const isHeld = new Promise((resolve) => { begun = resolve; }), renewed = ask("/refresh");
            await isHeld;
            assert.equal((await ask("/sign-out")).status, 200);
            held.pop()(status);
            await renewed;
            assert.equal(kept(), 0, `signed out, forgotten (${status})`);
        }
    } finally {
        await other.stop();
        await new Promise((resolve) => { slow.closeAllConnections(); slow.close(resolve); });
        fs.rmSync(folder, { recursive: true, force: true });
    }
});

test("with a fingerprint the token is bound to it, and the backend keeps no refresh token for it", async () => {
    const cookie = await signedIn("jonas"), fingerprint = crypto.randomBytes(32).toString("base64url");
    const { token } = (await send("/token", { cookie, body: { fingerprint } })).json;
    const { sat_claims } = (await info(server, token)).json;
    assert.deepEqual([sat_claims.scope, sat_claims.cnf.jkt], [["sat:refresh"], fingerprint]);
    assert.ok(!refreshTokens().some(({ user }) => user === "jonas"));
    assert.equal((await send("/token", { cookie, body: { fingerprint: "short" } })).status, 502, "refused by the server");
});

test("every cause and every refusal has words of its own", async () => {
    const { reasonOf, troubleOf } = await import(path.join(PRODUCT, "site/words.js"));
    const causes = ["NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "USER_NOT_REGISTERED", "CALL_REJECTED", "DESTINATION_OUT_OF_ORDER", "ANSWERED_ELSEWHERE", "ORIGINATOR_CANCEL", "MEDIA_TIMEOUT"];
    assert.equal(new Set(causes.map((cause) => reasonOf(cause, "Mira"))).size, causes.length);
    const wrapped = (name, code) => Object.assign(new Error("outer"), { code: "call_failed", cause: Object.assign(new Error("inner"), { code: "media_failed", cause: Object.assign(new Error(), { name, code }) }) });
    assert.match(troubleOf(wrapped("NotAllowedError")), /blocked/);
    assert.match(troubleOf(wrapped("NotFoundError")), /Connect one/);
    assert.match(troubleOf(wrapped("Error", "constructor")), /https/);
    assert.match(troubleOf(new Error("x")), /try again/);
});

// ---- pages ----

function watchPage() // in the page, before its own code
{
    window.violations = [];
    window.shift = [];
    window.peers = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    new PerformanceObserver((list) => { for (const { value, hadRecentInput, sources } of list.getEntries()) if (!hadRecentInput) window.shift.push([value, sources.map(({ node }) => node?.outerHTML?.slice(0, 60))]); })
        .observe({ type: "layout-shift", buffered: true });
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(...of)
        {
            super(...of);
            window.peers.push(this);
        }
    };
}

class Tab {
    static async open(where, { on = browser, scheme = "light", width = 1280, before } = {})
    {
        const tab = new Tab(), page = (tab.page = await on.newPage());
        tab.noise = [];
        page.on("console", (line) => { if (["error", "warning"].includes(line.type())) tab.noise.push(line.text()); });
        page.on("pageerror", (error) => tab.noise.push(String(error)));
        page.on("request", (request) => traffic.push(JSON.stringify([request.url(), request.headers(), request.postData()])));
        page.on("response", (answer) => void answer.text().then((text) => { if (!answer.url().endsWith(".js")) traffic.push(text); }, () => {}));
        page.on("websocket", (ws) => {
            ws.on("framesent", ({ payload }) => traffic.push(String(payload)));
            ws.on("framereceived", ({ payload }) => traffic.push(String(payload)));
        });
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme });
        await page.addInitScript(watchPage);
        if (before) await page.addInitScript(before);
        await page.goto(new URL(where, `${shop}/`).href);
        return tab;
    }

    click(selector) { return this.page.click(selector); }
    text(selector) { return this.page.textContent(selector); }
    run(body, argument) { return this.page.evaluate(body, argument); }

    async until(condition, argument)
    {
        await this.page.waitForFunction(condition, argument, { timeout: LIMIT_S * 1000 }).catch(async (error) => {
            throw new Error(`${error.message}: ${JSON.stringify([await this.run(() => document.body.innerText), this.noise])}`);
        });
    }

    card(state) { return this.until((wanted) => document.getElementById("call").dataset.state === wanted, state); }
    said(text) { return this.until((wanted) => document.querySelector(".call-said").textContent.includes(wanted), text); }

    // Packets that came in, once there are some.
    received()
    {
        return this.until(async () => {
            for (const peer of window.peers) for (const one of (await peer.getStats()).values()) if (one.type === "inbound-rtp" && one.packetsReceived > 5) return true;
            return false;
        });
    }

    async end({ isNoisy = false } = {})
    {
        assert.deepEqual(await this.run(() => window.violations), [], "no violation of the policy");
        assert.deepEqual(await this.run(() => window.shift), [], "nothing moves by itself");
        if (!isNoisy) assert.deepEqual(this.noise, [], "a quiet console");
        await this.page.close();
    }
}

// Nobody is signed in, and no page of an earlier test is open.
function scene(name, body)
{
    test(name, async () => {
        for (const one of [browser, second]) {
            const page = await one.newPage();
            await page.context().clearCookies();
            for (const other of page.context().pages()) if (other !== page) await other.close();
        }
        for (const file of fs.readdirSync(data)) fs.rmSync(path.join(data, file));
        await body();
    });
}

// Somebody at the desk, registered.
async function atDesk(user = "front-desk", { own = true, ...more } = {})
{
    const tab = await Tab.open("softphone.html", more);
    await tab.until(() => document.querySelector("#user option") && document.body.dataset.view);
    assert.equal(await tab.run(() => document.body.dataset.view), "sign-in");
    await tab.page.selectOption("#user", user);
    await tab.page.setChecked("#own-computer", own);
    await tab.click("#sign-in [type=submit]");
    await tab.until(() => document.getElementById("presence").dataset.state === "available");
    return tab;
}

async function signOut(tab, how)
{
    await tab.click("#sign-out");
    await tab.until(() => document.getElementById("sign-in-said").textContent === "You are signed out.");
    await tab.end(how);
}

async function talk(caller, callee, start)
{
    await caller.click(start);
    await callee.card("incoming");
    await callee.click("[data-do=answer]");
    await Promise.all([caller.card("live"), callee.card("live")]);
    await Promise.all([caller.received(), callee.received()]);
}

for (const side of ["visitor", "desk"])
    scene(`a visitor calls from the shop's page, the desk answers, both hear the other, the ${side} hangs up`, async () => {
        const desk = await atDesk(), visitor = await Tab.open("");
        await talk(visitor, desk, "[data-call]");
        assert.equal(await desk.text(".call-who"), "A visitor of the shop");
        await visitor.until(() => /^0:(?!00)\d\d$/.test(document.querySelector(".call-time").textContent));
        await desk.until(() => Number(document.querySelector("[data-level=other]").getAttribute("aria-valuenow")) > 0);
        await visitor.click("[data-do=mute]");
        assert.equal(await visitor.text("[data-do=mute]"), "Unmute");
        await visitor.until(() => document.querySelector("[data-level=own]").getAttribute("aria-valuenow") === "0");
        await (side === "visitor" ? visitor : desk).click("[data-do=hangup]");
        await Promise.all([visitor.card("over"), desk.card("over")]);
        assert.deepEqual([await visitor.text(".call-said"), await desk.text(".call-said")],
            side === "visitor" ? ["You hung up.", "A visitor of the shop hung up."] : ["Kestrel Cycles hung up.", "You hung up."]);
        await visitor.click("[data-do=close]");
        assert.equal(await visitor.run(() => document.getElementById("dock").hidden), true);
        await visitor.end();
        await signOut(desk);
    });

const undisturbed = (tab) => tab.until(() => document.getElementById("presence").dataset.state === "undisturbed");

scene("do not disturb: callers hear that nobody can be reached, also after a reload, and who is not disturbed can call others", async () => {
    const desk = await atDesk("front-desk", { width: 390 }), mira = await atDesk("mira", { on: second }), before = traffic.length;
    await desk.click("#available");
    await undisturbed(desk);
    assert.deepEqual([await desk.text("#presence"), await desk.run(() => document.getElementById("available").getAttribute("aria-checked"))], ["Do not disturb", "false"]);
    const isUnheard = async () => {
        await mira.click('[aria-label="Call Front desk"]');
        await mira.said("Front desk cannot be reached right now.");
        await mira.click("[data-do=close]");
        assert.equal(await desk.run(() => document.getElementById("call").dataset.state), "idle");
    };
    await isUnheard();
    await desk.page.reload();
    await undisturbed(desk);
    await isUnheard();
    const said = traffic.slice(before).filter((text) => text.includes('"subscriber.online"')).map((text) => JSON.parse(text).params.do_not_disturb);
    assert.ok(said.length >= 2 && said.every((one) => one === true), `not online for a moment without it: ${said}`);
    await desk.click('[aria-label="Call Mira Okafor"]');
    await mira.card("incoming");
    await mira.click("[data-do=decline]");
    await desk.said("Mira Okafor is busy");
    await desk.click("#available");
    await desk.until(() => document.getElementById("presence").dataset.state === "available");
    await desk.click("[data-do=close]");
    await mira.click("[data-do=close]");
    await mira.click('[aria-label="Call Front desk"]');
    await desk.card("incoming");
    await desk.click("[data-do=decline]");
    await signOut(desk);
    await signOut(mira);
});

scene("declined, cancelled, nobody there: each is said", async () => {
    const desk = await atDesk(), visitor = await Tab.open("");
    await visitor.click("[data-call]");
    await desk.card("incoming");
    await desk.run(() => {
        window.told = [];
        const card = document.getElementById("call");
        new MutationObserver(() => window.told.push(card.querySelector(".call-said").textContent)).observe(card, { subtree: true, childList: true, attributes: true });
    });
    await desk.click("[data-do=decline]");
    assert.deepEqual([await desk.text(".call-said"), await focused(desk)], ["You declined.", "close"], "at once");
    await visitor.said("Kestrel Cycles is busy");
    await desk.until(() => document.title === "Desk · Kestrel Cycles");
    await desk.run(() => new Promise((resolve) => setTimeout(resolve, 0)));
    assert.deepEqual([await desk.run(() => [...new Set(window.told)]), await desk.text("#waiting")], [["You declined."], ""], "and nothing else after it");
    await desk.click("[data-do=close]");
    assert.deepEqual([await desk.text(".call-who"), await focused(desk)], ["No call", "available"]);
    await visitor.click("[data-call]");
    await desk.card("incoming");
    await visitor.click("[data-do=hangup]");
    await desk.said("You missed a call from A visitor of the shop.");
    await desk.click("#available");
    await undisturbed(desk);
    await visitor.click("[data-call]");
    await visitor.said("cannot be reached right now");
    await desk.click("#available");
    await desk.until(() => document.getElementById("presence").dataset.state === "available");
    await visitor.click("[data-call]");
    await desk.card("incoming");
    await visitor.page.goto("about:blank"); // whoever leaves has hung up
    await desk.said("You missed a call");
    await visitor.page.close();
    await signOut(desk);
});

scene("no microphone, no server: the page says what to do, and a second try works", async () => {
    const desk = await atDesk(), blocked = () => {
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        let failures = ["NotAllowedError", "NotFoundError"];
        navigator.mediaDevices.getUserMedia = (...of) => (failures.length ? Promise.reject(new DOMException("no", failures.shift())) : real(...of));
    };
    const visitor = await Tab.open("", { before: blocked });
    await visitor.click("[data-call]");
    await visitor.said("The microphone is blocked.");
    await visitor.click("[data-call]");
    await visitor.said("No microphone was found.");
    await visitor.page.route("**/embeds/tokens", (route) => route.abort());
    await visitor.click("[data-call]");
    await visitor.said("The telephone server does not answer.");
    await visitor.page.unroute("**/embeds/tokens");
    await talk(visitor, desk, "[data-call]");
    await visitor.end({ isNoisy: true });
    await desk.card("over");
    await signOut(desk);
});

scene("an invitation by link, and as a code to scan: the guest's page calls the inviter, and reaches nobody else", async () => {
    const mira = await atDesk("mira");
    await mira.click("#invite");
    await mira.until(() => document.querySelector("#qr path").getAttribute("d"));
    const link = await mira.run(() => document.getElementById("link").value);
    assert.match(link, /\/guest\.html#[\w-]{22}$/);
    const code = qrcode(0, "M");
    code.addData(link);
    code.make();
    const dark = [...Array(code.getModuleCount() ** 2).keys()].filter((i) => code.isDark(Math.floor(i / code.getModuleCount()), i % code.getModuleCount()));
    assert.equal(await mira.run(() => document.querySelector("#qr path").getAttribute("d").split("M").length - 1), dark.length);
    const guest = await Tab.open(link, { on: second, width: 390 });
    await guest.until(() => document.getElementById("who").textContent === "Mira Okafor invites you to a call");
    await talk(guest, mira, "#start");
    assert.equal(await mira.text(".call-who"), "Your guest");
    await guest.page.reload();
    await mira.said("Your guest hung up.");
    await talk(guest, mira, "#start");
    await guest.click("[data-do=hangup]");
    await mira.card("over");
    const { token } = (await send("/join", { body: { code: new URL(link).hash.slice(1) } })).json;
    const reached = await (await fetch(`${server.url}/api/fabric/addresses`, { headers: { authorization: `Bearer ${token}` } })).json();
    assert.deepEqual(reached.data.map(({ name }) => name), ["mira"]);
    await guest.end();
    await signOut(mira);
    const late = await Tab.open("guest.html#AAAAAAAAAAAAAAAAAAAAAA", { on: second });
    await late.until(() => document.getElementById("who").textContent === "This invitation is over");
    await late.end({ isNoisy: true });
});

scene("a guest's page without a code says that there is no invitation, asks for nothing, and offers no call", async () => {
    for (const width of [1280, 390]) {
        const before = traffic.length, lost = await Tab.open("guest.html", { on: second, width });
        await lost.until(() => document.getElementById("who").textContent === "This link has no invitation");
        assert.deepEqual(await lost.run(() => ["start", "call"].map((id) => document.getElementById(id).checkVisibility())), [false, false]);
        assert.ok(!traffic.slice(before).some((text) => /\/join/.test(text)), "no request");
        await lost.end();
    }
});

scene("while there is no link there is no code to scan, only words, and what is below stays where it is", async () => {
    for (const [width, scheme] of [[1280, "light"], [390, "dark"]]) {
        const mira = await atDesk("mira", { width, scheme });
        const look = () => mira.run(() => ({ code: getComputedStyle(document.getElementById("qr")).visibility, words: document.getElementById("no-qr")?.checkVisibility({ visibilityProperty: true }),
            below: document.getElementById("colleagues").getBoundingClientRect().top + scrollY }));
        const { below, ...empty } = await look();
        assert.deepEqual(empty, { code: "hidden", words: true });
        await mira.click("#invite");
        await mira.until(() => document.querySelector("#qr path").getAttribute("d"));
        assert.deepEqual(await look(), { code: "visible", words: false, below });
        await signOut(mira);
        await browser.newPage().then((page) => page.context().clearCookies());
    }
});

scene("a page loaded again is still signed in and takes calls; whoever talked to it hears that it has gone", async () => {
    const desk = await atDesk(), visitor = await Tab.open("");
    await talk(visitor, desk, "[data-call]");
    await desk.page.reload();
    await visitor.said("Kestrel Cycles hung up.");
    await desk.until(() => document.getElementById("presence").dataset.state === "available");
    assert.equal(await desk.text("#me"), "Front desk");
    await talk(visitor, desk, "[data-call]");
    await desk.click("[data-do=hangup]");
    await visitor.card("over");
    await visitor.end();
    await signOut(desk);
});

scene("two colleagues: one calls the other; a second caller waits and is next", async () => {
    const desk = await atDesk(), mira = await atDesk("mira", { on: second });
    await talk(mira, desk, '[aria-label="Call Front desk"]');
    assert.equal(await desk.text(".call-who"), "Mira Okafor");
    const visitor = await Tab.open("");
    await visitor.click("[data-call]");
    await desk.until(() => document.getElementById("waiting").textContent === "Also calling: A visitor of the shop");
    await mira.click("[data-do=hangup]");
    await desk.card("incoming");
    assert.equal(await desk.text(".call-who"), "A visitor of the shop");
    await desk.click("[data-do=answer]");
    await Promise.all([visitor.card("live"), desk.card("live")]);
    await signOut(desk);
    await visitor.card("over");
    await visitor.end();
    await signOut(mira);
});

scene("one signs out and another signs in, in the same tab: nothing of the first one's session is left", async () => {
    const tab = await atDesk("mira", { own: false });
    assert.ok((await tab.run(() => JSON.stringify({ ...sessionStorage }))).includes("mira:coatcheck:session"));
    await tab.click("#sign-out");
    await tab.until(() => document.getElementById("sign-in-said").textContent === "You are signed out.");
    await tab.until(() => !JSON.stringify({ ...sessionStorage }).includes("mira:"));
    await tab.page.selectOption("#user", "jonas");
    await tab.click("#sign-in [type=submit]");
    await tab.until(() => document.getElementById("presence").dataset.state === "available");
    assert.equal(await tab.text("#me"), "Jonas Weber");
    await signOut(tab);
});

// ---- both ways of staying ----

for (const [own, told, past] of [[false, "by our server", "121m"], [true, "by this browser's key", "16m"]])
    scene(`renewed ${told}: the token's end passes, calls come in as before, and nobody has to sign in again`, async () => {
        const desk = await atDesk("front-desk", { own }), visitor = await Tab.open(""), asked = [];
        desk.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
        await desk.until((words) => document.getElementById("renewed").textContent === words, told);
        if (own) await desk.until(() => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.endsWith("/devices/token") && responseEnd));
        const kept = refreshTokens().find(({ user }) => user === "front-desk")?.token;
        assert.equal(kept === undefined, own, "who is renewed by a key leaves no refresh token with us");
        await desk.run(() => {
            const presence = document.getElementById("presence");
            window.states = [];
            new MutationObserver(() => window.states.push(presence.dataset.state)).observe(presence, { attributes: true, attributeFilter: ["data-state"] });
        });
        await advance(server, past);
        await desk.until(() => window.states.includes("connecting") && window.states.at(-1) === "available");
        assert.equal(await desk.run(() => document.body.dataset.view), "desk");
        assert.equal(asked.includes("/refresh"), !own, asked.join(" "));
        assert.equal(asked.includes("/sign-in"), false);
        if (!own) assert.notEqual(refreshTokens().find(({ user }) => user === "front-desk").token, kept, "rotated");
        await talk(visitor, desk, "[data-call]");
        await visitor.click("[data-do=hangup]");
        await desk.card("over");
        await visitor.end();
        await signOut(desk, { isNoisy: own }); // a bound token that has ended is refused once
    });

scene("signed out meanwhile: when the token ends, the desk asks for a sign-in and says why, and works after it", async () => {
    const desk = await atDesk("front-desk", { own: false });
    await desk.page.context().clearCookies();
    await advance(server, "121m");
    await desk.until(() => document.body.dataset.view === "sign-in" && document.getElementById("sign-in-said").textContent === "You were signed out. Please sign in again.");
    assert.equal(await focused(desk), "user");
    await desk.click("#sign-in [type=submit]");
    await desk.until(() => document.getElementById("presence").dataset.state === "available");
    await signOut(desk, { isNoisy: true });
});

scene("revoked meanwhile: the desk says so and asks for a sign-in", async () => {
    const desk = await atDesk("jonas"), { token } = (await send("/token", { cookie: await signedIn("jonas") })).json;
    const { code, err } = await coatcheck("revoke", "user", (await info(server, token)).json.id, "--project", server.contract.project_id, "--data", server.data);
    assert.equal(code, 0, err);
    await desk.until(() => document.body.dataset.view === "sign-in" && /was taken back/.test(document.getElementById("sign-in-said").textContent));
    await desk.click("#sign-in [type=submit]");
    await desk.until(() => document.getElementById("presence").dataset.state === "available");
    await signOut(desk, { isNoisy: true });
});

// ---- by keyboard, for everybody ----

async function tabTo(tab, selector)
{
    for (let presses = 0; presses < 60; presses++) {
        await tab.page.keyboard.press("Tab");
        const { isThere, isVisible, name } = await tab.run((wanted) => {
            const now = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(now);
            return { isThere: now.matches(wanted), name: now.outerHTML.slice(0, 60), isVisible: now === document.body || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) };
        }, selector);
        assert.ok(isVisible, `the focus is seen on ${name}`);
        if (isThere) return;
    }
    assert.fail(`Tab never reaches ${selector}`);
}

const focused = (tab) => tab.run(() => document.activeElement.dataset.do ?? document.activeElement.id);

scene("a call by keyboard alone, on both sides, from sign-in to Done", async () => {
    const desk = await Tab.open("softphone.html"), visitor = await Tab.open("");
    await desk.until(() => document.querySelector("#user option") && document.activeElement.id === "user");
    await tabTo(desk, "#sign-in [type=submit]");
    await desk.page.keyboard.press("Enter");
    await desk.until(() => document.getElementById("presence").dataset.state === "available");
    await tabTo(visitor, "a.skip");
    await tabTo(visitor, "[data-call]");
    await visitor.page.keyboard.press("Enter");
    assert.equal(await focused(visitor), "hangup");
    await desk.card("incoming");
    await tabTo(desk, "[data-do=answer]");
    await desk.page.keyboard.press("Enter");
    await Promise.all([visitor.card("live"), desk.card("live")]);
    assert.equal(await focused(desk), "hangup", "Answer has gone, the focus has not");
    await tabTo(visitor, "[data-do=hangup]");
    await visitor.page.keyboard.press("Space");
    await Promise.all([visitor.card("over"), desk.card("over")]);
    assert.deepEqual([await focused(visitor), await focused(desk)], ["close", "close"]);
    await visitor.page.keyboard.press("Enter");
    assert.ok(await visitor.run(() => document.activeElement.matches("[data-call]")), "back where it began");
    await visitor.end();
    await signOut(desk);
});

const digits = (tab) => tab.text(".keypad output");

scene("a keypad by keyboard: opened, pressed and typed, each digit is sent and is a tone; it closes by Escape, and with the call", async () => {
    const desk = await atDesk(), mira = await atDesk("mira", { on: second, width: 390, scheme: "dark" }), before = traffic.length;
    await mira.click('[aria-label="Call Front desk"]');
    await desk.card("incoming");
    assert.deepEqual(await mira.run(() => [document.querySelector("[data-do=keypad]").disabled, document.getElementById("keypad").hidden]), [true, true], "nobody to send to");
    await desk.click("[data-do=answer]");
    await Promise.all([mira.card("live"), desk.card("live")]);
    await mira.run(() => {
        window.tones = "";
        window.peers.at(-1).getSenders()[0].dtmf.ontonechange = ({ tone }) => { window.tones += tone; };
    });
    await tabTo(mira, "[data-do=keypad]");
    await mira.page.keyboard.press("Enter");
    const expanded = () => mira.run(() => document.querySelector("[data-do=keypad]").getAttribute("aria-expanded"));
    assert.equal(await expanded(), "true");
    await mira.page.keyboard.type("5*");
    await tabTo(mira, "[data-key='3']");
    await mira.page.keyboard.press("Space");
    await tabTo(mira, "[data-key='#']");
    await mira.page.keyboard.press("Enter");
    await mira.until(() => document.querySelector(".keypad output").textContent === "5*3#" && window.tones === "5*3#");
    assert.deepEqual(await mira.run(() => ["*", "#"].map((key) => document.querySelector(`[data-key="${key}"]`).getAttribute("aria-label"))), ["star", "hash"]);
    assert.deepEqual(traffic.slice(before).flatMap((text) => /"dtmf":"(.*?)"/.exec(text)?.[1] ?? []), ["5", "*", "3", "#"]);
    await mira.page.keyboard.press("Control+5"); // the browser's own
    await mira.run(() => {
        window.send = WebSocket.prototype.send;
        WebSocket.prototype.send = () => { throw new Error("no"); };
    });
    await mira.page.keyboard.press("7");
    await mira.until(() => document.querySelector(".keypad output").textContent === "7 was not sent. Try again.");
    await mira.run(() => { WebSocket.prototype.send = window.send; });
    await mira.page.keyboard.press("7");
    await mira.until(() => document.querySelector(".keypad output").textContent === "7" && window.tones === "5*3#7");
    await mira.page.keyboard.press("Escape");
    assert.deepEqual([await expanded(), await focused(mira), await digits(mira)], ["false", "keypad", ""]);
    await mira.page.keyboard.press("1");
    await mira.page.keyboard.press("Enter");
    await tabTo(mira, "[data-key='2']");
    assert.equal(await digits(mira), "", "closed, it took no digit");
    const place = () => mira.run(() => document.getElementById("call").offsetHeight), open = await place();
    await desk.click("[data-do=hangup]");
    await mira.card("over");
    assert.deepEqual([await focused(mira), await mira.run(() => document.getElementById("keypad").checkVisibility({ visibilityProperty: true }))], ["close", false]);
    assert.equal(await place(), open, "its place is kept: nobody here has pressed anything");
    await mira.click("[data-do=close]");
    assert.ok(await place() < open - 100, "and is given back with Done");
    await signOut(mira);
    await signOut(desk);
});

async function axe(tab, what)
{
    const { isLoaded } = await tab.run(() => ({ isLoaded: !!window.axe }));
    if (!isLoaded) await tab.page.evaluate(fs.readFileSync(AXE, "utf8")); // past the page's policy, as a tester's tool
    const found = await tab.run(async () => (await window.axe.run({ resultTypes: ["violations"] })).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`));
    assert.deepEqual(found, [], what);
}

for (const scheme of ["light", "dark"])
    scene(`${scheme}: axe finds nothing on any page in any state, and nothing is cut off from 320 to 1440 px`, async () => {
        const desk = await Tab.open("softphone.html", { scheme }), visitor = await Tab.open("", { scheme });
        const all = async (what) => {
            for (const tab of [desk, visitor]) {
                await axe(tab, what);
                for (const width of [320, 390, 768, 1280, 1440]) {
                    await tab.page.setViewportSize({ width, height: 900 });
                    assert.ok(await tab.run(() => document.documentElement.scrollWidth <= innerWidth), `${what}, ${width} px`);
                }
            }
        };
        await desk.until(() => document.querySelector("#user option"));
        await all("signed out");
        await desk.click("#sign-in [type=submit]");
        await desk.until(() => document.getElementById("presence").dataset.state === "available");
        await desk.click("#invite");
        await desk.until(() => document.querySelector("#qr path").getAttribute("d"));
        await visitor.click("[data-call]");
        await desk.card("incoming");
        await all("ringing");
        await desk.click("[data-do=answer]");
        await Promise.all([visitor.card("live"), desk.card("live")]);
        await all("talking");
        await desk.click("[data-do=keypad]");
        await desk.click("[data-key='5']");
        await desk.until(() => document.querySelector(".keypad output").textContent === "5");
        await all("keypad");
        for (const width of [320, 390, 1280]) {
            await desk.page.setViewportSize({ width, height: 900 });
            assert.deepEqual(await desk.run(() => [...document.querySelectorAll(".keypad, .call-buttons > button:not([hidden])")].filter((one) => {
                const { left, right, top } = one.getBoundingClientRect(), { left: from, right: to, top: over } = document.getElementById("call").getBoundingClientRect();
                return left < from || right > to || top < over;
            }).map(({ outerHTML }) => outerHTML.slice(0, 60))), [], `${width} px: all within the card`);
            assert.ok(await desk.run(() => ["call-time", "call-levels", "call-buttons"].every((name) =>
                document.querySelector(`.${name}`).getBoundingClientRect().bottom <= document.getElementById("keypad").getBoundingClientRect().top)), `${width} px: the keys cover nothing of the call`);
        }
        await desk.click("[data-do=hangup]");
        await visitor.card("over");
        await all("over");
        const guest = await Tab.open(await desk.run(() => document.getElementById("link").value), { scheme });
        await guest.until(() => !document.getElementById("start").hasAttribute("aria-disabled"));
        await axe(guest, "guest");
        for (const tab of [guest, visitor]) await tab.page.close(); // widths moved them
        await desk.click("#sign-out");
        await desk.until(() => document.getElementById("sign-in-said").textContent === "You are signed out.");
        await desk.page.close();
    });

scene("whoever wants less motion gets none, and without scripts each page says what it needs", async () => {
    const visitor = await Tab.open("");
    await visitor.page.emulateMedia({ reducedMotion: "reduce" });
    assert.equal(await visitor.run(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
    await visitor.end();
    for (const where of ["", "softphone.html", "guest.html"]) {
        const answer = await fetch(`${shop}/${where}`), html = await answer.text();
        assert.match(html, /<noscript><p[^>]*>[^<]*JavaScript/, where);
        if (where !== "guest.html") assert.match(html, /<footer[^]*made up: it is an example of Coatcheck/, where);
        assert.match(answer.headers.get("content-security-policy"), /default-src 'none'; script-src 'self'; style-src 'self'/);
        assert.doesNotMatch(html, /\sstyle=|<style|\son\w+=|(?:src|href)="(?:https?:)?\/\//, "nothing inline, nothing from elsewhere");
    }
});

test("in all that any page sent or got there was no refresh token, and no secret of the backend's", () => {
    assert.ok(traffic.length > 200);
    const { api_token, secret_key, client_secret } = server.contract;
    for (const text of traffic) {
        assert.ok(!/refresh_token/.test(text) && !/"typ":"Refresh"/.test(text), text.slice(0, 200));
        for (const secret of [api_token, secret_key, client_secret, KEY.toString("base64")]) assert.ok(!text.includes(secret));
    }
});

await run({ before: start, after: stop });
