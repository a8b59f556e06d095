// interview.test.mjs — examples/interview in Chromium: a museum's page with an interview in its corner. What its backend refuses comes
// first, then what the page must never do, then the whole way, without a name and with one.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import path from "node:path";
import { startBrowser } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { assertAxeClean, assertCalm, assertNotInPages, askRaw, Caller, startDoor, startProduct, startRefused, tabTo, visitProduct } from "../harness/products.mjs";
import { buildSdk } from "../harness/sdk_pages.mjs";
import { REPOSITORY, startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { as, good, session } from "../harness/tickets.mjs";

const BACKEND = [process.execPath, path.join(REPOSITORY, "examples/interview/backend.mjs")];
const TOKENS = ["sessionToken", "bootstrapToken"];
let server, door, product, browser, env;

async function start()
{
    buildSdk();
    server = await startServer();
    door = await startDoor(server.url);
    browser = await startBrowser([]);
    const { secret_key, publishable_key, study_id } = server.contract;
    env = { COATCHECK_URL: door.url, SECRET_KEY: secret_key, PUBLISHABLE_KEY: publishable_key, STUDY: study_id };
    product = await startProduct("interview", BACKEND, env);
}

async function stop()
{
    await browser?.stop();
    await product?.stop();
    await door?.stop();
    await server?.stop();
}

async function member(name)
{
    const caller = new Caller(product.origin);
    assert.equal((await caller.ask("POST", "/api/sign-in", { member: name })).status, 200);
    return caller;
}

const sessionOf = async (caller) => good(session(server, (await caller.ask("POST", "/api/bootstrap", {})).json.bootstrapToken), 201);

// A person at the page, signed in or not.
async function visit(name, options = {})
{
    const one = await visitProduct(browser, "about:blank", options);
    await one.page.context().clearCookies();
    await one.page.goto(`${product.origin}/`);
    await one.until(() => document.querySelector(".askwell-launch"));
    if (!name) return one;
    await one.page.getByLabel("Member").selectOption(name);
    await Promise.all([one.page.waitForEvent("load"), one.page.getByRole("button", { name: "Sign in" }).click()]);
    await one.until(() => document.querySelector(".askwell-launch") && document.getElementById("member-name").textContent);
    return one;
}

const screen = (one, name) => one.until((wanted) => document.querySelector(`[data-screen=${wanted}]`), name);
const question = (one, number) => one.until((text) => document.getElementById("askwell-at")?.textContent.includes(text), `Question ${number} of 3`);
const press = (one, name) => one.page.getByRole("button", { name, exact: true }).click();
const openInterview = async (one, name) => { await press(one, "How was your visit?"); await screen(one, name); };

async function answerAll(one, from = 1)
{
    for (let number = from; number <= 3; number++) {
        await question(one, number);
        await one.page.fill("textarea", `answer ${number}`);
        await press(one, number === 3 ? "Send" : "Next");
    }
    await screen(one, "thanks");
}

const told = async (caller, id) => good(as(server, (await sessionOf(caller)).sessionToken, "GET", `/interviews/${id}`));

// ---- refusals ----

test("the backend does not start without its settings, and says which are missing, and no other", async () => {
    for (const missing of Object.keys(env)) {
        const { code, said } = await startRefused(BACKEND, { ...env, [missing]: "" });
        assert.equal(code, 2);
        assert.match(said, new RegExp(`needs ${missing} in its environment`));
        assert.ok(!said.includes(env.SECRET_KEY));
    }
});

test("who is not signed in gets no token, whatever the request says", async () => {
    const stranger = new Caller(product.origin), forged = Buffer.from("mara").toString("base64url");
    for (const cookie of [undefined, "tidehouse=mara", `tidehouse=${forged}.9999999999.`, `tidehouse=${forged}.9999999999.AAAA`, "tidehouse=", "other=mara"]) {
        const headers = { ...(cookie && { cookie }), "x-demo-user": "mara", authorization: "Bearer mara" };
        for (const pathname of ["/api/bootstrap", "/api/bootstrap?member=mara", "/api/interview"]) {
            const answer = await stranger.ask("POST", pathname, { member: "mara", externalUserId: "mara", interviewId: crypto.randomUUID() }, headers);
            assert.deepEqual([answer.status, answer.json], [401, { error: "sign_in" }], pathname);
        }
    }
    assert.equal((await stranger.ask("GET", "/api/bootstrap")).status, 404, "nor by GET");
    for (const name of ["nobody", "__proto__", "", null, 7, ["mara"]]) assert.equal((await stranger.ask("POST", "/api/sign-in", { member: name })).status, 400);
    assert.equal((await stranger.ask("GET", "/api/interview")).status, 401);
});

test("a cookie that was changed, or of somebody signed out, is nobody's", async () => {
    const mara = await member("mara");
    const changed = new Caller(product.origin);
    for (const cookie of [mara.cookie.replace(/=[^.]+/, `=${Buffer.from("jonas").toString("base64url")}`), mara.cookie.slice(0, -2), `${mara.cookie}A`, mara.cookie.replace(/\.\d+\./, ".9999999999.")])
        assert.equal((await changed.ask("POST", "/api/bootstrap", {}, { cookie })).status, 401);
    const { set } = await mara.ask("POST", "/api/sign-out", {});
    assert.match(set, /^tidehouse=; Path=\/; HttpOnly; SameSite=Lax; Max-Age=0$/);
    assert.equal((await mara.ask("POST", "/api/bootstrap", {})).status, 401);
});

test("one member cannot get another's token, nor see another's interview", async () => {
    const mara = await member("mara"), jonas = await member("jonas");
    const { userId } = await sessionOf(mara);
    for (const body of [{ externalUserId: "mara" }, { member: "mara" }, { userId }, { externalUserId: "mara", member: "mara", id: "mara" }]) {
        const { json } = await jonas.ask("POST", "/api/bootstrap?externalUserId=mara", body, { "x-demo-user": "mara" });
        const got = await good(session(server, json.bootstrapToken), 201);
        assert.notEqual(got.userId, userId);
        const { externalUserId } = await good(as(server, got.sessionToken, "GET", "/participants/me"));
        assert.equal(externalUserId, "jonas");
    }
    const { sessionToken } = await sessionOf(mara);
    const { id } = await good(as(server, sessionToken, "POST", "/interviews", { studyId: env.STUDY }), 201);
    assert.equal((await jonas.ask("POST", "/api/interview", { interviewId: id })).status, 200, "he may note down what he likes");
    assert.equal((await mara.ask("GET", "/api/interview")).json.interviewId, null, "for himself");
    const theirs = await as(server, (await sessionOf(jonas)).sessionToken, "GET", `/interviews/${id}`);
    assert.equal(theirs.status, 404, "and the server shows it to its participant alone");
    for (const interviewId of ["", "x", 7, null, [id], `${id}/answers`]) assert.equal((await jonas.ask("POST", "/api/interview", { interviewId })).status, 400);
});

test("another site's page gets nothing with a member's cookie", async () => {
    const mara = await member("mara");
    for (const pathname of ["/api/bootstrap", "/api/interview", "/api/sign-in", "/api/sign-out"])
        for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { origin: "http://127.0.0.1:1" }, { origin: `${product.origin}.evil.example` }]) {
            const answer = await mara.ask("POST", pathname, {}, headers);
            assert.deepEqual([answer.status, answer.set, answer.headers.get("access-control-allow-origin")], [403, null, null], `${pathname} ${headers.origin}`);
        }
    assert.match((await new Caller(product.origin).ask("POST", "/api/sign-in", { member: "mara" })).set, /; HttpOnly; SameSite=Lax;/);
});

test("a page under a stranger's name that leads to this machine is none of ours", async () => {
    for (const host of ["evil.example", `localhost:${new URL(product.origin).port}`])
        for (const target of ["/", "/api/setup"]) assert.deepEqual(await askRaw(product.origin, target, host), [308, `${product.origin}/`]);
});

test("what is no JSON object, too much, or no path of this backend is refused, and the backend goes on", async () => {
    const mara = await member("mara");
    for (const body of ["[]", "null", "1", "{", `{"a":"${"x".repeat(17_000)}"}`]) assert.equal((await mara.ask("POST", "/api/interview", body)).status, 400);
    for (const pathname of ["/backend.mjs", "/../backend.mjs", "/%2e%2e/backend.mjs", "/..%2fbackend.mjs", "/api/nothing", "/coatcheck/../package.json", "/coatcheck/%2e%2e/README.md", "/page.js%00", "//etc/passwd", "/coatcheck"])
        assert.deepEqual([(await mara.ask("GET", pathname)).status, (await askRaw(product.origin, pathname))[0]], [404, 404], pathname);
    for (const method of ["PUT", "DELETE", "OPTIONS"]) assert.equal((await mara.ask(method, "/")).status, 404);
});

test("every file comes with the policy, nothing is inline, and answers with tokens are kept by nobody", async () => {
    const anybody = new Caller(product.origin);
    for (const pathname of ["/", "/page.js", "/askwell.js", "/askwell.css", "/museum.css", "/mark.svg", "/coatcheck/participant.js"]) {
        const { status, headers, text } = await anybody.ask("GET", pathname);
        assert.equal(status, 200, pathname);
        assert.match(headers.get("content-security-policy"), /^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'$/);
        assert.deepEqual([headers.get("x-content-type-options"), headers.get("referrer-policy")], ["nosniff", "no-referrer"]);
        assert.ok(!/\beval\(|new Function|innerHTML|insertAdjacent|document\.write|\bsk_/.test(text.replace(/sk_test_\w+/, "sk_")) || pathname.startsWith("/coatcheck/"), pathname);
    }
    const { text } = await anybody.ask("GET", "/");
    assert.doesNotMatch(text, /\sstyle=|\son[a-z]+=|<style|<script(?! type="module" src=)|(?:src|href)="(?:https?:)?\/\//);
    const { headers } = await (await member("mara")).ask("POST", "/api/bootstrap", {});
    assert.equal(headers.get("cache-control"), "no-store");
});

test("the page says that the museum is made up, and names no day that is over some time", async () => {
    const { text } = await new Caller(product.origin).ask("GET", "/"), [ticket] = text.match(/<section class="ticket"[^]*?<\/section>/);
    assert.match(text, /<footer>.*made up: it is an example of Coatcheck/);
    assert.doesNotMatch(ticket, /January|February|March|April|May|June|July|August|September|October|November|December|\b(?:19|20)\d\d\b/);
});

// ---- what works ----

test("without a name: consent, three questions, thanks; the backend is asked for no token", async () => {
    const one = await visit();
    assert.deepEqual(one.asked(door.url), [], "nothing is asked for before it is opened");
    await openInterview(one, "consent");
    assert.match(await one.page.innerText(".askwell-panel"), /without your name/);
    await press(one, "I agree, begin");
    await answerAll(one);
    assert.deepEqual(one.asked(door.url).map((line) => line.replace(/[0-9a-f-]{36}/, "ID")), ["POST /sessions", "GET /studies/ID", "POST /interviews", "POST /interviews/ID/consent",
        "POST /interviews/ID/answers", "POST /interviews/ID/answers", "POST /interviews/ID/answers", "POST /interviews/ID/complete"]);
    assert.ok(!one.asked(product.origin).some((line) => line.startsWith("POST /api/")));
    const [sessionToken] = await one.given(["sessionToken"]);
    assert.equal((await good(as(server, sessionToken, "GET", "/participants/me"))).anonymous, true);
    assert.equal((await one.given(["status"], door.url)).at(-1), "completed");
    assert.deepEqual(one.problems, []);
    await assertCalm(one.page, "anonymous");
    await one.end();
});

test("as a member: left after one question, and taken up again after a reload, in which no token is left", async () => {
    const one = await visit("priya");
    await openInterview(one, "consent");
    assert.match(await one.page.innerText(".askwell-panel"), /kept with your membership, Priya Nair[^]*You answer as Priya Nair/);
    await press(one, "I agree, begin");
    await question(one, 1);
    await one.page.fill("textarea", "the whale");
    await press(one, "Next");
    await question(one, 2);
    const before = await one.given(TOKENS);
    assert.equal(before.length, 2);
    await one.page.reload();
    await one.until(() => document.querySelector(".askwell-launch"));
    await assertNotInPages(one.page, before);
    await openInterview(one, "question");
    assert.match(await one.page.innerText("#askwell-at"), /^Welcome back\. Question 2 of 3$/);
    await answerAll(one, 2);
    const tokens = await one.given(TOKENS), users = await one.given(["userId"], door.url);
    assert.deepEqual([tokens.length, new Set(tokens).size, new Set(users).size], [4, 4, 1], "another token, the same participant");
    await one.page.reload();
    await one.until(() => document.querySelector(".askwell-launch"));
    await openInterview(one, "thanks");
    assert.match(await one.page.innerText(".askwell-panel"), /told us already/);
    assert.deepEqual(one.problems, []);
    await assertCalm(one.page, "member");
    await one.end();
    const priya = await member("priya"), { interviewId } = (await priya.ask("GET", "/api/interview")).json;
    const { status, answerCount } = await told(priya, interviewId);
    assert.deepEqual([status, answerCount], ["completed", 3]);
});

test("tokens are in the page's memory and nowhere else, secrets nowhere at all", async () => {
    const one = await visit("jonas");
    await openInterview(one, "consent");
    await press(one, "I agree, begin");
    await question(one, 1);
    const tokens = await one.given(TOKENS);
    assert.equal(tokens.length, 2);
    await assertNotInPages(one.page, tokens);
    const { secret_key, client_secret, api_token } = server.contract;
    await Promise.all(one.reading);
    for (const { url, headers, body } of one.requests) {
        const isOurs = url.startsWith(`${product.origin}/`), isServers = url.startsWith(`${door.url}/`), passed = JSON.stringify([url, headers, body]);
        assert.ok(isOurs || isServers || url === "about:blank", `nobody else is asked: ${url}`);
        for (const secret of [secret_key, client_secret, api_token]) assert.ok(!passed.includes(secret), url);
        for (const token of tokens) assert.ok(!url.includes(token) && !(isOurs && passed.includes(token)), url);
        if (isServers) assert.ok(!headers.cookie, "the server gets no cookie of the page");
    }
    for (const { url, text } of one.answers) assert.ok(![secret_key, client_secret, api_token].some((secret) => text.includes(secret)), url);
    const cookies = await one.page.context().cookies();
    assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [["tidehouse", true, "Lax"]]);
    assert.ok(!product.said.join("\n").includes(secret_key) && !tokens.some((token) => product.said.join("\n").includes(token)));
    await one.end();
});

test("a member's session ends and is renewed; a visitor's ends, and the interview begins again with what was written", async () => {
    const known = await visit("mara");
    await openInterview(known, "consent");
    await press(known, "I agree, begin");
    await question(known, 1);
    const nameless = await visit();
    await openInterview(nameless, "consent");
    await press(nameless, "I agree, begin");
    await question(nameless, 1);
    await nameless.page.fill("textarea", "kept");
    await advance(server, "5h"); // an anonymous session lives four
    await press(nameless, "Next");
    await screen(nameless, "failed");
    assert.match(await nameless.page.innerText(".askwell-panel"), /This interview is over/);
    await press(nameless, "Begin again");
    await press(nameless, "I agree, begin");
    await question(nameless, 1);
    assert.equal(await nameless.page.inputValue("textarea"), "kept");
    await answerAll(nameless);
    await nameless.end();
    await known.end();

    const back = await visit("mara");
    await openInterview(back, "question");
    await advance(server, "16m");
    await answerAll(back);
    assert.equal(new Set(await back.given(["userId"], door.url)).size, 1);
    await back.end();
});

test("a server that is away for a while: said in words, nothing that was written is lost, and tried again it goes on", async () => {
    const one = await visit();
    await door.shut();
    await openInterview(one, "failed");
    assert.match(await one.page.innerText(".askwell-panel"), /No answer from the interview/);
    await press(one, "Try again");
    await screen(one, "failed");
    await door.open();
    await press(one, "Try again");
    await screen(one, "consent");
    await door.shut();
    await press(one, "I agree, begin");
    await screen(one, "failed");
    await door.open();
    await press(one, "Try again");
    await question(one, 1);
    await one.page.fill("textarea", "still here");
    await door.shut();
    await press(one, "Next");
    await one.until(() => /Press Next again/.test(document.getElementById("askwell-wrong").textContent));
    assert.equal(await one.page.inputValue("textarea"), "still here");
    await door.open();
    await press(one, "Next");
    await question(one, 2);
    await press(one, "Back");
    assert.equal(await one.page.inputValue("textarea"), "still here");
    await assertCalm(one.page, "server away");
    await one.end();
});

test("a member whom the backend cannot vouch for is told so, and never takes part without a name instead", async () => {
    const one = await visit("jonas"), pathname = `${product.origin}/api/bootstrap`;
    await one.page.route(pathname, (route) => route.fulfill({ status: 502, body: "{}" }));
    await openInterview(one, "failed");
    assert.match(await one.page.innerText(".askwell-panel"), /The museum’s site does not answer/);
    await one.page.unroute(pathname);
    await one.page.context().clearCookies();
    await press(one, "Try again");
    await one.until(() => document.querySelector(".askwell-panel").innerText.includes("You are signed out"));
    assert.deepEqual(one.asked(door.url), []);
    await one.end();
});

test("declined, closed and opened again: nothing was sent, and the focus is where it was", async () => {
    const one = await visit();
    await openInterview(one, "consent");
    await press(one, "Not now");
    assert.equal(await one.run(() => document.querySelector(".askwell-panel").hidden), true);
    assert.ok(!one.asked(door.url).some((line) => line.startsWith("POST /interviews")));
    assert.equal(await one.run(() => document.activeElement.className), "askwell-launch");
    await press(one, "How was your visit?");
    assert.equal(await one.run(() => document.activeElement.tagName), "H3");
    await one.end();
});

test("by keyboard alone, from the sign-in to the thanks", async () => {
    const one = await visit(), { page } = one;
    await tabTo(page, page.mainFrame(), "a.skip");
    await tabTo(page, page.mainFrame(), "#who");
    await page.keyboard.type("Jonas");
    await tabTo(page, page.mainFrame(), "#sign-in button");
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
    await one.until(() => document.querySelector(".askwell-launch") && document.getElementById("member-name").textContent === "Jonas Reed");
    await tabTo(page, page.mainFrame(), ".askwell-launch");
    await page.keyboard.press("Enter");
    await one.until(() => ["consent", "question"].includes(document.querySelector(".askwell-stage").dataset.screen));
    if (await one.run(() => document.querySelector(".askwell-stage").dataset.screen) === "consent") {
        await tabTo(page, page.mainFrame(), ".askwell-main");
        await page.keyboard.press("Space");
    }
    await question(one, 1);
    assert.equal(await one.run(() => document.activeElement.id), "askwell-answer", "the focus is where one writes");
    await tabTo(page, page.mainFrame(), ".askwell-main");
    await page.keyboard.press("Enter");
    assert.deepEqual(await one.run(() => [document.activeElement.id, document.activeElement.getAttribute("aria-invalid")]), ["askwell-answer", "true"], "an empty answer is none");
    for (let number = 1; number <= 3; number++) {
        await question(one, number);
        await page.keyboard.type(`answer ${number}`);
        await tabTo(page, page.mainFrame(), ".askwell-main");
        await page.keyboard.press("Enter");
    }
    await screen(one, "thanks");
    await page.keyboard.press("Escape");
    assert.equal(await one.run(() => document.activeElement.className), "askwell-launch");
    await one.end();
});

// It is beside the words, or a bar as wide as the window, at its end, and the page's last words come to stand above it.
async function assertLauncherCoversNoText(one, what)
{
    const { left, right, top, bottom, width, height, words, last } = await one.run(() => {
        scrollTo(0, document.documentElement.scrollHeight);
        const ends = [...document.querySelectorAll("header *, main *, footer *")].map((element) => element.getBoundingClientRect().right);
        const { left, right, top, bottom } = document.querySelector(".askwell-launch").getBoundingClientRect();
        return { left, right, top, bottom, width: document.documentElement.clientWidth, height: innerHeight, words: Math.max(...ends), last: document.querySelector("footer p").getBoundingClientRect().bottom };
    });
    assert.ok(words <= left || (left === 0 && right === width && bottom === height && last <= top), `${what}: ${JSON.stringify({ left, right, top, bottom, words, last })}`);
    await one.run(() => scrollTo(0, 0));
}

for (const scheme of ["light", "dark"])
    test(`axe-core finds nothing on any screen, ${scheme}, and nothing moves or scrolls sideways from 320 to 1440 px`, async () => {
        for (const width of [1280, 390]) {
            const one = await visit(undefined, { scheme, width });
            const clean = (what) => assertAxeClean(one.page, `${what}, ${scheme}, ${width}`);
            await clean("page");
            await assertLauncherCoversNoText(one, `${scheme}, ${width}`);
            await door.shut();
            await openInterview(one, "failed");
            await clean("failed");
            await door.open();
            await press(one, "Try again");
            await screen(one, "consent");
            await clean("consent");
            await press(one, "I agree, begin");
            await question(one, 1);
            await press(one, "Next");
            await clean("question");
            await answerAll(one);
            await clean("thanks");
            await assertCalm(one.page, `${scheme} ${width}`);
            await one.end();
        }
        for (const width of [320, 768, 1440]) {
            const one = await visit("priya", { scheme, width, reducedMotion: "reduce" });
            await openInterview(one, "thanks");
            await assertCalm(one.page, `${scheme} ${width}`);
            await one.end();
        }
    });

await run({ before: start, after: stop });
