// browser.mjs — Debian's Chromium with a profile of its own that trusts a server's throw-away authority, and pages for it.
//
// Certificate errors are never ignored: the authority goes into the NSS database of a temporary HOME, where Chromium on
// Linux looks for locally trusted ones (certutil, package libnss3-tools). Pages come from a small server on 127.0.0.1,
// the vendor's package unmodified from node_modules; all the page adds is the import map entry that its prebuilt bundle
// needs for node:crypto.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";
import { temporaryFolder } from "./server.mjs";
import { LIMIT_S } from "./suite.mjs";

const CHROMIUM = process.env.COATCHECK_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];

function trust(home, authorities)
{
    const database = path.join(home, ".pki/nssdb");
    fs.mkdirSync(database, { recursive: true });
    execFileSync("certutil", ["-d", `sql:${database}`, "-N", "--empty-password"]);
    authorities.forEach((file, i) =>
        execFileSync("certutil", ["-d", `sql:${database}`, "-A", "-t", "C,,", "-n", `coatcheck ${i}`, "-i", file]));
}

// For calls on one machine: devices that need nobody, and sockets bound to no interface, so that a reflexive candidate on
// loopback differs from the host's and is kept.
export const CALLS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--webrtc-ip-handling-policy=default_public_interface_only"];

// Conditions in a page are looked at by the clock, not with each frame: a browser that is short of time draws none.
const LOOK_MS = 50;

// authorities: paths of PEM files to trust beside what Chromium ships. flags: more of Chromium's.
export async function startBrowser(authorities, flags = [])
{
    const home = temporaryFolder("coatcheck-browser");
    trust(home, authorities);
    const context = await chromium.launchPersistentContext(path.join(home, "profile"), {
        executablePath: CHROMIUM, headless: true, timeout: LIMIT_S * 1000, args: [...FLAGS, ...flags], ignoreHTTPSErrors: false, env: { ...process.env, HOME: home },
    });
    context.setDefaultTimeout(LIMIT_S * 1000);
    return {
        version: context.browser()?.version(),
        async newPage()
        {
            const page = await context.newPage(), wait = page.waitForFunction.bind(page);
            page.waitForFunction = (holds, argument, options) => wait(holds, argument, { polling: LOOK_MS, ...options });
            return page;
        },
        async stop() {
            await context.close();
            fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
        },
    };
}

const SHIM = `export const randomUUID = () => crypto.randomUUID();
export const randomFillSync = (array) => crypto.getRandomValues(array);
`;
// What a page loads, by the package's kind of bundle: a module that wants the import map, or a script.
const MODULE = `<script type="importmap">{"imports":{"node:crypto":"/shim.mjs","sdk":"/sdk.js"}}</script>
<script type="module">import * as sdk from "sdk"; window.sdk = sdk;</script>
`;
const SCRIPT = `<script src="/sdk.js"></script>
<script>window.sdk = window.SignalWire;</script>
`;
const PACKAGES = {
    "@signalwire/js": ["dist/browser.mjs", MODULE],
    "signalwire-js-beta7": ["dist/browser.mjs", MODULE],
    "signalwire-js-3": ["dist/index.umd.js", SCRIPT],
};

export function packageVersion(name)
{
    return JSON.parse(fs.readFileSync(path.join(packageFolder(name), "package.json"))).version;
}

export function packageFolder(name)
{
    const entry = createRequire(import.meta.url).resolve(name);
    const inner = path.join("node_modules", name);
    return entry.slice(0, entry.indexOf(inner) + inner.length);
}

// Serves one page with the package as window.sdk. host: the name in the page's origin (127.0.0.1 or localhost). name: the
// package as tests/package.json calls it.
export async function startPages(host = "127.0.0.1", name = "@signalwire/js")
{
    const [file, loads] = PACKAGES[name], bundle = path.join(packageFolder(name), file);
    const files = {
        "/": ["text/html; charset=utf-8", () => `<!doctype html><meta charset="utf-8"><title>interop</title>\n${loads}`],
        "/shim.mjs": ["text/javascript", () => SHIM],
        "/sdk.js": ["text/javascript", () => fs.readFileSync(bundle)],
    };
    const server = http.createServer((request, answer) => {
        const found = files[request.url.split("?")[0]];
        answer.writeHead(found ? 200 : 404, { "content-type": found?.[0] ?? "text/plain" });
        answer.end(found?.[1]());
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://${host}:${server.address().port}`;
    return { origin, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}
