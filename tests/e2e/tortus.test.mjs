// tortus.test.mjs — launch tokens and their exchange, as the vendor's documentation and our choices have them. Each test
// begins with its number in that list (TT-…); what needs an SDK or a browser is tried elsewhere.
import assert from "node:assert/strict";
import { advance, coatcheck } from "../harness/clock.mjs";
import { call, info, readToken } from "../harness/http.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { rows } from "../harness/ring.mjs";
import { run, test } from "../harness/suite.mjs";
import { clientAuth, EXCHANGE, exchange, good, LAUNCH, launch } from "../harness/tickets.mjs";

const ENV = { COATCHECK_LOOPS: "2" };
const USER = /^tortus\|[0-9a-f]{32}$/;
let server, baseline;

const launched = (body = {}) => good(launch(server, body));
const exchanged = async (launched) => good(exchange(server, (await launched).launch_token));
const newUser = async (body = {}) => (await exchanged(launched(body))).userId;
// What the store knows of a user by the id that the dialect shows.
const stored = (user_id) => rows(server.data, `SELECT external_id, payload FROM users WHERE hex(id) = '${user_id.slice(7).toUpperCase()}'`)[0];

function refusedAs(answer, status, error)
{
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ["error", "error_description"]);
    assert.equal(answer.json.error, error);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.match(answer.headers["coatcheck-error-id"], /^[\w-]{16}$/);
}

// ---- refusals ----

test("TT-7 only the right client id and secret, as Basic: wrong, missing and malformed ones are refused", async () => {
    const { client_id: id, client_secret: secret, project_id, api_token, secret_key } = server.contract;
    const wrong = [undefined, "", "Basic", "Basic ", `Basic ${id}:${secret}`, `Bearer ${secret}`, `Bearer ${secret_key}`,
        basic(id, ""), basic("", secret), basic(id, `${secret}0`), basic(id, secret.slice(0, -1)), basic(id, secret.replace(/.$/, (c) => (c === "0" ? "1" : "0"))),
        basic(`${id}0`, secret), basic(secret, id), basic(id, id), basic(project_id, api_token), basic(id, api_token), basic(id, secret_key),
        basic(`${id}:`, secret), `${clientAuth(server)}!`, `Digest ${clientAuth(server).slice(6)}`, [clientAuth(server), clientAuth(server)]];
    const bodies = new Set();
    for (const authorization of wrong) {
        const answer = await call(server, "POST", LAUNCH, { body: {}, headers: authorization === undefined ? {} : { authorization } });
        refusedAs(answer, 401, "invalid_client");
        assert.match(answer.headers["www-authenticate"], /^Basic realm="/);
        bodies.add(answer.text);
    }
    assert.equal(bodies.size, 1, "all alike");
    for (const authorization of [clientAuth(server), clientAuth(server).replace("Basic", "bAsIc")])
        assert.equal((await call(server, "POST", LAUNCH, { body: {}, headers: { authorization } })).status, 200);
});

test("TT-8 the endpoint is a POST, of JSON, at its one path", async () => {
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
        const answer = await call(server, method, LAUNCH, { headers: { authorization: clientAuth(server) } });
        assert.equal(answer.status, 405, method);
        assert.match(answer.headers.allow, /\bPOST\b/);
    }
    for (const path of ["/v1/oauth/launch/", "/v1/oauth/Launch", "/v1/oauth/", "/v1/oauth/launches"])
        refusedAs(await call(server, "POST", path, { body: {}, headers: { authorization: clientAuth(server) } }), 404, "invalid_request");
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json5", ""])
        refusedAs(await call(server, "POST", LAUNCH, { body: "{}", headers: { authorization: clientAuth(server), ...(type && { "content-type": type }) } }), 415, "invalid_request");
    for (const body of ["[]", "null", "{", "{\"userId\":1}", "{\"externalUserId\":[]}", "{\"userPayload\":\"{}\"}", "{\"userPayload\":[]}", "{\"a\":1,\"a\":1}",
        JSON.stringify({ externalUserId: "x".repeat(256) }), JSON.stringify({ externalUserId: "a\nb" }), JSON.stringify({ userPayload: { x: "y".repeat(2048) } })])
        refusedAs(await call(server, "POST", LAUNCH, { body, headers: { authorization: clientAuth(server), "content-type": "application/json" } }), 400, "invalid_request");
    assert.equal((await launch(server, { userPayload: { x: "y".repeat(20000) } })).status, 413);
});

test("TT-1 without a launch token, or with anything else in its place, there is no session", async () => {
    const { launch_token } = await launched(), { accessToken } = await exchanged(launched());
    const { contract } = server;
    for (const body of [{}, { launchToken: "" }, { launchToken: null }, { launchToken: 7 }, { launchToken: launch_token }, { launchToken: launch_token, publishableKey: "" }, { publishableKey: contract.publishable_key }])
        refusedAs(await call(server, "POST", EXCHANGE, { body }), 400, "invalid_request");
    const forged = [accessToken, contract.client_secret, contract.secret_key, contract.publishable_key, contract.c2c_token, "lt_", "lt_00000000.", "x.y", launch_token.slice(3),
        launch_token.slice(0, -1), `${launch_token}A`, launch_token.replace(/.$/, (c) => (c === "A" ? "B" : "A")), launch_token.replace("lt_", "bt_"), launch_token.toUpperCase(), `lt_${"A".repeat(4200)}`];
    const bodies = new Set();
    for (const launchToken of forged) {
        const answer = await exchange(server, launchToken);
        refusedAs(answer, 401, "invalid_grant");
        bodies.add(answer.text);
    }
    assert.equal(bodies.size, 1, "all alike");
    await good(exchange(server, launch_token), 200); // none of it has burnt the good one
});

test("TT-1 a key that is not the tenant's own burns nothing", async () => {
    const { launch_token } = await launched();
    for (const publishableKey of ["pk_test_000000000000000000000000", "pk_live_000000000000000000000000", "pk_", "x", server.contract.client_id, server.contract.c2c_token])
        refusedAs(await exchange(server, launch_token, { publishableKey }), 401, "invalid_grant");
    await good(exchange(server, launch_token));
    refusedAs(await exchange(server, launch_token), 401, "invalid_grant");
});

test("TT-2 the launch answers no foreign page, the exchange only those that the project lists", async () => {
    const { launch_token } = await launched();
    const far = await launch(server, {}, { origin: "https://evil.example" });
    refusedAs(far, 401, "invalid_client");
    assert.equal(far.headers["access-control-allow-origin"], undefined);
    const stolen = await exchange(server, launch_token, { headers: { origin: "https://evil.example" } });
    refusedAs(stolen, 403, "access_denied");
    assert.equal(stolen.headers["access-control-allow-origin"], undefined);
    for (const [path, allowed] of [[EXCHANGE, true], [LAUNCH, true]]) { // a test project's own pages may show the whole way
        const headers = { origin: "http://localhost:5173", "access-control-request-method": "POST", "access-control-request-headers": "content-type" };
        assert.equal((await call(server, "OPTIONS", path, { headers })).headers["access-control-allow-origin"] === headers.origin, allowed, path);
        assert.equal((await call(server, "OPTIONS", path, { headers: { ...headers, origin: "https://evil.example" } })).headers["access-control-allow-origin"], undefined);
    }
    const answer = await exchange(server, launch_token, { headers: { origin: "null" } }); // a sandboxed frame, in a test project
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["access-control-allow-origin"], "null");
    assert.match(answer.headers.vary, /Origin/);
});

// ---- what is granted ----

test("TT-5 TT-15 the answer has the documented members and no other", async () => {
    for (let i = 0; i < 3; i++) {
        const answer = await launch(server, {});
        assert.equal(answer.status, 200);
        assert.match(answer.headers["content-type"], /^application\/json/);
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.deepEqual(Object.keys(answer.json).sort(), ["expires_in", "launch_token", "user_id"]);
        assert.match(answer.json.launch_token, /^[\w-]+\.[\w-]+$/);
        assert.match(answer.json.user_id, USER);
        assert.equal(answer.json.expires_in, 300);
    }
});

test("TT-6 the exchange gives a session for that user, good for nothing else", async () => {
    const { launch_token, user_id } = await launched({ userPayload: { email: "ada@example.com" } });
    const answer = await exchange(server, launch_token);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ["accessToken", "expiresIn", "userId"]);
    assert.deepEqual([answer.json.userId, answer.json.expiresIn], [user_id, 3600]);
    assert.equal(answer.headers["cache-control"], "no-store");
    const { header, claims } = readToken(answer.json.accessToken);
    assert.deepEqual([header.typ, claims.kind, claims.exp - claims.iat], ["at+jwt", "embedded", 3600]);
    assert.equal(claims.sub.replaceAll("-", ""), user_id.slice(7));
    assert.equal((await info(server, answer.json.accessToken)).status, 401, "not a subscriber's token");
    assert.equal((await call(server, "GET", "/participants/me", { headers: { authorization: `Bearer ${answer.json.accessToken}` } })).status, 401);
});

test("TT-9 every member is optional: none, an empty object, no body at all, any subset", async () => {
    const members = { userId: await newUser(), externalUserId: "crm-9", userPayload: { email: "a@b" } };
    for (let bits = 0; bits < 8; bits++) {
        const body = Object.fromEntries(Object.entries(members).filter((_, i) => bits & (1 << i)));
        assert.match((await launched(body)).user_id, USER, JSON.stringify(body));
    }
    await good(call(server, "POST", LAUNCH, { headers: { authorization: clientAuth(server) } }));
    await good(call(server, "POST", LAUNCH, { body: "", headers: { authorization: clientAuth(server), "content-type": "application/json" } }));
    await launched({ userId: null, externalUserId: null, userPayload: null, other: 1 });
});

test("TT-10 TT-17 a stored user id continues the same user in a later session", async () => {
    const first = await newUser();
    for (let i = 0; i < 3; i++) {
        const again = await launched({ userId: first });
        assert.equal(again.user_id, first);
        assert.equal((await good(exchange(server, again.launch_token))).userId, first);
    }
});

test("TT-11 an external id is kept as a label, and decides nothing", async () => {
    const one = await newUser({ externalUserId: "crm-11" }), two = await newUser({ externalUserId: "crm-11" });
    assert.notEqual(one, two, "the same label, two users");
    assert.deepEqual([stored(one).external_id, stored(two).external_id], ["crm-11", "crm-11"]);
    await exchanged(launched({ userId: one, externalUserId: "crm-11b" }));
    assert.deepEqual([stored(one).external_id, stored(two).external_id], ["crm-11b", "crm-11"]);
    await exchanged(launched({ userId: one }));
    assert.equal(stored(one).external_id, "crm-11b", "not sent: stays");
});

test("TT-12 a payload is attached to the user with the exchange, and later members replace earlier ones", async () => {
    const first = await launched({ userPayload: { email: "a@b", name: { first: "Ada" }, "<&>": "é\u2028" } });
    assert.equal(stored(first.user_id), undefined, "nothing before the exchange");
    const { userId } = await good(exchange(server, first.launch_token));
    assert.deepEqual(JSON.parse(stored(userId).payload), { email: "a@b", name: { first: "Ada" }, "<&>": "é\u2028" });
    await exchanged(launched({ userId, userPayload: { name: { last: "L" }, n: [1, null] } }));
    assert.deepEqual(JSON.parse(stored(userId).payload), { email: "a@b", name: { last: "L" }, n: [1, null], "<&>": "é\u2028" });
    refusedAs(await launch(server, { userId, userPayload: { x: "y".repeat(2000) } }), 400, "invalid_request");
});

test("TT-13 an id that is not known makes a new user under a fresh id", async () => {
    const other = await startServer({ env: ENV });
    const foreign = (await good(launch(other, {}))).user_id;
    await other.stop();
    const known = await newUser();
    for (const userId of [foreign, "tortus|00000000000000000000000000000000", "tortus|ffffffffffffffffffffffffffffffff", known.toUpperCase(), known.slice(7), "auth0|abc", "", "'; DROP TABLE users; --"]) {
        const { user_id } = await launched({ userId });
        assert.match(user_id, USER);
        assert.ok(user_id !== userId && user_id !== known, userId);
    }
    assert.equal((await launched({ userId: known })).user_id, known);
});

test("TT-14 a new user is not valid before the exchange and is valid right after", async () => {
    const first = await launched();
    const early = await launched({ userId: first.user_id });
    assert.notEqual(early.user_id, first.user_id, "pending: cannot be resumed");
    await good(exchange(server, first.launch_token));
    assert.equal((await launched({ userId: first.user_id })).user_id, first.user_id);
    assert.notEqual((await launched({ userId: early.user_id })).user_id, early.user_id, "the other one still waits");
});

test("TT-16 TT-18 a token is good at 4 min 59 s and refused after 5 min, as expires_in said", async () => {
    const early = await launched();
    await advance(server, "299s");
    await good(exchange(server, early.launch_token));
    const late = await launched();
    assert.equal(late.expires_in, 300, "minted after the clock was moved: its full life");
    await advance(server, "300s");
    refusedAs(await exchange(server, late.launch_token), 401, "invalid_grant");
    assert.notEqual((await launched({ userId: late.user_id })).user_id, late.user_id, "and its user never was");
});

test("TT-21 every call mints another token, each with its own user", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => launched({ externalUserId: "same" })));
    assert.equal(new Set(all.map((one) => one.launch_token)).size, 20);
    assert.equal(new Set(all.map((one) => one.user_id)).size, 20);
});

// ---- the operator ----

test("token inspect and why say what became of a launch token, and never show it", async () => {
    const { launch_token } = await launched();
    const inspected = await coatcheck("token", "inspect", launch_token, "--data", server.data, "--json");
    assert.equal(inspected.code, 0, inspected.err);
    assert.match(inspected.out, /launch token/);
    await good(exchange(server, launch_token));
    const used = await exchange(server, launch_token);
    const { code, out } = await coatcheck("why", used.headers["coatcheck-error-id"], "--data", server.data, "--json");
    assert.equal(code, 0);
    const told = JSON.parse(out);
    assert.deepEqual([told.refusal ?? told.name, told.check], ["TICKET_USED", "ticket.once"]);
    assert.ok(!out.includes(launch_token.slice(12, 40)) && !inspected.out.includes(launch_token.slice(12, 40)));
});

await run({
    before: async () => { server = await startServer({ env: ENV }); baseline = await server.baseline(); },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
