// vendor_page.mjs — a page with the vendor's package (version 4) in it, that dials and is rung; and what passed over its sockets.
//
// Everything is the package's own doing: the page adds a provider with one token, keeps the peer connections and sockets that
// the package makes, and writes down what the client says of itself.
import assert from "node:assert/strict";
import { info, mintToken } from "./http.mjs";
import { LIMIT_S } from "./suite.mjs";

export function begin({ token, options }) // in the page
{
    window.errors = [];
    window.peers = [];
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(...args)
        {
            super(...args);
            window.peers.push(this);
        }
    };
    window.sockets = [];
    window.welcomes = [];
    window.WebSocket = class extends window.WebSocket {
        constructor(...args)
        {
            super(...args);
            window.sockets.push(this);
            this.addEventListener("message", ({ data }) => { window.welcomes.push(...[JSON.parse(data).result?.protocol].filter(Boolean)); });
        }
    };
    window.client = new window.sdk.SignalWire({ authenticate: async () => ({ token }) }, options);
    window.client.errors$.subscribe((error) => window.errors.push(`${error.constructor.name}: ${error.message} ${error.cause?.message ?? ""}`));
    window.client.ready$.subscribe((value) => { window.isReady = value; });
    window.listen = () => window.client.session.incomingCalls$.subscribe((calls) => {
        window.incoming = calls.filter(({ status }) => status === "ringing");
    });
    window.follow = (one) => {
        window.call = one;
        window.statuses = [];
        one.status$.subscribe((status) => window.statuses.push(status));
    };
}

// Packets that came in, by kind, once some of each have.
export async function received(kinds) // in the page
{
    for (;;) {
        const counts = {};
        for (const peer of window.peers)
            for (const one of (await peer.getStats()).values())
                if (one.type === "inbound-rtp") counts[one.kind] = one.packetsReceived;
        if (kinds.every((kind) => counts[kind] > 5)) return counts;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

// Opens the site, waits for the package, and keeps { sent, received, requests } of what the page does from then on. site.first:
// [function, argument] of what runs in the page before the package is there.
export async function opened(browser, site)
{
    const page = await browser.newPage(), seen = { sent: [], received: [], requests: [] };
    page.on("request", (request) => { if (!request.url().startsWith(site.origin)) seen.requests.push(request); });
    page.on("websocket", (ws) => {
        ws.on("framesent", ({ payload }) => seen.sent.push(JSON.parse(payload)));
        ws.on("framereceived", ({ payload }) => seen.received.push(JSON.parse(payload)));
    });
    if (site.first) await page.addInitScript(...site.first);
    await page.goto(site.origin);
    await page.waitForFunction(() => window.sdk);
    return { page, seen };
}

export class Page {
    static async of({ browser, pages }, token, options = {})
    {
        const one = Object.assign(new Page(), await opened(browser, pages));
        await one.page.evaluate(begin, { token, options });
        await one.until(() => window.isReady === true);
        await one.run(() => { window.listen(); });
        return one;
    }

    run(body, argument) { return this.page.evaluate(body, argument); }
    end() { return this.page.close(); }

    async until(condition, argument)
    {
        await this.page.waitForFunction(condition, argument, { timeout: LIMIT_S * 1000 }).catch(async (error) => {
            throw new Error(`${error.message}: ${JSON.stringify(await this.run(() => [window.errors, window.statuses]))}`);
        });
    }

    registered() { return this.until(() => window.client.isRegistered); }
    dial(to, media = { audio: true, video: false }) { return this.run(async ([name, options]) => window.follow(await window.client.dial(name, options)), [to, media]); }
    async rings()
    {
        await this.until(() => window.incoming?.length);
        return this.run(() => {
            window.follow(window.incoming[0]);
            return { from: window.call.from, to: window.call.to };
        });
    }
    answer(media) { return this.run((options) => window.call.answer(options), media ?? { audio: true, video: false }); }
    async was(status) { await this.until((wanted) => window.statuses?.includes(wanted), status); }
    statuses() { return this.run(() => window.statuses.filter((status, i, all) => status !== all[i - 1])); }
    received(kinds) { return this.run(received, kinds); }
}

// A user of its own for each call, as { token, address, to, name }.
let people = 0;
export async function person(server, label)
{
    const reference = `${label}-${++people}@example.com`, { token } = await mintToken(server, { reference });
    const [address] = (await info(server, token)).json.fabric_addresses;
    return { reference, token, address, to: address.channels.audio, name: address.channels.audio.split("?")[0] };
}

// What passed, as a person reads it; for finding out, and for failures.
export function transcript({ sent, received })
{
    const line = (arrow) => (m) => `${arrow} ${m.method ?? (m.error ? `error ${m.error.code}` : "result")} ${JSON.stringify(m.params ?? m.result ?? m.error).slice(0, 160)}`;
    return [...sent.map(line("=>")), ...received.map(line("<="))].join("\n");
}
