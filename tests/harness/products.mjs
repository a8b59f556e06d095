// products.mjs — the products of examples/: their backends as programs of their own, a way to the server that can be shut for a
// while, and visits that notice what no product may do: break its policy, move under the reader's eyes, fail axe-core.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import readline from "node:readline";
import { lootOf, Visit } from "./app_pages.mjs";
import { SDK } from "./sdk_pages.mjs";
import { guarded, LIMIT_S } from "./suite.mjs";

const AXE = path.join(SDK, "node_modules/axe-core/axe.min.js");
const running = new Set();

process.on("exit", () => { for (const child of running) child.kill("SIGKILL"); });

// A backend that prints `<name> <its URL>` when it is there. said: all that it prints.
export async function startProduct(name, command, env)
{
    const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? "", PORT: "0", ...env } });
    running.add(child);
    const said = [], ended = new Promise((resolve) => child.once("close", (code, signal) => { running.delete(child); resolve({ code, signal }); }));
    readline.createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
    const lines = readline.createInterface({ input: child.stdout });
    lines.on("line", (line) => said.push(line));
    const first = await guarded(Promise.race([new Promise((resolve) => lines.once("line", resolve)), ended.then(() => "")]), LIMIT_S, `the line of ${name}`);
    const url = first.match(/^(\w+) (http:\/\/127\.0\.0\.1:\d+)\/$/);
    if (url?.[1] !== name) throw new Error(`${name} did not start:\n${said.join("\n")}`);
    return {
        origin: url[2], said,
        async stop()
        {
            child.kill("SIGTERM");
            return guarded(ended, LIMIT_S, `the end of ${name}`);
        },
    };
}

// The code and the words of a backend that is to refuse to start.
export async function startRefused(command, env)
{
    const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH, ...env } });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => { said += text; });
    const code = await guarded(new Promise((resolve) => child.once("close", resolve)), LIMIT_S, "an exit");
    return { code, said };
}

// One request as it is written, past what a client would put right: [status, Location].
export async function askRaw(origin, target, host = new URL(origin).host)
{
    const socket = net.connect(Number(new URL(origin).port), new URL(origin).hostname);
    let said = "";
    socket.on("data", (bytes) => { said += bytes; });
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    await guarded(new Promise((resolve, reject) => socket.once("close", resolve).once("error", reject)), LIMIT_S, `the answer to ${target}`);
    return [Number(said.match(/^HTTP\/1\.1 (\d+)/)?.[1]), said.match(/^Location: (.*)\r$/mi)?.[1]];
}

// Leads to a server; while it is shut nobody answers at its address.
export async function startDoor(to)
{
    const { hostname, port } = new URL(to), open = new Set();
    const server = net.createServer((socket) => {
        const further = net.connect(Number(port), hostname);
        for (const [one, other] of [[socket, further], [further, socket]]) {
            open.add(one);
            one.pipe(other);
            one.on("error", () => other.destroy());
            one.on("close", () => { open.delete(one); other.destroy(); });
        }
    });
    const listen = (at) => new Promise((resolve) => server.listen(at, "127.0.0.1", resolve));
    await listen(0);
    const own = server.address().port;
    const shut = () => new Promise((resolve) => { server.close(resolve); for (const socket of open) socket.destroy(); });
    return { url: `http://127.0.0.1:${own}`, shut, open: async () => { if (!server.listening) await listen(own); }, stop: async () => { if (server.listening) await shut(); } };
}

// Runs in each frame before the page's own code.
function watchPage()
{
    window.violations = [];
    window.shift = 0;
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    window.moved = [];
    new PerformanceObserver((list) => {
        for (const { hadRecentInput, value, sources } of list.getEntries()) {
            if (hadRecentInput) continue;
            window.shift += value;
            window.moved.push(...sources.map(({ node, previousRect, currentRect }) => `${node?.outerHTML?.slice(0, 60) ?? node?.nodeValue} ${JSON.stringify([previousRect, currentRect])}`));
        }
    })
        .observe({ type: "layout-shift", buffered: true });
}

// A person at the product: { width, height, scheme, reducedMotion }.
export function visitProduct(browser, url, { width = 1280, height = 900, scheme = "light", reducedMotion = "no-preference" } = {})
{
    const newPage = async () => {
        const page = await browser.newPage();
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: scheme, reducedMotion });
        return page;
    };
    return Visit.begin({ newPage }, url, { before: watchPage });
}

// A frame may be taken away while it is looked at.
async function inFrames(page, look)
{
    for (const frame of framesOf(page))
        await look(frame).catch((error) => { if (frame === page.mainFrame() || page.frames().includes(frame)) throw error; });
}

const framesOf = (page) => page.frames().filter((frame) => /^https?:/.test(frame.url()));

// What axe-core finds, in this page and in the frames that it shows.
export async function assertAxeClean(page, what)
{
    const axe = fs.readFileSync(AXE, "utf8");
    await inFrames(page, async (frame) => {
        if (!(await frame.evaluate(() => "axe" in window))) await frame.evaluate(axe);
        // A colour on its way to another is neither.
        await frame.evaluate(() => Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished.catch(() => {}))));
        const found = await frame.evaluate(() => window.axe.run(document, { iframes: false, resultTypes: ["violations"] }));
        assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`), [], what);
    });
}

// Nothing forbidden was tried and nothing moved; nothing scrolls sideways.
export async function assertCalm(page, what)
{
    await inFrames(page, async (frame) => {
        const { violations, shift, moved, overflow } = await frame.evaluate(() => ({ violations: window.violations, shift: window.shift, moved: window.moved, overflow: document.documentElement.scrollWidth - innerWidth }));
        assert.deepEqual(violations, [], `${what}: the policy`);
        assert.ok(shift < 0.02, `${what}: the layout moved by ${shift} in ${frame.url()}: ${moved.join("\n")}`);
        assert.ok(overflow <= 0, `${what}: ${overflow} px beyond the window in ${frame.url()}`);
    });
}

// None of these texts is in a page, its frames, their storage, their addresses.
export async function assertNotInPages(page, texts)
{
    for (const frame of framesOf(page)) {
        const { text, looked } = await lootOf(frame);
        assert.ok(looked > 1000, "it was looked");
        for (const secret of texts) assert.ok(!text.includes(secret) && !text.includes(secret.slice(-30)), `${secret.slice(0, 4)}… was found in ${frame.url()}`);
    }
}

// Presses Tab until what is wanted has the focus; each stop on the way must show that it has it.
export async function tabTo(page, frame, selector)
{
    for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press("Tab");
        for (const one of framesOf(page)) {
            const stop = await one.evaluate(() => {
                const now = document.activeElement;
                if (!document.hasFocus() || !now || now === document.body || now.tagName === "IFRAME") return undefined;
                const { outlineStyle, outlineWidth } = getComputedStyle(now);
                return { name: now.outerHTML.slice(0, 60), isVisible: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
            });
            if (stop) assert.ok(stop.isVisible, `focus is visible on ${stop.name}`);
        }
        if (await frame.evaluate((wanted) => document.hasFocus() && document.activeElement.matches(wanted), selector)) return;
    }
    assert.fail(`Tab never reaches ${selector}`);
}

/** A person of this backend, outside of a browser: its cookie, and how it asks. */
export class Caller {
    constructor(origin) { this.origin = origin; }

    async ask(method, pathname, body, headers = {})
    {
        const answer = await fetch(this.origin + pathname, { method, redirect: "manual", body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
            headers: { ...(body !== undefined && { "content-type": "application/json" }), ...(this.cookie && { cookie: this.cookie }), ...headers } });
        const set = answer.headers.get("set-cookie"), text = await answer.text();
        if (set) this.cookie = set.split(";")[0];
        return { status: answer.status, headers: answer.headers, set, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
    }
}
