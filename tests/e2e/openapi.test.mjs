// openapi.test.mjs — docs/openapi.json against the binary: its structure, its coverage of the route tables both ways, and each
// of its examples as a request to a real server, whose answer has to be the one that stands there.
//
// An example of a request and one of an answer belong together by their name. A refusal has to come word for word; what is
// granted has to fit its schema. STEPS gives to each what only a test can know, the credential and the ids, in an order in
// which each finds what it needs; refusals that all operations share are provoked for each by COMMON.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { call, mintToken } from "../harness/http.mjs";
import { Client } from "../harness/client.mjs";
import { EXCHANGE_GRANT, form, hashOf, Prover as Strict, REVOKE, TOKEN, TYPE } from "../harness/door.mjs";
import { Prover } from "../harness/prover.mjs";
import { basic, BINARY, REPOSITORY, startServer } from "../harness/server.mjs";
import { misfits, resolved } from "../harness/schema.mjs";
import { run, test } from "../harness/suite.mjs";
import { bootstrap, launch } from "../harness/tickets.mjs";

const document = JSON.parse(fs.readFileSync(path.join(REPOSITORY, "docs/openapi.json"), "utf8"));
const METHODS = ["get", "put", "post", "delete"];
const SCHEMES = { api_token: "projectToken", client: "client", secret_key: "secretKey" };
const FOREIGN = "https://evil.example", NOBODY = crypto.randomUUID();
let server, narrow; // narrow: every limit by address is one a minute

const at = (thing) => resolved(document, thing);
const operations = Object.entries(document.paths).flatMap(([route, item]) => METHODS.filter((method) => item[method])
    .map((method) => ({ ...item[method], route, method: method.toUpperCase(), key: `${method.toUpperCase()} ${route}` })));
const byId = new Map(operations.map((operation) => [operation.operationId, operation]));
const rows = JSON.parse(execFileSync(BINARY, ["routes", "--json"], { encoding: "utf8" })).routes;
const FORM = "application/x-www-form-urlencoded";
const sentAs = ({ requestBody }) => Object.entries(requestBody?.content ?? {})[0] ?? []; // [type, { schema, examples }]
const ok = (status) => status < "400";

// ---- structure ----

function everyObject(thing, visit, trail = "#")
{
    if (typeof thing !== "object" || thing === null) return;
    visit(thing, trail);
    for (const [name, value] of Object.entries(thing)) everyObject(value, visit, `${trail}/${name}`);
}

test("the document is OpenAPI 3.1: what must be there is there, once, and refers to what exists", () => {
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.ok(document.info.title);
    assert.equal(document.info.version, execFileSync(BINARY, ["version"], { encoding: "utf8" }).match(/^coatcheck (\S+)/)[1]);
    assert.equal(byId.size, operations.length, "an operationId stands twice");
    const tags = document.tags.map(({ name }) => name), used = new Set();
    everyObject(document, (thing, trail) => {
        if (typeof thing.$ref !== "string" || trail.endsWith("/value")) return;
        assert.ok(at(thing), `${trail}: ${thing.$ref}`);
        used.add(thing.$ref);
    });
    for (const kind of ["headers", "responses", "schemas"])
        for (const name of Object.keys(document.components[kind])) assert.ok(used.has(`#/components/${kind}/${name}`), `${kind}/${name} is not used`);
    for (const { key, operationId, route, summary, tags: own, parameters = [], security, responses, requestBody } of operations) {
        assert.match(operationId, /^[a-z][A-Za-z]+$/, key);
        assert.ok(summary && route.startsWith("/") && own.length === 1 && tags.includes(own[0]), key);
        assert.deepEqual(parameters.filter((one) => one.in === "path").map((one) => `{${one.name}}`), route.match(/\{[^}]*\}/g) ?? [], key);
        for (const one of parameters) assert.ok(one.schema && ["path", "query", "header"].includes(one.in) && (one.in !== "path" || one.required === true), `${key} ${one.name}`);
        for (const scheme of security.flatMap(Object.keys)) assert.ok(document.components.securitySchemes[scheme], `${key} ${scheme}`);
        for (const [status, response] of Object.entries(responses)) {
            assert.match(status, /^[2-5]\d\d$/, key);
            assert.ok(at(response).description, `${key} ${status}`);
        }
        assert.ok(Object.keys(responses).some(ok), key);
        for (const content of Object.values(requestBody?.content ?? {})) assert.ok(content.schema, key);
    }
});

test("every refusal carries its id and its code", () => {
    for (const { key, responses } of operations)
        for (const [status, response] of Object.entries(responses)) {
            if (ok(status) || key === "GET /readyz") continue;
            for (const name of ["Coatcheck-Error-Id", "Coatcheck-Error-Code"]) assert.equal(at(at(response).headers?.[name])?.required, true, `${key} ${status} ${name}`);
        }
});

test("what is granted in examples fits its schema, and so do the requests that it is granted for", () => {
    for (const operation of operations) {
        const { key, responses } = operation, [, sent] = sentAs(operation);
        for (const [status, response] of Object.entries(responses))
            for (const [type, { schema, examples = {} }] of Object.entries(at(response).content ?? {}))
                for (const [name, { value }] of Object.entries(examples)) {
                    assert.deepEqual(misfits(document, schema, value), [], `${key} ${status} ${type} ${name}`);
                    const asked = sent?.examples?.[name]?.value;
                    if (ok(status) && asked !== undefined && !/"<\w+>"/.test(JSON.stringify(asked)))
                        assert.deepEqual(misfits(document, sent.schema, asked), [], `${key} ${name}`);
                }
    }
});

// ---- coverage ----

test("the document has every row of the route tables, and no other", () => {
    const known = new Map(rows.map((row) => [`${row.method} ${row.path}`, row]));
    const described = new Set(operations.map(({ key }) => key));
    assert.deepEqual([...known.keys()].filter((key) => !described.has(key)), [], "rows that docs/openapi.json lacks");
    assert.deepEqual([...described].filter((key) => !known.has(key)), [], "operations that no row answers");
    assert.equal(known.size, rows.length);
    for (const operation of operations) describes(operation, known.get(operation.key));
});

test("coatcheck routes lists the same for people, and takes no other option", () => {
    const lines = execFileSync(BINARY, ["routes"], { encoding: "utf8" }).trim().split("\n");
    assert.deepEqual(lines.map((line) => line.split(/\s+/).slice(0, 2).join(" ")), rows.map((row) => `${row.method} ${row.path}`));
    for (const argv of [["--xml"], ["--json", "x"]]) assert.throws(() => execFileSync(BINARY, ["routes", ...argv], { stdio: "pipe" }), { status: 2 });
});

function describes({ key, security, requestBody, responses, ...operation }, row)
{
    const schemes = row.credential === "access_token" ? ["accessToken"] : row.keys.map((kind) => SCHEMES[kind]);
    assert.deepEqual(security.flatMap(Object.keys).sort(), schemes.sort(), `${key}: security`);
    assert.equal(security.some((one) => !Object.keys(one).length), row.credential === "none" && row.keys.length > 0, `${key}: a key may be left out`);
    assert.deepEqual(operation["x-limit"] ?? null, row.limit, `${key}: x-limit`);
    assert.equal(requestBody === undefined, row.body === "none", `${key}: requestBody`);
    if (row.credential !== "none") assert.ok(responses[401], `${key}: 401`);
    if (row.limit) assert.ok(responses[429], `${key}: 429`);
    if (!requestBody) return;
    const types = { form: [FORM], json_any_type: ["application/json", "text/plain"] }[row.body] ?? ["application/json"];
    assert.deepEqual(Object.keys(requestBody.content), types, `${key}: content`);
    assert.equal(requestBody.required, row.body !== "json_optional", `${key}: required`);
    assert.equal(requestBody["x-body-max"], row.body_max, `${key}: x-body-max`);
    assert.match(requestBody.description, new RegExp(`\\b${row.body_max} bytes`), key);
    assert.ok(responses[413], `${key}: 413`);
}

// ---- examples ----

const values = {}; // what stands for <name>
const prover = new Prover();

// Text with <name> in it, or anything that holds such.
function filled(thing)
{
    return JSON.parse(JSON.stringify(thing).replace(/<(\w+)>/g, (_, name) => {
        assert.ok(values[name], `<${name}> is not known at this place`);
        return values[name];
    }));
}

const keyOf = {
    projectToken: () => server.basic,
    client: () => basic(server.contract.client_id, server.contract.client_secret),
    secretKey: () => `Bearer ${server.contract.secret_key}`,
    accessToken: ({ tags: [tag] }) => `Bearer ${values[tag === "dialogue" ? "session_token" : "token"]}`,
};

function authorization(operation)
{
    const [scheme] = operation.security.flatMap(Object.keys);
    return scheme && { authorization: keyOf[scheme](operation) };
}

// The request that an example describes; whatever has no example of that name is left out.
function requestOf(operation, name, { id, token, scheme = "Bearer", anonymous, origin } = {})
{
    const query = new URLSearchParams(), headers = { ...(anonymous ? {} : authorization(operation)), ...(token && { authorization: `${scheme} ${values[token]}` }), ...(origin && { origin }) };
    for (const { in: place, name: parameter, examples } of operation.parameters ?? []) {
        if (examples?.[name] === undefined) continue;
        const value = String(filled(examples[name].value));
        if (place === "query") query.set(parameter, value);
        else headers[parameter] = value;
    }
    const [type, content] = sentAs(operation), example = content?.examples?.[name];
    const given = example && filled(example.value), isForm = type === FORM && given !== undefined;
    if (isForm) headers["content-type"] = FORM;
    return { url: operation.route.replace("{id}", id ? values[id] ?? id : NOBODY) + (String(query) && `?${query}`),
        options: { headers, body: isForm ? String(new URLSearchParams(given)) : given } };
}

const send = (to, { method }, { url, options }) => call(to, method, url, options);

// The answer is the one that stands in the document under this status and name.
function checkAnswer(operation, status, name, answer)
{
    const response = at(operation.responses[status]), label = `${operation.operationId} ${status} ${name}`;
    assert.equal(String(answer.status), status, `${label}: ${answer.text}`);
    for (const [field, header] of Object.entries(response.headers ?? {})) {
        const value = answer.headers[field.toLowerCase()], { required, schema } = at(header);
        assert.ok(value !== undefined || !required, `${label}: ${field} is missing`);
        if (value !== undefined) assert.deepEqual(misfits(document, schema, value), [], `${label}: ${field}`);
    }
    if (!response.content) {
        assert.equal(answer.text, "", label);
        return;
    }
    const [[type, { schema, examples }]] = Object.entries(response.content);
    assert.equal(answer.headers["content-type"], type, label);
    assert.deepEqual(misfits(document, schema, type.endsWith("json") ? answer.json : answer.text), [], label);
    if (!ok(status)) assert.deepEqual(answer.json, examples[name].value, label);
}

// "operation example": what the request needs beside what stands in the document. id: the value that stands in the path;
// token: the value to come with instead of the usual credential; anonymous: without any; origin: from that page. before:
// values that it is filled with; after: what its answer gives to those that follow. The order counts.
const proof = (route, token) => () => { values.proof = prover.http(route, token && values[token]); };
const keep = (...pairs) => ({ json }) => { for (const [name, member] of pairs) values[name] = member.split(".").reduce((from, key) => from[key], json); };
const ticket = (draw, member) => async () => { values.ticket = (await draw(server, {})).json[member]; };
const minted = (token, refresh_token, more = {}) => async () => {
    const made = await mintToken(server, { reference: "spare@example.com", ...more });
    Object.assign(values, { [token]: made.token, [refresh_token]: made.refresh_token });
};
const boundSession = async () => {
    const who = new Strict(), { bootstrapToken } = (await bootstrap(server, { externalUserId: "participant-5" })).json;
    const { access_token } = (await form(server, TOKEN, { grant_type: EXCHANGE_GRANT, subject_token: bootstrapToken,
        subject_token_type: TYPE("bootstrap") }, { dpop: who.prove(server) })).json;
    values.bound_session = access_token;
    values.proof = who.prove(server, "/participants/me", { htm: "GET", ath: hashOf(access_token) });
};
const INVITES = "/api/fabric/subscriber/invites", DEVICES = "/api/fabric/subscriber/devices";
const STEPS = {
    "getKeySet keys": {},
    "getHealth ok": {},
    "getReadiness ready": {},
    "getApiDescription document": { after: ({ headers, text }) => { values.etag = headers.etag.replaceAll('"', '\\"'); assert.deepEqual(JSON.parse(text), document); } },
    "getApiDescription 304": {},

    "createSubscriberToken mint": { after: keep(["token", "token"], ["refresh_token", "refresh_token"]) },
    "createSubscriberToken bound": { after: keep(["bound_token", "token"]) },
    "createSubscriberToken loose": { after: keep(["loose_token", "token"]) },
    "createSubscriberToken blank_reference": {},
    "createSubscriberToken wrong_expiry": {},
    "createSubscriberToken wrong_region": {},
    "refreshSubscriberToken refresh": { after: keep(["token", "token"], ["refresh_token", "refresh_token"]) },
    "refreshSubscriberToken blank": {},
    "refreshSubscriberToken altered": {},
    "refreshSubscriberToken access_token_instead": {},
    "getSubscriberInfo subscriber": { after: keep(["own_address_id", "fabric_addresses.0.id"]) },
    "listAddresses all": { after: ({ json }) => assert.ok(json.data.length) },
    "listAddresses by_name": { after: ({ json }) => assert.equal(json.data.length, 1) },
    "getAddress one": { id: "own_address_id" },
    "createGuestToken guest": { after: keep(["guest_token", "token"]) },
    "createGuestToken none": {},
    "createGuestToken too_many": {},
    "createGuestToken foreign": {},
    "getSubscriberInfo guest": { token: "guest_token" },
    "createInvite invite": {},
    "createInvite with_proof": { token: "bound_token", before: proof(INVITES, "bound_token") },
    "createInvite blank": {},
    "createInvite not_own": {},
    "exchangeEmbedToken exchange": { after: keep(["embed_token", "token"]) },
    "exchangeEmbedToken again": { after: () => { values.altered_token = values.embed_token.replace(/.{4}$/, (end) => (end === "AAAA" ? "BBBB" : "AAAA")); } },
    "exchangeEmbedToken blank": {},
    "exchangeEmbedToken other_prefix": {},
    "exchangeEmbedToken unknown": {},
    "exchangeEmbedToken altered": {},
    "exchangeEmbedTokenByGuide exchange": {},
    "exchangeEmbedTokenByGuide again": {},
    "exchangeEmbedTokenByGuide blank": {},
    "exchangeEmbedTokenByGuide other_prefix": {},
    "exchangeEmbedTokenByGuide unknown": {},
    "exchangeEmbedTokenByGuide altered": {},
    "bindDevice bind": { token: "loose_token", before: proof(`${DEVICES}/token`), after: keep(["device_token", "token"]) },
    "bindDevice no_proof": { token: "loose_token" },
    "bindDevice wrong_life": { token: "loose_token", before: proof(`${DEVICES}/token`) },
    "renewDevice renew": { token: "device_token", before: proof(`${DEVICES}/refresh`, "device_token") },
    "renewDevice no_proof": { token: "device_token" },
    "renewDevice wrong_life": { token: "device_token", before: proof(`${DEVICES}/refresh`, "device_token") },

    "createSubscriber create": { after: keep(["subscriber_id", "subscriber.id"], ["subscriber_resource", "id"]) },
    "createSubscriber blank_email": {},
    "createSubscriber taken": {},
    "createSubscriber short_password": {},
    "listSubscribers all": {},
    "listSubscribers one_a_page": { after: ({ json }) => assert.ok(json.data.length === 1 && json.links.next) },
    "listSubscribers wrong_size": {},
    "getSubscriber one": { id: "subscriber_id" },
    "updateSubscriber update": { id: "subscriber_id" },
    "updateSubscriber other_email": { id: "subscriber_id" },
    "listSubscriberAddresses all": { id: "subscriber_id" },
    "listSubscriberAddresses wrong_size": { id: "subscriber_id" },
    "createConferenceRoom create": { after: keep(["room", "id"]) },
    "createConferenceRoom blank_name": {},
    "createConferenceRoom no_previews": {},
    "listResources all": { after: ({ json }) => assert.ok(new Set(json.data.map(({ type }) => type)).size > 2) },
    "listResources one_a_page": {},
    "listResources wrong_size": {},
    "getResource room": { id: "room" },
    "getResource subscriber": { id: "subscriber_resource" },
    "listResourceAddresses all": { id: "room" },
    "listResourceAddresses wrong_size": { id: "room" },
    "deleteResource 204": { id: "room" },
    "deleteSubscriber 204": { id: "subscriber_id" },
    "createProjectToken create": {},
    "createProjectToken blank_name": {},
    "createProjectToken unknown_permission": {},
    "createProjectToken subproject": {},

    "createLaunch nobody": { after: keep(["launch_token", "launch_token"], ["tortus_user", "user_id"]) },
    "createLaunch known": {},
    "createLaunch wrong_payload": {},
    "exchangeLaunch exchange": {},
    "exchangeLaunch used": {},
    "exchangeLaunch blank": {},
    "createLaunch resume": { after: ({ json }) => assert.equal(json.user_id, values.tortus_user) },

    "createBootstrapToken nobody": {},
    "createBootstrapToken known": { after: keep(["bootstrap_token", "bootstrapToken"]) },
    "createBootstrapToken blank": {},
    "createSession redeem": { after: keep(["session_token", "sessionToken"]) },
    "createSession used": {},
    "createSession blank": {},
    "createVisit by_study": { after: keep(["visit_token", "sessionToken"]) },
    "createVisit by_key": {},
    "createVisit nothing": {},
    "createVisit wrong_id": {},
    "createVisit unknown_study": {},
    "createVisit unknown_key": {},
    "getParticipant known": {},
    "getParticipant anonymous": { token: "visit_token" },
    "getParticipant bound": { token: "bound_session", scheme: "DPoP", before: boundSession },
    "getStudy one": { id: "study_id" },
    "beginInterview begin": { after: keep(["interview", "id"]) },
    "beginInterview blank": {},
    "beginInterview unknown_study": {},
    "getInterview one": { id: "interview" },
    "answerQuestion before_consent": { id: "interview" },
    "completeInterview before_consent": { id: "interview" },
    "consentToInterview consent": { id: "interview" },
    "answerQuestion by_id": { id: "interview" },
    "answerQuestion by_place": { id: "interview" },
    "answerQuestion no_answer": { id: "interview" },
    "answerQuestion unknown_question": { id: "interview" },
    "completeInterview complete": { id: "interview" },
    "consentToInterview after_completion": { id: "interview" },

    "getAuthorizationServerMetadata metadata": {},
    "requestToken exchange_bootstrap": { anonymous: true, before: ticket(bootstrap, "bootstrapToken") },
    "requestToken used_ticket": { anonymous: true },
    "requestToken exchange_launch": { anonymous: true, before: ticket(launch, "launch_token") },
    "requestToken refresh": { before: minted("spare_token", "refresh_token") },
    "requestToken no_grant": {},
    "requestToken other_grant": {},
    "requestToken scope": {},
    "requestToken audience": {},
    "requestToken altered": {},
    "requestToken no_key": { anonymous: true, before: minted("spare_token", "refresh_token") },
    "requestToken refresh_by_proof": { anonymous: true, before: async () => {
        await minted("bound_token", "bound_refresh_token", { fingerprint: prover.fingerprint })();
        values.proof = prover.http(server.url + TOKEN);
    } },
    "requestToken bad_proof": { anonymous: true },
    "introspectToken access": {},
    "introspectToken refresh": { after: ({ json }) => assert.equal(json.active, true) },
    "introspectToken by_assertion": { anonymous: true, before: async () => { values.assertion = (await Client.on(server)).assertion(); } },
    "introspectToken used_assertion": { anonymous: true },
    "introspectToken inactive": { after: ({ json }) => assert.deepEqual(json, { active: false }) },
    "introspectToken blank": {},
    "revokeToken unlisted_page": { anonymous: true, origin: FOREIGN, before: minted("spare_token", "refresh_token") },
    "revokeToken by_holder": { anonymous: true, before: minted("spare_token", "refresh_token") },
    "revokeToken by_key": { before: minted("spare_token", "refresh_token") },
    "revokeToken unknown": {},
    "revokeToken blank": {},
    "revokeToken ticket": { before: ticket(bootstrap, "bootstrapToken") },
    "revokeToken no_proof": { anonymous: true },
    "revokeToken by_proof": { anonymous: true, before: () => { values.proof = prover.http(server.url + REVOKE, values.bound_token); } },
    "listRevocations all": {},
    "listRevocations since": {},
    "listRevocations wrong_since": {},
};

// Refusals that many operations share: how to provoke each, from a request that would be granted.
const JSON_TYPE = { "content-type": "application/json" };
const withBody = ({ url, options }, body, more) => ({ url, options: { body, headers: { ...options.headers, ...more } } });
const COMMON = {
    no_credential: ({ url, options: { body } }) => ({ url, options: { body } }),
    malformed: (request, operation) => (sentAs(operation)[0] === FORM ? withBody(request, "a=%zz") : withBody(request, "{", JSON_TYPE)),
    too_large: (request, { requestBody }) => withBody(request, " ".repeat(requestBody["x-body-max"] + 1), JSON_TYPE),
    unsupported: (request) => withBody(request, "<xml/>", { "content-type": "application/xml" }),
    foreign_origin: ({ url, options }) => ({ url, options: { ...options, headers: { ...options.headers, origin: FOREIGN } } }),
    unknown_id: ({ url, options }, { route }) => ({ url: route.replace("{id}", NOBODY) + (url.match(/\?.*/)?.[0] ?? ""), options }),
};

function exampleNames(operation, wanted)
{
    return Object.entries(operation.responses).filter(([status]) => wanted(status)).flatMap(([status, response]) => {
        const contents = Object.values(at(response).content ?? {});
        if (!contents.length) return [{ status, name: status }];
        return contents.flatMap(({ examples = {} }) => Object.keys(examples).map((name) => ({ status, name })));
    });
}

const isCommon = (name) => name in COMMON || name === "limited";
const granted = new Map(); // operation -> how its first good example was asked: for COMMON

test("every example of the document has its step here, and every step its example", () => {
    const named = operations.flatMap((operation) => exampleNames(operation, () => true).filter(({ name }) => !isCommon(name)).map(({ name }) => `${operation.operationId} ${name}`));
    assert.equal(new Set(named).size, named.length, "one name stands under two statuses");
    assert.deepEqual(named.filter((name) => !STEPS[name]), [], "examples without a step");
    assert.deepEqual(Object.keys(STEPS).filter((name) => !named.includes(name)), [], "steps without an example");
    for (const { operationId, responses, ...operation } of operations)
        for (const name of [...Object.keys(sentAs(operation)[1]?.examples ?? {}), ...(operation.parameters ?? []).flatMap(({ examples = {} }) => Object.keys(examples))])
            assert.ok(exampleNames({ responses }, () => true).some((answer) => answer.name === name), `${operationId}: the request ${name} has no answer`);
});

for (const [step, { before, after, ...more }] of Object.entries(STEPS)) {
    const [operationId, name] = step.split(" ");
    test(`example ${step}`, async () => {
        const operation = byId.get(operationId), { status } = exampleNames(operation, () => true).find((one) => one.name === name);
        await before?.();
        const request = requestOf(operation, name, more);
        if (ok(status) && !granted.has(operationId)) granted.set(operationId, request);
        const answer = await send(server, operation, request);
        checkAnswer(operation, status, name, answer);
        after?.(answer);
    });
}

for (const operation of operations) {
    const shared = exampleNames(operation, (status) => !ok(status)).filter(({ name }) => name in COMMON);
    if (shared.length)
        test(`refusals of ${operation.operationId}: ${shared.map(({ name }) => name).join(", ")}`, async () => {
            const fresh = granted.get(operation.operationId);
            for (const { status, name } of shared)
                checkAnswer(operation, status, name, await send(server, operation, COMMON[name](fresh, operation)));
        });
}

// The credential in a body, altered; it stands first.
function guessed(body)
{
    const [[name, text], ...rest] = Object.entries(body);
    return { [name]: text.replace(/.{8}$/, "00000000"), ...Object.fromEntries(rest) };
}

test("limited: whoever guesses, or asks too often, is told to wait, in the words of each dialect", async () => {
    for (const operation of operations.filter(({ responses }) => responses[429])) {
        const { url, options } = granted.get(operation.operationId), [scheme] = operation.security.flatMap(Object.keys);
        const wrong = { projectToken: basic(NOBODY, "PT"), client: basic("cli_", "sec_"), secretKey: "Bearer sk_", accessToken: "Bearer a.b.c" }[scheme];
        const body = wrong || operation["x-limit"] ? options.body : guessed(options.body);
        const { authorization: _, ...fields } = options.headers, headers = { ...fields, ...(wrong && { authorization: wrong }) };
        let answer;
        for (let i = 0; i < 4 && answer?.status !== 429; i++) answer = await call(narrow, operation.method, url, { body, headers });
        checkAnswer(operation, "429", "limited", answer);
    }
});

test("the document is for any page, and for caches", async () => {
    const answer = await call(server, "GET", "/openapi.json", { headers: { origin: FOREIGN } });
    assert.equal(answer.headers["access-control-allow-origin"], "*");
    assert.equal(answer.headers["cache-control"], "public, max-age=300");
    assert.equal(answer.text, fs.readFileSync(path.join(REPOSITORY, "docs/openapi.json"), "utf8"), "as it stands in the repository");
    assert.equal((await call(server, "POST", "/openapi.json", { body: {} })).status, 405);
});

await run({
    before: async () => {
        server = await startServer();
        narrow = await startServer({ env: { COATCHECK_LIMITS: "wrong_login=1/1 embed_address=1/1 visit_address=1/1" } });
        Object.assign(values, server.contract, { fingerprint: prover.fingerprint, unknown_c2c_token: `c2c_${"0".repeat(32)}` });
    },
    after: async () => { await server.stop(); await narrow.stop(); },
});
