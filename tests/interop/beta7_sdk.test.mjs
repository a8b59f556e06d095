// beta7_sdk.test.mjs — an older release of the vendor's package, 4.0.0-beta.7, unmodified, in Chromium: what it says otherwise, and
// that it works. What differs is in docs/compat.md.
import assert from "node:assert/strict";
import { CALLS, packageVersion, startBrowser, startPages } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { mintToken, nowS } from "../harness/http.mjs";
import { begin, opened, Page, person } from "../harness/vendor_page.mjs";
import { startServer } from "../harness/server.mjs";
import { startStun } from "../harness/stun.mjs";
import { eventually as happens, run, test } from "../harness/suite.mjs";

let server, stun, browser, pages, untouched, newer;

const pageOf = (token, options) => Page.of({ browser, pages }, token, options);
const newerOf = (token) => Page.of({ browser, pages: newer }, token);
const sent = (page, method) => page.seen.sent.filter((m) => m.method === method);

// This release reads the host of its REST calls before it reads the token, so that it is always the vendor's. The page turns them
// to the name that the socket has; the package stays as it is.
function turnRequests(ch) // in the page
{
    const asked = window.fetch.bind(window);
    window.fetch = (url, init) => {
        const { host, pathname, search } = new URL(url, window.location.href);
        return asked(host === "fabric.signalwire.com" ? `https://${ch}${pathname}${search}` : url, init);
    };
}

const replyTo = (page, { id }) => happens(() => page.seen.received.find((m) => m.id === id && !m.method), "a reply");

// ---- a session ----

test("beta.7 asks the vendor's own host, whatever the token says, unless the page turns its requests", async () => {
    const { page, seen } = await opened(browser, untouched), { token } = await person(server, "ada");
    await page.evaluate((value) => { window.client = new window.sdk.SignalWire({ authenticate: async () => ({ token: value }) }); }, token);
    const asked = await happens(() => seen.requests[0], "a request");
    assert.equal(asked.url(), "https://fabric.signalwire.com/api/fabric/subscriber/info");
    assert.equal(JSON.parse(Buffer.from(token.split(".")[0], "base64url")).ch, server.contract.ch);
    assert.deepEqual(seen.sent, [], "and opens no socket");
    await page.close();
});

test("beta.7 connects without a proof, registers, and takes it back", async () => {
    const ada = await person(server, "ada"), page = await pageOf(ada.token);
    await page.registered();
    const [connect] = sent(page, "signalwire.connect");
    assert.equal(connect.params.agent, "signalwire-typescript-sdk/1.0.0");
    assert.equal(connect.params.dpop_token, undefined);
    await page.run(() => window.client.unregister());
    await page.until(() => window.client.isRegistered === false);
    await page.run(() => window.client.register());
    await page.registered();
    assert.equal(sent(page, "subscriber.online").length, 2);
    assert.deepEqual(await page.run(() => window.errors), []);
    await page.end();
});

function beginRefreshing({ first, next }) // in the page
{
    window.refreshed = 0;
    window.errors = [];
    const provider = { authenticate: async () => first, refresh: async () => { window.refreshed++; return next; } };
    window.client = new window.sdk.SignalWire(provider);
    window.client.errors$.subscribe((error) => window.errors.push(`${error.constructor.name}: ${error.message}`));
    window.client.ready$.subscribe((value) => { window.isReady = value; });
}

test("SW-33 beta.7 calls refresh() before the end, says so on the socket, and the session outlives its first token", async () => {
    const end_s = nowS() + 40, reference = "renews@example.com";
    const first = { token: (await mintToken(server, { reference, expire_at: end_s })).token, expiry_at: end_s * 1000 };
    const next = { token: (await mintToken(server, { reference })).token, expiry_at: Date.now() + 7200_000 };
    const page = Object.assign(new Page(), await opened(browser, pages));
    await page.run(beginRefreshing, { first, next });
    await page.until(() => window.isReady === true);
    const renewal = await happens(() => sent(page, "signalwire.reauthenticate")[0], "a renewal");
    assert.ok(Date.now() < end_s * 1000, "ahead of the end");
    assert.equal(renewal.params.authentication.jwt_token, next.token);
    assert.ok((await replyTo(page, renewal)).result);
    while (Date.now() < (end_s + 1) * 1000) await new Promise((resolve) => setTimeout(resolve, 100));
    await page.run(() => window.client.unregister());
    assert.equal(sent(page, "signalwire.connect").length, 1, "one socket all the time");
    assert.deepEqual(await page.run(() => [window.refreshed, window.errors, window.isReady]), [1, [], true]);
    await page.end();
}, { beside: true });

test("SW-31 beta.7 comes back to its session over a lost socket, and is rung there although it does not register again", async () => {
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")];
    const [caller, callee] = [await pageOf(ada.token), await pageOf(bob.token)];
    await callee.registered();
    await callee.run(() => window.sockets.at(-1).close());
    const back = await happens(() => sent(callee, "signalwire.connect")[1], "a second connect");
    assert.ok(back.params.authorization_state && back.params.protocol);
    const [before, after] = await Promise.all(sent(callee, "signalwire.connect").map((connect) => replyTo(callee, connect)));
    assert.equal(after.result.protocol, before.result.protocol);
    assert.equal(sent(callee, "subscriber.online").length, 1);
    await caller.dial(bob.to);
    await callee.rings();
    await callee.run(() => window.call.reject());
    await caller.was("destroyed");
    await Promise.all([caller.end(), callee.end()]);
}, { beside: true });

test("beta.7 with a state that is good no more is refused by name, forgets the protocol alone, and begins anew", async () => {
    const { token } = await person(server, "ada"), page = await pageOf(token);
    await page.registered();
    const altered = await page.run(() => Object.keys(sessionStorage).filter((name) => name.endsWith(":as"))
        .map((name) => sessionStorage.setItem(name, JSON.stringify(`${JSON.parse(sessionStorage.getItem(name))}A`))).length);
    assert.equal(altered, 1);
    await page.page.reload();
    await page.until(() => window.sdk);
    await page.run(begin, { token, options: {} });
    const refused = await replyTo(page, await happens(() => sent(page, "signalwire.connect")[1], "a second connect"));
    assert.deepEqual([refused.error?.code, refused.error?.message], [-32003, "Requester validation failed"]);
    const anew = await happens(() => sent(page, "signalwire.connect")[2], "a third connect");
    assert.ok(anew.params.authorization_state && !anew.params.protocol, "half of the pair is left");
    assert.ok((await replyTo(page, anew)).result);
    await page.registered();
    assert.equal(sent(page, "signalwire.connect").length, 3, "and that is all");
    await page.end();
});

test("SW-30 beta.7 loses its socket at the token's end, and is refused from then on", async () => {
    const { token } = await mintToken(server, { reference: "ends@example.com" }), page = await pageOf(token);
    await page.registered();
    await advance(server, "2h");
    await page.until(() => window.sockets[0].readyState === WebSocket.CLOSED);
    const refused = await replyTo(page, await happens(() => sent(page, "signalwire.connect")[1], "a second connect"));
    assert.ok([-32002, -32003].includes(refused.error.code));
    await page.end();
});

// ---- calls ----

// This release's answer() takes no options and adds no media of its own: whoever calls it hears nothing.
const isHeard = (page) => page.client !== "beta.7";
const named = (page, client) => Object.assign(page, { client });

async function talk(caller, callee, to, hangsUp)
{
    await caller.dial(to, { audio: true, video: false });
    await callee.rings();
    await callee.answer();
    await Promise.all([caller.was("connected"), callee.was("connected")]);
    const counts = await Promise.all([...(isHeard(callee) ? [caller.received(["audio"])] : []), callee.received(["audio"])]);
    const answer = sent(callee, "webrtc.verto").find(({ params }) => params.message.method === "verto.answer").params.message.params.sdp;
    assert.equal(/^a=recvonly\r?$/m.test(answer), !isHeard(callee));
    await hangsUp.run(() => window.call.hangup());
    await Promise.all([caller.was("destroyed"), callee.was("destroyed")]);
    console.log(`     caller ${(await caller.statuses()).join(">")}, callee ${(await callee.statuses()).join(">")}, packets ${JSON.stringify(counts)}`);
    await Promise.all([caller.end(), callee.end()]);
}

async function older(label)
{
    const one = await person(server, label);
    return { ...one, page: named(await pageOf(one.token), "beta.7") };
}

async function younger(label)
{
    const one = await person(server, label);
    return { ...one, page: named(await newerOf(one.token), "beta.12") };
}

for (const side of ["caller", "callee"])
    test(`SW-8 beta.7 two pages are connected, the callee hears, and the ${side} hangs up`, async () => {
        const ada = await older("ada"), bob = await older("bob");
        await bob.page.registered();
        await talk(ada.page, bob.page, bob.to, (side === "caller" ? ada : bob).page);
    });

test("SW-8 beta.7 calls beta.12: packets both ways", async () => {
    const ada = await older("ada"), bob = await younger("bob");
    await bob.page.registered();
    await talk(ada.page, bob.page, bob.to, bob.page);
});

test("SW-8 beta.12 calls beta.7: it is connected, and hangs up", async () => {
    const ada = await younger("ada"), bob = await older("bob");
    await bob.page.registered();
    await talk(ada.page, bob.page, bob.to, bob.page);
});

test("SW-8 beta.7 a reject ends the caller's call, a cancel the callee's, and an unknown address refuses", async () => {
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")];
    const [caller, callee] = [await pageOf(ada.token), await pageOf(bob.token)];
    await callee.registered();
    await caller.dial(bob.to);
    await callee.rings();
    await callee.run(() => window.call.reject());
    await caller.was("destroyed");
    await caller.dial(bob.to);
    await callee.rings();
    await caller.run(() => window.call.hangup());
    await callee.was("destroyed");
    assert.equal(await caller.run(() => window.client.dial("/private/nobody?channel=audio", { audio: true, video: false })
        .then(() => "created", (error) => error.constructor.name)), "CallCreateError");
    assert.equal(caller.seen.received.find((m) => m.error).error.code, -32004);
    await Promise.all([caller.end(), callee.end()]);
});

test("SW-19 beta.7 embeddableCall() exchanges by a text/plain body, connects and dials", async () => {
    const desk = await newerOf((await mintToken(server, { reference: "front-desk@example.com" })).token);
    await desk.registered();
    const { page, seen } = await opened(browser, pages);
    const placed = page.evaluate(async ([to, embedToken, host]) => {
        const one = await window.sdk.embeddableCall({ to, embedToken, host });
        window.statuses = [];
        one.status$.subscribe((status) => window.statuses.push(status));
    }, [server.contract.c2c_address, server.contract.c2c_token, new URL(server.contract.tls_url).host]);
    await desk.rings();
    await desk.answer();
    await placed;
    await page.waitForFunction(() => window.statuses.includes("connected"));
    const exchange = seen.requests.find((request) => request.url().endsWith("/api/fabric/embeds/tokens"));
    assert.match((await exchange.allHeaders())["content-type"], /^text\/plain/);
    await desk.run(() => window.call.hangup());
    await page.waitForFunction(() => window.statuses.includes("destroyed"));
    await Promise.all([desk.end(), page.close()]);
});

await run({
    before: async () => {
        stun = await startStun();
        server = await startServer({ tls: true, env: { COATCHECK_LOOPS: "2", COATCHECK_OFFER_CANDIDATES: "none",
            COATCHECK_ICE_SERVERS: JSON.stringify([{ urls: [stun.url] }]) } });
        browser = await startBrowser([server.contract.ca_file], [...CALLS, "--host-resolver-rules=MAP *.signalwire.com ~NOTFOUND"]);
        const beta7 = await startPages("127.0.0.1", "signalwire-js-beta7");
        untouched = beta7;
        pages = { ...beta7, first: [turnRequests, server.contract.ch] };
        newer = await startPages();
        console.log(`     @signalwire/js ${packageVersion("signalwire-js-beta7")}, Chromium ${browser.version}`);
    },
    after: async () => {
        await browser?.stop();
        await pages?.stop();
        await newer?.stop();
        await server?.stop();
        await stun?.stop();
    },
});
