// oauth4webapi.test.mjs — a client library for OAuth that knows nothing of us, unmodified, against a running server: it finds
// the endpoints, exchanges a ticket, refreshes with DPoP (with and without nonces), introspects and revokes. It validates
// each answer by its own reading of the RFCs.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { createKey, writeKey } from "../harness/client.mjs";
import { EXCHANGE_GRANT, TYPE } from "../harness/door.mjs";
import { call, info, JWKS, mintToken } from "../harness/http.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { bootstrap, good, launch } from "../harness/tickets.mjs";

// Node 18 has both under another name.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const oauth = await import("oauth4webapi");

const LOOPBACK = { [oauth.allowInsecureRequests]: true }; // plain http; everything else is checked as ever
let server, strict;

async function discover(at)
{
    const issuer = new URL(at.contract.url);
    const answer = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...LOOPBACK });
    return oauth.processDiscoveryResponse(issuer, answer);
}

const backend = ({ contract }) => ({ client: { client_id: contract.project_id }, auth: oauth.ClientSecretBasic(contract.api_token) });

// A key of the library's own making, and its thumbprint for the mint.
async function boundPair(at, reference)
{
    const pair = await oauth.generateKeyPair("ES256", { extractable: true });
    const handle = oauth.DPoP({ client_id: "browser" }, pair);
    return { handle, minted: await mintToken(at, { reference, fingerprint: await handle.calculateThumbprint() }) };
}

test("discovery", async () => {
    const as = await discover(server);
    assert.equal(as.issuer, server.url);
    assert.equal(as.token_endpoint, `${server.url}/oauth/token`);
});

test("a backend refreshes with its key, introspects and revokes", async () => {
    const as = await discover(server), { client, auth } = backend(server);
    const minted = await mintToken(server, { reference: "library@example.com" });
    const answer = await oauth.refreshTokenGrantRequest(as, client, auth, minted.refresh_token, LOOPBACK);
    const tokens = await oauth.processRefreshTokenResponse(as, client, answer);
    assert.equal(tokens.token_type, "bearer");
    const told = await oauth.processIntrospectionResponse(as, client,
        await oauth.introspectionRequest(as, client, auth, tokens.access_token, LOOPBACK));
    assert.deepEqual([told.active, told.sub, told.kind], [true, minted.subscriber_id, "subscriber"]);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, tokens.refresh_token, LOOPBACK));
    const after = await oauth.processIntrospectionResponse(as, client,
        await oauth.introspectionRequest(as, client, auth, tokens.access_token, LOOPBACK));
    assert.deepEqual(after, { active: false });
    assert.equal((await info(server, tokens.access_token)).status, 401);
});

test("a wrong secret, a used token: errors of the library's own classes", async () => {
    const as = await discover(server), { client, auth } = backend(server);
    const { refresh_token } = await mintToken(server, { reference: "library@example.com" });
    const wrong = await oauth.refreshTokenGrantRequest(as, client, oauth.ClientSecretBasic(`PT${"0".repeat(56)}`), refresh_token, LOOPBACK);
    await assert.rejects(oauth.processRefreshTokenResponse(as, client, wrong), (error) =>
        error instanceof oauth.WWWAuthenticateChallengeError || error.error === "invalid_client");
    const bad = await oauth.refreshTokenGrantRequest(as, client, auth, "rt_none", LOOPBACK);
    await assert.rejects(oauth.processRefreshTokenResponse(as, client, bad), (error) =>
        error instanceof oauth.ResponseBodyError && error.error === "invalid_grant");
});

// A client whose key the library has made; the server has its public half.
async function signing(at, alg)
{
    const { publicKey, privateKey } = await oauth.generateKeyPair(alg, { extractable: true });
    const jwk = await crypto.subtle.exportKey("jwk", publicKey);
    const { code, out, err } = await createKey(at, writeKey(at, JSON.stringify(jwk)));
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    return { client: { client_id: JSON.parse(out).id }, auth: oauth.PrivateKeyJwt(privateKey), privateKey };
}

test("a backend without a secret signs: refresh, exchange, introspection, revocation with private_key_jwt", async () => {
    const as = await discover(server);
    for (const alg of ["ES256", "RS256", "Ed25519"]) {
        const { client, auth, privateKey } = await signing(server, alg);
        const minted = await mintToken(server, { reference: "signing@example.com" });
        const tokens = await oauth.processRefreshTokenResponse(as, client,
            await oauth.refreshTokenGrantRequest(as, client, auth, minted.refresh_token, LOOPBACK));
        const ask = async (by = auth) => oauth.processIntrospectionResponse(as, client,
            await oauth.introspectionRequest(as, client, by, tokens.access_token, LOOPBACK));
        assert.equal((await ask()).active, true);
        const { launch_token } = await good(launch(server, {}));
        const exchanged = await oauth.processGenericTokenEndpointResponse(as, client,
            await oauth.genericTokenEndpointRequest(as, client, auth, EXCHANGE_GRANT,
                { subject_token: launch_token, subject_token_type: TYPE("launch") }, LOOPBACK));
        assert.equal(exchanged.token_type, "bearer");
        await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, tokens.refresh_token, LOOPBACK));
        assert.deepEqual(await ask(), { active: false });
        const elsewhere = oauth.PrivateKeyJwt(privateKey, { [oauth.modifyAssertion]: (_, payload) => { payload.aud = "https://other.example"; } });
        await assert.rejects(ask(elsewhere), (error) => error instanceof oauth.WWWAuthenticateChallengeError || error.error === "invalid_client");
    }
});

test("a participant's session is bound and used by the library alone: protectedResourceRequest with DPoP", async () => {
    for (const at of [server, strict]) {
        const as = await discover(at), client = { client_id: "visitor" };
        const handle = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
        const { bootstrapToken } = await good(bootstrap(at, { externalUserId: "by-library" }));
        const twice = async (request) => { // RFC 9449 section 8: asked for a nonce, the client comes again
            try {
                return await request();
            } catch (error) {
                assert.ok(at === strict && oauth.isDPoPNonceError(error), error);
                return request();
            }
        };
        const { access_token, token_type } = await twice(async () => oauth.processGenericTokenEndpointResponse(as, client,
            await oauth.genericTokenEndpointRequest(as, client, oauth.None(), EXCHANGE_GRANT,
                { subject_token: bootstrapToken, subject_token_type: TYPE("bootstrap") }, { DPoP: handle, ...LOOPBACK })));
        assert.equal(token_type, "dpop");
        const me = () => oauth.protectedResourceRequest(access_token, "GET", new URL(`${at.url}/participants/me`), undefined, undefined,
            { DPoP: handle, ...LOOPBACK });
        for (let i = 0; i < 2; i++) assert.equal((await (await twice(me)).json()).externalUserId, "by-library");
        const bearer = oauth.protectedResourceRequest(access_token, "GET", new URL(`${at.url}/participants/me`), undefined, undefined, LOOPBACK);
        await assert.rejects(bearer, (error) => error instanceof oauth.WWWAuthenticateChallengeError &&
            error.cause.map(({ scheme }) => scheme).join() === "bearer,dpop");
    }
});

test("a public client refreshes by DPoP alone, twice", async () => {
    const as = await discover(server), client = { client_id: "browser" }, none = oauth.None();
    const { handle, minted } = await boundPair(server, "public@example.com");
    let refresh_token = minted.refresh_token;
    for (let i = 0; i < 2; i++) {
        const answer = await oauth.refreshTokenGrantRequest(as, client, none, refresh_token, { DPoP: handle, ...LOOPBACK });
        const tokens = await oauth.processRefreshTokenResponse(as, client, answer);
        assert.equal(tokens.token_type, "dpop");
        refresh_token = tokens.refresh_token;
    }
});

test("with nonces on the library is asked for one, takes it, and comes through", async () => {
    const as = await discover(strict), client = { client_id: "browser" }, none = oauth.None();
    const { handle, minted } = await boundPair(strict, "nonces@example.com");
    const once = async () => oauth.processRefreshTokenResponse(as, client,
        await oauth.refreshTokenGrantRequest(as, client, none, minted.refresh_token, { DPoP: handle, ...LOOPBACK }));
    await assert.rejects(once(), (error) => oauth.isDPoPNonceError(error));
    assert.equal((await once()).token_type, "dpop");
});

test("tickets are exchanged, plain and bound", async () => {
    const as = await discover(server), none = oauth.None(), { publishable_key } = server.contract;
    const exchange = async (client, subject_token, type, options = {}) => oauth.processGenericTokenEndpointResponse(as, client,
        await oauth.genericTokenEndpointRequest(as, client, none, EXCHANGE_GRANT,
            { subject_token, subject_token_type: TYPE(type) }, { ...options, ...LOOPBACK }));
    const { bootstrapToken } = await good(bootstrap(server, {})), { launch_token } = await good(launch(server, {}));
    const visitor = await exchange({ client_id: "visitor" }, bootstrapToken, "bootstrap");
    assert.equal(visitor.issued_token_type, "urn:ietf:params:oauth:token-type:access_token");
    const { handle } = await boundPair(server, "exchange@example.com");
    const bound = await exchange({ client_id: publishable_key }, launch_token, "launch", { DPoP: handle });
    assert.equal(bound.token_type, "dpop");
    await assert.rejects(exchange({ client_id: "visitor" }, bootstrapToken, "bootstrap"), (error) => error.error === "invalid_request");
});

test("what was exchanged is an access token of RFC 9068 to the library", async () => {
    const as = await discover(server);
    const { bootstrapToken } = await good(bootstrap(server, {})), client = { client_id: "visitor" };
    const { access_token } = await oauth.processGenericTokenEndpointResponse(as, client,
        await oauth.genericTokenEndpointRequest(as, client, oauth.None(), EXCHANGE_GRANT,
            { subject_token: bootstrapToken, subject_token_type: TYPE("bootstrap") }, LOOPBACK));
    const request = new Request(`${server.url}/participants/me`, { headers: { authorization: `Bearer ${access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, server.url, LOOPBACK);
    assert.equal(claims.iss, server.url);
    assert.ok(claims.client_id && claims.jti);
    assert.equal((await call(server, "GET", JWKS)).status, 200);
});

await run({
    before: async () => {
        [server, strict] = await Promise.all([startServer(), startServer({ env: { COATCHECK_DPOP_NONCES: "on" } })]);
    },
    after: () => Promise.all([server.stop(), strict.stop()]),
});
