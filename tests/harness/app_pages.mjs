// app_pages.mjs — pages of products that use our browser package: bundled as a product's build does it, served under a policy without
// unsafe-anything, on as many origins as a test needs. And a visit, which remembers every request, answer and line of the console.
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { packageFolder } from "./browser.mjs";
import { REPOSITORY } from "./server.mjs";
import { SDK } from "./sdk_pages.mjs";
import { LIMIT_S } from "./suite.mjs";

const require = createRequire(path.join(SDK, "package.json"));
const { exports } = require("./package.json");

// The programs of a document, by name: fenced blocks that begin with a comment of it.
export function programsOf(document)
{
    const text = fs.readFileSync(path.join(REPOSITORY, document), "utf8");
    return Object.fromEntries([...text.matchAll(/^```jsx?\n\/\/ ([\w.]+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name, code]));
}

const SHIM = `export const randomUUID = () => crypto.randomUUID();
export const randomFillSync = (array) => crypto.getRandomValues(array);
`;

// One script of several modules. Those of the package are what it exports, as built; React is that of the package's own tests;
// the vendor's package is the unmodified one.
export async function bundle(code, modules = {})
{
    const ours = {
        name: "ours",
        setup(esbuild)
        {
            esbuild.onResolve({ filter: /^coatcheck(\/|$)/ }, ({ path: name }) => ({ path: path.join(SDK, exports[name.replace("coatcheck", ".")].default), sideEffects: false }));
            esbuild.onResolve({ filter: /^@signalwire\/js$/ }, () => ({ path: path.join(packageFolder("@signalwire/js"), "dist/browser.mjs") }));
            esbuild.onResolve({ filter: /^node:crypto$/ }, () => ({ path: "shim", namespace: "shim" }));
            esbuild.onLoad({ filter: /./, namespace: "shim" }, () => ({ contents: SHIM }));
            esbuild.onResolve({ filter: /^docs:/ }, ({ path: name }) => ({ path: name.slice(5), namespace: "docs" }));
            esbuild.onLoad({ filter: /./, namespace: "docs" }, ({ path: name }) => ({ contents: modules[name], loader: "jsx", resolveDir: SDK }));
        },
    };
    const { outputFiles: [{ text }] } = await require("esbuild").build({
        stdin: { contents: code, resolveDir: SDK, loader: "jsx" }, bundle: true, format: "esm", target: "es2022", write: false, jsx: "automatic",
        define: { "process.env.NODE_ENV": '"development"' }, plugins: [ours], logLevel: "error",
    });
    return text;
}

// connect: origins beside its own that its pages may talk to. frames: origins that they may frame. routes: path -> (request, body) => { status, json } or
// { type, text, headers }; each hears the request's headers and its body as text.
export async function startApp({ script, connect = [], frames = [], routes = {}, html = '<div id="root"></div>', headers = {}, host = "127.0.0.1" })
{
    const policy = `default-src 'none'; script-src 'self'; connect-src ${["'self'", ...connect].join(" ")}; frame-src ${frames.join(" ") || "'none'"}; base-uri 'none'; form-action 'none'`;
    const page = { type: "text/html; charset=utf-8", text: `<!doctype html><html lang="en"><meta charset="utf-8"><title>app</title><body>${html}<script type="module" src="/app.js"></script></body></html>` };
    const all = { "/": () => page, "/app.js": () => ({ type: "text/javascript", text: script }), ...routes };
    const asked = [];
    const server = http.createServer(async (request, answer) => {
        let body = "";
        for await (const part of request) body += part;
        const { pathname } = new URL(request.url, "http://x");
        asked.push({ method: request.method, path: request.url, headers: request.headers, body });
        const { status = 200, json, type = "application/json", text = JSON.stringify(json), headers: more = {} } = await (all[pathname] ?? (() => ({ status: 404, json: {} })))(request, body);
        answer.writeHead(status, { "content-type": type, "content-security-policy": policy, "cache-control": "no-store", ...headers, ...more });
        answer.end(text);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://${host}:${server.address().port}`;
    return { origin, asked, policy, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

export class Visit {
    static async begin(browser, url, { before } = {})
    {
        const visit = new Visit();
        visit.page = await browser.newPage();
        Object.assign(visit, { requests: [], answers: [], problems: [], reading: [] });
        visit.page.on("request", (request) => visit.requests.push({ method: request.method(), url: request.url(), headers: request.headers(), body: request.postData() ?? "" }));
        // what a page leaves unread (a refusal's body) cannot be had
        visit.page.on("response", (answer) => answer.ok() && visit.reading.push(answer.text().then((text) => visit.answers.push({ url: answer.url(), status: answer.status(), text }), () => {})));
        visit.page.on("pageerror", (error) => visit.problems.push(String(error)));
        visit.page.on("console", (line) => { if (line.type() === "error" || line.type() === "warning") visit.problems.push(line.text()); });
        if (before) await visit.page.addInitScript(before);
        await visit.page.goto(url);
        return visit;
    }

    run(body, argument) { return this.page.evaluate(body, argument); }

    until(condition, argument)
    {
        return this.page.waitForFunction(condition, argument, { timeout: LIMIT_S * 1000 }).catch(async (error) => {
            throw new Error(`${error.message}: ${JSON.stringify([await this.run(() => document.body.innerText), this.problems])}`);
        });
    }

    // Method and path of what was asked of one origin.
    asked(origin) { return this.requests.filter(({ url, method }) => method !== "OPTIONS" && url.startsWith(origin)).map(({ method, url }) => `${method} ${new URL(url).pathname}`); }

    // Values of the members with these names in all JSON answers of an origin.
    async given(names, origin = "")
    {
        await Promise.all(this.reading);
        return this.answers.filter(({ url, text }) => url.startsWith(origin) && text.startsWith("{")).flatMap(({ text }) => Object.entries(JSON.parse(text)))
            .filter(([name]) => names.includes(name)).map(([, value]) => value);
    }

    async end() { await this.page.close(); }
}

// Everything that a script, or somebody who looks into the browser later, finds without having been there: in the page.
export async function lootOf(frame)
{
    return frame.evaluate(async () => {
        const databases = [];
        const kept = (store) => { try { return JSON.stringify({ ...window[store] }); } catch { return ""; } }; // a frame may have no store of its own
        for (const { name, version } of await indexedDB.databases().catch(() => [])) {
            const opened = await new Promise((resolve, reject) => { const asking = indexedDB.open(name, version); asking.onsuccess = () => resolve(asking.result); asking.onerror = reject; });
            for (const store of opened.objectStoreNames)
                databases.push(await new Promise((resolve) => { const all = opened.transaction(store).objectStore(store).getAll(); all.onsuccess = () => resolve(JSON.stringify(all.result)); }));
        }
        const caches_ = await Promise.all((await caches.keys().catch(() => [])).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url).join(" ")));
        const seen = new Set(), texts = [];
        const look = (value, depth) => { // all that hangs on window, through own properties and maps
            if (typeof value === "string") return void texts.push(value);
            if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value) || depth > 40 || seen.size > 300_000) return;
            seen.add(value);
            if (value instanceof Map || value instanceof Set) for (const one of value) look(one, depth + 1);
            for (const key of Reflect.ownKeys(value)) {
                const { value: member } = Object.getOwnPropertyDescriptor(value, key) ?? {};
                if (typeof key === "string") texts.push(key);
                look(member, depth + 1);
            }
        };
        look(window, 0);
        for (const element of document.querySelectorAll("*")) { look(element, 0); for (const { value } of element.attributes) texts.push(value); }
        return {
            looked: seen.size,
            text: [document.cookie, kept("localStorage"), kept("sessionStorage"), ...databases, ...caches_, document.title, location.href,
                document.referrer, name, JSON.stringify(history.state), document.documentElement.outerHTML, performance.getEntries().map(({ name: entry }) => entry).join(" "), ...texts].join("\n"),
        };
    });
}
