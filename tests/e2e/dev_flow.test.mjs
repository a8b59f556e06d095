// dev_flow.test.mjs — what `coatcheck dev` has beside its credentials: /dev/flow, /dev/products and /dev/clock, and the live
// picture that the start page makes of them. Refusals first: all three are for this machine and its own page.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { startBrowser } from "../harness/browser.mjs";
import { coatcheck } from "../harness/clock.mjs";
import { axe, watchPage } from "../harness/dev_page.mjs";
import { call, info, mint, mintToken } from "../harness/http.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServe, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const PRODUCT = { id: "call", name: "Call us", what: "A button that rings the front desk.", url: "http://127.0.0.1:8791/" };
const shell = promisify(execFile);
let server, browser;

const flow = async (of = server) => (await call(of, "GET", "/dev/flow")).json;
const give = (products, headers = {}) => call(server, "POST", "/dev/products", { body: { products }, headers });
const age = (by_s, headers = {}) => call(server, "POST", "/dev/clock", { body: { by_s }, headers });
const DOORS = [["GET", "/dev/flow", undefined], ["POST", "/dev/products", { products: [PRODUCT] }], ["POST", "/dev/clock", { by_s: 60 }]];

async function assertNothingChanged(body)
{
    const before = await flow();
    await body();
    const after = await flow();
    assert.deepEqual([after.products, after.age_ms], [before.products, before.age_ms]);
}

// ---- refusals ----

test("a foreign Origin is refused, and may read nothing", () => assertNothingChanged(async () => {
    const { port } = new URL(server.url);
    for (const [method, path, body] of DOORS)
        for (const origin of ["null", "https://evil.example", "http://localhost:3000", `https://127.0.0.1:${port}`, `http://localhost:${port}`, "nonsense"]) {
            const answer = await call(server, method, path, { body, headers: { origin } });
            assert.equal(answer.status, 403, `${path} from ${origin}`);
            assert.equal(answer.headers["access-control-allow-origin"], undefined);
            assert.deepEqual(Object.keys(answer.json), ["error"]);
        }
    for (const [method, path] of DOORS) {
        const headers = { origin: "https://evil.example", "access-control-request-method": method, "access-control-request-headers": "content-type" };
        const preflight = await call(server, "OPTIONS", path, { headers });
        assert.equal(preflight.headers["access-control-allow-origin"], undefined, path);
        assert.equal(preflight.headers["access-control-allow-headers"], undefined, path);
    }
}));

test("a foreign Host finds nothing there", () => assertNothingChanged(async () => {
    for (const [method, path, body] of DOORS)
        for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "192.168.0.1"]) {
            const answer = await call(server, method, path, { body, headers: { host } });
            assert.equal(answer.status, 404, `${path} as ${host}`);
        }
}));

test("another method is refused", async () => {
    for (const [method, path] of DOORS)
        for (const other of ["GET", "POST", "PUT", "DELETE"].filter((name) => name !== method)) {
            const answer = await call(server, other, path);
            assert.deepEqual([answer.status, answer.headers.allow], [405, `${method}, OPTIONS`], `${other} ${path}`);
        }
});

test("a body that is no JSON, or too large, is refused", () => assertNothingChanged(async () => {
    for (const path of ["/dev/products", "/dev/clock"]) {
        const send = (body, type) => call(server, "POST", path, { body, headers: type ? { "content-type": type } : {} });
        for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
            assert.equal((await send('{"products":[],"by_s":1}', type)).status, 415, `${path} ${type}`);
        for (const text of ["", "{", "[]", "null", "7", '"x"', '{"products":[]}{}', "\u0000"])
            assert.equal((await send(text, "application/json")).status, 400, `${path} ${text}`);
        assert.equal((await send(`{"products":[]${" ".repeat(20_000)}}`, "application/json")).status, 413, path);
    }
}));

test("a list of products that is not whole and plain is refused as a whole", () => assertNothingChanged(async () => {
    const bad = [{}, { id: "a" }, null, 7, [], { ...PRODUCT, more: 1 }, ...["id", "name", "what", "url"].flatMap((member) =>
        [undefined, null, 7, "", [], "x".repeat(300), "a\u0000b", "a\nb"].map((value) => ({ ...PRODUCT, [member]: value })))];
    for (const url of ["https://evil.example/", "http://127.0.0.1.evil.example/", "http://localhost@evil.example/", "http://evil.example\\.localhost/",
        "http://evil.example/.localhost", "http://user@localhost/", "http://192.168.0.1/", "http://0.0.0.0/", "//localhost/", "http:/localhost/", "http://localhost",
        "HTTP://localhost/", "javascript:alert(1)//localhost/", "data:text/html,x", "file:///etc/passwd", "ftp://localhost/", "http://localhost/a b", "http://localhost/\"", " http://localhost/",
        "http://localhost?/", "http://localhost#/", "http://[::2]/"])
        bad.push({ ...PRODUCT, url });
    for (const id of ["A", "a b", "é", "../x", "x".repeat(33)]) bad.push({ ...PRODUCT, id });
    for (const product of bad) assert.equal((await give([{ ...PRODUCT, id: "good" }, product])).status, 400, JSON.stringify(product));
    assert.equal((await give([PRODUCT, PRODUCT])).status, 400, "the same id twice");
    assert.equal((await give(Array.from({ length: 9 }, (_, i) => ({ ...PRODUCT, id: `p${i}` })))).status, 400, "nine of them");
    for (const body of [{}, { products: {} }, { products: null }, { products: [], more: 1 }])
        assert.equal((await call(server, "POST", "/dev/products", { body })).status, 400, JSON.stringify(body));
}));

test("a step of the clock that is none is refused", () => assertNothingChanged(async () => {
    for (const by_s of [0, -1, -7200, 1.5, "60", null, true, [], 1e12, Number.MAX_SAFE_INTEGER]) {
        const answer = await age(by_s);
        assert.equal(answer.status, 400, String(by_s));
        assert.ok(answer.json.error.length > 10, "and it says why");
    }
    for (const body of [{}, { by_s: 60, more: 1 }, { by_ms: 60 }])
        assert.equal((await call(server, "POST", "/dev/clock", { body })).status, 400, JSON.stringify(body));
}));

test("`coatcheck serve` has none of it", async () => {
    const data = temporaryFolder();
    await (await startServer({ data })).stop();
    const served = await startServe(data);
    try {
        for (const [method, path, body] of DOORS)
            for (const host of [undefined, "localhost"])
                assert.equal((await call(served, method, path, { body, headers: host ? { host } : {} })).status, 404, path);
        assert.equal((await call(served, "POST", "/dev/products", { body: "x".repeat(4000) })).status, 413, "no more body than any unknown path");
    } finally {
        await served.stop();
        fs.rmSync(data, { recursive: true });
    }
});

// ---- what they do ----

test("products are kept as they were told, the latest list counts", async () => {
    const two = [PRODUCT, { id: "clinic-2", name: "Clinic", what: "A record — with an app in a frame.", url: "https://clinic.coatcheck.localhost:8443/x?y=1#z" }];
    assert.deepEqual((await give(two)).json, { products: two });
    assert.deepEqual((await flow()).products, two);
    const own = await give([PRODUCT], { origin: server.url });
    assert.deepEqual([own.status, own.json], [200, { products: [PRODUCT] }], "the page itself may");
    assert.deepEqual((await flow()).products, [PRODUCT]);
    assert.equal((await give([])).status, 200);
    assert.deepEqual((await flow()).products, []);
    const most = Array.from({ length: 8 }, (_, i) => ({ id: `${i}`.padStart(32, "p"), name: "n".repeat(40), what: "w".repeat(200), url: `http://[::1]:1/${"u".repeat(184)}` }));
    assert.deepEqual((await give(most)).json, { products: most });
    assert.equal((await give([])).status, 200);
});

test("an upload that asks first is waved on", async () => {
    const body = JSON.stringify({ products: [PRODUCT] });
    const answer = await call(server, "POST", "/dev/products", { body, headers: { expect: "100-continue", "content-type": "application/json" } });
    assert.equal(answer.status, 200);
    assert.equal((await give([])).status, 200);
});

test("each station counts what passes it, in the words of what it was", async () => {
    const before = await flow();
    const { token, subscriber_id } = await mintToken(server, { reference: "flow@example.com" });
    assert.equal((await info(server, token)).status, 200);
    const launch = await call(server, "POST", "/v1/oauth/launch", { body: {}, headers: {
        authorization: `Basic ${Buffer.from(`${server.contract.client_id}:${server.contract.client_secret}`).toString("base64")}` } });
    assert.ok(launch.status < 300, launch.text);
    const session = await connected(server, token);
    await session.close();
    const wrong = await mint(server, { reference: "x" }, { authorization: `Basic ${Buffer.from(`${server.contract.project_id}:PTwrong`).toString("base64")}` });
    assert.equal(wrong.status, 401);
    const after = await flow();
    const more = (name) => [after.stations[name].passed - before.stations[name].passed, after.stations[name].refused - before.stations[name].refused];
    assert.deepEqual(more("secret"), [2, 1]);
    assert.deepEqual(more("ticket"), [1, 0]);
    assert.deepEqual(more("token"), [3, 0], "minted, asked with, connected with");
    assert.deepEqual(more("session"), [1, 0], "its end is told of, and counts as nothing");
    const last = (what) => after.happenings.findLast((happening) => happening.what === what && happening.number > (before.happenings.at(-1)?.number ?? 0));
    const minted = after.happenings.find(({ what, who }) => what === "mint" && who === "flow@example.com");
    assert.deepEqual([minted.stations, minted.format, minted.status, minted.user, minted.slug], [["secret", "token"], "signalwire", 200, subscriber_id, null]);
    assert.deepEqual([last("who").stations, last("who").who], [["token"], "flow@example.com"]);
    assert.deepEqual([last("launch").stations, last("launch").format], [["secret", "ticket"], "tortus"]);
    assert.deepEqual([last("connect").stations, last("connect").user], [["token", "session"], subscriber_id]);
    const refused = after.happenings.find(({ error_id }) => error_id === wrong.headers["coatcheck-error-id"]);
    assert.deepEqual([refused.stations, refused.status, refused.slug, refused.who, refused.user], [["secret"], 401, "unauthorized", null, null]);
    const numbers = after.happenings.map(({ number }) => number);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), "in order, each once");
});

test("a refused connect shows at the session, with the id that its client got", async () => {
    const { token } = await mintToken(server, { reference: "cut@example.com" });
    await age(3 * 3600);
    const session = await Session.open(server), { error } = await session.connect(token);
    const told = (await flow()).happenings.findLast(({ slug }) => slug);
    await session.close();
    assert.deepEqual([told.stations, told.what, told.slug, told.status], [["session"], "socket", "unauthorized", 0]);
    assert.equal(told.error_id, error.data.error_id);
});

test("so does an upgrade that is refused", async () => {
    const error = await Session.open(server, { origin: "https://evil.example" }).then(() => null, (reason) => reason);
    assert.equal(error.status, 403);
    const told = (await flow()).happenings.findLast(({ slug }) => slug);
    assert.deepEqual([told.stations, told.slug, told.route, told.error_id], [["session"], "origin", "upgrade", error.headers["coatcheck-error-id"]]);
});

test("E-73 what is told of what passes is bounded, and holds no credential", async () => {
    const made = await mintToken(server, { reference: "secret@example.com" });
    for (let i = 0; i < 80; i++) await info(server, made.token);
    const { text, json } = await call(server, "GET", "/dev/flow");
    assert.ok(json.happenings.length <= 32 && json.happenings.length >= 16, `${json.happenings.length}`);
    assert.ok(text.length < 20_000, `${text.length} bytes`);
    for (const secret of [made.token, made.refresh_token, made.token.split(".")[2], ...["api_token", "client_secret", "secret_key", "admin_token", "c2c_token"].map((name) => server.contract[name])])
        assert.ok(!text.includes(secret) && !text.includes(secret.slice(-20)), secret.slice(0, 6));
    const long = "ü".repeat(120);
    await mintToken(server, { reference: long });
    const who = (await flow()).happenings.at(-1).who;
    assert.ok(long.startsWith(who) && who.length >= 16 && !who.includes("\ufffd"), "cut at a whole character");
});

test("the last refusal is told however much has happened since, and on a page that opens only then", async () => {
    const { token } = await mintToken(server, { reference: "later@example.com" });
    const refused = await info(server, `${token.slice(0, -8)}AAAAAAAA`), id = refused.headers["coatcheck-error-id"];
    for (let i = 0; i < 80; i++) assert.equal((await info(server, token)).status, 200);
    const told = await flow();
    assert.ok(!told.happenings.some(({ slug }) => slug), "it is no happening any more");
    assert.deepEqual([told.last_refusal.error_id, told.last_refusal.slug], [id, "unauthorized"]);
    await withPage(server, (page) => shows(page, "flow-refusal", id));
});

test("the page's commands are relative to where dev was started, and quoted for a shell", async () => {
    const folder = fs.realpathSync(temporaryFolder()), data = path.join(folder, "o'hara's data");
    const fresh = await startServer({ data, as: { cwd: folder } });
    try {
        const told = (await call(fresh, "GET", "/dev/project.json")).json;
        assert.equal(told.data, "o'hara's data");
        assert.ok(path.isAbsolute(told.program) && fs.existsSync(told.program), told.program);
        for (const name of ["program", "data"]) assert.equal(fresh.contract[name], undefined, "the line on stdout is as it was");
        await withPage(fresh, async (page) => {
            for (const [step, wanted] of [["0", "1m"], ["5", "90m"], ["8", "6h"], ["12", "25h"]]) {
                await page.evaluate((value) => {
                    const slider = document.getElementById("age-by");
                    slider.value = value;
                    slider.dispatchEvent(new Event("input", { bubbles: true }));
                }, step);
                assert.ok((await page.textContent("#age-line")).includes(` clock advance ${wanted} --project ${fresh.contract.project_id} `), wanted);
            }
            await shell("/bin/sh", ["-c", await page.textContent("#age-line")], { env: {}, cwd: folder });
            assert.equal((await flow(fresh)).age_ms, 25 * 3_600_000);
        });
    } finally {
        await fresh.stop();
        fs.rmSync(folder, { recursive: true });
    }
});

test("E-73 nothing is told of another project that is in the same data folder", async () => {
    const asked = async (...words) => JSON.parse((await coatcheck(...words, "--data", server.data, "--json")).out);
    const { id } = await asked("project", "create", "Real", "--live"), { secret } = await asked("key", "create", "api-token", "--project", id);
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`;
    const before = await flow(), { token, subscriber_id } = (await mint(server, { reference: "customer@bank.example" }, { authorization })).json;
    assert.equal((await info(server, token)).status, 200);
    await (await connected(server, token)).close();
    assert.equal((await mint(server, {}, { authorization })).status, 422);
    await mintToken(server, { reference: "behind@example.com" });
    const after = await flow(), fresh = after.happenings.filter(({ number }) => number > (before.happenings.at(-1)?.number ?? 0));
    assert.deepEqual(fresh.map(({ what, who }) => [what, who]), [["mint", "behind@example.com"]]);
    assert.ok(!JSON.stringify(after).includes(subscriber_id) && !JSON.stringify(after).includes("bank.example"));
    assert.equal(after.stations.token.passed, before.stations.token.passed + 1);
});

test("the page's clock is the one of the command line", async () => {
    const { token } = await mintToken(server, { reference: "old@example.com" });
    const before = (await flow()).age_ms;
    const answer = await age(3600);
    assert.deepEqual(answer.json, { advanced_ms: 3_600_000, age_ms: before + 3_600_000 });
    assert.equal((await info(server, token)).status, 200, "half of its life is left");
    await Promise.all([age(1800), age(1800)]);
    assert.equal((await info(server, token)).status, 401, "as soon as it is answered");
    assert.equal((await flow()).age_ms, before + 7_200_000);
});

// ---- the page ----

async function withPage(of, body, options = {})
{
    const page = await browser.newPage(), noise = [];
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) noise.push(message.text()); });
    page.on("pageerror", (error) => noise.push(String(error)));
    await page.addInitScript(watchPage);
    try {
        await page.goto(`${of.url}/`);
        await page.waitForSelector("body.ready");
        await body(page);
        assert.deepEqual(await page.evaluate(() => window.violations), []);
        if (!options.isNoisy) assert.deepEqual(noise, []);
    } finally {
        await page.close();
    }
}

const shows = (page, id, part) => page.waitForFunction(([which, wanted]) => document.getElementById(which).textContent.includes(wanted), [id, part]);
const passed = (page, name, n) => page.waitForFunction(([which, wanted]) =>
    Number(document.querySelector(`#flow-${which} .passed`).textContent) === wanted, [name, n]);

test("a request from elsewhere lights its stations, and a refusal turns one red, on two pages at once", async () => {
    const fresh = await startServer();
    try {
        await withPage(fresh, (one) => withPage(fresh, async (two) => {
            for (const page of [one, two]) assert.equal(await page.locator(".flow .on").count(), 0, "dark at first");
            const { token } = await mintToken(fresh, { reference: "grace@example.com" });
            for (const page of [one, two]) {
                await passed(page, "token", 1);
                await page.waitForSelector("#flow-secret.on");
                await shows(page, "flow-token", "grace@example.com, by the call widget's format");
                await shows(page, "flow-latest", "grace@example.com: a token minted, by the call widget's format");
                assert.equal(await page.locator("#flow-ticket.on, #flow-session.on").count(), 0);
            }
            const refused = await info(fresh, `${token.slice(0, -8)}AAAAAAAA`);
            const id = refused.headers["coatcheck-error-id"];
            for (const page of [one, two]) {
                await page.waitForSelector("#flow-token.bad");
                await shows(page, "flow-refused", "unauthorized, 401 at /api/fabric/subscriber/info, by the call widget's format");
                await page.waitForFunction(() => /^, \d+\u00a0s\u00a0ago$/.test(document.getElementById("flow-refused-age").textContent));
                await shows(page, "flow-refusal", `coatcheck why ${id} --data ${fresh.data}`);
                await shows(page, "flow-token", "1 refused");
            }
            await two.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: fresh.url });
            await two.bringToFront();
            await two.click("#flow-refusal button");
            const line = await two.evaluate(() => navigator.clipboard.readText());
            const { stdout } = await shell("/bin/sh", ["-c", line], { env: {} }); // nothing of ours is on PATH
            assert.match(stdout, /signature/, `${line} works as pasted`);
            assert.equal((await info(fresh, token)).status, 200);
            for (const page of [one, two]) await page.waitForSelector("#flow-token:not(.bad)");
            const session = await connected(fresh, token);
            for (const page of [one, two]) await page.waitForSelector("#flow-session.on");
            await session.close();
            for (const page of [one, two]) await shows(page, "flow-latest", "a socket closed");
            await call(fresh, "POST", "/dev/clock", { body: { by_s: 3 * 3600 } });
            assert.equal((await info(fresh, token)).status, 401);
            for (const page of [one, two]) await shows(page, "flow-refused", "grace@example.com: unauthorized, 401 at");
        }));
    } finally {
        await fresh.stop();
    }
});

test("products get a card each, with a link to a tab of its own", () => withPage(server, async (page) => {
    await shows(page, "product-list", "make run");
    assert.equal(await page.locator("#phone a").count(), 0);
    const markup = "<img src=x onerror=\"window.hit=1\">";
    await give([PRODUCT, { id: "b", name: markup, what: markup, url: "http://localhost:1/" }]);
    await page.waitForSelector("#product-list a");
    const links = await page.$$eval("#product-list a", (all) => all.map(({ href, target, rel }) => [href, target, rel]));
    assert.deepEqual(links, [[PRODUCT.url, "_blank", "noopener"], ["http://localhost:1/", "_blank", "noopener"]]);
    assert.ok((await page.textContent("#product-list")).includes(markup), "markup is text");
    assert.equal(await page.evaluate(() => window.hit), undefined);
    assert.equal(await page.getAttribute("#phone a", "href"), PRODUCT.url, "step 3 leads to the phone");
    assert.deepEqual(await axe(page), []);
    await give([]);
    await shows(page, "product-list", "make run");
    assert.equal(await page.locator("#phone a").count(), 0);
}));

test("a page that stays open goes on when the server is started again", async () => {
    const data = temporaryFolder();
    const first = await startServer({ data });
    const args = ["--port", new URL(first.url).port];
    await mintToken(first, { reference: "before@example.com" });
    await withPage(first, async (page) => {
        await passed(page, "token", 1);
        await first.stop();
        await page.waitForSelector("#banner:not([hidden])");
        await shows(page, "banner", "does not answer");
        const second = await startServer({ data, args });
        try {
            await page.waitForSelector("#banner", { state: "hidden" });
            await passed(page, "token", 0);
            await page.click("#mint button");
            await shows(page, "mint-status", "Minted");
            await passed(page, "token", 1);
            await shows(page, "flow-latest", "ada@example.com: a token minted");
        } finally {
            await second.stop();
        }
    }, { isNoisy: true });
});

await run({
    before: async () => {
        server = await startServer();
        browser = await startBrowser([]);
    },
    after: async () => {
        await browser?.stop();
        if (server?.isAlive) await server.stop();
    },
});
