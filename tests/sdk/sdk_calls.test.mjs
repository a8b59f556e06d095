// sdk_calls.test.mjs — calls of our own browser package between pages in Chromium, on this machine alone: media flows both ways; a button
// in a public page, a guest, an invitee; refusals and farewells.
import assert from "node:assert/strict";
import { CALLS, startBrowser } from "../harness/browser.mjs";
import { info, mintToken } from "../harness/http.mjs";
import { basic } from "../harness/server.mjs";
import { buildSdk, startSdkPages } from "../harness/sdk_pages.mjs";
import { Visit } from "../harness/sdk_visit.mjs";
import { startServer } from "../harness/server.mjs";
import { startStun } from "../harness/stun.mjs";
import { run, test } from "../harness/suite.mjs";

let server, stun, browser, pages, people = 0;

async function start()
{
    buildSdk();
    stun = await startStun();
    server = await startServer({ env: { COATCHECK_OFFER_CANDIDATES: "none", COATCHECK_ICE_SERVERS: JSON.stringify([{ urls: [stun.url] }]) } });
    browser = await startBrowser([], CALLS);
    pages = await startSdkPages([server.url]);
}

async function stop()
{
    await browser?.stop();
    await pages?.stop();
    await stun?.stop();
    await server?.stop();
}

// ---- pages that call ----

function prepare() // in the page
{
    window.peers = [];
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(...of)
        {
            super(...of);
            window.peers.push(this);
        }
    };
    window.follow = (call) => {
        window.call = call;
        window.statuses = [];
        call.status$.subscribe((status) => window.statuses.push(status));
    };
}

async function received(kinds) // in the page: packets that came in, by kind, once some of each have
{
    for (;;) {
        const counts = {};
        for (const peer of window.peers)
            for (const one of (await peer.getStats()).values()) if (one.type === "inbound-rtp") counts[one.kind] = one.packetsReceived;
        if (kinds.every((kind) => counts[kind] > 5)) return counts;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

async function page(what)
{
    const one = await Visit.begin(browser, pages.origin, what);
    await one.run(prepare);
    return one;
}

async function person(label)
{
    const { token } = await mintToken(server, { reference: `${label}-${++people}@example.com` });
    const [address] = (await info(server, token)).json.fabric_addresses;
    const one = await page({ credential: { token } });
    await one.registered();
    return Object.assign(one, { token, to: address.channels.audio, address });
}

const dial = (one, to, options) => one.run(async ([name, how]) => window.follow(await window.client.dial(name, how)), [to, options ?? {}]);
const was = (one, status) => one.until((wanted) => window.statuses?.includes(wanted), status);
const refusal = (one, to) => one.run((name) => window.client.dial(name).then(() => "called", (error) => [error.name, error.code, error.direction, error.cause?.code, /^[\w-]{16}$/.test(error.errorId)]), to);

async function rings(one)
{
    await one.until(() => window.client.session.incomingCalls.length === 1);
    return one.run(() => {
        const [call] = window.client.session.incomingCalls;
        window.follow(call);
        return { from: call.from, to: call.to, direction: call.direction, status: call.status };
    });
}

async function endAll(...all)
{
    for (const one of all) {
        assert.deepEqual(await one.log(), []);
        assert.equal(await one.run(() => window.client.session.calls.length), 0);
        await one.end();
    }
}

for (const [what, media, kinds] of [["audio", { audio: true }, ["audio"]], ["audio and video", { audio: true, video: true }, ["audio", "video"]]])
    test(`SW-8 two pages talk, ${what}: rings, answered, media both ways, hung up`, async () => {
        const ada = await person("ada"), bob = await person("bob");
        await dial(ada, bob.to, media);
        const { from, direction, status } = await rings(bob);
        assert.deepEqual([direction, status], ["inbound", "ringing"]);
        assert.match(from, /ada/);
        await bob.run((how) => window.call.answer(how), media);
        for (const one of [ada, bob]) await was(one, "connected");
        for (const one of [ada, bob]) await one.run(received, kinds);
        assert.equal(await ada.run(() => window.call.remoteStream.getTracks().length), kinds.length);
        await ada.run(() => window.call.hangup());
        for (const one of [ada, bob]) await was(one, "destroyed");
        assert.deepEqual(await ada.run(() => window.statuses), ["trying", "connecting", "connected", "disconnecting", "disconnected", "destroyed"]);
        assert.deepEqual(await bob.run(() => window.statuses), ["ringing", "connecting", "connected", "disconnected", "destroyed"]);
        assert.equal(await ada.run(() => window.call.localStream.getTracks().every(({ readyState }) => readyState === "ended")), true, "the microphone is off");
        await endAll(ada, bob);
    });

// In the page: resolves once a tone is heard among what comes in: one frequency of its row and one of its column stand out together.
async function hears([low, high])
{
    const audio = new Audio(), context = new AudioContext(), ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    audio.srcObject = window.call.remoteStream;
    audio.muted = true; // a stream from afar sounds nowhere, also not here, unless an element plays it
    await Promise.all([audio.play(), context.resume()]);
    context.createMediaStreamSource(window.call.remoteStream).connect(ear);
    const levels = new Float32Array(ear.frequencyBinCount), at = (hertz) => Math.round(hertz / (context.sampleRate / ear.fftSize));
    const loudest = (hertz) => Math.max(...levels.slice(at(hertz) - 1, at(hertz) + 2));
    for (;;) {
        ear.getFloatFrequencyData(levels);
        const others = [697, 770, 852, 941, 1209, 1336, 1477, 1633].filter((one) => one !== low && one !== high).map(loudest);
        if (Math.min(loudest(low), loudest(high)) > Math.max(-60, ...others) + 12) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

test("digits of a call are heard on the other side, in both directions, and told to the server by the vendor's name", async () => {
    const ada = await person("ada"), bob = await person("bob");
    await dial(ada, bob.to);
    await rings(bob);
    const early = await ada.run(() => window.call.sendDigits("1").catch(({ name, code, message }) => [name, code, message]));
    assert.deepEqual(early, ["CoatcheckError", "not_connected", "digits can be sent while a call is connected; this one is trying"]);
    await bob.run(() => window.call.answer());
    for (const one of [ada, bob]) await was(one, "connected");
    for (const one of [ada, bob]) await one.run(received, ["audio"]);
    assert.equal(await ada.run(() => window.call.sendDigits("12x").catch(({ code }) => code)), "option_invalid");
    assert.equal(ada.sent("webrtc.verto").filter(({ params }) => params.message.method === "verto.info").length, 0, "none of these was sent");
    for (const [one, other] of [[ada, bob], [bob, ada]]) {
        const heard = other.run(hears, [941, 1477]);
        await one.run(() => { // until it was heard: the fake microphone beeps into some
            window.again = true;
            (async () => { while (window.again) { await window.call.sendDigits("##"); await new Promise((resolve) => setTimeout(resolve, 400)); } })().catch(() => {});
        });
        await heard;
        await one.run(() => { window.again = false; });
        const { params } = one.sent("webrtc.verto").find(({ params: { message } }) => message.method === "verto.info").params.message;
        const { id } = await one.run(() => ({ id: window.call.id }));
        assert.deepEqual(params, { sessid: id, dialogParams: { callID: id }, dtmf: "##" });
    }
    await ada.run(() => window.call.hangup());
    await was(bob, "destroyed");
    assert.equal(await ada.run(() => window.call.sendDigits("1").catch(({ code }) => code)), "not_connected");
    await endAll(ada, bob);
});

test("not to be disturbed: nothing rings, the caller hears what one hears who calls nobody, and one can still call", async () => {
    const ada = await person("ada"), bob = await person("bob"), quiet = (is) => bob.run((doNotDisturb) => window.client.register({ doNotDisturb }), is);
    const isUnheard = async () => {
        await dial(ada, bob.to);
        await was(ada, "destroyed");
        assert.equal(await ada.run(() => window.call.cause), "USER_NOT_REGISTERED");
        assert.equal(await bob.run(() => window.client.session.calls.length), 0);
    };
    await quiet(true);
    assert.equal(await bob.run(() => window.client.isRegistered), true);
    await isUnheard();
    await bob.until(() => sessionStorage.getItem("coatcheck:session")?.includes('"state":"'));
    await bob.run(() => window.webSockets[0].close());
    await bob.until(() => window.webSockets.length === 2 && window.client.ready);
    await isUnheard(); // a session that came back is as it was
    await dial(bob, ada.to);
    await rings(ada);
    await bob.run(() => window.call.hangup());
    await was(ada, "destroyed");
    await quiet(false);
    await dial(ada, bob.to);
    await rings(bob);
    await ada.run(() => window.call.hangup());
    await was(bob, "destroyed");
    await endAll(ada, bob);
});

test("media that fails is no hanging up, on either side", async () => {
    const ada = await person("ada"), bob = await person("bob");
    await dial(ada, bob.to);
    await rings(bob);
    await bob.run(() => window.call.answer());
    for (const one of [ada, bob]) await was(one, "connected");
    await ada.run(() => {
        const peer = window.peers.at(-1);
        Object.defineProperty(peer, "connectionState", { value: "failed" });
        peer.dispatchEvent(new Event("connectionstatechange"));
    });
    for (const one of [ada, bob]) await was(one, "destroyed");
    for (const one of [ada, bob]) assert.equal(await one.run(() => window.call.cause), "MEDIA_TIMEOUT");
    await endAll(ada, bob);
});

test("a rejected call, a cancelled call, nobody there, an unknown destination", async () => {
    const ada = await person("ada"), bob = await person("bob");
    await dial(ada, bob.to);
    await rings(bob);
    await bob.run(() => window.call.reject());
    await was(ada, "destroyed");
    assert.equal(await ada.run(() => window.call.cause), "USER_BUSY");
    await dial(ada, bob.to);
    await rings(bob);
    await ada.run(() => window.call.hangup());
    await was(bob, "destroyed");
    assert.equal(await bob.run(() => window.call.cause), "ORIGINATOR_CANCEL");
    await bob.run(() => window.client.unregister());
    await dial(ada, bob.to);
    await was(ada, "destroyed");
    assert.equal(await ada.run(() => window.call.cause), "USER_NOT_REGISTERED");
    assert.deepEqual(await refusal(ada, "/private/nobody"), ["CallCreateError", "call_failed", "outbound", "unknown_destination", true]);
    assert.deepEqual((await refusal(ada, ""))[1], "option_invalid");
    const aborted = await ada.run((to) => window.client.dial(to, { signal: AbortSignal.abort() }).catch(({ code }) => code), bob.to);
    assert.equal(aborted, "aborted");
    await endAll(ada, bob);
});

test("SW-20 SW-15 SW-14 a button with the c2c token in the page: one client, more than one call, one destination; no other credential is in the page", async () => {
    const { url, c2c_token, c2c_address } = server.contract;
    const { token } = await mintToken(server, { reference: "front-desk@example.com" });
    const desk = await page({ credential: { token } });
    await desk.registered();
    const visitor = await page({ embed: [url, c2c_token] });
    await visitor.ready();
    assert.ok(await visitor.run(() => window.client.user.id), "SW-1: who it is, is told");
    for (let i = 0; i < 2; i++) {
        await dial(visitor, c2c_address);
        await rings(desk);
        await desk.run(() => window.call.answer());
        await was(visitor, "connected");
        await visitor.run(() => window.call.hangup());
        await was(desk, "destroyed");
    }
    const bob = await person("bob");
    assert.deepEqual((await refusal(visitor, bob.to)).at(3), "unknown_destination");
    assert.equal(await visitor.run(() => window.client.register().then(() => "done")), "done", "SW-55: without effect");
    await endAll(desk, visitor, bob);
});

test("SW-19 embeddableCall() alone exchanges, connects and dials, and resolves with the call; its client ends with it", async () => {
    const { url, c2c_token, c2c_address } = server.contract;
    const { token } = await mintToken(server, { reference: "front-desk@example.com" });
    const desk = await page({ credential: { token } });
    await desk.registered();
    const visitor = await page({ options: { skipConnection: true } });
    await visitor.run(async (options) => window.follow(await window.sdk.embeddableCall(options)), { to: c2c_address, embedToken: c2c_token, host: url });
    await rings(desk);
    await desk.run(() => window.call.answer());
    await was(visitor, "connected");
    await desk.run(() => window.call.hangup());
    await was(visitor, "destroyed");
    await visitor.until(() => window.webSockets.every(({ readyState }) => readyState >= 2));
    const missing = await visitor.run(() => window.sdk.embeddableCall({ to: "/public/front-desk" }).catch(({ name, message }) => [name, message]));
    assert.deepEqual(missing, ["DependencyError", "embeddableCall() needs embedToken and host"]);
    await endAll(desk, visitor);
});

test("SW-9 SW-27 a guest calls only whom the token lists; an invitee only who invited, and hears no call", async () => {
    const ada = await person("ada"), bob = await person("bob");
    const post = (where, headers, body) => fetch(server.url + where, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) }).then((answer) => answer.json());
    const { project_id, api_token } = server.contract;
    const guest = await post("/api/fabric/guests/tokens", { authorization: basic(project_id, api_token) }, { allowed_addresses: [bob.address.id] });
    const invite = await post("/api/fabric/subscriber/invites", { authorization: `Bearer ${bob.token}` }, { address_id: bob.address.id });
    for (const { token } of [guest, invite]) {
        const one = await page({ credential: { token } });
        await one.ready();
        assert.equal(await one.run(() => window.client.register().then(() => "done")), "done");
        await dial(one, bob.to);
        await rings(bob);
        await bob.run(() => window.call.reject());
        await was(one, "destroyed");
        assert.equal((await refusal(one, ada.to)).at(3), "unknown_destination");
        await endAll(one);
    }
    await endAll(ada, bob);
});

test("a call lives on when its socket is lost, and can be hung up afterwards", async () => {
    const ada = await person("ada"), bob = await person("bob");
    await dial(ada, bob.to);
    await rings(bob);
    await bob.run(() => window.call.answer());
    await was(ada, "connected");
    await ada.until(() => sessionStorage.getItem("coatcheck:session")?.includes('"state":"'));
    await ada.run(() => window.webSockets[0].close());
    await ada.until(() => window.webSockets.length === 2 && window.client.ready);
    assert.equal(await ada.run(() => window.call.status), "connected");
    await ada.run(() => window.call.hangup());
    await was(bob, "destroyed");
    await endAll(ada, bob);
});

await run({ before: start, after: stop });
