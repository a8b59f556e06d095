// sdk_session.test.mjs — our own browser package in Chromium against a running server: signing in, being refused, staying, ending.
// Rows of the acceptance list stand in the names (SW-n).
import assert from "node:assert/strict";
import { startBrowser } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { mintToken, nowS } from "../harness/http.mjs";
import { buildSdk, startSdkPages } from "../harness/sdk_pages.mjs";
import { Visit } from "../harness/sdk_visit.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

let server, foreign, browser, pages, people = 0;

async function start()
{
    buildSdk();
    server = await startServer({ env: { COATCHECK_PING_INTERVAL_S: "1" } });
    foreign = await startServer();
    browser = await startBrowser([]);
    pages = await startSdkPages([server.url, foreign.url], { routes: { "/sat": mintRoute } });
}

async function stop()
{
    await browser?.stop();
    await pages?.stop();
    await foreign?.stop();
    await server?.stop();
}

const tokenOf = async (at = server, more = {}) => (await mintToken(at, { reference: `person-${++people}@example.com`, ...more })).token;
const visit = (what, more) => Visit.begin(browser, pages.origin, what, more);

async function mintRoute(request, answer)
{
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token: await tokenOf() }));
}

test("SW-3 SW-22 a page asks its own backend for a token; with it, under a strict policy, a session opens and registers", async () => {
    const one = await visit({ routes: { token: "/sat" } });
    await one.registered();
    assert.deepEqual([await one.log(), one.console], [[], []]);
    assert.match(await one.run(() => window.client.user.email), /^person-\d+@example\.com$/);
    assert.equal(one.asked("/subscribers/tokens").length, 0, "SW-23: a token is asked of nobody but the backend");
    assert.deepEqual(await one.run(() => window.asked), ["/sat"]);
    await one.end();
});

test("SW-48 authenticate, socket, register, in this order", async () => {
    const one = await visit({ routes: { token: "/sat" } });
    await one.registered();
    assert.deepEqual(one.sockets[0].sent.filter(({ method }) => method).map(({ method }) => method), ["signalwire.connect", "subscriber.online"]);
    assert.ok(one.requests.findIndex((request) => request.url().endsWith("/sat")) < one.requests.findIndex((request) => request.url().endsWith("/info")));
    await one.end();
});

test("SW-49 SW-51 with skipConnection nothing is asked of anybody before connect(), with skipRegister nobody is online before register()", async () => {
    const one = await visit({ routes: { token: "/sat" }, options: { skipConnection: true, skipRegister: true } });
    await one.run(() => new Promise((resolve) => { setTimeout(resolve, 300); }));
    assert.deepEqual([await one.run(() => window.asked), one.sockets.length], [[], 0]);
    await one.run(() => window.client.connect());
    assert.deepEqual(await one.run(() => [window.client.ready, window.client.isRegistered]), [true, false]);
    await one.run(() => window.client.register());
    assert.equal(await one.run(() => window.client.isRegistered), true);
    await one.run(() => window.client.unregister());
    assert.deepEqual(await one.run(() => [window.client.ready, window.client.isRegistered]), [true, false], "SW-52: the socket stays");
    await one.run(() => window.client.register());
    assert.equal(await one.run(() => window.client.isRegistered), true, "and back");
    await one.end();
});

for (const [what, make] of [
    ["an expired", () => tokenOf(server).then(async (token) => { await advance(server, "3h"); return token; })],
    ["a malformed", async () => "not.a.token"],
    ["a cut", () => tokenOf().then((token) => token.slice(0, -8))],
    ["another server's", () => tokenOf(foreign)],
])
    test(`SW-60 ${what} token is an InvalidCredentialsError, and a fresh one then succeeds`, async () => {
        const one = await visit({ credential: { token: await make() }, options: { url: server.url } });
        await one.refused();
        const [[name, code, message]] = await one.log();
        assert.equal(name, "InvalidCredentialsError");
        assert.match(code, /^credential_(refused|invalid)$/);
        assert.ok(message.length > 20, message);
        assert.equal(await one.run(() => window.client.connect().catch(({ name: thrown }) => thrown)), "InvalidCredentialsError");
        await one.end();
        const two = await visit({ credential: { token: await tokenOf() } });
        await two.ready();
        await two.end();
    });

test("SW-28 a static token ends its session when it ends, and nobody asks for another", async () => {
    const token = await tokenOf();
    const one = await visit({ credential: { token, expiry_at: (nowS() + 7200) * 1000 } });
    await one.ready();
    assert.deepEqual(await one.run(() => window.warnings.map(({ code }) => code)), ["credential_no_refresh_handler"]);
    await advance(server, "3h");
    await one.refused();
    assert.deepEqual((await one.log())[0].slice(0, 2), ["InvalidCredentialsError", "credential_expired"]);
    assert.equal(await one.run(() => window.client.ready), false);
    await one.end();
});

test("SW-53 disconnect() closes the socket and ends the session; connect() opens another", async () => {
    const one = await visit({ routes: { token: "/sat" } });
    await one.registered();
    await one.run(() => window.client.disconnect());
    await one.until(() => !window.client.isConnected);
    await one.run(() => window.client.connect());
    const [first, second] = one.sent("signalwire.connect");
    assert.equal(first.params.authorization_state, undefined);
    assert.equal(second.params.authorization_state, undefined, "a session that was ended is not resumed");
    await one.end();
});

test("a lost socket comes back to the same session, registered still, without another token", async () => {
    const one = await visit({ routes: { token: "/sat" } });
    await one.registered();
    await one.until(() => sessionStorage.getItem("coatcheck:session")?.includes('"state":"'));
    await one.run(() => window.webSockets[0].close());
    await one.until(() => window.webSockets.length === 2 && window.client.isRegistered);
    assert.deepEqual(await one.run(() => window.states), [false, true, false, true]);
    assert.deepEqual([await one.run(() => window.asked.length), await one.log()], [1, []]);
    assert.equal(one.sent("subscriber.online").length, 1, "the server kept the registration");
    assert.ok(one.sent("signalwire.connect")[1].params.authorization_state);
    await one.end();
});

test("what is in the browser after signing in: a session of this tab, a key that cannot be read, no cookie; SW-54 after destroy() nothing", async () => {
    const one = await visit({ routes: { token: "/sat" } });
    await one.registered();
    const { local, session, cookie, databases } = await one.storage();
    assert.deepEqual([local, cookie, Object.keys(session)], [{}, "", ["coatcheck:session"]]);
    assert.deepEqual(Object.keys(JSON.parse(session["coatcheck:session"])).sort(), ["resume", "token"]);
    assert.deepEqual(databases, [{ name: "coatcheck", entries: [{ isExtractable: false, members: ["privateKey", "publicKey"] }] }]);
    await one.run(() => window.client.destroy());
    const after = await one.storage();
    assert.deepEqual([after.local, after.session, after.cookie, after.databases[0].entries], [{}, {}, "", []]);
    assert.equal(await one.run(() => window.client.connect().catch(({ code }) => code)), "destroyed");
    await one.load(pages.origin, {});
    await one.refused();
    assert.deepEqual((await one.log())[0].slice(0, 2), ["InvalidCredentialsError", "credential_invalid"], "a page loaded again cannot come back");
    await one.end();
});

test("a page that is loaded again comes back to its session without a provider, with persistSession in another tab as well", async () => {
    const one = await visit({ routes: { token: "/sat" }, options: { persistSession: true } });
    await one.registered();
    await one.until(() => localStorage.getItem("coatcheck:session")?.includes('"state":"'));
    await one.load(pages.origin, { options: { persistSession: true } });
    await one.ready();
    const [first, second] = one.sent("signalwire.connect");
    assert.ok(second.params.authorization_state, "it presents its state");
    const protocols = one.sockets.map(({ received }) => received.find(({ result }) => result?.protocol).result.protocol);
    assert.equal(protocols[1], protocols[0], "the same session");
    assert.equal(first.params.authorization_state, undefined);
    await one.run(() => window.client.destroy());
    await one.end();
});

await run({ before: start, after: stop });
