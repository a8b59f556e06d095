// v3_sdk.test.mjs — the vendor's package of the version before, 3.30.0, unmodified, in Chromium: its other API on the same wire.
// What differs is in docs/compat.md.
import assert from "node:assert/strict";
import { CALLS, packageVersion, startBrowser, startPages } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { call, mintToken, nowS } from "../harness/http.mjs";
import { opened, Page as Newer, person, received } from "../harness/vendor_page.mjs";
import { startServer } from "../harness/server.mjs";
import { startStun } from "../harness/stun.mjs";
import { eventually as happens, LIMIT_S, run, test } from "../harness/suite.mjs";

let server, stun, browser, pages, newer;

// ---- pages ----

function prepare() // in the page
{
    window.peers = [];
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(...args) { super(...args); window.peers.push(this); }
    };
    window.sockets = [];
    window.WebSocket = class extends window.WebSocket {
        constructor(...args) { super(...args); window.sockets.push(this); }
    };
    window.follow = (one) => {
        window.call = one;
        window.states = [];
        for (const state of ["requesting", "trying", "answering", "active", "hangup", "destroy"]) one.on(state, () => window.states.push(state));
    };
}

class Page {
    static async blank()
    {
        const one = Object.assign(new Page(), await opened(browser, pages));
        await one.run(prepare);
        return one;
    }

    static async of(token)
    {
        const one = await Page.blank();
        await one.run(async (value) => { window.client = await window.sdk.SignalWire({ token: value }); }, token);
        return one;
    }

    run(body, argument) { return this.page.evaluate(body, argument); }
    until(condition, argument) { return this.page.waitForFunction(condition, argument, { timeout: LIMIT_S * 1000 }); }
    end() { return this.page.close(); }

    online()
    {
        return this.run(() => window.client.online({ incomingCallHandlers: { all: ({ invite }) => { window.invite = invite; } } }));
    }

    // What start() comes to is kept in window.started.
    dial(to)
    {
        return this.run(async (name) => {
            window.follow(await window.client.dial({ to: name, audio: true, video: false }));
            window.started = "no answer";
            window.call.start().then(() => { window.started = "resolved"; }, (error) => { window.started = `${error?.code} ${error?.message}`; });
        }, to);
    }

    async rings()
    {
        await this.until(() => window.invite);
        return this.run(() => ({ from: window.invite.details.caller_id_number, to: window.invite.details.callee_id_number }));
    }

    answer()
    {
        return this.run(async () => {
            window.follow(await window.invite.accept({ audio: true, video: false, negotiateVideo: false }));
            window.invite = null;
        });
    }

    was(state) { return this.until((wanted) => window.states?.includes(wanted), state); }
    received(kinds) { return this.run(received, kinds); }
    sent(method) { return this.seen.sent.filter((m) => m.method === method); }
    replyTo({ id }) { return happens(() => this.seen.received.find((m) => m.id === id && !m.method), "a reply"); }
}

async function pair()
{
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")], [caller, callee] = [await Page.of(ada.token), await Page.of(bob.token)];
    await callee.online();
    return { ada, bob, caller, callee };
}

// ---- a session ----

test("3.30.0 connects, asks who it is and whom it can reach, goes online and offline, and leaves", async () => {
    const ada = await person(server, "ada"), bob = await person(server, "bob"), page = await Page.of(ada.token);
    const [connect] = page.sent("signalwire.connect");
    assert.equal(connect.params.agent, "@signalwire/js/browser/3.30.0");
    assert.deepEqual([connect.params.dpop_token, connect.params.authorization_state], [undefined, undefined]);
    assert.deepEqual(page.seen.requests, [], "it asks nothing over REST by itself");
    assert.equal((await page.run(() => window.client.getSubscriberInfo())).email, ada.reference);
    assert.equal((await page.run((name) => window.client.address.getAddress({ name }), bob.name)).id, bob.address.id);
    assert.equal((await page.run((id) => window.client.address.getAddress({ id }), bob.address.id)).id, bob.address.id);
    const listed = await page.run(async () => (await window.client.address.getAddresses({ type: "subscriber", sortBy: "name", pageSize: 2 })).data);
    assert.ok(Array.isArray(listed));
    await page.online();
    await page.run(() => window.client.offline());
    await page.run(() => window.client.disconnect());
    assert.equal(await page.run(() => window.sockets.length), 1);
    await page.end();
});

test("3.30.0 learns of a bad token by name: AuthError, and no session", async () => {
    const token = (await mintToken(server, { reference: "late@example.com" })).token;
    await advance(server, "2h");
    const page = await Page.blank();
    const error = await page.run((value) => window.sdk.SignalWire({ token: value }).then(() => null, (e) => ({ name: e.name, code: e.code, message: e.message })), token);
    assert.deepEqual(error, { name: "AuthError", code: -32002, message: "Authentication failed" });
    await page.end();
});

test("3.30.0 renews by updateToken(), and its session outlives the first token", async () => {
    const end_s = nowS() + 40, reference = "renews@example.com";
    const first = (await mintToken(server, { reference, expire_at: end_s })).token, next = (await mintToken(server, { reference })).token;
    const page = await Page.of(first);
    await page.online();
    await page.run((token) => window.client.updateToken(token), next);
    const [renewal] = page.sent("signalwire.reauthenticate");
    assert.equal(renewal.params.authentication.jwt_token, next);
    assert.ok((await page.replyTo(renewal)).result);
    while (Date.now() < (end_s + 1) * 1000) await new Promise((resolve) => setTimeout(resolve, 100));
    await page.run(() => window.client.offline());
    assert.deepEqual(await page.run(() => window.sockets.map(({ readyState }) => readyState)), [1], "the same socket, open");
    await page.end();
}, { beside: true });

// Its SDK does not look whether the token ended before it says that the renewal was done.
test("3.30.0 says that updateToken() is done after the end, and sends nothing: the page has to begin anew", async () => {
    const reference = "late@example.com", first = (await mintToken(server, { reference, expire_at: nowS() + 40 })).token;
    const next = (await mintToken(server, { reference })).token, page = await Page.of(first);
    const refused = await happens(() => page.seen.received.find((m) => m.error), "a refusal, after the end", 90);
    assert.equal(refused.error.code, -32002);
    const connects = page.sent("signalwire.connect").length;
    assert.equal(await page.run((token) => window.client.updateToken(token).then(() => "done"), next), "done");
    assert.deepEqual([page.sent("signalwire.reauthenticate").length, page.sent("signalwire.connect").length], [0, connects]);
    await page.run(() => window.client.disconnect());
    await page.run(async (token) => { window.client = await window.sdk.SignalWire({ token }); }, next);
    await page.run(() => window.client.offline());
    await page.end();
}, { beside: true });

test("3.30.0 comes back after a lost socket with a protocol and no state: a new session, offline until online() again", async () => {
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")];
    const page = await Page.of(bob.token), caller = await Page.of(ada.token);
    await page.online();
    await page.run(() => window.sockets.at(-1).close());
    const back = await happens(() => page.sent("signalwire.connect")[1], "a second connect");
    const [before, after] = await Promise.all(page.sent("signalwire.connect").map((connect) => page.replyTo(connect)));
    assert.deepEqual([back.params.protocol, back.params.authorization_state], [before.result.protocol, undefined]);
    assert.notEqual(after.result.protocol, before.result.protocol);
    assert.deepEqual(await page.run(() => Object.keys(sessionStorage)), [], "it stores nothing: our tokens can be read");
    assert.equal(page.sent("subscriber.online").length, 1, "and does not register by itself");
    await page.online();
    await caller.dial(bob.to);
    await page.rings();
    await page.run(() => window.invite.reject());
    await caller.was("destroy");
    await Promise.all([page.end(), caller.end()]);
});

// ---- calls ----

for (const side of ["caller", "callee"])
    test(`3.30.0 two pages talk, packets both ways, and the ${side} hangs up`, async () => {
        const { ada, bob, caller, callee } = await pair();
        await caller.dial(bob.to);
        assert.deepEqual(await callee.rings(), { from: ada.name, to: bob.name });
        await caller.was("trying");
        await callee.answer();
        await caller.was("active");
        assert.equal(await caller.run(() => window.started), "no answer", "start() waits for call.joined");
        const counts = await Promise.all([caller.received(["audio"]), callee.received(["audio"])]);
        await (side === "caller" ? caller : callee).run(() => window.call.hangup());
        await Promise.all([caller.was("destroy"), callee.was("destroy")]);
        console.log(`     caller ${(await caller.run(() => window.states)).join(">")}, callee ${(await callee.run(() => window.states)).join(">")}, packets ${JSON.stringify(counts)}`);
        await Promise.all([caller.end(), callee.end()]);
    });

test("3.30.0 a reject ends the caller's call, a cancel what rings", async () => {
    const { bob, caller, callee } = await pair();
    await caller.dial(bob.to);
    await callee.rings();
    await callee.run(() => window.invite.reject());
    await caller.was("destroy");
    await callee.run(() => { window.invite = null; });
    await caller.dial(bob.to);
    await callee.rings();
    await caller.was("trying");
    await caller.run(() => window.call.hangup());
    await caller.was("destroy");
    await happens(() => callee.seen.received.find((m) => m.params?.params?.method === "verto.bye"), "the farewell");
    await Promise.all([caller.end(), callee.end()]);
});

test("3.30.0 an unknown address fails start() with the server's code", async () => {
    const { caller, callee } = await pair();
    await caller.dial("/private/nobody?channel=audio");
    await caller.until(() => window.started !== "no answer");
    assert.deepEqual(await caller.run(() => [window.started, ...window.states]), ["-32004 Unknown destination", "requesting", "hangup", "destroy"]);
    await Promise.all([caller.end(), callee.end()]);
});

for (const way of ["to", "from"])
    test(`3.30.0 talks ${way} a page of 4.0.0-beta.12`, async () => {
        const [ada, bob] = [await person(server, "ada"), await person(server, "bob")];
        const old = await Page.of(ada.token), page = await Newer.of({ browser, pages: newer }, bob.token);
        await Promise.all([old.online(), page.registered()]);
        await (way === "to" ? old.dial(bob.to) : page.dial(ada.to));
        await (way === "to" ? page : old).rings();
        await (way === "to" ? page : old).answer();
        await page.was("connected");
        await Promise.all([old.received(["audio"]), page.received(["audio"])]);
        await old.run(() => window.call.hangup());
        await Promise.all([old.was("destroy"), page.was("destroyed")]);
        await Promise.all([old.end(), page.end()]);
    });

await run({
    before: async () => {
        stun = await startStun();
        server = await startServer({ tls: true, env: { COATCHECK_LOOPS: "2", COATCHECK_OFFER_CANDIDATES: "none", COATCHECK_PING_INTERVAL_S: "5",
            COATCHECK_ICE_SERVERS: JSON.stringify([{ urls: [stun.url] }]) } });
        browser = await startBrowser([server.contract.ca_file], CALLS);
        pages = await startPages("127.0.0.1", "signalwire-js-3");
        newer = await startPages();
        console.log(`     @signalwire/js ${packageVersion("signalwire-js-3")}, Chromium ${browser.version}`);
    },
    after: async () => {
        await browser?.stop();
        await pages?.stop();
        await newer?.stop();
        await server?.stop();
        await stun?.stop();
    },
});
