// calls_sdk.test.mjs — the vendor's own browser package, unmodified: two pages call each other through the server, and media flows
// between them, on this machine alone.
import assert from "node:assert/strict";
import { CALLS, packageVersion, startBrowser, startPages } from "../harness/browser.mjs";
import { info, mintToken } from "../harness/http.mjs";
import { bearer, INVITES } from "../harness/prover.mjs";
import { startServer } from "../harness/server.mjs";
import { startStun } from "../harness/stun.mjs";
import { run, test } from "../harness/suite.mjs";

let server, stun, browser, pages, people = 0;

// ---- pages ----

function begin({ token, options }) // in the page
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
async function received(kinds) // in the page
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

class Page {
    static async of(token, options = {})
    {
        const one = new Page();
        one.page = await browser.newPage();
        await one.page.goto(pages.origin);
        await one.page.waitForFunction(() => window.sdk);
        await one.page.evaluate(begin, { token, options });
        await one.until(() => window.isReady === true);
        await one.run(() => { window.listen(); });
        return one;
    }

    run(body, argument) { return this.page.evaluate(body, argument); }
    end() { return this.page.close(); }

    async until(condition, argument)
    {
        await this.page.waitForFunction(condition, argument, { timeout: 20_000 }).catch(async (error) => {
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

async function person(label)
{
    const { token } = await mintToken(server, { reference: `${label}-${++people}@example.com` });
    const [address] = (await info(server, token)).json.fabric_addresses;
    return { token, address, to: address.channels.audio, name: address.channels.audio.split("?")[0] };
}

async function pair()
{
    const [ada, bob] = [await person("ada"), await person("bob")], [caller, callee] = [await Page.of(ada.token), await Page.of(bob.token)];
    await callee.registered();
    return { ada, bob, caller, callee };
}

async function endAll(...all)
{
    for (const page of all) assert.deepEqual(await page.run(() => window.errors), []);
    await Promise.all(all.map((page) => page.end()));
}

// ---- calls ----

for (const [side, media] of [["caller", { audio: true, video: false }], ["callee", { audio: true, video: false }], ["caller", { audio: true, video: true, receiveAudio: true, receiveVideo: true }]])
    test(`SW-8 two pages talk, packets both ways, and the ${side} hangs up (${media.video ? "audio and video" : "audio"})`, async () => {
        const { ada, bob, caller, callee } = await pair();
        await caller.dial(bob.to, media);
        assert.deepEqual(await callee.rings(), { from: ada.name, to: bob.name });
        await callee.answer(media);
        await Promise.all([caller.was("connected"), callee.was("connected")]);
        const kinds = media.video ? ["audio", "video"] : ["audio"];
        const counts = await Promise.all([caller.received(kinds), callee.received(kinds)]);
        await (side === "caller" ? caller : callee).run(() => window.call.hangup());
        await Promise.all([caller.was("destroyed"), callee.was("destroyed")]);
        console.log(`     caller ${(await caller.statuses()).join(">")}, callee ${(await callee.statuses()).join(">")}, packets ${JSON.stringify(counts)}`);
        await endAll(caller, callee);
    });

test("SW-8 a reject ends the caller's call, a cancel the callee's", async () => {
    const { bob, caller, callee } = await pair();
    await caller.dial(bob.to);
    await callee.rings();
    await callee.run(() => window.call.reject());
    await caller.was("destroyed");
    await caller.dial(bob.to);
    await callee.rings();
    await caller.run(() => window.call.hangup());
    await callee.was("destroyed");
    assert.ok(!(await caller.statuses()).includes("connected") && !(await callee.statuses()).includes("connected"));
    await endAll(caller, callee);
});

test("SW-8 an answer after eight seconds of ringing", async () => {
    const { bob, caller, callee } = await pair();
    await caller.dial(bob.to);
    await callee.rings();
    await new Promise((resolve) => setTimeout(resolve, 8000));
    assert.deepEqual((await caller.statuses()).at(-1), "trying");
    await callee.answer();
    await Promise.all([caller.was("connected"), callee.was("connected")]);
    await caller.run(() => window.call.hangup());
    await callee.was("destroyed");
    await endAll(caller, callee);
});

test("SW-50 two pages of one user ring, and the other stops when one answers", async () => {
    const { bob, caller, callee } = await pair(), second = await Page.of(bob.token);
    await second.registered();
    await caller.dial(bob.to);
    await Promise.all([callee.rings(), second.rings()]);
    await second.answer();
    await Promise.all([caller.was("connected"), second.was("connected"), callee.was("destroyed")]);
    await caller.run(() => window.call.hangup());
    await second.was("destroyed");
    await endAll(caller, callee, second);
});

test("SW-31 a call outlives the socket of either page: the package comes back to its session, and media never stopped", async () => {
    const { bob, caller, callee } = await pair();
    await caller.dial(bob.to);
    await callee.rings();
    await callee.answer();
    await Promise.all([caller.was("connected"), callee.was("connected")]);
    for (const page of [caller, callee]) {
        await page.run(() => window.sockets.at(-1).close());
        await page.until(() => window.welcomes.length === 2 && window.isReady === true);
        assert.equal(await page.run(() => new Set(window.welcomes).size), 1, "the same session");
    }
    await Promise.all([caller.received(["audio"]), callee.received(["audio"])]);
    await callee.run(() => window.call.hangup());
    await Promise.all([caller.was("destroyed"), callee.was("destroyed")]);
    await Promise.all([caller.end(), callee.end()]);
});

test("SW-11 an invitee's page calls its inviter, and cannot call anybody else", async () => {
    const [ada, bob] = [await person("ada"), await person("bob")], inviter = await Page.of(ada.token);
    await inviter.registered();
    const { token } = (await bearer(server, INVITES, ada.token, { address_id: ada.address.id })).json, invitee = await Page.of(token);
    const refused = await invitee.run((to) => window.client.dial(to, { audio: true, video: false }).then(() => "created", (error) => error.constructor.name), bob.to);
    assert.match(refused, /CallCreateError/);
    await invitee.dial(ada.to);
    assert.equal((await inviter.rings()).to, ada.name);
    await inviter.answer();
    await Promise.all([inviter.was("connected"), invitee.was("connected")]);
    await inviter.run(() => window.call.hangup());
    await invitee.was("destroyed");
    await inviter.end();
    await invitee.end();
});

test("SW-19 embeddableCall() exchanges, connects and dials by itself", async () => {
    const desk = await Page.of((await mintToken(server, { reference: "front-desk@example.com" })).token), page = await browser.newPage();
    await desk.registered();
    await page.goto(pages.origin);
    await page.waitForFunction(() => window.sdk);
    const dialled = page.evaluate(async ([to, embedToken, host]) => {
        const one = await window.sdk.embeddableCall({ to, embedToken, host });
        window.statuses = [];
        one.status$.subscribe((status) => window.statuses.push(status));
    }, [server.contract.c2c_address, server.contract.c2c_token, new URL(server.contract.tls_url).host]);
    assert.equal((await desk.rings()).to, server.contract.c2c_address);
    await desk.answer();
    await dialled;
    await page.waitForFunction(() => window.statuses.includes("connected"), undefined, { timeout: 20_000 });
    await desk.run(() => window.call.hangup());
    await page.waitForFunction(() => window.statuses.includes("destroyed"), undefined, { timeout: 20_000 });
    await desk.end();
    await page.close();
});

test("SW-20 one client of an EmbedTokenCredentialProvider dials twice, and tells of itself meanwhile", async () => {
    const desk = await Page.of((await mintToken(server, { reference: "front-desk@example.com" })).token), page = await browser.newPage();
    await desk.registered();
    await page.goto(pages.origin);
    await page.waitForFunction(() => window.sdk);
    await page.evaluate(([host, c2c]) => {
        window.ready = [];
        window.client = new window.sdk.SignalWire(new window.sdk.EmbedTokenCredentialProvider(host, c2c));
        window.client.ready$.subscribe((value) => window.ready.push(value));
        window.client.user$.subscribe((user) => { window.user = user; });
    }, [new URL(server.contract.tls_url).host, server.contract.c2c_token]);
    await page.waitForFunction(() => window.ready.at(-1) === true && window.user, undefined, { timeout: 20_000 });
    for (let call = 0; call < 2; call++) {
        const dialled = page.evaluate(async (to) => {
            window.statuses = [];
            (await window.client.dial(to, { audio: true, video: false })).status$.subscribe((status) => window.statuses.push(status));
        }, server.contract.c2c_address);
        await desk.rings();
        await desk.answer();
        await dialled;
        await page.waitForFunction(() => window.statuses.includes("connected"), undefined, { timeout: 20_000 });
        await desk.run(() => window.call.hangup());
        await page.waitForFunction(() => window.statuses.includes("destroyed"), undefined, { timeout: 20_000 });
        await desk.until(() => !window.incoming?.length);
    }
    assert.deepEqual(await page.evaluate(() => window.ready), [false, true], "one session all the time");
    await desk.end();
    await page.close();
});

await run({
    before: async () => {
        stun = await startStun();
        server = await startServer({ tls: true, env: { COATCHECK_LOOPS: "2", COATCHECK_OFFER_CANDIDATES: "none",
            COATCHECK_ICE_SERVERS: JSON.stringify([{ urls: [stun.url] }]) } });
        browser = await startBrowser([server.contract.ca_file], CALLS);
        pages = await startPages();
        console.log(`     @signalwire/js ${packageVersion("@signalwire/js")}, Chromium ${browser.version}`);
    },
    after: async () => {
        await browser?.stop();
        await pages?.stop();
        await server?.stop();
        await stun?.stop();
    },
});
