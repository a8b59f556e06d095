// sdk_visit.mjs — a page with a client of our SDK in it: what it was told, what it asked of whom, which sockets it had, and what it
// left in the browser's storage.
import assert from "node:assert/strict";
import { LIMIT_S } from "./suite.mjs";

// In the page. credential: static; routes: { token, refresh } paths of the page's own backend; embed: [host, token]; or nothing.
function begin({ credential, routes, embed, options, fetchOptions, quiet })
{
    const { sdk } = window;
    const post = async (path, body) => {
        window.asked.push(path);
        const answer = await fetch(path, { method: "POST", body: JSON.stringify(body), ...fetchOptions });
        if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
        return answer.json();
    };
    const own = routes && {
        authenticate: ({ fingerprint }) => post(routes.token, { fingerprint }),
        ...(routes.refresh && { refresh: () => post(routes.refresh, {}) }),
    };
    window.webSockets = [];
    window.WebSocket = class extends window.WebSocket {
        constructor(...of)
        {
            super(...of);
            window.webSockets.push(this);
        }
    };
    window.asked = [];
    window.log = [];
    window.states = [];
    window.warnings = [];
    const provider = own ?? (embed && new sdk.EmbedTokenCredentialProvider(...embed)) ?? (credential && new sdk.StaticCredentialProvider(credential));
    window.client = new sdk.CoatcheckClient(provider, options);
    window.client.errors$.subscribe((error) => window.log.push([error.name, error.code, error.message, error.cause?.code]));
    if (!quiet) window.client.warnings$.subscribe((warning) => window.warnings.push(warning));
    window.client.ready$.subscribe((isReady) => window.states.push(isReady));
}

export class Visit {
    // browser, origin: where; what: see begin(). quiet: nobody subscribes to warnings$.
    static async begin(browser, origin, what, { quiet = false, page } = {})
    {
        const visit = new Visit();
        visit.page = page ?? (await browser.newPage());
        Object.assign(visit, { requests: [], sockets: [], addresses: [], problems: [] });
        visit.page.on("request", (request) => visit.requests.push(request));
        visit.page.on("websocket", (ws) => visit.watch(ws));
        visit.page.on("pageerror", (error) => visit.problems.push(String(error)));
        await visit.load(origin, what, quiet);
        return visit;
    }

    async load(origin, what, quiet = false)
    {
        this.console = [];
        this.page.removeAllListeners("console");
        this.page.on("console", (line) => this.console.push(line.text()));
        await this.page.goto(origin);
        await this.page.waitForFunction(() => window.sdk);
        await this.page.evaluate(begin, { ...what, quiet });
    }

    watch(ws)
    {
        const socket = { sent: [], received: [], isClosed: false };
        this.sockets.push(socket);
        this.addresses.push(ws.url());
        ws.on("framesent", ({ payload }) => socket.sent.push(JSON.parse(payload)));
        ws.on("framereceived", ({ payload }) => socket.received.push(JSON.parse(payload)));
        ws.on("close", () => { socket.isClosed = true; });
    }

    run(body, argument) { return this.page.evaluate(body, argument); }

    async until(condition, argument, seconds = LIMIT_S)
    {
        await this.page.waitForFunction(condition, argument, { timeout: seconds * 1000 }).catch(async (error) => {
            throw new Error(`${error.message}: ${JSON.stringify([await this.run(() => [window.log, window.states, window.warnings, window.asked]), this.console])}`);
        });
    }

    ready() { return this.until(() => window.client.ready); }
    registered() { return this.until(() => window.client.isRegistered); }
    refused() { return this.until(() => window.log.length); }
    log() { return this.run(() => window.log); }

    // Calls sent on the sockets, by method.
    sent(method) { return this.sockets.flatMap(({ sent }) => sent).filter((message) => message.method === method); }
    // Requests to a server, by the end of their path.
    asked(path) { return this.requests.filter((request) => new URL(request.url()).pathname.endsWith(path)); }

    storage()
    {
        return this.run(async () => ({
            local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie,
            databases: await Promise.all((await indexedDB.databases()).map(({ name }) => new Promise((resolve, reject) => {
                const opening = indexedDB.open(name);
                opening.onerror = () => reject(opening.error);
                opening.onsuccess = () => {
                    const read = opening.result.transaction([...opening.result.objectStoreNames]).objectStore(opening.result.objectStoreNames[0]).getAll();
                    read.onsuccess = () => {
                        opening.result.close();
                        resolve({ name, entries: read.result.map((pair) => ({ isExtractable: pair.privateKey?.extractable, members: Object.keys(pair).sort() })) });
                    };
                };
            }))),
        }));
    }

    async end()
    {
        assert.deepEqual(this.problems, []);
        await this.page.close();
    }
}
