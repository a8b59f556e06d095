// why.test.mjs — every refusal explains itself: to the client by its public code and an id, to the operator by
// `coatcheck why`. Walks the rows of the two tables that can be provoked from outside; each of the others says here
// why it cannot.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { b64, compact, workshop } from "../harness/forge.mjs";
import { Client } from "../harness/client.mjs";
import { RawWebSocket, frame, OPCODE } from "../harness/frames.mjs";
import { advance } from "../harness/clock.mjs";
import { Prover as StrictProver, refreshBy, TOKEN as DOOR } from "../harness/door.mjs";
import { ADDRESSES, call, info, mint, mintToken, nowS, refresh, refreshToken, TOKENS } from "../harness/http.mjs";
import { ACTIVATE, devices, loose, Prover, RENEW } from "../harness/prover.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { BINARY, REPOSITORY, basic, startServer, temporaryFolder } from "../harness/server.mjs";
import { connected, Session } from "../harness/session.mjs";
import { LIMIT_S, run, test } from "../harness/suite.mjs";
import { as, begin, exchange, good, launch, session, visit } from "../harness/tickets.mjs";

let server, shop, baseline;
const secrets = [];

// ---- the command line ----

function coatcheck(args, { input = "", env = {} } = {})
{
    return new Promise((resolve) => {
        const child = execFile(BINARY, args, { env: { ...process.env, ...env }, timeout: LIMIT_S * 1000 },
            (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
        child.stdin.on("error", () => {}); // a command that needs no input does not read it
        child.stdin.end(input);
    });
}

async function operate(...args)
{
    const { code, stdout, stderr } = await coatcheck([...args, "--data", server.data, "--json"]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
}

async function newKey(permissions)
{
    const key = await operate("key", "create", "api-token", "--permissions", permissions);
    secrets.push(key.secret.slice(18));
    return key;
}

async function why(error_id, at = server)
{
    const { code, stdout, stderr } = await coatcheck(["why", error_id, "--data", at.data, "--json"]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
}

// ---- what an answer carries ----

const ID = /^[A-Za-z0-9_-]{16}$/;

function ofHttp(answer) { return { status: answer.status, id: answer.headers["coatcheck-error-id"], code: answer.headers["coatcheck-error-code"] }; }

function ofHead({ status, head })
{
    const value = (name) => head.match(new RegExp(`^${name}: (.*)$`, "im"))?.[1];
    return { status, id: value("coatcheck-error-id"), code: value("coatcheck-error-code") };
}

function ofRpc(reply)
{
    assert.ok(reply.error, JSON.stringify(reply));
    assert.deepEqual(Object.keys(reply.error.data).sort(), ["error_code", "error_id"], "no more than code and id");
    return { status: 0, id: reply.error.data.error_id, code: reply.error.data.error_code };
}

async function raw(bytes, port = server.port)
{
    const socket = new RawSocket(port);
    await socket.connected;
    await socket.send(Buffer.from(bytes, "latin1"));
    await socket.until((s) => responses(s.read).list.length || s.isClosed, "an answer", 30);
    const [answer] = responses(socket.read).list;
    socket.close();
    return ofHead(answer);
}

async function onSocket(token, params = {}, options = {})
{
    const session = await Session.open(server, options);
    const reply = await session.connect(token, params);
    await session.close();
    return ofRpc(reply);
}

async function onLive(...calls)
{
    const { token } = await mintToken(server, { reference: "walker@example.com" });
    const session = await connected(server, token);
    const reply = await session.request(...calls);
    await session.close();
    return ofRpc(reply);
}

// ---- a browser's key ----

const browser = new Prover(), { fingerprint } = browser, proof = (more = {}) => browser.rpc("signalwire.connect", more);
const boundToken = async () => (await mintToken(server, { reference: "bound@example.com", fingerprint })).token;

const launched = () => good(launch(server, {}));
const swapped = (text) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");
const prover = new Prover();
const guest = (allowed_addresses) => call(server, "POST", "/api/fabric/guests/tokens", { body: { allowed_addresses }, headers: { authorization: server.basic } });

// Of a button that may be exchanged once: the first answer that refuses.
async function exchangedOut(setting)
{
    const made = await operate("resource", "create", "click-to-call", setting, "--reaches", "shut@example.com", "--project", server.contract.project_id);
    await operate("resource", "set", made.id, setting, "1");
    secrets.push(made.token.slice(20));
    for (;;) {
        const answer = await call(server, "POST", "/api/fabric/embeds/tokens", { body: { token: made.token } });
        if (answer.status !== 201) return answer;
    }
}

const upgradeHead = (more = "") => `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}\r\n`;

// Row -> how to provoke it, then what the operator must be told: a list of [check, expected, seen], any of them absent.
const provoked = {
    CREDENTIAL_MISSING: [async () => ofHttp(await call(server, "GET", ADDRESSES)), "credential.present", /Bearer/, /no Authorization/],
    CREDENTIAL_MALFORMED: [async () => ofHttp(await mint(server, {}, { authorization: basic(server.contract.api_token, server.contract.project_id) })),
        "credential.form", /project id/, /an api token \(PT\.\.\.\) as user name and a UUID/],
    KEY_UNKNOWN: [async () => ofHttp(await mint(server, {}, { authorization: basic(server.contract.project_id, `PT${"0".repeat(56)}`) })),
        "key.known", () => server.contract.project_id, /PT0{16}, which is no key of this server/],
    KEY_SECRET_WRONG: [async () => ofHttp(await mint(server, {}, { authorization: basic(server.contract.project_id, swapped(server.contract.api_token)) })),
        "key.secret", () => server.contract.api_token.slice(0, 18), /another one of 58 bytes/],
    KEY_RETIRED: [async () => {
        const key = await newKey("calling");
        await operate("key", "retire", key.id);
        return ofHttp(await mint(server, { reference: "ada@example.com" }, { authorization: basic(server.contract.project_id, key.secret) }));
    }, "key.live", /a key in use/, /^key PT[0-9a-f]{16}, retired$/],
    ASSERTION_INVALID: [async () => {
        const client = await Client.on(server);
        return ofHttp(await client.introspect("x", client.assertion({ aud: "https://other.example" })));
    }, "assertion.aud", () => `aud ${server.url}`, /aud https:\/\/other\.example/],
    ASSERTION_REPLAYED: [async () => {
        const client = await Client.on(server), once = client.assertion();
        await client.introspect("x", once);
        return ofHttp(await client.introspect("x", once));
    }, "assertion.once", /not used before/, /key cli_[0-9a-f]{24} has shown its jti already/],
    KEY_PERMISSION: [async () => {
        const key = await newKey("chat,management");
        return ofHttp(await mint(server, { reference: "ada@example.com" }, { authorization: basic(server.contract.project_id, key.secret) }));
    }, "key.permission", /needs one of calling, messaging, fax, video/, /^key PT[0-9a-f]{16} with permissions 0x50$/],
    SECRET_FROM_BROWSER: [async () => ofHttp(await mint(server, {}, { origin: "https://evil.example" })), "key.no_origin", /localhost/, /https:\/\/evil\.example/],
    TOKEN_MALFORMED: [async () => ofHttp(await info(server, "a.b.c")), "token.form", /strict base64url/, /three parts, 5 bytes/],
    TOKEN_KEY_UNKNOWN: [async () => ofHttp(await info(server, shop.sign({}, { kid: "deadbeef99" }))), "token.kid", () => shop.header.kid.slice(0, 6), /kid deadbe$/],
    TOKEN_SIGNATURE: [async () => ofHttp(await info(server, compact(shop.header, shop.claims, shop.stranger))), "token.signature", /a signature by key/, /does not verify/],
    TOKEN_EXPIRED: [async () => ofHttp(await info(server, shop.sign({ iat: nowS() - 7200, exp: nowS() - 600 }))), "token.exp", /^exp after 20\d\d-.*Z$/, /Z, 10 min ago$/],
    TOKEN_FOREIGN: [async () => ofHttp(await info(server, shop.sign({ iss: "https://other.example" }))), "token.iss", () => `iss ${server.url}`, /other\.example/],
    TOKEN_KIND: [async () => ofHttp(await info(server, shop.sign({}, { typ: "at+jwt" }))), "token.typ", /typ SAT/, /typ at\+jwt/],
    USER_GONE: [async () => ofHttp(await info(server, shop.sign({ sub: crypto.randomUUID() }))), "user.exists", /sub/, /no such user/],
    PROOF_MISSING: [async () => onSocket(await boundToken()), "proof.present", () => fingerprint.slice(0, 6), /^none$/],
    PROOF_INVALID: [async () => onSocket(await boundToken(), { dpop_token: proof({ iat: nowS() - 400 }) }), "proof.iat", /iat close to/, /6 min ago/],
    PROOF_REPLAYED: [async () => {
        const dpop_token = proof();
        await connected(server, await boundToken(), { params: { dpop_token } }).then((session) => session.close());
        return onSocket(await boundToken(), { dpop_token });
    }, "proof.once", /not used before/, /the same key and jti/],
    ORIGIN_NOT_LISTED: [async () => ofHttp(await info(server, shop.token, { origin: "https://evil.example" })), "project.origins", /localhost/, /evil\.example/],
    TICKET_INVALID: [async () => ofHttp(await session(server, (await launched()).launch_token)), "sealed.form", /a bootstrap token/, /a launch token \(lt_\.\.\.\), \d+ bytes/],
    TICKET_USED: [async () => {
        const { launch_token } = await launched();
        await good(exchange(server, launch_token));
        return ofHttp(await exchange(server, launch_token));
    }, "ticket.once", /not redeemed before/, /one that was, minted at \d+/],
    PUBLISHABLE_KEY: [async () => ofHttp(await exchange(server, (await launched()).launch_token, { publishableKey: `pk_test_${"0".repeat(24)}` })),
        "ticket.publishable_key", /of the ticket's project/, /pk_test_0{24}, which is no key of this server/],
    INTERVIEW_STATE: [async () => {
        const { sessionToken } = await good(visit(server), 201);
        return ofHttp(await as(server, sessionToken, "POST", `${await begin(server, sessionToken)}/complete`, {}));
    }, "interview.state", /at the step/, /it is open/],
    PARAMETER_MISSING: [async () => ofHttp(await mint(server, {})), "parameter.present", /reference/, /reference can't be blank/],
    PARAMETER_TAKEN: [async () => {
        const make = () => call(server, "POST", "/api/fabric/resources/subscribers", { body: { email: "taken@example.com" }, headers: { authorization: server.basic } });
        await make();
        return ofHttp(await make());
    }, "parameter.valid", /email/, /email has already been taken/],
    PARAMETER_INVALID: [async () => ofHttp(await mint(server, { reference: "a", expire_at: nowS() - 5 })), "parameter.valid", /expire_at/, /must be in the future/],
    REFRESH_MALFORMED: [async () => ofHttp(await refresh(server, "rt_nonsense")), "sealed.form", /a refresh token/, /11 bytes/],
    REFRESH_KIND: [async () => ofHttp(await refresh(server, shop.token)), "sealed.form", /a refresh token/, /three parts/],
    REFRESH_REUSED: [async () => {
        const { refresh_token } = await mintToken(server, { reference: "robbed@example.com" });
        await refreshToken(server, (await refreshToken(server, refresh_token)).refresh_token);
        return ofHttp(await refresh(server, refresh_token));
    }, "refresh.generation", /generation 2, of a family that is live/, /generation 0, .* by key PT/],
    REFRESH_FOREIGN: [async () => {
        const { refresh_token } = await mintToken(server, { reference: "abroad@example.com" });
        const { id } = await operate("project", "create", "another shop", "--test");
        const { secret } = await operate("key", "create", "api-token", "--project", id);
        secrets.push(secret.slice(18));
        return ofHttp(await refresh(server, refresh_token, { authorization: basic(id, secret) }));
    }, "refresh.project", /the project whose key asks/, /another project on this server/],
    TOKEN_CUT_OFF: [async () => {
        const { token, subscriber_id } = await mintToken(server, { reference: "gone@example.com" });
        await operate("revoke", "user", subscriber_id, "--project", server.contract.project_id);
        return ofHttp(await info(server, token));
    }, "token.gt", /gt after the cutoff \d+ \(20.*Z\)/, /^gt \d+ \(20.*Z\)$/],
    RESOURCE_DISABLED: [async () => {
        const project = ["--project", server.contract.project_id];
        const made = await operate("resource", "create", "click-to-call", "shut", "--address", "/public/shut", "--reaches", "shut@example.com", ...project);
        const c2c = JSON.stringify(made).match(/c2c_[0-9a-f]{32}/)[0];
        secrets.push(c2c.slice(20));
        await operate("resource", "disable", made.id);
        return ofHttp(await call(server, "POST", "/api/fabric/embeds/tokens", { body: { token: c2c } }));
    }, "resource.live", /switched on/, /./],
    BUDGET_SPENT: [async () => ofHttp(await exchangedOut("click_uses")), "budget.uses", /^at most 1 uses in all its life \(click_uses\)$/, /one more/],
    BUDGET_WAITS: [async () => ofHttp(await exchangedOut("click_uses_hour")), "budget.hour",
        /^at most 1 uses in this hour \(click_uses_hour\)$/, /one more, \d+ ms before/],
    SESSIONS_FULL: [async () => {
        await operate("project", "set", server.contract.project_id, "guest_sessions", "1");
        const { token } = (await guest([server.contract.address_id])).json;
        const first = await connected(server, token), second = await Session.open(server);
        const told = ofRpc(await second.connect(token));
        for (const socket of [first, second]) socket.ws.terminate();
        await operate("project", "set", server.contract.project_id, "guest_sessions", "0");
        return told;
    }, "budget.sessions", /fewer than 1 open sessions \(guest_sessions\)/, /as many are open/],
    NOT_FOUND: [async () => ofHttp(await call(server, "GET", "/api/nothing?token=secret")), "route.path", /a path/, /^\/api\/nothing$/],
    METHOD_NOT_ALLOWED: [async () => ofHttp(await call(server, "PUT", TOKENS)), "route.method", /POST/, /^PUT$/],
    RESUME_IMPOSSIBLE: [async () => onSocket(shop.token, { protocol: "x", authorization_state: "x" }), "session.state", /last state of a session/, /one that this server never sent/],
    SESSION_ELSE: [async () => onLive("signalwire.reauthenticate", { authentication: { jwt_token: shop.token } }), "session.holder",
        /the session's own project, user and kind/, /somebody or something else/],
    NOT_CONNECTED: [async () => {
        const session = await Session.open(server);
        const reply = await session.request("subscriber.online");
        await session.close();
        return ofRpc(reply);
    }, "session.live", /live session/, /subscriber\.online in state opening/],
    DESTINATION_UNKNOWN: [async () => onLive("webrtc.verto", { message: { jsonrpc: "2.0", id: "m", method: "verto.invite",
        params: { dialogParams: { callID: "c", destination_number: "/private/nobody" }, sdp: "v=0\r\n" } } }),
    "dial.address", /an address that this token may reach/, /there is none of that name/],
    ALREADY_CONNECTED: [async () => {
        const session = await connected(server, shop.token);
        const reply = await session.connect(shop.token);
        await session.close();
        return ofRpc(reply);
    }, "session.none", /one connect/, /in state live/],
    TOKEN_SCOPE: [async () => ofHttp(await devices(server, ACTIVATE, shop.token, prover.http(ACTIVATE))), "token.scope", /sat:refresh/, /^none$/],
    TOKEN_UNBOUND: [async () => {
        const token = await loose(server);
        return ofHttp(await devices(server, RENEW, token, prover.http(RENEW, token)));
    }, "token.cnf", /bound to a key/, /without cnf/],
    BOUND_ELSEWHERE: [async () => {
        const token = await loose(server);
        await prover.activate(server, token);
        return ofHttp(await new Prover().activate(server, token));
    }, "token.bound_to", /bound this token first/, /thumbprint/],
    ADDRESSES_TOO_MANY: [async () => ofHttp(await guest(Array(11).fill(server.contract.address_id))), "addresses.count", /at most 10/, /^11$/],
    ADDRESS_FOREIGN: [async () => ofHttp(await guest([crypto.randomUUID()])), "addresses.exist", /of this project/, /^0 of them/],
    TOKEN_PREFIX: [async () => ofHttp(await call(server, "POST", "/api/fabric/embeds/tokens", { body: { token: "c2t_x" } })), "embed.prefix", /c2c_/, /nothing that this server issues/],
    MALFORMED: [async () => ofHttp(await mint(server, "{", { "content-type": "application/json" })), "body.json", /one JSON object/, /1 bytes/],
    TOO_LARGE: [async () => ofHttp(await mint(server, { reference: "a".repeat(20000) })), "http.bytes", /at most 16384 bytes/, /the rule broken/],
    UNSUPPORTED: [async () => ofHttp(await mint(server, "{}", { "content-type": "text/plain" })), "body.type", /application\/json/, /^text\/plain$/],
};
const elsewhere = {
    TICKET_EXPIRED: "moves the clock, which nothing before may notice: the test below",
    REFRESH_EXPIRED: "the same",
    RATE_LIMITED: "needs a server with little parking space: the test below",
    TIMEOUT: "needs a server with little patience: the test below",
    CLOCK_STEPPED: "needs a clock that jumps: floor.test.mjs",
    PROOF_NONCE: "needs a server that asks for nonces: the test below",
};
const unreachable = {
    REFRESH_DEAD: "a cutoff answers first; service_refresh_test does", REFRESH_STATE_LOST: "a failing disk; service_refresh_test does",
    REFRESH_ROLLED_BACK: "a failing disk; rotate_test does",
    NO_MEMORY: "no caller can use up our memory", LIMIT: "no caller can fill our queues alone", CRYPTO: "a failing library",
    STORE_BUSY: "a failing disk", STORE_FAILED: "a failing disk", STORE_NEWER: "stops the start", CORRUPT: "a failing disk",
    IO: "a failing disk", LOCKED: "stops the start", CONFIG: "stops the start", STOPPING: "is told by close codes only",
};

const tableRows = ["err", "refusal"].flatMap((name) => [...fs.readFileSync(path.join(REPOSITORY, `src/base/${name}.def`), "utf8")
    .matchAll(/^(?:ERR|REFUSAL)_ROW\((\w+),\s*(\d+),\s*(\d+),\s*"(\w+)",\s*"([^"]*)",\s*"([^"]*)"\)/gm)]
    .map(([, row, http, , slug, doc, fix]) => ({ row, http: Number(http), slug, doc, fix })));
const rowOf = (name) => tableRows.find(({ row }) => row === name);

function fits(wanted, got, label)
{
    if (wanted instanceof RegExp) assert.match(got, wanted, label);
    else if (wanted) assert.ok(got.includes(wanted()), `${label}: ${got}`);
}

async function explains(name, told, [check, expected, seen], at = server)
{
    const row = rowOf(name);
    assert.match(told.id ?? "", ID, "an id");
    assert.equal(told.code, row.slug, "the slug");
    const record = await why(told.id, at);
    assert.equal(record.found, true);
    assert.equal(record.refusal, name, JSON.stringify(record));
    assert.equal(record.check, check, JSON.stringify(record));
    assert.deepEqual([record.slug, record.meaning, record.fix, record.status], [row.slug, row.doc, row.fix, told.status]);
    assert.ok(record.expected && record.seen, JSON.stringify(record));
    fits(expected, record.expected, "expected");
    fits(seen, record.seen, "seen");
    assert.ok(Math.abs(Date.parse(record.at) - Date.now()) < 60000, record.at);
    return record;
}

test("every row of the tables is provoked here, or says why it cannot be", () => {
    assert.ok(tableRows.length > 40, `${tableRows.length} rows read`);
    const named = [...Object.keys(provoked), ...Object.keys(elsewhere), ...Object.keys(unreachable)].sort();
    assert.deepEqual(named, tableRows.map(({ row }) => row).sort());
});

for (const [name, [provoke, ...wanted]] of Object.entries(provoked))
    test(`${name}: the client learns the slug, the operator the cause`, async () => {
        const told = await provoke();
        if (told.status) assert.equal(told.status, rowOf(name).http);
        await explains(name, told, wanted);
    });

test("CREDENTIAL_MISSING of a connect is explained in words for a socket", async () => {
    const told = await onSocket("");
    await explains("CREDENTIAL_MISSING", told, ["credential.present", /token in the connect/]);
    assert.match((await why(told.id)).fix, /on a socket the token in the connect/);
});

test("RATE_LIMITED and TIMEOUT, on a server with little space and patience", async () => {
    const small = await startServer({ env: { COATCHECK_PARKED_PER_ADDRESS_MAX: "1", COATCHECK_LOOPS: "1", COATCHECK_HEAD_TIMEOUT_S: "6" } });
    const session = await Session.open(small);
    assert.ok((await session.connect("x")).error);
    await explains("RATE_LIMITED", await raw(upgradeHead("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), small.port),
        ["upgrade.parking", /parked_per_address_max 1/, /so many already/], small);
    await explains("TIMEOUT", await raw("GET / HT", small.port), ["http.head_time", /head within 6 s/, /8 bytes by then/], small);
    await session.close();
    await small.stop();
});

// ---- what the byte reader, the upgrade and the envelopes say ----

test("TICKET_EXPIRED and REFRESH_EXPIRED, on a server whose time has moved", async () => {
    const old = await startServer();
    const { launch_token } = await good(launch(old, {}));
    await advance(old, "300s");
    const told = ofHttp(await exchange(old, launch_token));
    const { refresh_token } = await mintToken(old, { reference: "late@example.com" });
    await advance(old, "125m");
    await explains("REFRESH_EXPIRED", ofHttp(await refresh(old, refresh_token)), ["refresh.exp", /exp/, /./], old);
    await explains("TICKET_EXPIRED", told, ["ticket.exp", /its life of 300 s/, /its project's clock was moved 300 s since/], old);
    await old.stop();
});

test("PROOF_NONCE, on a server that asks for nonces", async () => {
    const strict = await startServer({ env: { COATCHECK_DPOP_NONCES: "on" } }), prover = new StrictProver();
    const { refresh_token } = await prover.mint(strict, { reference: "nonce@example.com" });
    const answer = await refreshBy(strict, refresh_token, { dpop: prover.prove(strict, DOOR) });
    assert.equal(answer.json.error, "use_dpop_nonce");
    await explains("PROOF_NONCE", ofHttp(answer), ["proof.nonce", /nonce/, /./], strict);
    await strict.stop();
});

test("the byte reader's refusals carry an id, and why names the rule", async () => {
    const cases = { "GET / HTTP/1.1\r\nHost : x\r\n\r\n": [400, "MALFORMED"], "GET / HTTP/1.1\r\n\r\n": [400, "MALFORMED"],
        "BREW / HTTP/1.1\r\nHost: x\r\n\r\n": [501, "UNSUPPORTED"], "GET / HTTP/2.0\r\nHost: x\r\n\r\n": [505, "UNSUPPORTED"],
        [`GET /${"a".repeat(9000)} HTTP/1.1\r\n`]: [414, "TOO_LARGE"], [`GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(17000)}\r\n\r\n`]: [431, "TOO_LARGE"] };
    for (const [bytes, [status, name]] of Object.entries(cases)) {
        const told = await raw(bytes);
        assert.equal(told.status, status, bytes.slice(0, 40));
        await explains(name, told, ["http.bytes", /strict HTTP/, /the rule broken: \w+/]);
    }
    await explains("MALFORMED", await raw("GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n"), ["http.target"]);
});

test("refused upgrades carry an id", async () => {
    const key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    await explains("UNSUPPORTED", await raw(upgradeHead(`${key}Sec-WebSocket-Version: 12\r\n`)), ["upgrade.version", /version 13/, /version 12/]);
    await explains("MALFORMED", await raw(upgradeHead("Sec-WebSocket-Version: 13\r\n")), ["upgrade.form", undefined, /0 keys/]);
    await explains("ORIGIN_NOT_LISTED", await raw(upgradeHead(`${key}Sec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n`)),
        ["upgrade.origin", undefined, /1: https:\/\/evil\.example/]);
});

test("envelopes that are none carry an id in error.data", async () => {
    for (const [text, check] of [["{", "rpc.json"], ["[]", "rpc.envelope"], ['{"jsonrpc":"1.0","id":"a","method":"b"}', "rpc.envelope"]]) {
        const ws = await RawWebSocket.open(server);
        await ws.send(frame(OPCODE.TEXT, text));
        const answer = await ws.untilFrame((f) => f.opcode === OPCODE.TEXT, "an error");
        ws.close();
        await explains("MALFORMED", ofRpc(JSON.parse(answer.payload.toString())), [check, /JSON-RPC 2.0/]);
    }
});

test("Expect: 100-continue, the admin listener and built-in paths carry an id too", async () => {
    await explains("CREDENTIAL_MISSING", await raw(`POST ${TOKENS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`),
        ["credential.present"]);
    await explains("METHOD_NOT_ALLOWED", ofHttp(await call(server, "POST", "/healthz")), ["route.method", /GET/, /POST/]);
    const admin = { ...server, url: server.contract.admin_url };
    await explains("CREDENTIAL_MISSING", ofHttp(await call(admin, "GET", "/metrics")), ["admin.token"]);
    await explains("NOT_FOUND", ofHttp(await call(admin, "GET", "/nothing")), ["route.path"]);
});

test("answers that refuse nothing carry neither id nor code", async () => {
    for (const answer of [await info(server, shop.token), await call(server, "GET", "/healthz"), await mint(server, { reference: "good@example.com" })]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["coatcheck-error-id"], undefined);
        assert.equal(answer.headers["coatcheck-error-code"], undefined);
    }
});

test("a target is still read right when its body comes later", async () => {
    const socket = new RawSocket(server.port);
    await socket.connected;
    await socket.send(Buffer.from("POST /nothing/of/ours HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"));
    assert.equal((await call(server, "GET", "/healthz")).status, 200);
    await socket.send(Buffer.from("12345678901234567890"));
    await socket.until((s) => responses(s.read).list.length, "an answer");
    const told = ofHead(responses(socket.read).list[0]);
    socket.close();
    await explains("NOT_FOUND", told, ["route.path", undefined, /^\/nothing\/of\/ours$/]);
});

// ---- whose it is ----

test("a project that was merely claimed is not told as the project's; one that was proved is", async () => {
    const wrong = await why(ofHttp(await mint(server, {}, { authorization: basic(server.contract.project_id, swapped(server.contract.api_token)) })).id);
    assert.equal(wrong.project, null);
    const forged = await why(ofHttp(await info(server, compact(shop.header, shop.claims, shop.stranger))).id);
    assert.deepEqual([forged.project, forged.user, forged.family], [null, null, null]);
    const expired = await why(ofHttp(await info(server, shop.sign({ iat: nowS() - 7200, exp: nowS() - 600 }))).id);
    assert.deepEqual([expired.project, expired.user, expired.family], [server.contract.project_id, shop.claims.sub, shop.claims.fam]);
    assert.equal(expired.key, shop.claims.par);
    const missing = await why(ofHttp(await mint(server, {})).id);
    assert.equal(missing.project, server.contract.project_id);
    assert.equal(missing.key, server.contract.api_token.slice(0, 18));
});

test("a flood of one kind does not drive out the evidence of another", async () => {
    const kept = [ofHttp(await mint(server, {})).id,
        ofHttp(await mint(server, {}, { authorization: basic(server.contract.project_id, swapped(server.contract.api_token)) })).id];
    const socket = new RawSocket(server.port);
    await socket.connected;
    const many = 400; // one address has 32 places on a loop
    for (let sent = 0; sent < many; sent += 100) {
        await socket.send(Buffer.from("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100)));
        await socket.until((s) => responses(s.read).list.length >= sent + 100, "answers");
    }
    const ids = [...socket.read.toString("latin1").matchAll(/^Coatcheck-Error-Id: (.*)\r$/gm)].map((m) => m[1]);
    socket.close();
    assert.equal(new Set(ids).size, many, "each refusal has an id of its own");
    assert.equal((await why(ids.at(-1))).check, "route.path");
    const evicted = await coatcheck(["why", ids[0], "--data", server.data]);
    assert.equal(evicted.code, 1);
    assert.match(evicted.stderr, /was forgotten since/);
    for (const id of kept) assert.equal((await why(id)).found, true);
});

test("no secret is in any record, and the client learns no cause", async () => {
    const { api_token, client_secret, secret_key, c2c_token } = server.contract;
    const bound = await boundToken();
    const all = [api_token, client_secret, secret_key, c2c_token, shop.token, shop.refresh_token, bound, proof()];
    const answers = [];
    for (const secret of all) {
        answers.push(await info(server, secret), await call(server, "GET", `/api/${secret}`), await call(server, "GET", `/x?token=${secret}`, {
            headers: { origin: "https://evil.example" } }), await mint(server, { reference: "a", password: "p".repeat(80) }, { authorization: basic(secret, secret) }),
        await mint(server, {}, { authorization: basic(server.contract.project_id, secret) }), await mint(server, { reference: 7, password: secret }));
        const session = await Session.open(server);
        for (const reply of [await session.request(secret), await session.connect(secret, { dpop_token: secret })])
            if (reply.error) answers.push({ status: 400, headers: { "coatcheck-error-id": reply.error.data.error_id }, text: JSON.stringify(reply.error) });
        await session.close();
    }
    for (const answer of answers) {
        if (answer.status === 200) continue;
        const { stdout } = await coatcheck(["why", answer.headers["coatcheck-error-id"], "--data", server.data, "--json"]);
        const record = JSON.parse(stdout);
        for (const secret of all) {
            const parts = [secret, ...secret.split("."), secret.slice(-20)].filter((part) => part.length >= 12);
            for (const part of parts) assert.ok(!stdout.includes(part), `${record.check} holds a part of ${secret.slice(0, 4)}…`);
        }
        if (![422].includes(answer.status)) for (const cause of [record.check, record.refusal]) assert.ok(!answer.text.includes(cause), answer.text);
    }
    secrets.push(...all);
});

// ---- coatcheck why ----

test("why prints lines for people", async () => {
    const { id } = ofHttp(await info(server, shop.sign({ iat: nowS() - 7200, exp: nowS() - 600 })));
    const { code, stdout } = await coatcheck(["why", id, "--data", server.data]);
    assert.equal(code, 0);
    for (const line of [/^ {2}refusal +TOKEN_EXPIRED$/m, /^ {2}check +token\.exp$/m, /^ {2}expected +exp after /m, /^ {2}seen +.* 10 min ago$/m,
        /^ {2}to do +Get a new token/m, /^ {2}answered +401, "unauthorized"$/m, /^ {2}when +20.*Z, \d+ s ago$/m, /^ {2}asked +GET \/api\//m])
        assert.match(stdout, line);
});

test("why tells what is wrong with the question", async () => {
    const cases = [[["why"], 2, /which one/], [["why", "short"], 2, /16 characters/], [["why", "AAAAAAAAAAAAAAAA", "--wrong"], 2, /no option --wrong/],
        [["why", "AAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBB"], 2, /one error id/], [["why", "AAAAAAAAAAAAAAAA", "--data"], 2, /needs a folder/],
        [["why", "AAAAAAAAAAAAAAAA", "--data", server.data], 1, /knows no refusal/], [["why", "--AAAAAAAAAAAAAA", "--data", server.data], 1, /knows no refusal/],
        [["why", "AAAAAAAAAAAAAAAA", "--data", "/nonexistent/folder"], 1, /no such data folder/]];
    for (const [args, code, said] of cases) {
        const end = await coatcheck(args);
        assert.equal(end.code, code, `${args}: ${end.stderr}`);
        assert.match(end.stderr, said);
        assert.equal(end.stdout, "");
    }
    const empty = temporaryFolder();
    const none = await coatcheck(["why", "AAAAAAAAAAAAAAAA", "--data", empty]);
    assert.deepEqual([none.code, /no server is running/.test(none.stderr)], [1, true]);
    fs.rmSync(empty, { recursive: true });
    assert.match((await coatcheck(["why", "--help"])).stdout, /usage: coatcheck why/);
    const byEnvironment = await coatcheck(["why", "AAAAAAAAAAAAAAAA"], { env: { COATCHECK_DATA: server.data } });
    assert.match(byEnvironment.stderr, /knows no refusal/);
});

// ---- the admin socket ----

const socketPath = (at = server) => path.join(at.data, "admin.sock");

function onAdmin(bytes, { ends = true } = {})
{
    return new Promise((resolve, reject) => {
        const socket = net.connect(socketPath());
        let read = "";
        socket.on("data", (part) => { read += part; });
        socket.on("error", (error) => (error.code === "EPIPE" || error.code === "ECONNRESET" ? resolve(read) : reject(error)));
        socket.on("close", () => resolve(read));
        socket.on("connect", () => (ends ? socket.end(bytes) : socket.write(bytes)));
    });
}

test("the admin socket is its owner's alone, and goes with the server", async () => {
    assert.equal(fs.statSync(socketPath()).mode & 0o777, 0o600);
    assert.ok(fs.statSync(socketPath()).isSocket());
    const data = temporaryFolder();
    fs.writeFileSync(path.join(data, "admin.sock"), "left behind");
    const other = await startServer({ data });
    assert.ok(fs.statSync(socketPath(other)).isSocket());
    await other.stop();
    assert.ok(!fs.existsSync(path.join(data, "admin.sock")));
    const { code, stderr } = await coatcheck(["why", "AAAAAAAAAAAAAAAA", "--data", data]);
    assert.deepEqual([code, /no server is running/.test(stderr)], [1, true]);
    fs.rmSync(data, { recursive: true });
});

test("the admin socket answers asks in order and refuses everything else", async () => {
    const { id } = ofHttp(await call(server, "GET", "/nothing"));
    const lines = [{ command: "keys" }, { command: "why", error_id: id }, { command: "why", error_id: "AAAAAAAAAAAAAAAA" }, { command: "stop" }, {}];
    const socket = net.connect(socketPath());
    let read = "";
    socket.on("data", (part) => { read += part; });
    for (const byte of lines.map((line) => `${JSON.stringify(line)}\n`).join("")) socket.write(byte);
    while (read.split("\n").length <= lines.length) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    const [keys, found, unknown, ...bad] = read.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(keys.keys.length, 3);
    for (const key of keys.keys) {
        const { next, next_ms, ...rest } = key;
        assert.equal(typeof next === "string", typeof next_ms === "number");
        assert.deepEqual(Object.keys(rest).sort(), ["alg", "id", "since_ms", "state", "use"], "no secret is among them");
    }
    assert.equal(found.check, "route.path");
    assert.deepEqual(unknown, { found: false, error_id: "AAAAAAAAAAAAAAAA" });
    assert.deepEqual(bad, [{ error: "malformed" }, { error: "malformed" }]);
    for (const noise of ["x".repeat(5000), "\n\n\n", "\0\n", "GET / HTTP/1.1\r\n\r\n", `{"command":"why","error_id":"${"A".repeat(600)}"}\n`, ""])
        for (const line of (await onAdmin(noise)).trim().split("\n").filter(Boolean)) assert.ok(JSON.parse(line).error, noise.slice(0, 20));
    assert.equal((await why(id)).found, true);
});

test("a stop while questions are under way ends clean", async () => {
    const other = await startServer({ env: { COATCHECK_LOOPS: "3" } });
    const sockets = Array.from({ length: 8 }, () => net.connect(path.join(other.data, "admin.sock")));
    for (const socket of sockets) {
        socket.on("error", () => {});
        socket.write('{"command":"why","error_id":"AAAAAAAAAAAAAAAA"}\n'.repeat(20));
    }
    await new Promise((resolve) => sockets[0].once("data", resolve));
    await other.stop();
    for (const socket of sockets) socket.destroy();
});

// ---- coatcheck token inspect ----

const inspect = (token, ...more) => coatcheck(["token", "inspect", "-", "--data", server.data, ...more], { input: `${token}\n` });

test("token inspect: an access token, with its times, key and signature", async () => {
    const { code, stdout } = await inspect(shop.token);
    assert.equal(code, 0, stdout);
    for (const line of [/^ {2}what +an access token$/m, /^ {2}kind +subscriber$/m, /^ {2}issued +20.*Z, \d+ .* ago$/m, /^ {2}expires +20.*Z, in \d+ (min|h)$/m,
        /^ {2}signature +verifies$/m, new RegExp(`^  key +${shop.header.kid}, ours, signing$`, "m"), new RegExp(`^  user +${shop.claims.sub}$`, "m")])
        assert.match(stdout, line);
    const json = JSON.parse((await inspect(shop.token, "--json")).stdout);
    assert.deepEqual(json.header, shop.header);
    assert.deepEqual(json.claims, shop.claims);
    assert.equal(json.signature, "verifies");
});

test("token inspect: expired, altered, a stranger's, another server's", async () => {
    const expired = await inspect(shop.sign({ iat: nowS() - 7200, exp: nowS() - 600 }));
    assert.match(expired.stdout, /^ {2}expires +20.*Z, expired 10 min ago$/m);
    assert.match(expired.stdout, /^ {2}signature +verifies$/m);
    assert.match((await inspect(compact(shop.header, shop.claims, shop.stranger))).stdout, /^ {2}signature +does not verify/m);
    const foreign = await inspect(compact({ ...shop.header, kid: "elsewhere" }, { ...shop.claims, iss: "https://other.example" }, shop.stranger));
    assert.match(foreign.stdout, /^ {2}key +elsewhere, which is no key of this server$/m);
    assert.match(foreign.stdout, new RegExp(`^  but +the server on this folder is ${server.url}`, "m"));
    const empty = temporaryFolder();
    const alone = await coatcheck(["token", "inspect", shop.token, "--data", empty]);
    fs.rmSync(empty, { recursive: true });
    assert.equal(alone.code, 0);
    assert.match(alone.stdout, /^ {2}signature +not checked$/m);
    assert.match(alone.stdout, /^ {2}key +\w+ \(not looked up: no server is running/m);
});

test("token inspect: sealed tokens, proofs, keys and what is no token", async () => {
    const { api_token, client_id, client_secret, secret_key, publishable_key, c2c_token, project_id } = server.contract;
    const refresh = await inspect(`Bearer ${shop.refresh_token}`);
    assert.equal(refresh.code, 0);
    assert.match(refresh.stdout, /a refresh token .*sealed/);
    assert.match(refresh.stdout, new RegExp(`^  key +${shop.refresh_token.slice(3, 11)}, ours, signing$`, "m"));
    assert.match(refresh.stdout, new RegExp(`^  length +${shop.refresh_token.length} characters$`, "m"));
    assert.match((await inspect(proof())).stdout, /a proof of possession[^]*verifies, by the key it carries/);
    for (const [text, what, isSecret] of [[api_token, /an api token/, true], [client_secret, /a client secret/, true], [secret_key, /a secret key/, true],
        [c2c_token, /a click-to-call token/, true], [publishable_key, /a publishable key/, false], [client_id, /a client id/, false]]) {
        const { code, stdout } = await inspect(text);
        assert.equal(code, 0, stdout);
        assert.match(stdout, what);
        assert.equal(/beware/.test(stdout), isSecret, stdout);
        if (isSecret) assert.ok(!stdout.includes(text), "the secret is not shown again");
    }
    for (const [text, said] of [["", /no token: nothing/], ["hello", /nothing that this server issues/], [project_id, /a UUID/], [api_token.slice(0, -2), /not whole/],
        [shop.refresh_token.slice(0, 20), /not whole/], ["a.b.c", /three parts, but no token/], [`${b64('{"alg":"ES256"}')}.${b64("[]")}.AA`, /no JSON object/],
        ["\u001b[31m", /no token/]]) {
        const { code, stdout } = await inspect(text);
        assert.equal(code, 1, `${text}: ${stdout}`);
        assert.match(stdout, said);
    }
});

test("token inspect prints nothing that commands a terminal", async () => {
    const evil = "\u001b[2J\u009b31m\u202e";
    const token = compact({ ...shop.header, kid: evil }, { ...shop.claims, kind: evil, iss: evil, sub: evil }, shop.ours);
    const { stdout } = await inspect(token);
    assert.doesNotMatch(stdout, /[^\x20-\x7e\n]/);
});

test("token inspect tells what is wrong with the question", async () => {
    for (const [args, code, said] of [[["token"], 2, /usage/], [["token", "mint"], 2, /no "token mint"/], [["token", "inspect", "a", "b"], 2, /one token/],
        [["token", "inspect", "--wrong"], 2, /no option/]]) {
        const end = await coatcheck(args);
        assert.equal(end.code, code, `${args}`);
        assert.match(end.stderr, said);
    }
    assert.equal((await coatcheck(["token", "inspect", "-"], { input: "x".repeat(100000) })).code, 1);
    assert.match((await coatcheck(["token", "--help"])).stdout, /usage: coatcheck token inspect/);
    assert.match((await coatcheck(["token", "inspect", server.contract.api_token, "--data", server.data])).stdout, /shell's history/);
});

await run({
    before: async () => {
        server = await startServer({ env: { COATCHECK_LOG_LEVEL: "debug", COATCHECK_LOOPS: "2" } });
            shop = await workshop(server);
        baseline = await server.baseline();
    },
    after: async () => {
        for (const secret of secrets) assert.ok(!server.logs.some((line) => line.includes(secret)), `${secret.slice(0, 6)}… was logged`);
        await server.assertSound(baseline);
        await server.stop();
    },
});
