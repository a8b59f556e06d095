// limited_sdk.test.mjs — the vendor's own browser package, unmodified, with limited and client-bound tokens: a guest, an
// invitee and a visitor of an embed connect and register without effect; a page binds its token to its key and renews it.
import assert from "node:assert/strict";
import { packageVersion, startBrowser, startPages } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { call, info, mintToken, nowS, readToken } from "../harness/http.mjs";
import { ACTIVATE, INVITES, RENEW } from "../harness/prover.mjs";
import { startServer } from "../harness/server.mjs";
import { eventually as happens, run, test } from "../harness/suite.mjs";

let server, browser, pages, elsewhere;

async function made(path, body, authorization)
{
    const answer = await call(server, "POST", path, { body, headers: authorization ? { authorization } : {} });
    assert.equal(answer.status, 201, answer.text);
    return answer.json.token;
}

// A page with a client in it. Its provider waits for a token that window.give(token) brings, so that a test can mint by the
// page's own fingerprint, as a customer's backend would.
async function visit(options = {}, site = pages)
{
    const page = await browser.newPage();
    const seen = { requests: [], answers: [], sent: [], received: [] };
    page.on("request", (request) => { if (!request.url().startsWith(site.origin)) seen.requests.push(request); });
    page.on("response", (answer) => { if (!answer.url().startsWith(site.origin)) seen.answers.push(answer); });
    page.on("websocket", (ws) => {
        ws.on("framesent", ({ payload }) => seen.sent.push(JSON.parse(payload)));
        ws.on("framereceived", ({ payload }) => seen.received.push(JSON.parse(payload)));
    });
    await page.addInitScript(keepSockets);
    await page.goto(site.origin);
    await page.waitForFunction(() => window.sdk);
    await page.evaluate(begin, options);
    return { page, seen, end: () => page.close() };
}

function keepSockets() // in the page
{
    window.sockets = [];
    window.WebSocket = class extends window.WebSocket {
        constructor(...args) { super(...args); window.sockets.push(this); }
    };
}

function begin(options) // in the page
{
    window.errors = [];
    const token = new Promise((resolve) => { window.give = (value) => resolve({ token: value }); });
    window.refreshed = 0;
    const provider = {
        authenticate(context) { window.fingerprint = context?.fingerprint; return token; },
        async refresh() { window.refreshed++; throw new Error("the page's own way is not to be gone"); },
    };
    window.client = new window.sdk.SignalWire(provider, options);
    window.client.errors$.subscribe((error) => window.errors.push(`${error.constructor.name}: ${error.message} ${error.cause?.message ?? ""}`));
    window.client.ready$.subscribe((value) => { window.isReady = value; });
}

async function until(page, condition)
{
    await page.waitForFunction(condition).catch(async (error) => {
        throw new Error(`${error.message}: ${JSON.stringify(await page.evaluate(() => window.errors))}`);
    });
}

async function given(token)
{
    const { page, seen, end } = await visit({ skipRegister: true });
    await page.evaluate((value) => window.give(value), token);
    await until(page, () => window.isReady === true);
    return { page, seen, end };
}

for (const kind of ["guest", "invite", "embed"])
    test(`SW-55 ${kind}: the package connects, and register() is without effect`, async () => {
        const ada = (await mintToken(server, { reference: "ada@example.com" })).token;
        const address_id = (await info(server, ada)).json.fabric_addresses[0].id;
        const token = {
            guest: () => made("/api/fabric/guests/tokens", { allowed_addresses: [address_id] }, server.basic),
            invite: () => made(INVITES, { address_id }, `Bearer ${ada}`),
            embed: () => made("/api/fabric/embeds/tokens", { token: server.contract.c2c_token }),
        }[kind];
        const { page, seen, end } = await given(await token());
        await page.evaluate(() => window.client.register());
        assert.ok(seen.sent.some((message) => message.method === "subscriber.online"));
        const user = await page.evaluate(() => ({ id: window.client.user.id, name: window.client.user.displayName }));
        const { result } = seen.received.find((message) => message.result?.authorization);
        assert.deepEqual(user, { id: result.authorization.fabric_subscriber.subscriber_id, name: "Guest" });
        assert.deepEqual(await page.evaluate(() => window.errors), []);
        assert.ok(!seen.requests.some((request) => request.url().includes("/devices/")), "nothing is bound");
        await end();
    });

test("SW-21 the package exchanges a raw c2c_ token by itself", async () => {
    const { page, seen, end } = await visit({ skipRegister: true, skipConnection: true });
    const host = new URL(server.contract.tls_url).host;
    const credential = await page.evaluate(({ c2c, at }) => new window.sdk.EmbedTokenCredentialProvider(at, c2c).authenticate(),
        { c2c: server.contract.c2c_token, at: host });
    assert.equal(readToken(credential.token).claims.kind, "embed");
    assert.ok(credential.expiry_at > Date.now());
    assert.ok(seen.requests.some((request) => request.url() === `https://${host}/api/fabric/embeds/tokens`));
    await end();
});

// The token is minted so that its family has a day, and the day is let pass but for half a minute: what the page then gets
// lives no longer, and the package renews at 30 s before the end, so at once and every second.
test("SW-39 SW-40 SW-44 SW-46 the package binds its token to its key, and renews it by itself", async () => {
    const { page, seen, end } = await visit({ skipRegister: true });
    await until(page, () => window.fingerprint);
    const fingerprint = await page.evaluate(() => window.fingerprint);
    const { token } = await mintToken(server, { reference: "bob@example.com", fingerprint, scope: "sat:refresh", expire_at: nowS() + 86400 });
    await advance(server, "86365s");
    const minted = seen.requests.length;
    await page.evaluate((value) => window.give(value), token);
    const answerTo = async (path, count = 1) => {
        const fits = () => seen.answers.filter((answer) => new URL(answer.url()).pathname === path && answer.request().method() === "POST");
        return happens(() => fits()[count - 1], path).catch(async (error) => {
            throw new Error(`${error.message}: ${JSON.stringify(await page.evaluate(() => window.errors))}`);
        });
    };
    const activated = await answerTo(ACTIVATE);
    assert.equal(activated.status(), 201);
    const bound = (await activated.json()).token;
    assert.equal(readToken(bound).claims.cnf.jkt, fingerprint);
    const renewed = await answerTo(RENEW);
    assert.equal(renewed.status(), 201, JSON.stringify(await page.evaluate(() => window.errors)));
    assert.equal(readToken((await renewed.json()).token).claims.cnf.jkt, fingerprint);
    const proof = JSON.parse(Buffer.from(JSON.parse(renewed.request().postData()).dpop_token.split(".")[1], "base64url"));
    assert.ok(proof.ath && proof.htu === RENEW);
    assert.equal(readToken(token).claims.sub, readToken(bound).claims.sub);
    const again = await answerTo(RENEW, 2);
    const tokens = [bound, (await renewed.json()).token, (await again.json()).token];
    for (const [i, jwt_token] of tokens.entries()) {
        const sent = await happens(() => seen.sent.filter((m) => m.method === "signalwire.reauthenticate")[i], `renewal ${i}`);
        assert.equal(sent.params.authentication.jwt_token, jwt_token);
        assert.equal(JSON.parse(Buffer.from(sent.params.dpop_token.split(".")[1], "base64url")).mth, "signalwire.reauthenticate");
        const reply = await happens(() => seen.received.find((m) => m.id === sent.id), `the answer to renewal ${i}`);
        assert.ok(reply.result, JSON.stringify(reply));
    }
    const connects = () => seen.sent.filter((m) => m.method === "signalwire.connect");
    const answered = ({ id }) => happens(() => seen.received.find((m) => m.id === id), "the answer to a connect");
    assert.equal(connects().length, 1, "one session all the time");
    await page.evaluate(() => window.sockets.at(-1).close());
    const back = await happens(() => connects()[1], "a reconnect");
    assert.ok(back.params.authorization_state && back.params.dpop_token, "with the state and a proof by the key");
    assert.equal((await answered(back)).result?.protocol, (await answered(connects()[0])).result.protocol);
    assert.ok(seen.requests.slice(minted).every((request) => !request.url().includes("/subscribers/tokens")), "no backend was asked");
    assert.equal(await page.evaluate(() => window.refreshed), 0, "and the provider's refresh() never called");
    assert.deepEqual(await page.evaluate(() => window.errors), []);
    await end();
});

// The thief is another browser as far as keys go: a page of another origin has a database, and so a key, of its own.
test("SW-41 a bound token that was stolen opens nothing elsewhere: no session, no renewal", async () => {
    const owner = await visit({ skipRegister: true });
    await until(owner.page, () => window.fingerprint);
    const fingerprint = await owner.page.evaluate(() => window.fingerprint);
    const { token } = await mintToken(server, { reference: "carol@example.com", fingerprint, scope: "sat:refresh" });
    await owner.page.evaluate((value) => window.give(value), token);
    const renewal = await happens(() => owner.seen.sent.find((m) => m.method === "signalwire.reauthenticate"), "the activated token's use");
    const stolen = renewal.params.authentication.jwt_token;
    assert.equal(readToken(stolen).claims.cnf.jkt, fingerprint);
    for (const loot of [token, stolen]) {
        const thief = await visit({}, elsewhere);
        await until(thief.page, () => window.fingerprint);
        assert.notEqual(await thief.page.evaluate(() => window.fingerprint), fingerprint);
        await thief.page.evaluate((value) => window.give(value), loot);
        await until(thief.page, () => window.errors.some((text) => text.startsWith("JSONRPCError")));
        const connect = thief.seen.sent.find((m) => m.method === "signalwire.connect");
        assert.ok(connect.params.dpop_token, "with a proof by the thief's own key");
        assert.equal(thief.seen.received.find((m) => m.id === connect.id).error.code, -32002);
        assert.equal(await thief.page.evaluate(() => window.isReady), false);
        const status = await thief.page.evaluate(async ([url, bearer, dpop_token]) => (await fetch(url, { method: "POST",
            headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" }, body: JSON.stringify({ dpop_token, expire_in: 900 }) })).status,
        [server.contract.tls_url + RENEW, loot, connect.params.dpop_token]);
        assert.equal(status, 401, "nor another token");
        await thief.end();
    }
    assert.equal(await owner.page.evaluate(() => window.isReady), true, "its owner is left alone");
    assert.equal(owner.seen.sent.filter((m) => m.method === "signalwire.connect").length, 1);
    await owner.end();
});

await run({
    before: async () => {
        server = await startServer({ tls: true });
        browser = await startBrowser([server.contract.ca_file]);
        pages = await startPages();
        elsewhere = await startPages("localhost");
        console.log(`     @signalwire/js ${packageVersion("@signalwire/js")}, Chromium ${browser.version}`);
    },
    after: async () => {
        await browser?.stop();
        await pages?.stop();
        await elsewhere?.stop();
        await server?.stop();
    },
});
