// limited.test.mjs — tokens that reach only what they were made for: guests, invites, embeds. Names begin with the number of
// the acceptance list ("SW-26"); the table of what each kind may do is checked cell by cell.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { coatcheck } from "../harness/clock.mjs";
import { ADDRESSES, call, info, mint, mintToken, nowS, readToken } from "../harness/http.mjs";
import { bearer, INVITES, Prover } from "../harness/prover.mjs";
import { connected } from "../harness/session.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const GUESTS = "/api/fabric/guests/tokens";
const EMBEDS = ["/api/fabric/embeds/tokens", "/api/embeds/tokens"];
const LISTED = "http://localhost:5173", FOREIGN = "https://evil.example";
let server, baseline, ada, bob;

// ---- asking ----

const guest = (body, headers = {}) => call(server, "POST", GUESTS, { body, headers: { authorization: server.basic, ...headers } });
const invite = (token, body, headers) => bearer(server, INVITES, token, body, headers);
const embed = (body, { path = EMBEDS[0], headers } = {}) => call(server, "POST", path, { body, headers });

async function made(answer)
{
    const { status, json, text } = await answer;
    assert.equal(status, 201, text);
    return json;
}

async function subscriber(reference)
{
    const { token, subscriber_id } = await mintToken(server, { reference });
    const [address] = (await info(server, token)).json.fabric_addresses;
    return { token, subscriber_id, address };
}

const guestToken = async (...allowed_addresses) => (await made(guest({ allowed_addresses }))).token;
const inviteToken = async (of = ada, more = {}) => (await made(invite(of.token, { address_id: of.address.id, ...more }))).token;
const embedToken = async (token = server.contract.c2c_token) => (await made(embed({ token }))).token;

async function addresses(token, query = "")
{
    const answer = await call(server, "GET", ADDRESSES + query, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200, answer.text);
    return answer.json.data.map((address) => address.id).sort();
}

const addressById = (token, id) => call(server, "GET", `${ADDRESSES}/${id}`, { headers: { authorization: `Bearer ${token}` } });
const named = (name) => `?name=${encodeURIComponent(name)}`;

function assertInvalid(answer, code, attribute, label)
{
    assert.equal(answer.status, 422, `${label}: ${answer.status} ${answer.text}`);
    assert.equal(answer.json.errors.length, 1, label);
    const [error] = answer.json.errors;
    assert.deepEqual(Object.keys(error).sort(), ["attribute", "code", "message", "type", "url"], label);
    assert.deepEqual([error.type, error.code, error.attribute], ["validation_error", code, attribute], label);
}

// ---- guests ----

test("SW-26 guests: ten addresses are taken, eleven and none refused", async () => {
    const ids = [server.contract.address_id];
    while (ids.length < 10) ids.push((await subscriber(`ten-${ids.length}@example.com`)).address.id);
    const answer = await guest({ allowed_addresses: ids });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ["refresh_token", "token"]);
    const { header, claims } = readToken(answer.json.token);
    assert.deepEqual([header.typ, header.ch, claims.kind, claims.adr], ["SAT", server.contract.ch, "guest", ids]);
    for (const name of ["scope", "cnf", "res", "inv"]) assert.ok(!(name in claims), name);
    assert.equal(claims.exp - claims.iat, 7200);
    assert.deepEqual(await addresses(answer.json.token), [...ids].sort());
    assertInvalid(await guest({ allowed_addresses: [...ids, ids[0]] }), "allowed_address_limit_exceeded", "allowed_addresses", "11");
    for (const body of [{}, { allowed_addresses: [] }, { allowed_addresses: null }])
        assertInvalid(await guest(body), "missing_required_parameter", "allowed_addresses", JSON.stringify(body));
});

test("SW-26 guests: addresses of nobody are refused, and it is not told where else they are", async () => {
    const other = await startServer();
    const ids = { nobody: crypto.randomUUID(), "another server's": other.contract.address_id, "a subscriber": ada.subscriber_id };
    await other.stop();
    for (const [label, id] of Object.entries(ids))
        for (const allowed_addresses of [[id], [server.contract.address_id, id], [id, ada.address.id]])
            assertInvalid(await guest({ allowed_addresses }), "must_belong_to_project", "allowed_addresses", label);
    for (const wrong of ["x", [7], [null], ["/public/front-desk"], [`${ada.address.id} `], { 0: ada.address.id }])
        assertInvalid(await guest({ allowed_addresses: wrong }), "invalid_parameter", "allowed_addresses", JSON.stringify(wrong));
});

test("SW-26 guests: expire_at by the rules of a mint, and only a key that may mint", async () => {
    const allowed_addresses = [ada.address.id], expire_at = nowS() + 600;
    assert.equal(readToken((await made(guest({ allowed_addresses, expire_at }))).token).claims.exp, expire_at);
    for (const wrong of [nowS() - 1, 0, -1, "x", nowS() + 60.5, nowS() + 86460])
        assertInvalid(await guest({ allowed_addresses, expire_at: wrong }), "invalid_parameter", "expire_at", String(wrong));
    for (const authorization of [basic(server.contract.project_id, "PTwrong"), `Bearer ${ada.token}`, undefined]) {
        const answer = await call(server, "POST", GUESTS, { body: { allowed_addresses }, headers: authorization ? { authorization } : {} });
        assert.deepEqual([answer.status, answer.text], [401, '{"error":"Unauthorized"}'], String(authorization));
    }
});

test("SW-9 a guest sees the addresses listed for it, by list, name and id, and no other", async () => {
    const token = await guestToken(ada.address.id, server.contract.address_id);
    const who = (await info(server, token)).json;
    assert.deepEqual([who.display_name, who.fabric_addresses, who.sat_claims, who.email], ["Guest", [], undefined, null]);
    assert.equal(who.id, readToken(token).claims.sub);
    assert.deepEqual(await addresses(token), [ada.address.id, server.contract.address_id].sort());
    assert.deepEqual(await addresses(token, named(server.contract.c2c_address)), [server.contract.address_id]);
    assert.deepEqual(await addresses(token, named("/private/ada")), [ada.address.id]);
    assert.deepEqual(await addresses(token, named("/private/bob")), []);
    assert.equal((await addressById(token, ada.address.id)).json.id, ada.address.id);
    for (const id of [bob.address.id, crypto.randomUUID(), "x"])
        assert.deepEqual([(await addressById(token, id)).status, (await addressById(token, id)).text], [404, '{"error":"Not Found"}']);
});

// ---- invites ----

test("SW-27 a subscriber's own token makes an invite to the subscriber's own address", async () => {
    const answer = await invite(ada.token, { address_id: ada.address.id }, { origin: LISTED });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.json), ["token"]);
    assert.equal(answer.headers["access-control-allow-origin"], LISTED, "it is asked by the inviter's browser");
    const { claims } = readToken(answer.json.token), own = readToken(ada.token).claims;
    assert.deepEqual([claims.kind, claims.adr, claims.inv], ["invite", [ada.address.id], ada.subscriber_id]);
    assert.deepEqual([claims.gt, claims.fam, claims.par], [own.gt, own.fam, own.par], "it descends from the inviter's token");
    assert.notEqual(claims.sub, ada.subscriber_id);
    assert.equal(claims.exp - claims.iat, 7200);
    const session = await connected(server, decodeURIComponent(encodeURIComponent(answer.json.token)));
    assert.equal(session.result.authorization.fabric_subscriber.subscriber_id, claims.sub);
    await session.close();
});

test("SW-27 an invite reaches its one address", async () => {
    const token = await inviteToken();
    assert.deepEqual(await addresses(token), [ada.address.id]);
    assert.deepEqual(await addresses(token, named("/private/ada")), [ada.address.id]);
    assert.deepEqual(await addresses(token, named("/private/bob")), []);
    assert.equal((await addressById(token, bob.address.id)).status, 404);
    const who = (await info(server, token)).json;
    assert.deepEqual([who.display_name, who.fabric_addresses], ["Guest", []]);
});

test("SW-27 invites: what is refused, and how", async () => {
    for (const address_id of [bob.address.id, server.contract.address_id, crypto.randomUUID(), "x", 7, [ada.address.id]])
        assertInvalid(await invite(ada.token, { address_id }), "invalid_parameter", "address_id", String(address_id));
    for (const body of [{}, { address_id: null }, { address_id: "" }])
        assertInvalid(await invite(ada.token, body), "missing_required_parameter", "address_id", JSON.stringify(body));
    for (const expires_at of [nowS() - 1, nowS(), 0, "x", nowS() + 60.5, true, nowS() + 604860])
        assertInvalid(await invite(ada.token, { address_id: ada.address.id, expires_at }), "invalid_parameter", "expires_at", String(expires_at));
    const far = nowS() + 604000;
    assert.equal(readToken(await inviteToken(ada, { expires_at: far })).claims.exp, far);
    const refusedAs = [server.basic, undefined, `Bearer ${await guestToken(ada.address.id)}`, `Bearer ${await inviteToken()}`,
        `Bearer ${await embedToken()}`];
    for (const authorization of refusedAs) {
        const answer = await call(server, "POST", INVITES, { body: { address_id: ada.address.id }, headers: authorization ? { authorization } : {} });
        assert.deepEqual([answer.status, answer.text], [401, '{"error":"Unauthorized"}'], String(authorization).slice(0, 12));
    }
    const foreign = await invite(ada.token, { address_id: ada.address.id }, { origin: FOREIGN });
    assert.deepEqual([foreign.status, foreign.headers["access-control-allow-origin"]], [403, undefined]);
});

test("SW-27 a bound inviter proves it: with ath, once", async () => {
    const prover = new Prover(), token = await prover.bound(server, { reference: "ada@example.com" });
    const body = (dpop_token) => ({ address_id: ada.address.id, dpop_token });
    const proof = prover.http(INVITES, token);
    for (const [label, wrong] of Object.entries({ none: undefined, "no ath": prover.http(INVITES), "another's": new Prover().http(INVITES, token),
        "for GET": prover.http(INVITES, token, { htm: "GET" }), "another path": prover.http("/api/fabric/addresses", token) }))
        assert.equal((await invite(token, body(wrong))).status, 401, label);
    assertInvalid(await invite(token, { ...body(proof), address_id: bob.address.id }), "invalid_parameter", "address_id", "refused");
    assert.equal((await invite(token, body(proof))).status, 201, "a refused ask used up no proof");
    assert.equal((await invite(token, body(proof))).status, 401, "the same again");
});

// ---- embeds ----

test("SW-16 a click-to-call resource yields a c2c_ token that leads to it", async () => {
    assert.match(server.contract.c2c_token, /^c2c_[0-9a-f]{32}$/);
    assert.deepEqual(await addresses(await embedToken()), [server.contract.address_id]);
});

test("SW-17 the exchange needs no secret and is there under both paths, whatever the content type", async () => {
    for (const path of EMBEDS)
        for (const type of ["application/json", "text/plain;charset=UTF-8", undefined]) {
            const headers = { origin: LISTED, ...(type ? { "content-type": type } : {}) };
            const answer = await embed(JSON.stringify({ token: server.contract.c2c_token }), { path, headers });
            assert.equal(answer.status, 201, `${path} ${type}: ${answer.text}`);
            assert.deepEqual(Object.keys(answer.json), ["token"]);
            assert.equal(answer.headers["access-control-allow-origin"], LISTED);
            const { header, claims } = readToken(answer.json.token);
            assert.deepEqual([header.typ, claims.kind, claims.exp - claims.iat], ["SAT", "embed", 3600]);
            assert.ok(claims.res && !("adr" in claims) && !("scope" in claims));
        }
});

test("SW-18 an exchanged token can be exchanged again, and stays with its family", async () => {
    const first = await embedToken(), second = await embedToken(first);
    const [a, b] = [first, second].map((token) => readToken(token).claims);
    assert.deepEqual([b.kind, b.res, b.gt, b.fam, b.sub, b.end], ["embed", a.res, a.gt, a.fam, a.sub, a.end]);
    assert.notEqual(a.jti, b.jti);
});

test("SW-17 the exchange: what is refused, and how", async () => {
    for (const body of [{}, { token: null }, { token: "" }])
        assertInvalid(await embed(body), "missing_required_parameter", "token", JSON.stringify(body));
    for (const token of [7, ["c2c_x"], {}]) assertInvalid(await embed({ token }), "invalid_parameter", "token", JSON.stringify(token));
    for (const token of ["x", "c2t_00112233445566778899aabbccddeeff", server.contract.api_token, server.contract.publishable_key,
        server.contract.secret_key]) assertInvalid(await embed({ token }), "token_has_invalid_prefix", "token", token.slice(0, 4));
    const last = server.contract.c2c_token.at(-1) === "0" ? "1" : "0";
    for (const token of ["c2c_", "c2c_x", `c2c_${"0".repeat(32)}`, server.contract.c2c_token.slice(0, -1) + last, `${server.contract.c2c_token}0`]) {
        const answer = await embed({ token });
        assert.deepEqual([answer.status, answer.text], [404, '{"error":"Not Found"}'], token);
    }
    for (const token of [ada.token, await guestToken(ada.address.id), await inviteToken(), `${(await embedToken()).slice(0, -4)}AAAA`, "a.b.c"]) {
        const answer = await embed({ token });
        assert.deepEqual([answer.status, answer.text], [401, '{"error":"Unauthorized"}'], token.slice(0, 10));
    }
    for (const body of ["", "{", "[]", "token=c2c_x"]) assert.equal((await embed(body)).status, 400, body);
});

test("SW-15 an embed token reaches its one resource and nothing else", async () => {
    const token = await embedToken();
    assert.deepEqual(await addresses(token), [server.contract.address_id]);
    assert.deepEqual(await addresses(token, named(server.contract.c2c_address)), [server.contract.address_id]);
    for (const name of ["/private/ada", "/private/front-desk", "/public/nobody"]) assert.deepEqual(await addresses(token, named(name)), []);
    assert.equal((await addressById(token, server.contract.address_id)).status, 200);
    assert.equal((await addressById(token, ada.address.id)).status, 404);
    const who = (await info(server, token)).json;
    assert.deepEqual([who.display_name, who.fabric_addresses, who.sat_claims], ["Guest", [], undefined]);
});

test("F-80 an embed token scraped off a page is no good on another site", async () => {
    const answer = await embed({ token: server.contract.c2c_token }, { headers: { origin: FOREIGN } });
    assert.deepEqual([answer.status, answer.headers["access-control-allow-origin"]], [403, undefined]);
    const token = await embedToken();
    assert.equal((await info(server, token, { origin: FOREIGN })).status, 403);
});

test("F-82 what was exchanged for a click-to-call token is void with it, sockets and all", async () => {
    const token = await embedToken(), others = await guestToken(ada.address.id);
    const [visitor, stranger] = [await connected(server, token), await connected(server, others)];
    const args = ["revoke", "key", readToken(token).claims.par, "--project", server.contract.project_id, "--data", server.data, "--json"];
    const { code, out, err } = await coatcheck(...args);
    assert.deepEqual([code, err, JSON.parse(out).sessions_closed], [0, "", 1]);
    assert.equal((await visitor.closed).code, 4403);
    assert.equal((await info(server, token)).status, 401);
    assert.equal((await embed({ token })).status, 401, "nor can it be exchanged again");
    assert.equal((await info(server, others)).status, 200);
    await stranger.close();
});

test("F-82 a button that is switched off gives 403, a retired click-to-call token 404", async () => {
    const command = (...args) => coatcheck(...args, "--data", server.data, "--json");
    const button = JSON.parse((await command("resource", "create", "click-to-call", "hot-line", "--address", "/public/hot-line", "--reaches", "bob@example.com",
        "--project", server.contract.project_id)).out);
    const c2c = JSON.stringify(button).match(/c2c_[0-9a-f]{32}/)[0], token = await embedToken(c2c), { res, par } = readToken(token).claims;
    const answers = async () => [(await embed({ token: c2c })).status, (await embed({ token })).status];
    assert.equal((await command("resource", "disable", res)).code, 0);
    assert.deepEqual(await answers(), [403, 403]);
    assert.equal((await command("resource", "enable", res)).code, 0);
    assert.deepEqual(await answers(), [201, 201]);
    assert.equal((await command("key", "retire", par)).code, 0);
    assert.deepEqual(await answers(), [404, 401], "no more of it, though what was exchanged lives on");
    assert.equal((await info(server, token)).status, 200);
});

test("F-82 a button whose user was deleted leads nowhere: 403, and so it stays when somebody of that name comes again", async () => {
    const command = async (...args) => {
        const { code, out, err } = await coatcheck(...args, "--data", server.data, "--json");
        assert.deepEqual({ code, err }, { code: 0, err: "" });
        return JSON.parse(out);
    };
    const project = server.contract.project_id, dave = await subscriber("dave@example.com");
    const button = await command("resource", "create", "click-to-call", "dave-line", "--address", "/public/dave-line", "--reaches", "dave@example.com",
        "--project", project);
    const c2c = JSON.stringify(button).match(/c2c_[0-9a-f]{32}/)[0], token = await embedToken(c2c);
    await command("user", "delete", readToken(dave.token).claims.sub, "--project", project);
    const refusedTwice = async () => {
        for (const shown of [c2c, token]) {
            const answer = await embed({ token: shown });
            assert.equal(answer.status, 403, answer.text);
            assert.match((await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", server.data)).out, /RESOURCE_DISABLED[^]*resource\.reaches/);
        }
    };
    await refusedTwice();
    await subscriber("dave@example.com"); // another user: who was deleted does not come back
    await refusedTwice();
    assert.equal((await embed({ token: server.contract.c2c_token })).status, 201, "other buttons ring on");
});

test("A-25 an invite is void with its inviter, and with the inviter's sign-in", async () => {
    const carol = await subscriber("carol@example.com");
    for (const [of, name] of [["family", (claims) => claims.fam], ["user", (claims) => claims.sub]]) {
        const { token } = await mintToken(server, { reference: "carol@example.com" });
        const invitation = await inviteToken({ token, address: carol.address });
        const session = await connected(server, invitation);
        const { code } = await coatcheck("revoke", of, name(readToken(token).claims), "--project", server.contract.project_id, "--data", server.data);
        assert.equal(code, 0);
        assert.equal((await session.closed).code, 4403, of);
        assert.equal((await info(server, invitation)).status, 401, of);
    }
});

// ---- all of them ----

test("SW-10 SW-11 SW-12 each pattern has a credential of its own, and one is never another", async () => {
    const tokens = { subscriber: ada.token, guest: await guestToken(ada.address.id), invite: await inviteToken(), embed: await embedToken() };
    for (const [kind, token] of Object.entries(tokens)) {
        const { claims } = readToken(token);
        assert.equal(claims.kind, kind);
        const session = await connected(server, token);
        const { authorization } = session.result;
        assert.deepEqual([authorization.jti, authorization.project_id, authorization.scope], [claims.jti, server.contract.project_id, []]);
        assert.equal(authorization.fabric_subscriber.subscriber_id, claims.sub);
        assert.equal(authorization.fabric_subscriber.expires_at, claims.exp);
        assert.equal(authorization.cnf, undefined);
        await session.close();
    }
    assert.equal(new Set(Object.values(tokens).map((token) => readToken(token).claims.sub)).size, 4);
});

test("SW-55 register is a success without effect for guests, invites and embeds", async () => {
    for (const token of [await guestToken(ada.address.id), await inviteToken(), await embedToken()]) {
        const session = await connected(server, token);
        for (const method of ["subscriber.online", "subscriber.offline", "subscriber.online"])
            assert.deepEqual((await session.request(method)).result, { code: "200", message: "OK" });
        await session.close();
    }
});

// protocol §3: outbound is the list of what it can see to dial; inbound is an address of its own.
test("SW-12 the table of what each kind may do, cell by cell", async () => {
    const prover = new Prover();
    const others = [ada.address.id, bob.address.id, server.contract.address_id];
    const rows = {
        subscriber: { made: await mintToken(server, { reference: "ada@example.com" }), own: 1, sees: others, life: 7200, refresh: true, invites: 201, binds: true },
        guest: { made: await made(guest({ allowed_addresses: [bob.address.id] })), own: 0, sees: [bob.address.id], life: 7200, refresh: true, invites: 401 },
        invite: { made: await made(invite(ada.token, { address_id: ada.address.id })), own: 0, sees: [ada.address.id], life: 7200, invites: 401 },
        embed: { made: await made(embed({ token: server.contract.c2c_token })), own: 0, sees: [server.contract.address_id], life: 3600, invites: 401 },
    };
    for (const [kind, row] of Object.entries(rows)) {
        const { token } = row.made, { claims } = readToken(token);
        const who = (await info(server, token)).json;
        assert.equal(who.fabric_addresses.length, row.own, `${kind}: inbound`);
        for (const id of others)
            assert.equal((await addressById(token, id)).status, row.sees.includes(id) ? 200 : 404, `${kind}: destination`);
        assert.equal("refresh_token" in row.made, row.refresh ?? false, `${kind}: refresh token`);
        assert.equal(claims.exp - claims.iat, row.life, `${kind}: life`);
        assert.equal((await invite(token, { address_id: ada.address.id })).status, row.invites, `${kind}: may invite`);
        assert.equal((await prover.activate(server, token)).status, 401, `${kind}: no scope, no binding`);
        const session = await connected(server, token);
        assert.ok((await session.request("subscriber.online")).result, `${kind}: register`);
        await session.close();
    }
    const bindable = (await mintToken(server, { reference: "ada@example.com", scope: "sat:refresh" })).token;
    assert.equal((await prover.activate(server, bindable)).status, 201, "subscriber: fingerprint and sat:refresh");
});

test("SW-25 the default token is the whole subscriber, and others' addresses can be read by id", async () => {
    const answer = await addressById(ada.token, bob.address.id);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, bob.address);
    assert.equal((await addressById(ada.token, server.contract.address_id)).json.display_name, "Front desk");
    for (const id of [crypto.randomUUID(), "x", ada.subscriber_id]) assert.equal((await addressById(ada.token, id)).status, 404, id);
    assert.equal((await call(server, "GET", `${ADDRESSES}/${bob.address.id}`)).status, 401);
    const session = await connected(server, ada.token);
    assert.equal((await session.request("subscriber.online")).result.code, "200");
    await session.close();
});

test("A-22 limited credentials never stand in for another", async () => {
    const { token: guestAccess, refresh_token } = await made(guest({ allowed_addresses: [ada.address.id] }));
    const kinds = { guest: guestAccess, invite: await inviteToken(), embed: await embedToken() };
    const prover = new Prover();
    for (const [kind, token] of Object.entries(kinds)) {
        const renamed = Buffer.from(JSON.stringify({ ...readToken(token).claims, kind: "subscriber" })).toString("base64url");
        const [head, , signature] = token.split(".");
        assert.equal((await info(server, `${head}.${renamed}.${signature}`)).status, 401, `${kind} renamed`);
        assert.equal((await invite(token, { address_id: ada.address.id })).status, 401, `${kind} inviting`);
        assert.equal((await prover.activate(server, token)).status, 401, `${kind} binding`);
        assert.equal((await prover.renew(server, token)).status, 401, `${kind} renewing`);
    }
    for (const token of [refresh_token, server.contract.c2c_token, prover.rpc()]) {
        assert.equal((await info(server, token)).status, 401);
        assert.equal((await invite(token, { address_id: ada.address.id })).status, 401);
    }
    assert.equal((await embed({ token: guestAccess })).status, 401, "guest as embed");
});

test("A-26 at mint: ids are ids, however they are dressed up", async () => {
    const id = ada.address.id, forms = [`${id} `, ` ${id}`, `{${id}}`, `urn:uuid:${id}`, id.replaceAll("-", ""), `${id}\u0000`, id.slice(0, -1), "/private/ada"];
    for (const form of forms) assertInvalid(await guest({ allowed_addresses: [form] }), "invalid_parameter", "allowed_addresses", form);
    const token = await guestToken(id.toUpperCase(), id);
    assert.deepEqual(readToken(token).claims.adr, [id], "the same address in another case is the same address");
    for (const name of ["/private/ADA", "/private/ada ", "/private/ad", "/private/ada/", "/Private/ada", "ada"])
        assert.deepEqual(await addresses(token, named(name)), [], name);
});

test("A-27 no limited token is eternal", async () => {
    for (const text of ["9223372036854775807", "-9223372036854775808", "4102444800"]) {
        const headers = { "content-type": "application/json", authorization: server.basic };
        const asGuest = await call(server, "POST", GUESTS, { body: `{"allowed_addresses":["${ada.address.id}"],"expire_at":${text}}`, headers });
        assertInvalid(asGuest, "invalid_parameter", "expire_at", text);
        const asInvite = await call(server, "POST", INVITES, { body: `{"address_id":"${ada.address.id}","expires_at":${text}}`,
            headers: { ...headers, authorization: `Bearer ${ada.token}` } });
        assertInvalid(asInvite, "invalid_parameter", "expires_at", text);
    }
    const { claims } = readToken((await mint(server, { reference: "ada@example.com", scope: "sat:refresh" })).json.token);
    assert.ok(claims.exp <= claims.iat + 60);
});

test("A-28 extra members of limited mints never reach the claims", async () => {
    const extra = { project_id: crypto.randomUUID(), kind: "subscriber", scope: "sat:refresh", fingerprint: "A".repeat(43), sub: ada.subscriber_id,
        subscriber_id: ada.subscriber_id, exp: 9e9, gt: 1, fam: crypto.randomUUID(), res: crypto.randomUUID(), inv: bob.subscriber_id, iat: 1 };
    const tokens = {
        guest: (await made(guest({ ...extra, allowed_addresses: [bob.address.id], address_id: ada.address.id }))).token,
        invite: (await made(invite(ada.token, { ...extra, address_id: ada.address.id, allowed_addresses: [bob.address.id] }))).token,
        embed: (await made(embed({ ...extra, token: server.contract.c2c_token, allowed_addresses: [bob.address.id] }))).token,
    };
    for (const [kind, token] of Object.entries(tokens)) {
        const { claims } = readToken(token);
        assert.deepEqual([claims.kind, claims.prj, claims.scope, claims.cnf], [kind, server.contract.project_id, undefined, undefined]);
        assert.notEqual(claims.sub, ada.subscriber_id);
        assert.ok(claims.exp <= nowS() + 7200 && claims.gt > 1e12 && claims.fam !== extra.fam && claims.res !== extra.res);
    }
    assert.deepEqual(readToken(tokens.guest).claims.adr, [bob.address.id]);
    assert.deepEqual(readToken(tokens.invite).claims.adr, [ada.address.id]);
    assert.equal(readToken(tokens.invite).claims.inv, ada.subscriber_id);
});

await run({
    before: async () => {
        server = await startServer();
        ada = await subscriber("ada@example.com");
        bob = await subscriber("bob@example.com");
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
