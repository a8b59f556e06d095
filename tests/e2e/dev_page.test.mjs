// dev_page.test.mjs — the start page of `coatcheck dev` in real Chromium: its steps by mouse and by keyboard alone, what it
// says when a step fails, and what it must never do: break its own policy, store anything, show a secret unasked. Its live
// picture and the paths behind it are dev_flow.test.mjs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startBrowser } from "../harness/browser.mjs";
import { axe, watchPage } from "../harness/dev_page.mjs";
import { call, info, readToken } from "../harness/http.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const SECRETS = ["api_token", "client_secret", "secret_key", "admin_token"];
const shell = promisify(execFile);
let server, browser;

// options: { url, width, scheme, isFailureExpected, before: async (page) => … }
async function withPage(options, body)
{
    const page = await browser.newPage();
    const noise = [];
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) noise.push(message.text()); });
    page.on("pageerror", (error) => noise.push(String(error)));
    await page.setViewportSize({ width: options.width ?? 1280, height: 900 });
    await page.emulateMedia({ colorScheme: options.scheme ?? "light" });
    await page.addInitScript(watchPage);
    await options.before?.(page);
    try {
        await page.goto(`${options.url ?? server.url}/`);
        await page.waitForSelector("body.ready");
        await body(page);
        assert.deepEqual(await page.evaluate(() => window.violations), [], "no violation of the content security policy");
        if (!options.isFailureExpected) assert.deepEqual(noise, [], "a quiet console");
        await assertNothingStored(page);
    } finally {
        await page.close();
    }
}

async function assertNothingStored(page)
{
    const stored = await page.evaluate(async () => ({
        local: localStorage.length, session: sessionStorage.length, cookie: document.cookie,
        databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
        workers: (await navigator.serviceWorker.getRegistrations()).length,
    }));
    assert.deepEqual(stored, { local: 0, session: 0, cookie: "", databases: 0, caches: 0, workers: 0 });
    assert.deepEqual(await page.context().cookies(), []);
}

// As somebody does who copies one line after the other, and the token of the first answer into TOKEN.
async function assertShellLinesWork(page, buttons)
{
    let token = "";
    for (const button of buttons) {
        await button.click();
        const line = await page.evaluate(() => navigator.clipboard.readText());
        const { stdout } = await shell("sh", ["-c", line], { env: { PATH: process.env.PATH, TOKEN: token } });
        const answer = JSON.parse(stdout);
        assert.ok(!("error" in answer) && !("errors" in answer), `${line}\n${stdout}`);
        token ||= answer.token;
    }
    assert.ok(buttons.length >= 8, `${buttons.length} lines`);
}

// Of this page's token and session, as it tells them: "live" also with the time that is left behind it.
const STATE_ID = { token: "life-left", session: "session-state" };
const state = (page, name, text) => page.waitForFunction(([id, wanted]) => {
    const told = document.getElementById(id).textContent;
    return wanted === "minted" ? told.endsWith("left") : told.split(",")[0] === wanted;
}, [STATE_ID[name], text]);
const logged = (page, label) => page.waitForSelector(`#log details[data-label="${label}"]`, { state: "attached" });
const status = (page, id, part) => page.waitForFunction(([which, wanted]) =>
    document.getElementById(which).textContent.includes(wanted), [id, part]);
const claim = (page, list, name) => page.evaluate(([id, wanted]) => [...document.querySelectorAll(`#${id} > div`)]
    .find((row) => row.querySelector("dt").textContent === wanted)?.querySelector("code").textContent, [list, name]);

async function mintByMouse(page)
{
    const before = await page.textContent("#token");
    await page.click("#mint button");
    await page.waitForFunction((last) => document.getElementById("token").textContent !== last, before); // "Minted" may be of the one before
    await status(page, "mint-status", "Minted");
    return page.textContent("#token");
}

test("every file of the page comes with its type and the policy", async () => {
    const types = { "/": "text/html", "/dev/dev.css": "text/css", "/dev/logo.svg": "image/svg+xml" };
    for (const name of ["ageing", "dev", "dom", "picture"]) types[`/dev/${name}.js`] = "text/javascript";
    for (const [path, type] of Object.entries(types)) {
        const answer = await call(server, "GET", path);
        assert.equal(answer.status, 200, path);
        assert.ok(answer.headers["content-type"].startsWith(type), path);
        assert.match(answer.headers["content-security-policy"], /default-src 'none'; script-src 'self'; style-src 'self'/);
        assert.equal(answer.headers["x-content-type-options"], "nosniff");
    }
    const page = (await call(server, "GET", "/")).text;
    assert.doesNotMatch(page, /\sstyle=|\son[a-z]+=|<style|<script(?! type="module" src=)/, "nothing inline");
    assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//, "nothing from elsewhere");
});

test("the steps, by mouse", () => withPage({}, async (page) => {
    await page.fill("#display-name", "Ada Lovelace");
    const token = await mintByMouse(page);
    const { header, claims } = readToken(token);
    assert.equal(await claim(page, "header", "kid"), header.kid);
    for (const name of ["iss", "sub", "exp", "jti"]) assert.equal(await claim(page, "claims", name), String(claims[name]), name);
    assert.match(await page.textContent("#life-left"), /^(?:2:00:00|1:59:\d\d) left$/);
    const told = (await info(server, token)).json;
    assert.deepEqual([told.id, told.email, told.display_name], [claims.sub, "ada@example.com", "Ada Lovelace"]);

    await page.click("#open");
    await state(page, "session", "live");
    await logged(page, "acknowledged");
    assert.ok(!(await page.textContent("#log")).includes(token.slice(20)), "the log shortens the token");
    await page.click("#register");
    await state(page, "session", "registered");
    await logged(page, "pong");
    await page.click("#unregister");
    await state(page, "session", "live");
    await page.click("#disconnect");
    await state(page, "session", "closed");
    await page.click("#open");
    await state(page, "session", "live");
}));

test("the mint is shown as the line that sends it, and its answer whole", () => withPage({}, async (page) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
    await page.fill("#reference", "o'hara@example.com");
    await page.fill("#job-title", "Analyst");
    assert.ok((await page.textContent("#request")).includes('"reference":"o\'\\\'\'hara@example.com"'), "it follows the form");
    assert.ok(!(await page.textContent("#request")).includes(server.contract.api_token), "the secret is masked there, too");
    const token = await mintByMouse(page);
    const [line, ...rest] = (await page.textContent("#answer")).split("\n");
    const answer = JSON.parse(rest.join("\n"));
    assert.equal(line, "200 OK");
    assert.equal(answer.token, token);
    assert.ok(answer.refresh_token && answer.subscriber_id, "the whole answer");
    assert.equal((await info(server, token)).json.job_title, "Analyst");
    await page.locator("#request-title + button").click();
    const { stdout } = await shell("sh", ["-c", await page.evaluate(() => navigator.clipboard.readText())]);
    assert.equal(JSON.parse(stdout).subscriber_id, answer.subscriber_id, "the copied line does the same");
    assert.match(await page.textContent("#mint .note"), /API token can act for any user/);
}));

test("ageing takes from the token and the session, and ends them", () => withPage({}, async (page) => {
    const choose = (n) => page.evaluate((value) => {
        const slider = document.getElementById("age-by");
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    }, n);
    await mintByMouse(page);
    await page.click("#open");
    await state(page, "session", "live");
    await choose("4");
    assert.equal(await page.getAttribute("#age-by", "aria-valuetext"), "1 hour");
    assert.equal(await page.textContent("#age button"), "Age by 1 h");
    await page.click("#age button");
    await status(page, "age-status", "1 hour older");
    for (const id of ["life-left", "age-token", "age-session"])
        await page.waitForFunction((which) => /^(?:1:00:00|0?:?5\d:\d\d) left$/.test(document.getElementById(which).textContent), id);
    await page.click("#age button");
    await status(page, "open-status", "life is over");
    await state(page, "session", "closed");
    await state(page, "token", "expired");
    await page.waitForFunction(() => ["age-token", "age-session"].every((id) => document.getElementById(id).textContent === "ended"));
    await mintByMouse(page);
    assert.match(await page.textContent("#life-left"), /^(?:2:00:00|1:5\d:\d\d) left$/, "a new one lives its full time");
    await page.focus("#age-by");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await page.getAttribute("#age-by", "aria-valuetext"), "30 minutes");
    await page.keyboard.press("End");
    assert.equal(await page.getAttribute("#age-by", "aria-valuetext"), "25 hours");
    await page.keyboard.press("Enter");
    await status(page, "age-status", "25 hours older");
    await state(page, "token", "expired");
}));

// Presses Tab until the wanted element has the focus; each stop on the way must show that it has it.
async function tabTo(page, selector)
{
    for (let presses = 0; presses < 100; presses++) {
        await page.keyboard.press("Tab");
        const stop = await page.evaluate((wanted) => {
            const now = document.activeElement, outline = getComputedStyle(now);
            return { isThere: now.matches(wanted), name: now.id || now.textContent.slice(0, 20),
                isVisible: now === document.body || (outline.outlineStyle !== "none" && parseFloat(outline.outlineWidth) >= 2) };
        }, selector);
        assert.ok(stop.isVisible, `focus is visible on ${stop.name}`);
        if (stop.isThere) return;
    }
    assert.fail(`Tab never reaches ${selector}`);
}

test("the three steps, by keyboard alone", () => withPage({}, async (page) => {
    const pressed = async (selector, key) => {
        await tabTo(page, selector);
        await page.keyboard.press(key);
    };
    const keepsFocus = async (id) => assert.equal(await page.evaluate(() => document.activeElement.id), id, "focus stays where it was");
    await pressed("a.skip", "Enter");
    await tabTo(page, "#reference");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("grace@example.com");
    await page.keyboard.press("Enter");
    await state(page, "token", "minted");
    await keepsFocus("reference");
    assert.equal((await info(server, await page.textContent("#token"))).json.email, "grace@example.com");
    await pressed("#open", "Enter");
    await state(page, "session", "live");
    await keepsFocus("open");
    await pressed("#register", "Space");
    await state(page, "session", "registered");
    await keepsFocus("register");
    await pressed("#unregister", "Enter");
    await state(page, "session", "live");
    await pressed("#disconnect", "Enter");
    await state(page, "session", "closed");
    await keepsFocus("disconnect");
    await pressed("#log details:first-child summary", "Enter");
    assert.ok(await page.evaluate(() => document.querySelector("#log details").open), "a message opens by keyboard");
    await pressed('[aria-label="Show API token"]', "Enter");
    assert.equal(await page.textContent('[data-name="api_token"] code'), server.contract.api_token);
}));

test("secrets are masked until shown, and copied whole", () => withPage({}, async (page) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
    const html = await page.content();
    for (const name of SECRETS) assert.ok(!html.includes(server.contract[name]), `${name} is not in the document`);
    for (const name of Object.keys(server.contract)) {
        const copy = page.locator(`[data-name="${name}"] button`).last();
        await copy.click();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), server.contract[name], name);
    }
    await page.click("#shell figure:first-child button");
    const line = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(line.includes(`${server.url}/api/`) && line.includes(`-u ${server.contract.project_id}:${server.contract.api_token}`), line);
    await assertShellLinesWork(page, await page.locator("#shell figure button").all());
    await page.click('[aria-label="Show API token"]');
    await page.click('[aria-label="Hide API token"]');
    assert.ok(!(await page.content()).includes(server.contract.api_token), "hidden again");
}));

test("the same page over TLS opens its session by wss", () => withPage({ url: server.contract.tls_url }, async (page) => {
    const opened = page.waitForEvent("websocket");
    await mintByMouse(page);
    await page.click("#open");
    await state(page, "session", "live");
    assert.equal((await opened).url(), `${server.contract.tls_url.replace("https", "wss")}/`);
}));

test("steps out of order say what comes first", () => withPage({}, async (page) => {
    await page.click("#register", { force: true }); // marked as not usable yet, and so not waited for
    await status(page, "use-status", "step 2");
    await page.click("#open", { force: true });
    await status(page, "open-status", "step 1");
}));

test("a refused field is named, marked and focused", () => withPage({ isFailureExpected: true }, async (page) => {
    await page.fill("#reference", "  ");
    await page.click("#mint button");
    await status(page, "mint-status", "Correct it");
    assert.equal(await page.getAttribute("#reference", "aria-invalid"), "true");
    assert.equal(await page.evaluate(() => document.activeElement.id), "reference");
    await page.fill("#reference", "ada@example.com");
    await mintByMouse(page);
    assert.equal(await page.getAttribute("#reference", "aria-invalid"), null);
}));

test("a token that the server refuses is explained, and a new one works", async () => {
    const spoilOnce = (page) => page.route("**/subscribers/tokens", async (route) => {
        const answer = await route.fetch(), body = await answer.json();
        const [head, claims, signature] = body.token.split(".");
        const spoiled = signature[0] === "A" ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
        await route.fulfill({ response: answer, json: { ...body, token: [head, claims, spoiled].join(".") } });
    }, { times: 1 });
    await withPage({ before: spoilOnce }, async (page) => {
        await mintByMouse(page);
        await page.click("#open");
        await status(page, "open-status", "Mint a new one");
        await state(page, "session", "closed");
        await mintByMouse(page);
        await page.click("#open");
        await state(page, "session", "live");
    });
});

test("the life runs out by the server's clock", async () => {
    const freeze = (page) => page.clock.install();
    await withPage({ before: freeze }, async (page) => {
        await page.selectOption("#life", "60");
        await mintByMouse(page);
        assert.match(await page.textContent("#life-left"), /^(?:1:00|0:5\d) left$/);
        await page.clock.fastForward(30_000);
        await page.waitForFunction(() => /^0:[23]\d left$/.test(document.getElementById("life-left").textContent));
        await page.clock.fastForward(40_000);
        await state(page, "token", "expired");
        await status(page, "mint-status", "Mint a new one");
    });
});

// Whatever a name, a token or an error holds is text on the page: nothing of it becomes an element, an attribute or a script.
test("F-85 markup in names, tokens, events and errors is shown as text", async () => {
    const markup = "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script><svg onload=\"window.hit=1\">\"'><b>bold</b>&lt;";
    const elements = (page) => page.evaluate(() => Object.fromEntries(["img", "script", "svg", "b", "iframe", "a", "[onload]", "[onerror]"]
        .map((selector) => [selector, document.querySelectorAll(selector).length])));
    const forgeTexts = async (page) => {
        await page.routeWebSocket(() => true, (socket) => {
            const upstream = socket.connectToServer();
            upstream.onMessage((text) => {
                const message = JSON.parse(text);
                if (message.method) message.params = { ...message.params, event_type: markup, [markup]: markup };
                else if (message.result) message.result[markup] = markup;
                socket.send(JSON.stringify(message));
            });
        });
    };
    await withPage({ before: forgeTexts, isFailureExpected: true }, async (page) => {
        const before = await elements(page);
        await page.fill("#reference", markup);
        await page.fill("#display-name", markup);
        const token = await mintByMouse(page);
        assert.equal((await info(server, token)).json.display_name, markup, "the server took it as it is");
        await page.click("#open");
        await state(page, "session", "live");
        await page.waitForFunction((text) => document.getElementById("log").textContent.includes(JSON.stringify(text).slice(1, -1)), markup);
        const [head, claims, signature] = token.split(".");
        const forged = { ...JSON.parse(Buffer.from(claims, "base64url")), sub: markup, [markup]: markup };
        const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const answers = [
            { status: 200, json: { subscriber_id: markup, token: [part({ ...JSON.parse(Buffer.from(head, "base64url")), kid: markup }), part(forged),
                signature].join("."), refresh_token: markup } },
            { status: 422, json: { errors: [{ type: "validation_error", code: markup, message: markup, attribute: markup, url: markup }] } },
            { status: 401, json: { error: markup } }, { status: 500, body: markup }, { status: 429, headers: { "retry-after": markup }, body: markup },
        ];
        for (const answer of answers) {
            await page.route("**/subscribers/tokens", (route) => route.fulfill(answer), { times: 1 });
            const said = page.waitForResponse("**/subscribers/tokens");
            await page.click("#mint button");
            await said;
            if (answer.status === 200) await page.waitForFunction((text) => document.getElementById("claims").textContent.includes(text), markup);
            else await page.waitForFunction(() => document.getElementById("mint-status").textContent);
        }
        await status(page, "mint-status", "");
        assert.deepEqual(await elements(page), before, "nothing became an element");
        assert.equal(await page.evaluate(() => window.hit), undefined, "nothing ran");
    });
});

test("without an answer the page says what to do", () => withPage({ isFailureExpected: true }, async (page) => {
    await page.route("**/subscribers/tokens", (route) => route.abort());
    await page.click("#mint button");
    await status(page, "mint-status", "Start coatcheck dev again");
}));

// The contrast of every visible text against the nearest painted ground (WCAG 1.4.3).
function faintTexts()
{
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = (color) => [...rgba(color)].slice(0, 3).map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => !node || rgba(getComputedStyle(node).backgroundColor)[3] === 255 ? node : ground(node.parentElement);
    const isText = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    return [...document.body.querySelectorAll("*")].filter((node) => isText(node) && node.checkVisibility()).flatMap((node) => {
        const [low, high] = [light(getComputedStyle(node).color), light(getComputedStyle(ground(node)).backgroundColor)].sort((a, b) => a - b);
        const ratio = (high + 0.05) / (low + 0.05);
        return ratio >= 4.5 ? [] : [`${node.tagName} ${node.id || node.className} ${node.textContent.trim().slice(0, 20)} ${ratio.toFixed(2)}`];
    });
}

for (const scheme of ["light", "dark"])
    for (const width of [1440, 1280, 390, 320])
        test(`${scheme}, ${width} px wide: readable, nothing cut off, nothing moves`, () => withPage({ scheme, width }, async (page) => {
            const size = () => page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
            await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
            const before = await size();
            assert.equal(before[0], width, "no sideways scrolling");
            await mintByMouse(page);
            await page.click("#open");
            await state(page, "session", "live");
            await page.click("#register");
            await status(page, "use-status", "Registered");
            await page.click("#age button");
            await status(page, "age-status", "older");
            await info(server, "no token");
            await page.waitForSelector("#flow-refusal:not(.without)");
            assert.deepEqual(await page.evaluate(faintTexts), []);
            assert.deepEqual(await axe(page), []);
            assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("pre code, .why code, .typed code")].filter((code) =>
                [code, code.parentElement].some((box) => box.scrollWidth > box.clientWidth && box.clientWidth)).map(({ textContent }) => textContent)), [], "commands wrap");
            assert.deepEqual(await size(), before, "the page keeps its size");
            assert.deepEqual(await page.evaluate(() => [window.shift, window.shifted]), [0, []], "no layout shift");
        }));

test("when the server stops, the page says so", () => withPage({ isFailureExpected: true }, async (page) => {
    await mintByMouse(page);
    await page.click("#open");
    await state(page, "session", "live");
    await server.stop();
    await state(page, "session", "closed");
    const said = await page.textContent("#open-status");
    assert.match(said, /restarting|went away|connection was lost/, said);
}));

await run({
    before: async () => {
        server = await startServer({ tls: true, env: { COATCHECK_PING_INTERVAL_S: "1" } });
        browser = await startBrowser([server.contract.ca_file]);
    },
    after: async () => {
        await browser?.stop();
        if (server?.isAlive) await server.stop();
    },
});
