// door.test.mjs — the standard door: metadata, refresh and exchange at the token endpoint, introspection, revocation,
// the signed list of what was revoked. What proofs have to withstand there is in attacks_b_strict.test.mjs.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { advance, coatcheck } from "../harness/clock.mjs";
import { apiAuth, EXCHANGE_GRANT, form, hashOf, INTROSPECT, introspect, METADATA, Prover, refreshBy, REVOCATIONS, REVOKE, TOKEN,
    TYPE } from "../harness/door.mjs";
import { call, info, JWKS, mintToken, nowS, readToken, refresh } from "../harness/http.mjs";
import { INVITES } from "../harness/prover.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { Session } from "../harness/session.mjs";
import { run, test } from "../harness/suite.mjs";
import { as, bootstrap, good, launch } from "../harness/tickets.mjs";

let server, other;
let people = 0;
const someone = (more = {}) => ({ reference: `door-${++people}@example.com`, ...more });

function refused(answer, status, error)
{
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.error, error, answer.text);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.doesNotMatch(answer.json.error_description ?? "", /["\\]/, "RFC 6749 section 5.2: no quotes, no backslashes");
    return answer;
}

function problem(answer, status)
{
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.equal(answer.json.status, status);
}

// ---- metadata ----

test("metadata name everything under the public URL, for an hour, for any page", async () => {
    const { status, json, headers } = await call(server, "GET", METADATA, { headers: { origin: "https://anywhere.example" } });
    assert.equal(status, 200);
    assert.equal(json.issuer, server.url);
    assert.equal(json.issuer, readToken((await mintToken(server, someone())).token).claims.iss);
    for (const name of ["token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"])
        assert.ok(json[name].startsWith(`${server.url}/`), name);
    assert.deepEqual(json.grant_types_supported, ["refresh_token", EXCHANGE_GRANT]);
    assert.deepEqual(json.dpop_signing_alg_values_supported, ["ES256", "EdDSA", "RS256"]);
    assert.equal(headers["cache-control"], "public, max-age=3600");
    assert.equal(headers["access-control-allow-origin"], "*");
    assert.equal("access-control-allow-credentials" in headers, false);
    for (const list of Object.values(json)) if (Array.isArray(list)) assert.ok(list.length, "RFC 8414 section 3.2: no empty list");
});

// ---- refresh ----

test("refresh by each way to send a key", async () => {
    const { project_id, api_token, client_id, client_secret, secret_key } = server.contract;
    const encoded = (text) => encodeURIComponent(text).replace(/[-_]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    const ways = { "api token": basic(project_id, api_token), "form-encoded": basic(encoded(project_id), encoded(api_token)),
        client: basic(client_id, client_secret), "client, form-encoded": basic(encoded(client_id), encoded(client_secret)),
        "secret key": `Bearer ${secret_key}`, "secret key as user": basic(secret_key, "") };
    for (const [way, authorization] of Object.entries(ways)) {
        const { refresh_token, token } = await mintToken(server, someone());
        const answer = await refreshBy(server, refresh_token, { authorization });
        assert.equal(answer.status, 200, `${way}: ${answer.text}`);
        const { access_token, token_type, expires_in, refresh_token: next, refresh_expires_at, session_max_at } = answer.json;
        assert.equal(token_type, "Bearer");
        assert.ok(expires_in > 7100 && expires_in <= 7200);
        assert.ok(refresh_expires_at > nowS() + expires_in && session_max_at > refresh_expires_at);
        assert.equal(readToken(access_token).claims.fam, readToken(token).claims.fam);
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.equal((await info(server, access_token)).status, 200);
        assert.equal((await refresh(server, next)).status, 201, "one family, whichever door it comes through");
    }
});

test("a bound token is refreshed by its key's proof alone", async () => {
    for (const alg of ["ES256", "EdDSA", "RS256"]) {
        const prover = new Prover(alg), { refresh_token } = await prover.mint(server, someone());
        const first = await refreshBy(server, refresh_token, { dpop: prover.prove(server) });
        assert.equal(first.status, 200, first.text);
        assert.equal(first.json.token_type, "DPoP");
        assert.equal(readToken(first.json.access_token).claims.cnf.jkt, prover.fingerprint);
        const again = await refreshBy(server, refresh_token, { dpop: prover.prove(server) });
        assert.equal(again.json.refresh_token, first.json.refresh_token, "whoever lost the answer gets it again");
        const next = await refreshBy(server, first.json.refresh_token, { dpop: prover.prove(server) });
        assert.equal(next.status, 200, next.text);
    }
});

test("refreshes are refused in the words of RFC 6749", async () => {
    const auth = apiAuth(server), { refresh_token, token } = await mintToken(server, someone());
    const wrong = { authorization: basic(server.contract.project_id, `PT${"0".repeat(56)}`) };
    const none = await refreshBy(server, refresh_token);
    refused(none, 401, "invalid_client");
    assert.match(none.headers["www-authenticate"], /^Basic realm=/);
    refused(await refreshBy(server, refresh_token, wrong), 401, "invalid_client");
    refused(await refreshBy(server, refresh_token, { dpop: new Prover().prove(server) }), 401, "invalid_client");
    for (const bad of ["rt_x", token, `${refresh_token}0`, "x"]) refused(await refreshBy(server, bad, auth), 400, "invalid_grant");
    refused(await form(server, TOKEN, { grant_type: "refresh_token" }, auth), 400, "invalid_request");
    refused(await form(server, TOKEN, {}, auth), 400, "invalid_request");
    refused(await form(server, TOKEN, {}), 400, "invalid_request");
    for (const grant_type of ["password", "client_credentials", "authorization_code", "REFRESH_TOKEN"])
        refused(await form(server, TOKEN, { grant_type, refresh_token }, auth), 400, "unsupported_grant_type");
    const with_more = (more) => form(server, TOKEN, { grant_type: "refresh_token", refresh_token, ...more }, auth);
    refused(await with_more({ scope: "admin" }), 400, "invalid_scope");
    refused(await with_more({ audience: "https://other.example" }), 400, "invalid_target");
    refused(await with_more({ resource: "https://other.example" }), 400, "invalid_target");
    refused(await with_more({ client_secret: "x" }), 400, "invalid_request");
    for (const body of ["grant_type=refresh_token&grant_type=refresh_token&refresh_token=x", "grant_type=%zz", "a&b", "a=b&", "a=%00"])
        refused(await form(server, TOKEN, body, auth), 400, "invalid_request");
    assert.equal((await refreshBy(server, refresh_token, auth)).status, 200, "none of it cost the token anything");
});

test("what OAuth has no word for is a problem of RFC 9457", async () => {
    problem(await call(server, "POST", TOKEN, { body: {}, headers: apiAuth(server) }), 415);
    problem(await call(server, "POST", TOKEN, { body: "grant_type=x", headers: { "content-type": "text/plain" } }), 415);
    const get = await call(server, "GET", TOKEN);
    problem(get, 405);
    assert.match(get.headers.allow, /POST/);
    problem(await call(server, "GET", "/oauth/nothing"), 404);
    assert.equal((await form(server, TOKEN, `grant_type=${"x".repeat(40000)}`)).status, 413);
});

test("why tells what was wrong with a proof, both URLs and never a secret", async () => {
    const prover = new Prover(), { refresh_token, token } = await prover.mint(server, someone());
    const why = async (answer) => {
        const { code, out } = await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", server.data, "--json");
        assert.equal(code, 0);
        assert.equal(out.includes(refresh_token) || out.includes(token), false);
        return JSON.parse(out);
    };
    const by = (changes) => refreshBy(server, refresh_token, { dpop: prover.prove(server, TOKEN, changes) });
    const url = await why(await by({ htu: `http://proxy.example${TOKEN}` }));
    assert.equal(url.check, "proof.request");
    assert.ok(url.expected.includes(`htu ${server.url}${TOKEN}`) && url.seen.includes(`htu http://proxy.example${TOKEN}`), JSON.stringify(url));
    const query = await why(await by({ htu: `http://proxy.example${TOKEN}?refresh_token=${refresh_token}` }));
    assert.ok(query.seen.endsWith(TOKEN) && !JSON.stringify(query).includes("refresh_token="), JSON.stringify(query));
    assert.equal((await why(await by({ iat: nowS() - 100 }))).check, "proof.iat");
    assert.equal((await why(await refreshBy(server, refresh_token, { dpop: new Prover().prove(server) }))).check, "proof.key");
    assert.equal((await why(await form(server, REVOKE, { token }, { dpop: prover.prove(server, REVOKE) }))).check, "proof.ath");
    assert.equal((await why(await refreshBy(server, refresh_token, { dpop: "x" }))).check, "proof.form");
});

// ---- exchange ----

const exchangeBy = (at, ticket, type, more = {}, headers = {}) => form(at, TOKEN,
    { grant_type: EXCHANGE_GRANT, subject_token: ticket, subject_token_type: TYPE(type), ...more }, headers);

test("a bootstrap ticket is exchanged once", async () => {
    const { bootstrapToken } = await good(bootstrap(server, {}));
    const answer = await exchangeBy(server, bootstrapToken, "bootstrap");
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ["access_token", "expires_in", "issued_token_type", "session_max_at", "token_type"]);
    assert.equal(answer.json.issued_token_type, "urn:ietf:params:oauth:token-type:access_token");
    assert.equal(answer.json.token_type, "Bearer");
    const { header, claims } = readToken(answer.json.access_token);
    assert.equal(header.typ, "at+jwt");
    for (const name of ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]) assert.ok(claims[name], `RFC 9068 section 2.2: ${name}`);
    assert.equal(claims.client_id, claims.par);
    assert.equal((await as(server, answer.json.access_token, "GET", "/participants/me")).status, 200);
    refused(await exchangeBy(server, bootstrapToken, "bootstrap"), 400, "invalid_request");
});

test("a launch ticket takes the project's publishable key as client_id", async () => {
    const { launch_token } = await good(launch(server, {}));
    const client_id = server.contract.publishable_key;
    refused(await exchangeBy(server, launch_token, "launch"), 401, "invalid_client");
    refused(await exchangeBy(server, launch_token, "launch", { client_id: other.contract.publishable_key }), 401, "invalid_client");
    refused(await exchangeBy(server, launch_token, "bootstrap"), 400, "invalid_request");
    refused(await exchangeBy(server, launch_token, "launch", { client_id }, { authorization: basic("cli_000000000000000000000000", "sec_0") }), 401, "invalid_client");
    refused(await exchangeBy(server, launch_token, "launch", { client_id, audience: "x" }), 400, "invalid_target");
    refused(await exchangeBy(server, launch_token, "launch", { client_id, actor_token: "x" }), 400, "invalid_request");
    refused(await exchangeBy(server, launch_token, "launch", { client_id, requested_token_type: "urn:ietf:params:oauth:token-type:saml2" }), 400, "invalid_request");
    refused(await exchangeBy(server, launch_token, "launch", { client_id }, { dpop: "x.y.z" }), 400, "invalid_dpop_proof");
    const answer = await exchangeBy(server, launch_token, "launch", { client_id });
    assert.equal(answer.status, 200, `no wrong try has burnt it: ${answer.text}`);
    assert.equal(readToken(answer.json.access_token).claims.kind, "embedded");
});

test("an exchange with a proof binds the session to its key", async () => {
    const prover = new Prover();
    const { bootstrapToken } = await good(bootstrap(server, {}));
    const answer = await exchangeBy(server, bootstrapToken, "bootstrap", {}, { dpop: prover.prove(server) });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.token_type, "DPoP");
    assert.equal(readToken(answer.json.access_token).claims.cnf.jkt, prover.fingerprint);
    assert.equal((await as(server, answer.json.access_token, "GET", "/participants/me")).status, 401, "not as a bearer");
    assert.equal((await introspect(server, answer.json.access_token)).cnf.jkt, prover.fingerprint);
});

// ---- introspection ----

test("an active token tells what it is, and no more", async () => {
    const minted = await mintToken(server, someone()), { claims } = readToken(minted.token);
    const access = await introspect(server, minted.token);
    assert.deepEqual(access, { active: true, client_id: claims.par, sub: claims.sub, aud: claims.aud, iss: claims.iss, exp: claims.exp,
        iat: claims.iat, jti: claims.jti, token_type: "Bearer", kind: "subscriber", token_use: "access", prj: claims.prj, fam: claims.fam,
        gt: claims.gt });
    const refreshing = await introspect(server, minted.refresh_token);
    assert.equal(refreshing.active, true);
    assert.deepEqual([refreshing.token_use, refreshing.sub, refreshing.fam], ["refresh", claims.sub, claims.fam]);
    assert.equal(refreshing.exp, claims.exp + 300);
    assert.equal("token_type" in refreshing, false, "a refresh token is used at no resource");
});

test("what is not active says only so", async () => {
    const inactive = async (token, at = server) => assert.deepEqual(await introspect(at, token), { active: false });
    const minted = await mintToken(server, someone()), foreign = await mintToken(other, someone());
    for (const token of ["x", "a.b.c", `${minted.token.slice(0, -4)}AAAA`, foreign.token, foreign.refresh_token, "rt_x.y",
        server.contract.api_token, server.contract.secret_key]) await inactive(token);
    const next = await refreshBy(server, minted.refresh_token, apiAuth(server));
    await inactive(minted.refresh_token);
    assert.equal((await introspect(server, next.json.refresh_token)).active, true);
    assert.equal((await introspect(server, minted.token)).active, true, "the access token before lives on");
    refused(await form(server, INTROSPECT, { token: minted.token }), 401, "invalid_client");
    refused(await form(server, INTROSPECT, {}, apiAuth(server)), 400, "invalid_request");
});

test("introspection follows the project's clock", async () => {
    const minted = await mintToken(server, someone());
    assert.equal((await introspect(server, minted.token)).active, true);
    await advance(server, "3h");
    assert.deepEqual(await introspect(server, minted.token), { active: false });
    assert.deepEqual(await introspect(server, minted.refresh_token), { active: false });
});

// ---- revocation ----

const revoke = (at, token, headers = apiAuth(at)) => form(at, REVOKE, { token }, headers);

async function revokedSessions(answer, sessions_closed)
{
    const { status, json, text } = await answer;
    assert.equal(status, 200, text);
    assert.deepEqual(json, { sessions_closed });
}

test("revoking either token of a family ends all of it, sockets too", async () => {
    for (const name of ["token", "refresh_token"]) {
        const minted = await mintToken(server, someone()), bystander = await mintToken(server, someone());
        const session = await Session.open(server), stays = await Session.open(server);
        await session.connect(minted.token);
        await stays.connect(bystander.token);
        const closed = new Promise((resolve) => session.ws.once("close", resolve));
        await revokedSessions(revoke(server, minted[name]), 1);
        assert.equal(await closed, 4403);
        assert.equal((await info(server, minted.token)).status, 401);
        assert.deepEqual(await introspect(server, minted.token), { active: false });
        assert.deepEqual(await introspect(server, minted.refresh_token), { active: false });
        refused(await refreshBy(server, minted.refresh_token, apiAuth(server)), 400, "invalid_grant");
        assert.equal((await info(server, bystander.token)).status, 200);
        await revokedSessions(revoke(server, minted[name]), 0);
        stays.ws.terminate();
    }
});

test("what is no token of the project is answered alike, and nothing happens to it", async () => {
    const foreign = await mintToken(other, someone());
    for (const token of ["x", "a.b.c", foreign.token, foreign.refresh_token, server.contract.api_token])
        await revokedSessions(revoke(server, token), 0);
    assert.equal((await info(other, foreign.token)).status, 200);
    refused(await form(server, REVOKE, {}, apiAuth(server)), 400, "invalid_request");
    refused(await revoke(server, "x", { authorization: "Basic x" }), 401, "invalid_client");
    const { bootstrapToken } = await good(bootstrap(server, {}));
    refused(await revoke(server, bootstrapToken), 400, "unsupported_token_type");
});

test("whoever holds a token may give it up; a bound one takes its key", async () => {
    const loose = await mintToken(server, someone());
    await revokedSessions(revoke(server, loose.token, {}), 0);
    assert.equal((await info(server, loose.token)).status, 401);
    const prover = new Prover(), bound = await prover.mint(server, someone());
    refused(await revoke(server, bound.token, {}), 401, "invalid_client");
    refused(await revoke(server, bound.token, { dpop: new Prover().prove(server, REVOKE, { ath: hashOf(bound.token) }) }), 400, "invalid_dpop_proof");
    assert.equal((await introspect(server, bound.token)).active, true);
    await revokedSessions(revoke(server, bound.token, { dpop: prover.prove(server, REVOKE, { ath: hashOf(bound.token) }) }), 0);
    assert.deepEqual(await introspect(server, bound.token), { active: false });
    const other_bound = await prover.mint(server, someone());
    await revokedSessions(revoke(server, other_bound.refresh_token, { dpop: prover.prove(server, REVOKE) }), 0);
    assert.deepEqual(await introspect(server, other_bound.token), { active: false });
});

test("an invite is its guest's to give up, not its inviter's family", async () => {
    const host = await mintToken(server, someone()), { fabric_addresses } = (await info(server, host.token)).json;
    const invite = async () => {
        const answer = await call(server, "POST", INVITES, { body: { address_id: fabric_addresses[0].id },
            headers: { authorization: `Bearer ${host.token}` } });
        return answer.json.token;
    };
    const [one, two] = [await invite(), await invite()];
    assert.equal(readToken(one).claims.fam, readToken(host.token).claims.fam);
    await revokedSessions(revoke(server, one, {}), 0);
    await revokedSessions(revoke(server, one), 0);
    assert.deepEqual(await introspect(server, one), { active: false });
    assert.deepEqual([(await introspect(server, two)).active, (await introspect(server, host.token)).active], [true, true]);
    await revokedSessions(revoke(server, host.token), 0);
    assert.deepEqual(await introspect(server, two), { active: false }, "but the host's end is the invite's");
});

// ---- the list ----

async function revocations(since)
{
    const answer = await call(server, "GET", `${REVOCATIONS}${since === undefined ? "" : `?since=${since}`}`, { headers: apiAuth(server) });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers["content-type"], "application/jwt");
    const keys = createLocalJWKSet((await call(server, "GET", JWKS)).json);
    const { payload } = await jwtVerify(answer.text, keys, { issuer: server.url, audience: server.contract.project_id, typ: "revocations+jwt" });
    return payload;
}

test("the list lets a verifier without a connection know what is void", async () => {
    const before = await revocations();
    const minted = await mintToken(server, someone()), { claims } = readToken(minted.token);
    await revoke(server, minted.token);
    const after = await revocations(before.next);
    const mine = after.revocations.find(({ kind, id }) => kind === "family" && id === claims.fam);
    assert.ok(mine && claims.gt <= mine.t, "void: gt is at or before t");
    const fresh = readToken((await mintToken(server, someone())).token).claims;
    assert.equal(after.revocations.some(({ kind, id, t }) => ({ family: fresh.fam, user: fresh.sub, key: fresh.par, project: fresh.prj })[kind] === id
        && fresh.gt <= t), false, "a token minted afterwards is good");
    assert.equal(after.has_more, false);
    assert.deepEqual(after.revocations.map(({ t }) => t), after.revocations.map(({ t }) => t).sort((a, b) => a - b));
    assert.equal((await coatcheck("token", "revoke", "x", "--data", server.data)).code !== 0, true);
    refused(await call(server, "GET", REVOCATIONS), 401, "invalid_client");
    for (const since of ["-1", "x", "1e3", "99999999999999999999"])
        refused(await call(server, "GET", `${REVOCATIONS}?since=${since}`, { headers: apiAuth(server) }), 400, "invalid_request");
    assert.equal((await call(server, "GET", INTROSPECT)).status, 405);
    assert.equal((await info(server, await (await call(server, "GET", REVOCATIONS, { headers: apiAuth(server) })).text)).status, 401,
        "no list is taken for an access token");
});

test("the list comes in pages", async () => {
    const start = (await revocations()).next;
    for (let i = 0; i < 210; i++) await revoke(server, (await mintToken(server, { reference: "pages@example.com" })).token);
    const seen = new Set();
    let page, since = start, pages = 0;
    do {
        page = await revocations(since);
        for (const { id } of page.revocations) seen.add(id);
        since = page.next;
        pages++;
    } while (page.has_more);
    assert.ok(pages >= 2 && seen.size >= 210, `${pages} pages, ${seen.size} seen`);
});

// ---- pages of foreign origins ----

test("pages may refresh by proof, and see the nonce; a secret in a page is refused", async () => {
    const prover = new Prover(), { refresh_token } = await prover.mint(server, someone());
    const origin = "http://localhost:3000";
    const preflight = await call(server, "OPTIONS", TOKEN, { headers: { origin, "access-control-request-method": "POST" } });
    assert.match(preflight.headers["access-control-allow-headers"], /dpop/);
    const answer = await refreshBy(server, refresh_token, { origin, dpop: prover.prove(server) });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers["access-control-allow-origin"], origin);
    assert.match(answer.headers["access-control-expose-headers"], /DPoP-Nonce/);
    const foreign = await refreshBy(server, answer.json.refresh_token, { origin: "https://evil.example", dpop: prover.prove(server) });
    problem(foreign, 403);
    assert.equal(foreign.headers["access-control-allow-origin"], undefined);
    refused(await refreshBy(server, answer.json.refresh_token, { origin: "https://evil.example", ...apiAuth(server) }), 401, "invalid_client");
});

await run({
    before: async () => {
        [server, other] = await Promise.all([startServer(), startServer()]);
    },
    after: () => Promise.all([server.stop(), other.stop()]),
});
