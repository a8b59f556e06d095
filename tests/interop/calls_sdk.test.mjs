// calls_sdk.test.mjs — the vendor's own browser package, unmodified: two pages call each other through the server, and media flows
// between them, on this machine alone.
import assert from "node:assert/strict";
import { CALLS, packageVersion, startBrowser, startPages } from "../harness/browser.mjs";
import { call, mintToken } from "../harness/http.mjs";
import { bearer, INVITES } from "../harness/prover.mjs";
import { Page, person } from "../harness/vendor_page.mjs";
import { startServer } from "../harness/server.mjs";
import { startStun } from "../harness/stun.mjs";
import { run, test } from "../harness/suite.mjs";

let server, stun, browser, pages;

const site = () => ({ browser, pages });
const pageOf = (token, options) => Page.of(site(), token, options);

const dialled = (page, to) => page.run((name) => window.client.dial(name, { audio: true, video: false })
    .then(() => "created", (error) => error.constructor.name), to);

async function pair()
{
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")], [caller, callee] = [await pageOf(ada.token), await pageOf(bob.token)];
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

test("digits of a call: the package's sendDigits() is answered, and the call goes on", async () => {
    const { bob, caller, callee } = await pair();
    await caller.dial(bob.to);
    await callee.rings();
    await callee.answer();
    await Promise.all([caller.was("connected"), callee.was("connected")]);
    assert.equal(await caller.run(() => window.call.sendDigits("12#").then(() => "answered", String)), "answered");
    const id = await caller.run(() => window.call.id);
    const [told] = caller.seen.sent.map(({ params }) => params?.message).filter((message) => message?.method === "verto.info");
    assert.deepEqual(told.params, { sessid: id, dialogParams: { callID: id }, dtmf: "12#" }); // as our package says it
    assert.equal(await caller.run(() => window.call.status), "connected");
    await caller.run(() => window.call.hangup());
    await callee.was("destroyed");
    await endAll(caller, callee);
});

test("SW-50 two pages of one user ring, and the other stops when one answers", async () => {
    const { bob, caller, callee } = await pair(), second = await pageOf(bob.token);
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
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")], inviter = await pageOf(ada.token);
    await inviter.registered();
    const { token } = (await bearer(server, INVITES, ada.token, { address_id: ada.address.id })).json, invitee = await pageOf(token);
    assert.equal(await dialled(invitee, bob.to), "CallCreateError");
    await invitee.dial(ada.to);
    assert.equal((await inviter.rings()).to, ada.name);
    await inviter.answer();
    await Promise.all([inviter.was("connected"), invitee.was("connected")]);
    await inviter.run(() => window.call.hangup());
    await invitee.was("destroyed");
    await inviter.end();
    await invitee.end();
});

test("an address that is nowhere is refused at once, and the page can dial on", async () => {
    const { bob, caller, callee } = await pair();
    for (const to of ["/private/nobody?channel=audio", "/public/nothing", "nobody"]) {
        assert.equal(await dialled(caller, to), "CallCreateError", to);
        assert.equal(caller.seen.received.find((m) => m.error)?.error.code, -32004, "refused, no timeout");
    }
    await caller.dial(bob.to);
    await callee.rings();
    await callee.run(() => window.call.reject());
    await caller.was("destroyed");
    await Promise.all([caller.end(), callee.end()]);
});

test("SW-10 a guest's page reaches who is on its list, and nobody else", async () => {
    const [ada, bob] = [await person(server, "ada"), await person(server, "bob")];
    const [listed, other] = [await pageOf(ada.token), await pageOf(bob.token)];
    await Promise.all([listed.registered(), other.registered()]);
    const answer = await call(server, "POST", "/api/fabric/guests/tokens", { body: { allowed_addresses: [ada.address.id] },
        headers: { authorization: server.basic } });
    const guest = await pageOf(answer.json.token);
    assert.equal(await dialled(guest, bob.to), "CallCreateError");
    assert.equal(await dialled(guest, server.contract.c2c_address), "CallCreateError");
    assert.deepEqual(guest.seen.received.filter((m) => m.error).map((m) => m.error.code), [-32004, -32004]);
    assert.ok(!await other.run(() => window.incoming?.length), "nothing rang there");
    await guest.dial(ada.to);
    assert.equal((await listed.rings()).to, ada.name);
    await listed.answer();
    await Promise.all([guest.was("connected"), listed.was("connected")]);
    await Promise.all([guest.received(["audio"]), listed.received(["audio"])]);
    await listed.run(() => window.call.hangup());
    await guest.was("destroyed");
    await Promise.all([guest, listed, other].map((page) => page.end()));
});

test("SW-19 embeddableCall() exchanges, connects and dials by itself", async () => {
    const desk = await pageOf((await mintToken(server, { reference: "front-desk@example.com" })).token), page = await browser.newPage();
    await desk.registered();
    await page.goto(pages.origin);
    await page.waitForFunction(() => window.sdk);
    const placed = page.evaluate(async ([to, embedToken, host]) => {
        const one = await window.sdk.embeddableCall({ to, embedToken, host });
        window.statuses = [];
        one.status$.subscribe((status) => window.statuses.push(status));
    }, [server.contract.c2c_address, server.contract.c2c_token, new URL(server.contract.tls_url).host]);
    assert.equal((await desk.rings()).to, server.contract.c2c_address);
    await desk.answer();
    await placed;
    await page.waitForFunction(() => window.statuses.includes("connected"));
    await desk.run(() => window.call.hangup());
    await page.waitForFunction(() => window.statuses.includes("destroyed"));
    await desk.end();
    await page.close();
});

test("SW-20 one client of an EmbedTokenCredentialProvider dials twice, and tells of itself meanwhile", async () => {
    const desk = await pageOf((await mintToken(server, { reference: "front-desk@example.com" })).token), page = await browser.newPage();
    await desk.registered();
    await page.goto(pages.origin);
    await page.waitForFunction(() => window.sdk);
    await page.evaluate(([host, c2c]) => {
        window.ready = [];
        window.client = new window.sdk.SignalWire(new window.sdk.EmbedTokenCredentialProvider(host, c2c));
        window.client.ready$.subscribe((value) => window.ready.push(value));
        window.client.user$.subscribe((user) => { window.user = user; });
    }, [new URL(server.contract.tls_url).host, server.contract.c2c_token]);
    await page.waitForFunction(() => window.ready.at(-1) === true && window.user);
    for (let call = 0; call < 2; call++) {
        const placed = page.evaluate(async (to) => {
            window.statuses = [];
            (await window.client.dial(to, { audio: true, video: false })).status$.subscribe((status) => window.statuses.push(status));
        }, server.contract.c2c_address);
        await desk.rings();
        await desk.answer();
        await placed;
        await page.waitForFunction(() => window.statuses.includes("connected"));
        await desk.run(() => window.call.hangup());
        await page.waitForFunction(() => window.statuses.includes("destroyed"));
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
