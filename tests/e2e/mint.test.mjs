// mint.test.mjs — every field, limit, default and error body of the three REST calls that the first ticket needs:
// POST subscribers/tokens, GET subscriber/info, GET addresses?name=. Then CORS and the headers of every answer.
import assert from "node:assert/strict";
import { ADDRESSES, call, info, INFO, mint, mintToken, nowS, readToken, TOKENS } from "../harness/http.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FINGERPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; // RFC 7638 §3.1
const LISTED = "http://localhost:5173";
const FOREIGN = "https://evil.example";
let server, baseline;

let references = 0;
const someone = (more = {}) => ({ reference: `someone-${++references}@example.com`, ...more });

// ---- the answer ----

test("answers 200 with exactly subscriber_id, token, refresh_token", async () => {
    const answer = await mint(server, someone());
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(answer.json).sort(), ["refresh_token", "subscriber_id", "token"]);
    assert.match(answer.json.subscriber_id, UUID);
    assert.match(answer.headers["content-type"], /^application\/json/);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.equal(answer.headers["coatcheck-error-id"], undefined);
});

test("SW-2 the access token: header and claims", async () => {
    const before = nowS(), { token, subscriber_id } = await mintToken(server, someone()), after = nowS();
    const { header, claims } = readToken(token);
    assert.deepEqual(Object.keys(header).sort(), ["alg", "ch", "kid", "typ"]);
    assert.deepEqual([header.alg, header.typ, header.ch], ["ES256", "SAT", server.contract.ch]);
    for (const name of ["iss", "aud", "sub", "iat", "exp", "jti", "prj", "kind", "gt", "fam", "par"])
        assert.ok(name in claims, `claim ${name}`);
    for (const name of ["cnf", "adr", "res", "application_id"]) assert.ok(!(name in claims), `no ${name}`);
    assert.deepEqual([claims.sub, claims.prj, claims.kind], [subscriber_id, server.contract.project_id, "subscriber"]);
    assert.ok(Number.isInteger(claims.iat) && Number.isInteger(claims.exp) && Number.isInteger(claims.gt));
    assert.ok(claims.iat >= before - 1 && claims.iat <= after + 1, `${before} <= ${claims.iat} <= ${after}`); // a clock may be set by as much
    assert.ok(claims.gt >= claims.iat * 1000 - 1000);
    assert.ok(!server.contract.api_token.includes(claims.par) || claims.par.length <= 32, "par is the key's public id only");
});

test("the refresh token: two parts, sealed, at most 512 bytes", async () => {
    const { refresh_token } = await mintToken(server, someone());
    assert.match(refresh_token, /^[A-Za-z0-9_-]*[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
    assert.ok(refresh_token.length <= 512);
    const longest = await mintToken(server, someone({ fingerprint: FINGERPRINT, scope: "sat:refresh",
        application_id: "00000000-0000-4000-8000-000000000001" }));
    assert.ok(longest.refresh_token.length <= 512);
});

test("two mints never give the same token, jti or family", async () => {
    const body = someone();
    const all = await Promise.all(Array.from({ length: 20 }, () => mintToken(server, body)));
    const distinct = (pick) => new Set(all.map(pick)).size;
    assert.equal(distinct((a) => a.subscriber_id), 1, "20 at once see one subscriber");
    assert.equal(distinct((a) => a.token), 20);
    assert.equal(distinct((a) => a.refresh_token), 20);
    assert.equal(distinct((a) => readToken(a.token).claims.jti), 20);
    assert.equal(distinct((a) => readToken(a.token).claims.fam), 20);
});

// ---- each field ----

async function refused(body, attribute, code = "invalid_parameter")
{
    const answer = await mint(server, body);
    const label = JSON.stringify(body)?.slice(0, 120);
    assert.equal(answer.status, 422, `${label} -> ${answer.status} ${answer.text}`);
    assert.deepEqual(Object.keys(answer.json), ["errors"], label);
    const error = answer.json.errors.find((e) => e.attribute === attribute);
    assert.ok(error, `${label}: an error about ${attribute} in ${answer.text}`);
    assert.deepEqual(Object.keys(error).sort(), ["attribute", "code", "message", "type", "url"], label);
    assert.deepEqual([error.type, error.code], ["validation_error", code], label);
    assert.ok(error.message.length > 0 && error.url.length > 0, label);
}

test("reference: required, a non-blank string", async () => {
    for (const body of [{}, { reference: "" }, { reference: null }, { reference: "   " }])
        await refused(body, "reference", "missing_required_parameter");
    for (const reference of [7, true, ["a"], { a: 1 }, 1.5]) await refused({ reference }, "reference");
});

test("reference: at most 255 bytes, no NUL", async () => {
    assert.equal((await mint(server, { reference: "r".repeat(255) })).status, 200);
    await refused({ reference: "r".repeat(256) }, "reference");
    await refused({ reference: "ä".repeat(128) }, "reference");
    await refused({ reference: "a\u0000b" }, "reference");
});

test("SW-24 reference: the same string is the same subscriber, another string another one", async () => {
    const body = someone();
    const [first, again, upper, spaced] = await Promise.all([body.reference, body.reference, body.reference.toUpperCase(),
        `${body.reference} `].map((reference) => mintToken(server, { reference })));
    assert.equal(first.subscriber_id, again.subscriber_id);
    assert.equal(new Set([first, upper, spaced].map((a) => a.subscriber_id)).size, 3);
});

test("reference: look-alikes in other bytes never merge", async () => {
    const alike = ["é@example.com", "e\u0301@example.com", "е@example.com", "e@example.com", "🙂@example.com", "%@example.com",
        "_@example.com", "' OR 1=1 --", "ａ@example.com"];
    const ids = new Set();
    for (const reference of alike) ids.add((await mintToken(server, { reference })).subscriber_id);
    assert.equal(ids.size, alike.length);
    for (const reference of alike) assert.ok(ids.has((await mintToken(server, { reference })).subscriber_id));
});

test("expire_at: default two hours, at most a day", async () => {
    const life = async (more) => {
        const { claims } = readToken((await mintToken(server, someone(more))).token);
        return claims.exp - claims.iat;
    };
    assert.equal(await life({}), 7200);
    const wanted = nowS() + 600;
    assert.equal(readToken((await mintToken(server, someone({ expire_at: wanted }))).token).claims.exp, wanted);
    const asked = nowS(), most = await life({ expire_at: asked + 86395 }), waited = nowS() - asked;
    assert.ok(most <= 86396 && most >= 86394 - waited, `${most}`);
    await refused(someone({ expire_at: nowS() + 86400 + 60 }), "expire_at");
});

test("expire_at: an integer in the future, nothing else", async () => {
    const now = nowS();
    const wrong = [now - 1, now - 3600, 0, -1, now + 60.5, String(now + 60), true, [now + 60], {}, now * 1000 + 60000];
    for (const expire_at of wrong) await refused(someone({ expire_at }), "expire_at");
    for (const text of ["9223372036854775807", "-9223372036854775808"])
        assert.equal((await mint(server, `{"reference":"x","expire_at":${text}}`, { "content-type": "application/json" })).status,
            422, text);
    for (const text of ["9223372036854775808", "18446744073709551617", "1e400"])
        assert.ok([400, 422].includes((await mint(server, `{"reference":"x","expire_at":${text}}`,
            { "content-type": "application/json" })).status), text);
});

test("null stands for absent in every optional field", async () => {
    const optional = ["expire_at", "application_id", "password", "fingerprint", "scope", "first_name", "last_name",
        "display_name", "job_title", "time_zone", "country", "company_name", "region"];
    for (const name of optional) {
        const answer = await mint(server, someone({ [name]: null }));
        assert.ok([200, 422].includes(answer.status), name);
        if (answer.status === 200) assert.equal(readToken(answer.json.token).claims.cnf, undefined, name);
    }
});

test("application_id: a UUID, told at connect", async () => {
    for (const application_id of ["", "x", 7, "00000000-0000-4000-8000-00000000000", "00000000-0000-4000-8000-00000000000g"])
        await refused(someone({ application_id }), "application_id");
    const application_id = "7b6d4f0e-7a3f-4f52-9d7e-2d2c3a0b1c4d";
    assert.equal((await mint(server, someone({ application_id }))).status, 200);
});

test("password: a string, empty leaves it alone, too long is refused, never shown again", async () => {
    for (const password of ["correct horse battery staple", ""])
        assert.equal((await mint(server, someone({ password }))).status, 200);
    for (const password of [7, ["x"], {}]) await refused(someone({ password }), "password");
    await refused(someone({ password: "p".repeat(73) }), "password");
    const body = someone({ password: "a password to look for" });
    const { token } = await mintToken(server, body);
    assert.ok(!(await info(server, token)).text.includes("password to look for"));
    assert.ok(!server.logs.some((line) => line.includes("password to look for")));
});

test("fingerprint: exactly 43 base64url characters with no bits to spare", async () => {
    const { token } = await mintToken(server, someone({ fingerprint: FINGERPRINT }));
    assert.deepEqual(readToken(token).claims.cnf, { jkt: FINGERPRINT });
    const wrong = ["", "x", FINGERPRINT.slice(1), `${FINGERPRINT}A`, `${FINGERPRINT}=`, FINGERPRINT.replace("-", "+"),
        FINGERPRINT.replace("_", "/"), `${FINGERPRINT.slice(0, 42)}t`, ` ${FINGERPRINT.slice(1)}`, 43, [FINGERPRINT]];
    for (const fingerprint of wrong) await refused(someone({ fingerprint }), "fingerprint");
});

test("scope: only sat:refresh, as a string or a list of one", async () => {
    for (const scope of ["sat:refresh", ["sat:refresh"]]) {
        const { claims } = readToken((await mintToken(server, someone({ scope, fingerprint: FINGERPRINT }))).token);
        assert.deepEqual([claims.scope, claims.exp - claims.iat], ["sat:refresh", 7200]);
    }
    for (const scope of ["admin", "sat:refresh admin", "SAT:REFRESH", ["admin"], ["sat:refresh", "admin"], 7, {}])
        await refused(someone({ scope }), "scope");
});

test("scope sat:refresh without a fingerprint lives at most 60 s", async () => {
    for (const more of [{}, { expire_at: nowS() + 7200 }]) {
        const { claims } = readToken((await mintToken(server, someone({ scope: "sat:refresh", ...more }))).token);
        assert.ok(claims.exp - claims.iat <= 60, `${claims.exp - claims.iat} s`);
    }
});

test("profile: stored, shown, changed field by field", async () => {
    const body = someone({ first_name: "Ada", last_name: "Lovelace", display_name: "Ada L.", job_title: "Analyst",
        time_zone: "Europe/London", country: "GB", company_name: "Engines", region: "us-central" });
    const { token } = await mintToken(server, body);
    const shown = (await info(server, token)).json;
    for (const [name, value] of Object.entries(body))
        if (!["reference", "region"].includes(name)) assert.equal(shown[name], value, name);
    await mintToken(server, { reference: body.reference, job_title: "Countess" });
    const changed = (await info(server, token)).json;
    assert.equal(changed.job_title, "Countess");
    assert.equal(changed.first_name, "Ada", "what was not sent stays");
});

test("profile: strings of at most 255 bytes, region only us-central", async () => {
    for (const name of ["first_name", "last_name", "display_name", "job_title", "time_zone", "country", "company_name"]) {
        assert.equal((await mint(server, someone({ [name]: "x".repeat(255) }))).status, 200, name);
        await refused(someone({ [name]: "x".repeat(256) }), name);
        for (const value of [7, ["x"], {}, true]) await refused(someone({ [name]: value }), name);
    }
    for (const region of ["eu-west", "", 7, ["us-central"]]) await refused(someone({ region }), "region");
});

test("unknown members are ignored", async () => {
    assert.equal((await mint(server, someone({ no_such: 1, nested: { a: [1, 2] } }))).status, 200);
});

test("several wrong members: at least one is named, never a half-done mint", async () => {
    const answer = await mint(server, { expire_at: "x", fingerprint: "y", scope: "z" });
    assert.equal(answer.status, 422);
    assert.ok(answer.json.errors.length >= 1);
});

// ---- the body's form ----

test("a body that is no JSON object is refused", async () => {
    const type = { "content-type": "application/json" };
    for (const body of ["", "{", "{}x", '{"reference":"a",}', "{'reference':'a'}", '{"reference":"a"}\u0000', "\ufeff{}", '{"a":nul}'])
        assert.equal((await mint(server, body, type)).status, 400, JSON.stringify(body));
    for (const body of ["[]", '"x"', "7", "null", "true"])
        assert.ok([400, 422].includes((await mint(server, body, type)).status), body);
});

test("only application/json, whatever its parameters and case", async () => {
    const body = JSON.stringify(someone());
    for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"])
        assert.equal((await mint(server, body, { "content-type": type })).status, 200, type);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
        "text/json", "application/json, text/plain", ""])
        assert.equal((await mint(server, body, { "content-type": type })).status, 415, type);
    assert.equal((await call(server, "POST", TOKENS, { body, headers: { authorization: server.basic } })).status, 415, "none");
});

test("a chunked body is the same body", async () => {
    const answer = await call(server, "POST", TOKENS, { body: JSON.stringify(someone()), chunked: true,
        headers: { authorization: server.basic, "content-type": "application/json" } });
    assert.equal(answer.status, 200);
});

// ---- who may ask ----

async function unauthorized(answer, label)
{
    assert.equal(answer.status, 401, `${label} -> ${answer.status} ${answer.text}`);
    assert.deepEqual(answer.json, { error: "Unauthorized" }, label);
    assert.ok(answer.headers["www-authenticate"], `${label}: WWW-Authenticate`);
    assert.equal(answer.headers["cache-control"], "no-store", label);
}

test("SW-23 mint: only this project's Basic credentials", async () => {
    const { project_id, api_token, client_id, client_secret, secret_key, publishable_key } = server.contract;
    const { token } = await mintToken(server, someone());
    const without = await call(server, "POST", TOKENS, { body: someone() });
    await unauthorized(without, "no credential");
    const wrong = { "wrong secret": basic(project_id, `${api_token.slice(0, -1)}${api_token.at(-1) === "a" ? "b" : "a"}`),
        "wrong project": basic("00000000-0000-4000-8000-000000000000", api_token), "secret as user": basic(api_token, project_id),
        "empty secret": basic(project_id, ""), "empty": basic("", ""), "cut": basic(project_id, api_token.slice(0, -1)),
        "longer": basic(project_id, `${api_token}x`), "a client": basic(client_id, client_secret),
        "another kind of key": basic(project_id, secret_key), "publishable": basic(project_id, publishable_key),
        "its own token": `Bearer ${token}`, "bearer secret": `Bearer ${api_token}` };
    for (const [label, authorization] of Object.entries(wrong))
        await unauthorized(await mint(server, someone(), { authorization }), label);
});

test("mint: who asks is checked before what is asked", async () => {
    for (const body of [{}, "{", someone({ expire_at: -1 })])
        await unauthorized(await mint(server, body, { authorization: basic("x", "y"), "content-type": "application/json" }),
            JSON.stringify(body));
});

test("other methods and paths have the dialect's bodies", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await call(server, method, TOKENS, { headers: { authorization: server.basic } });
        assert.equal(answer.status, 405, method);
        assert.match(answer.headers.allow, /POST/);
    }
    for (const path of ["/api/fabric/nothing", "/api/fabric/subscribers/tokens/", "/api/fabric/subscribers/tokensx", "/nothing"]) {
        const answer = await call(server, "POST", path, { body: someone(), headers: { authorization: server.basic } });
        assert.equal(answer.status, 404, path);
        if (path.startsWith("/api/fabric/")) assert.deepEqual(answer.json, { error: "Not Found" }, path);
    }
});

// ---- GET subscriber/info ----

test("info: who the token speaks for", async () => {
    const reference = "front@example.com";
    const { token, subscriber_id } = await mintToken(server, { reference, first_name: "Front" });
    const answer = await info(server, token);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    const { json } = answer;
    assert.deepEqual([json.id, json.email, json.first_name], [subscriber_id, reference, "Front"]);
    assert.ok(Array.isArray(json.fabric_addresses));
    for (const name of ["last_name", "display_name", "job_title", "time_zone", "country", "region", "company_name",
        "push_notification_key", "app_settings"]) assert.ok(name in json, name);
    for (const address of json.fabric_addresses) checkAddress(address);
    assert.equal(json.fabric_addresses[0]?.type, "subscriber");
});

test("info: sat_claims tell scope, binding and expiry", async () => {
    const { token } = await mintToken(server, someone({ scope: "sat:refresh", fingerprint: FINGERPRINT }));
    const { sat_claims } = (await info(server, token)).json;
    assert.deepEqual(sat_claims.scope, ["sat:refresh"]);
    assert.equal(sat_claims.cnf.jkt, FINGERPRINT, "a bound token is good for info without a proof");
    assert.equal(sat_claims.expires_at, readToken(token).claims.exp);
    const plain = (await info(server, (await mintToken(server, someone())).token)).json;
    assert.deepEqual([plain.sat_claims?.scope ?? [], plain.sat_claims?.cnf], [[], undefined]);
});

test("info: a token and nothing else", async () => {
    const { token, refresh_token } = await mintToken(server, someone());
    await unauthorized(await call(server, "GET", INFO), "none");
    for (const authorization of ["Bearer", "Bearer ", `Bearer  ${token}`, `Bearer ${token} `, `Token ${token}`, token, server.basic,
        `Bearer ${refresh_token}`, `Bearer ${token},${token}`, `Bearer ${token.slice(0, -1)}`, `Bearer ${token}A`, "Bearer x"]) {
        const answer = await call(server, "GET", INFO, { headers: { authorization } });
        if (authorization === `Bearer ${token} `) assert.ok([200, 401].includes(answer.status), "fields are trimmed on the wire");
        else await unauthorized(answer, authorization.slice(0, 24));
    }
    assert.equal((await call(server, "GET", INFO, { headers: { authorization: `bearer ${token}` } })).status, 200, "scheme case");
});

test("info: two Authorization fields are refused", async () => {
    const { token } = await mintToken(server, someone());
    const answer = await call(server, "GET", INFO, { headers: { authorization: [`Bearer ${token}`, `Bearer ${token}`] } });
    assert.ok([400, 401].includes(answer.status), String(answer.status));
});

test("info: a token in the query string is not looked at", async () => {
    const { token } = await mintToken(server, someone());
    for (const name of ["token", "access_token", "jwt"])
        await unauthorized(await call(server, "GET", `${INFO}?${name}=${token}`), name);
    assert.ok(!server.logs.some((line) => line.includes(token.split(".")[2])), "and not logged");
});

// ---- GET addresses ----

function checkAddress(address)
{
    for (const name of ["id", "name", "display_name", "resource_id", "type", "cover_url", "preview_url", "locked", "created_at",
        "channels"]) assert.ok(name in address, `${name} in ${JSON.stringify(address)}`);
    assert.match(address.id, UUID);
    assert.ok(["app", "call", "room", "subscriber"].includes(address.type));
    for (const [kind, path] of Object.entries(address.channels)) assert.match(path, new RegExp(`^/[^?]+\\?channel=${kind}`));
}

const addresses = (token, query) => call(server, "GET", ADDRESSES + query, { headers: { authorization: `Bearer ${token}` } });

test("addresses?name= finds the click-to-call resource and a subscriber", async () => {
    const { token } = await mintToken(server, { reference: "grace@example.com", display_name: "Grace" });
    const desk = await addresses(token, `?name=${encodeURIComponent(server.contract.c2c_address)}`);
    assert.equal(desk.status, 200);
    assert.deepEqual(Object.keys(desk.json).sort(), ["data", "links"]);
    assert.equal(desk.json.data.length, 1);
    checkAddress(desk.json.data[0]);
    assert.equal(desk.json.data[0].id, server.contract.address_id);
    assert.equal(desk.headers["cache-control"], "no-store");
    const own = (await info(server, token)).json.fabric_addresses[0];
    const path = Object.values(own.channels)[0].split("?")[0];
    const found = await addresses(token, `?name=${encodeURIComponent(path)}`);
    assert.deepEqual(found.json.data.map((a) => a.id), [own.id]);
});

test("addresses?name= of nothing is an empty list, at once", async () => {
    const { token } = await mintToken(server, someone());
    for (const name of ["/private/no-such", "", "x", "/public/front-des", "/public/front-desk ", "/PUBLIC/front-desk", "%2F", "'",
        "/public/%", "/public/_ront-desk", "\u0000", "x".repeat(300), "/public/front-desk?channel=audio"]) {
        const answer = await addresses(token, `?name=${encodeURIComponent(name)}`);
        assert.ok([200, 404, 422].includes(answer.status), `${name} -> ${answer.status}`);
        if (answer.status === 200) assert.deepEqual(answer.json.data, [], name);
    }
});

test("addresses: bad escapes and unknown parameters do no harm", async () => {
    const { token } = await mintToken(server, someone());
    for (const query of ["?name=%", "?name=%zz", "?name=%ff", "?name=%00", "?name=a&name=b", "?x=1", "?name", "?"])
        assert.ok([200, 400, 404, 422].includes((await addresses(token, query)).status), query);
});

test("addresses: a token and nothing else", async () => {
    await unauthorized(await call(server, "GET", `${ADDRESSES}?name=/public/front-desk`), "none");
    await unauthorized(await call(server, "GET", `${ADDRESSES}?name=/public/front-desk`, { headers: { authorization: server.basic } }),
        "the API token");
});

// ---- CORS ----

const preflight = (path, origin, method, headers = "authorization,content-type,accept") => call(server, "OPTIONS", path, { headers: {
    origin, "access-control-request-method": method, "access-control-request-headers": headers } });

const lists = (header, name) => (header ?? "").toLowerCase().split(/\s*,\s*/).includes(name.toLowerCase());

test("preflight: a listed origin gets method and fields, on every path", async () => {
    for (const [path, method] of [[INFO, "GET"], [ADDRESSES, "GET"], [TOKENS, "POST"]]) {
        const answer = await preflight(path, LISTED, method);
        assert.equal(answer.status, 204, path);
        assert.equal(answer.headers["access-control-allow-origin"], LISTED, path);
        assert.ok(lists(answer.headers["access-control-allow-methods"], method), path);
        for (const field of ["authorization", "content-type", "accept"])
            assert.ok(lists(answer.headers["access-control-allow-headers"], field), `${path} ${field}`);
        assert.ok(lists(answer.headers.vary, "origin"), path);
        assert.equal(answer.headers["access-control-allow-credentials"], undefined, path);
        assert.equal(answer.text, "");
    }
});

test("preflight: foreign origins and look-alikes get nothing", async () => {
    const alike = [FOREIGN, "http://localhost.evil.example", "http://evil-localhost:5173", "http://localhost:5173.evil.example",
        "http://localhost@evil.example", "ftp://localhost:5173", "http://localhost:5173/", "http://localhost:x", "http://localhost:",
        "HTTP://LOCALHOST:5173", "http://localhost:5173 http://evil.example", "localhost:5173", "*", "http://127.0.0.1.evil.example"];
    for (const origin of alike) {
        const answer = await preflight(INFO, origin, "GET");
        assert.equal(answer.headers["access-control-allow-origin"], undefined, origin);
        assert.ok(lists(answer.headers.vary, "origin"), origin);
    }
});

test("preflight: the literal null counts, because a test project lists it", async () => {
    assert.equal((await preflight(INFO, "null", "GET")).headers["access-control-allow-origin"], "null");
});

test("each loopback name is listed, with any port", async () => {
    for (const origin of ["http://localhost", "http://localhost:3000", "http://127.0.0.1:8080"])
        assert.equal((await preflight(INFO, origin, "GET")).headers["access-control-allow-origin"], origin);
});

test("a real request from a listed origin is readable, its errors too", async () => {
    const { token } = await mintToken(server, someone());
    const good = await info(server, token, { origin: LISTED });
    assert.deepEqual([good.status, good.headers["access-control-allow-origin"]], [200, LISTED]);
    const bad = await info(server, "x.y.z", { origin: LISTED });
    assert.deepEqual([bad.status, bad.headers["access-control-allow-origin"]], [401, LISTED]);
    for (const answer of [good, bad]) {
        assert.ok(lists(answer.headers.vary, "origin"));
        assert.equal(answer.headers["access-control-allow-credentials"], undefined);
    }
    const missing = await call(server, "GET", "/api/fabric/nothing", { headers: { origin: LISTED } });
    assert.deepEqual([missing.status, missing.headers["access-control-allow-origin"]], [404, LISTED]);
});

test("a real request from a foreign origin is refused or unreadable", async () => {
    const { token } = await mintToken(server, someone());
    const answer = await info(server, token, { origin: FOREIGN });
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assert.ok(lists(answer.headers.vary, "origin"));
    assert.ok([401, 403].includes(answer.status), `its own project's list is checked: ${answer.status}`);
});

test("a test project's secret may come from a browser: mint from a listed origin", async () => {
    const answer = await mint(server, someone(), { origin: LISTED });
    assert.deepEqual([answer.status, answer.headers["access-control-allow-origin"]], [200, LISTED]);
    const foreign = await mint(server, someone(), { origin: FOREIGN });
    assert.equal(foreign.headers["access-control-allow-origin"], undefined);
    assert.notEqual(foreign.status, 200);
});

test("no Origin is no browser: allowed, and Vary still says so", async () => {
    const answer = await info(server, (await mintToken(server, someone())).token);
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assert.ok(lists(answer.headers.vary, "origin"));
});

const refusals = async () => [await call(server, "GET", INFO), await call(server, "GET", "/nothing"), await mint(server, {}),
    await mint(server, "{", { "content-type": "application/json" }), await mint(server, "x", { "content-type": "text/plain" }),
    await call(server, "DELETE", TOKENS), await info(server, "x.y.z"), await mint(server, someone(), { authorization: basic("x", "y") })];

test("a 401 names what would be accepted: Basic where a key is due, Bearer where a token is", async () => {
    const challenge = async (answer) => (await answer).headers["www-authenticate"];
    assert.match(await challenge(mint(server, someone(), { authorization: basic("x", "y") })), /^Basic realm="/);
    assert.equal(await challenge(call(server, "GET", INFO)), 'Bearer realm="coatcheck"', "no error word without a credential");
    assert.equal(await challenge(info(server, "x.y.z")), 'Bearer realm="coatcheck", error="invalid_token"');
});

test("every refusal: no-store, nosniff, no version", async () => {
    for (const answer of await refusals()) {
        assert.equal(answer.headers["x-content-type-options"], "nosniff", answer.text);
        assert.equal(answer.headers["cache-control"], "no-store", answer.text);
        assert.doesNotMatch(answer.headers.server ?? "", /\d/, "no version in the Server field");
    }
});

test("every refusal: an error id of its own, of 96 random bits", async () => {
    const ids = (await refusals()).map((answer) => answer.headers["coatcheck-error-id"]);
    for (const id of ids) assert.match(id ?? "", /^[0-9a-zA-Z_-]{16,32}$/);
    assert.equal(new Set(ids).size, ids.length);
});

await run({
    before: async () => {
        server = await startServer();
        await mintToken(server, someone());
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
