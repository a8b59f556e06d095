// sdk.test.mjs — the vendor's own browser package, unmodified, in a real Chromium, against a real server over real TLS.
//
// What a page may see and when is the wire contract's §2 (start-up), §4 (session), §5 (loss) and §8 (errors). The page
// never learns an API token: tests mint, as a customer's backend would. The transcript of the first case is printed.
import assert from "node:assert/strict";
import { packageVersion, startBrowser, startPages } from "../harness/browser.mjs";
import { advance, coatcheck } from "../harness/clock.mjs";
import { mintToken } from "../harness/http.mjs";
import { startServer } from "../harness/server.mjs";
import { LIMIT_S, run, test } from "../harness/suite.mjs";

const PARK_S = 8;
// Tokens that end in a test live so long, for a page on a busy machine needs some of it to get there; who waits for that waits at once.
const LIFE_S = 40;
let server, foreign, browser, pages, keyless;

async function start()
{
    server = await startServer({ tls: true, env: { COATCHECK_PING_INTERVAL_S: "1", COATCHECK_PARK_S: String(PARK_S) } });
    foreign = await startServer({ tls: true });
    browser = await startBrowser([server.contract.ca_file, foreign.contract.ca_file]);
    pages = await startPages();
    keyless = await startPages(); // an origin without the others' key
    console.log(`     @signalwire/js ${packageVersion("@signalwire/js")}, Chromium ${browser.version}, page ${pages.origin}`);
}

async function stop()
{
    await browser?.stop();
    await pages?.stop();
    await keyless?.stop();
    await foreign?.stop();
    await server?.stop();
}

// ---- a page with a client in it, and everything that passed between it and the servers ----

class Visit {
    static async begin(credential, { options = {}, relayHost = null, copyOf, begin, at = pages } = {})
    {
        const visit = new Visit();
        visit.page = await browser.newPage();
        visit.began = Date.now();
        Object.assign(visit, { origin: at.origin, lines: [], requests: [], sockets: [] });
        visit.watch();
        await visit.page.addInitScript(keepSockets);
        await visit.page.goto(at.origin);
        await visit.page.waitForFunction(() => window.sdk);
        if (begin) await visit.page.evaluate(...begin);
        else if (copyOf) await visit.page.evaluate(beginAgain, copyOf);
        else await visit.page.evaluate(beginClient, { credential, options, relayHost });
        return visit;
    }

    note(text) { this.lines.push(`${((Date.now() - this.began) / 1000).toFixed(2).padStart(6)} s  ${text}`); }

    watch()
    {
        this.page.on("request", (request) => {
            if (request.url().startsWith(this.origin)) return;
            this.requests.push(request);
            this.note(`-> ${request.method()} ${request.url()}`);
        });
        this.page.on("response", (answer) => {
            if (!answer.url().startsWith(this.origin)) this.note(`<- ${answer.status()} ${new URL(answer.url()).pathname}`);
        });
        this.page.on("websocket", (ws) => this.watchSocket(ws));
    }

    watchSocket(ws)
    {
        const socket = { url: ws.url(), at: Date.now(), sent: [], received: [], isClosed: false };
        this.sockets.push(socket);
        this.note(`-> upgrade ${ws.url()}`);
        const keep = (list, arrow) => ({ payload }) => {
            const message = JSON.parse(payload);
            list.push(message);
            this.note(`${arrow} ${summary(message)}`);
        };
        ws.on("framesent", keep(socket.sent, "=>"));
        ws.on("framereceived", keep(socket.received, "<="));
        ws.on("close", () => { socket.isClosed = true; this.note("socket closed"); });
    }

    until(condition, argument, seconds = LIMIT_S)
    {
        return this.page.waitForFunction(condition, argument, { timeout: seconds * 1000 }).catch(async (error) => {
            const state = await this.page.evaluate(() => window.seen);
            throw new Error(`${error.message}\nseen: ${JSON.stringify(state)}\n${this.lines.join("\n")}`);
        });
    }

    registered() { return this.until(() => window.client.isRegistered === true); }
    error(name) { return this.until((wanted) => window.seen.errors.find((e) => e.names.includes(wanted)), name)
        .then((handle) => handle.jsonValue()); }
    seen() { return this.page.evaluate(() => window.seen); }
    sent(method) { return this.sockets.flatMap((s) => s.sent).filter((m) => m.method === method); }
    async end() { await this.page.close(); }
}

function summary(message)
{
    if (message.method === "signalwire.event") return `event ${message.params.event_type}`;
    if (message.method) return `${message.method} ${message.id.slice(0, 8)}`;
    if (message.error) return `error ${message.error.code} ${message.error.message}`;
    return `result ${String(message.id).slice(0, 8)} {${Object.keys(message.result).join(", ")}}`;
}

// ---- these run in the page ----

function keepSockets()
{
    window.liveSockets = [];
    window.WebSocket = class extends window.WebSocket {
        constructor(...args) { super(...args); window.liveSockets.push(this); }
    };
}

function beginClient({ credential, options, relayHost })
{
    const seen = window.seen = { ready: [], connected: [], registered: [], errors: [], authenticateCalls: 0 };
    const names = (error) => (error ? [error.constructor.name, error.name, ...names(error.cause)] : []);
    const provider = {
        async authenticate(context) { seen.authenticateCalls++; seen.fingerprint = context?.fingerprint; return credential; },
    };
    const client = window.client = new window.sdk.SignalWire(provider, options);
    if (relayHost) client.preferences.relayHost = relayHost;
    client.errors$.subscribe((e) => seen.errors.push({ names: names(e), message: e.message, code: e.code ?? e.cause?.code }));
    client.ready$.subscribe((value) => seen.ready.push(value));
    client.isConnected$.subscribe((value) => seen.connected.push(value));
    client.isRegistered$.subscribe((value) => seen.registered.push(value));
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 50));

// ---- tickets ----

const ada = { reference: "ada@example.com", first_name: "Ada", last_name: "Lovelace", display_name: "Ada L.",
    job_title: "Analyst", time_zone: "Europe/London", country: "GB", company_name: "Engines" };

async function freshToken(more = {}) { return (await mintToken(server, { ...ada, ...more })).token; }

async function expiredToken()
{
    const token = await freshToken();
    await advance(server, "2h");
    return token;
}

// ---- the good way ----

test("SW-1 SW-3 SW-48 SW-51 connects and registers with a minted token", async () => {
    const minted = await mintToken(server, ada);
    const visit = await Visit.begin({ token: minted.token });
    await visit.registered();
    const seen = await visit.seen();
    console.log(visit.lines.map((line) => `     ${line}`).join("\n"));
    assert.deepEqual(seen.errors, []);
    assert.equal(seen.ready.at(-1), true);
    assert.equal(seen.connected.at(-1), true);
    assert.match(seen.fingerprint, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(seen.authenticateCalls, 1);
    assert.equal(visit.sockets.length, 1, "one socket is enough");
    assert.equal(visit.sockets[0].url, `wss://${server.contract.ch}/`);
    assert.ok(visit.sockets[0].received.some((m) => m.params?.event_type === "signalwire.authorization.state"));
    const user = await visit.page.evaluate(() => {
        const { id, email, firstName, lastName, displayName, jobTitle, timeZone, country, companyName } = window.client.user;
        return { id, email, firstName, lastName, displayName, jobTitle, timeZone, country, companyName };
    });
    assert.deepEqual(user, { id: minted.subscriber_id, email: ada.reference, firstName: "Ada", lastName: "Lovelace",
        displayName: "Ada L.", jobTitle: "Analyst", timeZone: "Europe/London", country: "GB", companyName: "Engines" });
    await visit.end();
});

test("connect's result is what the package checks, and more", async () => {
    const minted = await mintToken(server, ada);
    const visit = await Visit.begin({ token: minted.token });
    await visit.registered();
    const request = visit.sent("signalwire.connect")[0];
    const { result } = visit.sockets[0].received.find((m) => m.id === request.id);
    assert.equal(typeof result.identity, "string");
    assert.equal(typeof result.protocol, "string");
    assert.equal(result.authorization.project_id, server.contract.project_id);
    assert.equal(typeof result.authorization.jti, "string");
    assert.equal(result.authorization.fabric_subscriber.subscriber_id, minted.subscriber_id);
    assert.ok(Array.isArray(result.ice_servers));
    assert.equal(request.params.authentication.jwt_token, minted.token);
    assert.equal(request.params.dpop_token.split(".").length, 3, "the package sends a proof even for an unbound token");
    await visit.end();
});

test("SW-50 SW-52 unregisters and registers again on the same socket", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    await visit.page.evaluate(() => window.client.unregister());
    await visit.until(() => window.client.isRegistered === false);
    await visit.page.evaluate(() => window.client.register());
    await visit.registered();
    const seen = await visit.seen();
    assert.deepEqual(seen.errors, []);
    assert.deepEqual([visit.sent("subscriber.online").length, visit.sent("subscriber.offline").length], [2, 1]);
    assert.equal(visit.sockets.length, 1);
    await visit.end();
});

test("SW-49 skipRegister connects and stays offline until asked", async () => {
    const visit = await Visit.begin({ token: await freshToken() }, { options: { skipRegister: true } });
    await visit.until(() => window.seen.ready.at(-1) === true);
    assert.equal(visit.sent("subscriber.online").length, 0);
    await visit.page.evaluate(() => window.client.register());
    await visit.registered();
    await visit.end();
});

test("pings are sent and answered, and the session stays", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    const [socket] = visit.sockets;
    const answered = () => socket.received.filter((m) => m.method === "signalwire.ping"
        && socket.sent.some((reply) => reply.id === m.id && reply.result)).length;
    while (answered() < 3) await tick();
    assert.equal(socket.isClosed, false);
    assert.deepEqual((await visit.seen()).errors, []);
    await visit.end();
});

test("a client with the key of the token's fingerprint connects; another browser's key is refused", async () => {
    const first = await Visit.begin({ token: await freshToken() });
    await first.registered();
    const { fingerprint } = await first.seen();
    await first.page.evaluate(() => window.client.disconnect());
    const own = await Visit.begin({ token: await freshToken({ fingerprint }) });
    await own.registered();
    const other = await Visit.begin({ token: await freshToken({ fingerprint: "A".repeat(43) }) });
    assert.equal((await other.error("JSONRPCError")).code, -32002);
    assert.equal(other.sockets.length, 1, "the refused socket is parked, not closed");
    for (const visit of [first, own, other]) await visit.end();
});

// ---- losing the socket, and coming back (wire contract §5) ----

const repliesTo = (visit, method) => visit.sent(method).map(({ id }) =>
    visit.sockets.flatMap((socket) => socket.received).find((message) => message.id === id));

test("a lost socket comes back: the same session, and the client is registered again", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    await visit.page.evaluate(() => { window.seen.ready = []; window.liveSockets.at(-1).close(); });
    await visit.until(() => window.seen.ready.at(-1) === true && window.liveSockets.length > 1);
    await visit.registered();
    assert.equal(visit.sockets.length, 2, "the state is good at once");
    const [first, second] = visit.sent("signalwire.connect").map(({ params }) => params);
    assert.deepEqual([first.protocol, first.authorization_state], [undefined, undefined]);
    assert.ok(second.protocol && second.authorization_state);
    const [before, after] = repliesTo(visit, "signalwire.connect").map(({ result }) => result);
    assert.deepEqual([after.protocol, after.identity], [before.protocol, before.identity]);
    assert.deepEqual((await visit.seen()).errors, []);
    await visit.end();
});

// As a tab does that was loaded again, or opened as a copy: a client that has nothing but what the first has stored.
async function stored(visit) { return visit.page.evaluate(() => Object.entries(sessionStorage)); }

function beginAgain(entries) // in the page
{
    for (const [name, value] of entries) sessionStorage.setItem(name, value);
    const seen = window.seen = { ready: [], errors: [] };
    const client = window.client = new window.sdk.SignalWire();
    client.errors$.subscribe((error) => seen.errors.push(`${error.constructor.name} ${error.message}`));
    client.ready$.subscribe((value) => seen.ready.push(value));
}

test("a page that is loaded again goes on with its session", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    const [{ result: before }] = repliesTo(visit, "signalwire.connect");
    await visit.page.reload();
    await visit.page.waitForFunction(() => window.sdk);
    await visit.page.evaluate(beginAgain, []);
    await visit.until(() => window.seen.ready.at(-1) === true);
    const { result: after } = repliesTo(visit, "signalwire.connect").at(-1);
    assert.ok(visit.sent("signalwire.connect").at(-1).params.authorization_state);
    assert.deepEqual([after.protocol, after.identity], [before.protocol, before.identity]);
    assert.deepEqual((await visit.seen()).errors, []);
    await visit.end();
});

test("a copied tab gets a session of its own, and the first keeps its", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    const [{ result: first }] = repliesTo(visit, "signalwire.connect");
    const copy = await Visit.begin(null, { copyOf: await stored(visit) });
    await copy.until(() => window.seen.ready.at(-1) === true);
    const [refused, granted] = repliesTo(copy, "signalwire.connect");
    assert.equal(copy.sent("signalwire.connect")[0].params.protocol, first.protocol);
    assert.deepEqual([refused.error.code, refused.error.message], [-32003, "Requester validation failed"]);
    assert.notEqual(granted.result.protocol, first.protocol);
    assert.equal(visit.sockets.length, 1);
    assert.equal(visit.sockets[0].isClosed, false);
    await visit.page.evaluate(() => window.client.unregister());
    await visit.until(() => window.client.isRegistered === false);
    for (const each of [visit, copy]) await each.end();
});

test("SW-53 disconnect ends the session, connect begins a new one", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    await visit.page.evaluate(() => window.client.disconnect());
    await visit.until(() => window.liveSockets.every((socket) => socket.readyState === WebSocket.CLOSED));
    assert.deepEqual((await stored(visit)).filter(([name]) => /:(as|pt)$/.test(name)), [], "and forgets it");
    await visit.page.evaluate(() => window.client.connect());
    await visit.until(() => window.liveSockets.length === 2 && window.seen.ready.at(-1) === true);
    await visit.end();
});

function beginStatic(credential) // in the page
{
    const seen = window.seen = { ready: [], errors: [] };
    const client = window.client = new window.sdk.SignalWire(new window.sdk.StaticCredentialProvider(credential));
    client.errors$.subscribe((error) => seen.errors.push(`${error.constructor.name} ${error.message}`));
    client.ready$.subscribe((value) => seen.ready.push(value));
}

test("SW-28 with a StaticCredentialProvider the session runs until its token's end, and then ends", async () => {
    const end_s = Math.ceil(Date.now() / 1000) + LIFE_S;
    const credential = { token: await freshToken({ expire_at: end_s }), expiry_at: end_s * 1000 };
    const visit = await Visit.begin(null, { begin: [beginStatic, credential] });
    await visit.until(() => window.seen.ready.at(-1) === true);
    const live = visit.sockets[0];
    while (!live.isClosed) await tick();
    assert.ok(Date.now() >= end_s * 1000, "not before");
    const connects = () => visit.sent("signalwire.connect").slice(1);
    while (!connects().length) await tick();
    while (!visit.sockets.slice(1).some((socket) => socket.received.some((m) => m.error))) await tick();
    assert.ok(connects().every(({ params }) => params.authentication.jwt_token === credential.token), "it has no other");
    assert.ok(!visit.sockets.slice(1).some((socket) => socket.received.some((m) => m.result)), "which opens nothing any more");
    await visit.end();
}, { beside: true });

async function beginWithRefresh({ first, next, hasKey }) // in the page
{
    if (!hasKey) {
        await new Promise((resolve) => { indexedDB.deleteDatabase("sw-dpop").onsuccess = resolve; });
        crypto.subtle.generateKey = () => Promise.reject(new Error("no keys here"));
    }
    const seen = window.seen = { ready: [], errors: [], refreshed: 0 };
    const provider = { authenticate: async () => first, refresh: async () => { seen.refreshed++; return next; } };
    const client = window.client = new window.sdk.SignalWire(provider);
    client.errors$.subscribe((error) => seen.errors.push(`${error.constructor.name} ${error.message}`));
    client.ready$.subscribe((value) => seen.ready.push(value));
}

test("SW-45 without a key of its own a page keeps its session over the first end by refresh()", async () => {
    const end_s = Math.ceil(Date.now() / 1000) + LIFE_S;
    const first = { token: await freshToken({ expire_at: end_s }), expiry_at: end_s * 1000 };
    const next = { token: await freshToken(), expiry_at: Date.now() + 7200_000 };
    const visit = await Visit.begin(null, { begin: [beginWithRefresh, { first, next, hasKey: false }], at: keyless });
    await visit.registered();
    const live = visit.sockets[0];
    while (!live.isClosed) await tick();
    await visit.until(() => window.seen.ready.at(-1) === true && window.liveSockets.length === 2);
    await visit.registered();
    assert.ok(Date.now() >= end_s * 1000, "by its end, not before");
    const [before, after] = repliesTo(visit, "signalwire.connect").map(({ result }) => result);
    assert.equal(after.protocol, before.protocol);
    assert.equal(visit.sent("signalwire.connect")[1].params.authentication.jwt_token, next.token);
    assert.equal((await visit.seen()).refreshed, 1);
    await visit.end();
}, { beside: true });

test("SW-45 with a key the package never calls refresh(), and the session ends with the token", async () => {
    const end_s = Math.ceil(Date.now() / 1000) + LIFE_S;
    const first = { token: await freshToken({ expire_at: end_s }), expiry_at: end_s * 1000 };
    const next = { token: await freshToken(), expiry_at: Date.now() + 7200_000 };
    const visit = await Visit.begin(null, { begin: [beginWithRefresh, { first, next, hasKey: true }] });
    await visit.registered();
    const live = visit.sockets[0];
    while (!live.isClosed) await tick();
    while (!repliesTo(visit, "signalwire.connect").at(-1)?.error) await tick();
    assert.equal((await visit.seen()).refreshed, 0);
    assert.ok(visit.sent("signalwire.connect").every(({ params }) => params.authentication.jwt_token === first.token));
    await visit.end();
}, { beside: true });

test("another project's token over the socket: JSONRPCError -32002, then the package's own timeout", async () => {
    const theirs = (await mintToken(foreign, ada)).token;
    const visit = await Visit.begin({ token: theirs }, { relayHost: `wss://${server.contract.ch}` });
    assert.equal((await visit.error("JSONRPCError")).code, -32002);
    await visit.error("TimeoutError");
    assert.equal(visit.sockets[0].url, `wss://${server.contract.ch}/`);
    assert.equal((await visit.seen()).ready.includes(true), false);
    await visit.end();
}, { beside: true });

test("SW-54 destroy() forgets nothing: the page's next client presents the state, and gets the session", async () => {
    const token = await freshToken(), visit = await Visit.begin({ token });
    await visit.registered();
    const [{ result: before }] = repliesTo(visit, "signalwire.connect");
    await visit.page.evaluate(() => window.client.destroy());
    assert.equal((await stored(visit)).filter(([name]) => /:(as|pt)$/.test(name)).length, 2, "both are still stored");
    await visit.page.evaluate(beginClient, { credential: { token }, options: {}, relayHost: null });
    await visit.registered();
    const { params } = visit.sent("signalwire.connect").at(-1);
    assert.ok(params.authorization_state && params.protocol === before.protocol);
    assert.equal(repliesTo(visit, "signalwire.connect").at(-1).result.protocol, before.protocol);
    assert.deepEqual((await visit.seen()).errors, []);
    await visit.end();
});

test("SW-47 the package has no warnings$ to subscribe to", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    assert.deepEqual(await visit.page.evaluate(() => ["errors$", "warnings$"].map((name) => typeof window.client[name])), ["object", "undefined"]);
    await visit.end();
});

// ---- what must fail, and how the page learns it (wire contract §8) ----

test("no token at all: InvalidCredentialsError, and nothing is sent", async () => {
    for (const token of ["not-a-token", "not.a.token", ""]) {
        const visit = await Visit.begin({ token });
        await visit.error("InvalidCredentialsError");
        assert.equal(visit.requests.length + visit.sockets.length, 0, `for ${JSON.stringify(token)}`);
        await visit.end();
    }
});

async function refusedBeforeTheSocket(token, label)
{
    const visit = await Visit.begin({ token });
    const error = await visit.error("UnexpectedError");
    assert.ok(!error.names.includes("InvalidCredentialsError"), label);
    assert.equal(visit.sockets.length, 0, `${label}: no socket is opened`);
    assert.equal(visit.requests.filter((r) => r.method() === "GET").length, 1, `${label}: a 401 is not retried`);
    await visit.end();
}

test("tampered token: UnexpectedError and no socket", async () => {
    const [header, payload, signature] = (await freshToken()).split(".");
    const flipped = (text, at) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    const claims = JSON.parse(Buffer.from(payload, "base64url"));
    const promoted = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 3600 })).toString("base64url");
    await refusedBeforeTheSocket([header, payload, flipped(signature, 20)].join("."), "a bit of the signature");
    await refusedBeforeTheSocket([header, promoted, signature].join("."), "a later exp");
});

test("expired token: UnexpectedError and no socket", async () => {
    await refusedBeforeTheSocket(await expiredToken(), "expired");
});

test("expiry_at in the past: InvalidCredentialsError, decided in the page", async () => {
    const visit = await Visit.begin({ token: await freshToken(), expiry_at: Date.now() - 3600_000 });
    await visit.error("InvalidCredentialsError");
    assert.equal(visit.requests.length + visit.sockets.length, 0);
    await visit.end();
});

test("another project's token over REST: UnexpectedError and no socket", async () => {
    const theirs = (await mintToken(foreign, ada)).token;
    const [header, payload, signature] = theirs.split(".");
    const redirected = { ...JSON.parse(Buffer.from(header, "base64url")), ch: server.contract.ch };
    await refusedBeforeTheSocket([Buffer.from(JSON.stringify(redirected)).toString("base64url"), payload, signature].join("."),
        "their token sent to us");
});

// ---- the end of a ticket ----

test("SW-30 the session ends at expiry, and the page left open makes no storm", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    const live = visit.sockets[0];
    await advance(server, "2h");
    while (!live.isClosed) await tick();
    const endedAt = Date.now();
    while (Date.now() - endedAt < 14_000) await tick();
    const seconds = (Date.now() - endedAt) / 1000; // more, when this process stood still
    const returns = visit.sockets.slice(1);
    const connects = returns.flatMap((s) => s.sent).filter((m) => m.method === "signalwire.connect").length;
    console.log(`     in ${seconds.toFixed(1)} s after expiry: ${returns.length} upgrades, ${connects} connects, park time ${PARK_S} s`);
    assert.ok(returns.length >= 1, "the package does come back at once");
    // Each refused socket is held for the park time; one more for the state that is tried first, two for the edges.
    assert.ok(returns.length <= seconds / PARK_S + 3, `${returns.length} upgrades are a storm`);
    assert.ok(connects <= returns.length, "at most one connect a socket");
    const answers = returns.flatMap((s) => s.received);
    assert.ok(answers.every((m) => m.error?.code === -32002 || m.error?.code === -32003), "every one was refused");
    assert.ok(!visit.sockets.slice(1).some((s) => s.received.some((m) => m.result)), "nothing was granted");
    await visit.end();
});

test("a revocation closes the page's socket with 4403, and the page does not get in again", async () => {
    const minted = await mintToken(server, { reference: "revoked@example.com" }), visit = await Visit.begin({ token: minted.token });
    await visit.registered();
    await visit.page.evaluate(() => {
        window.closes = [];
        window.liveSockets.at(-1).addEventListener("close", ({ code }) => window.closes.push(code));
    });
    const { code, out } = await coatcheck("revoke", "user", minted.subscriber_id, "--project", server.contract.project_id, "--data", server.data, "--json");
    assert.deepEqual([code, JSON.parse(out).sessions_closed], [0, 1]);
    while (!visit.sockets[0].isClosed) await tick();
    await visit.until(() => window.closes.length);
    assert.deepEqual(await visit.page.evaluate(() => window.closes), [4403]);
    const refusals = () => visit.sockets.slice(1).flatMap((socket) => socket.received).filter((m) => m.error);
    while (!refusals().length) await tick();
    assert.equal(refusals()[0].error.code, -32002);
    assert.ok(!visit.sockets.slice(1).some((socket) => socket.received.some((m) => m.result)));
    await visit.end();
});

test("after all this a fresh token works at once", async () => {
    const visit = await Visit.begin({ token: await freshToken() });
    await visit.registered();
    assert.deepEqual((await visit.seen()).errors, []);
    await visit.end();
});

await run({ before: start, after: stop });
