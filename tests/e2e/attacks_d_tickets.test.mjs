// attacks_d_tickets.test.mjs — one-time tickets under attack: many takers at once, death in between, wrong tries, scanners,
// guesses. COATCHECK_TICKET_ROUNDS says how often two hundred race for one ticket (default 500), COATCHECK_KILL_ROUNDS how
// often the server dies (default 6).
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { advance, coatcheck } from "../harness/clock.mjs";
import { call, info, mintToken } from "../harness/http.mjs";
import { rows } from "../harness/ring.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { Session } from "../harness/session.mjs";
import { run, test } from "../harness/suite.mjs";
import { as, BOOTSTRAP, bootstrap, clientAuth, EXCHANGE, exchange, good, LAUNCH, launch, secretAuth, session, SESSIONS, VISIT, visit } from "../harness/tickets.mjs";

const ROUNDS = Number(process.env.COATCHECK_TICKET_ROUNDS ?? 500);
const KILLS = Number(process.env.COATCHECK_KILL_ROUNDS ?? 6);
const TAKERS = 200;
const ENV = { COATCHECK_LOOPS: "2", COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
let server, data, baseline;

const launched = (body = {}) => good(launch(server, body));
const minted = (body) => good(bootstrap(server, body));

// Status, body and fields of an answer, without what is meant to differ.
function shape(answer)
{
    const { date, "coatcheck-error-id": id, ...fields } = answer.headers;
    assert.match(id, /^[\w-]{16}$/);
    return JSON.stringify([answer.status, answer.text, fields]);
}

// ---- many at once ----

// A connection that is open and warm, so that two hundred posts leave together.
function post(agent, path, body)
{
    const bytes = JSON.stringify(body);
    return new Promise((resolve, reject) => {
        const request = http.request(server.url + path, { method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) } }, (answer) => {
            const parts = [];
            answer.on("data", (part) => parts.push(part)).on("error", reject);
            answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
        });
        request.on("error", reject);
        request.end(bytes);
    });
}

async function race(path, ticketOf, status)
{
    const agent = new http.Agent({ keepAlive: true, maxSockets: TAKERS });
    let wins = 0;
    for (let round = 0; round < ROUNDS; round++) {
        const body = await ticketOf();
        const answers = await Promise.all(Array.from({ length: TAKERS }, () => post(agent, path, body)));
        const won = answers.filter((answer) => answer.status === status), lost = answers.filter((answer) => answer.status !== status);
        assert.deepEqual([won.length, lost.length], [1, TAKERS - 1], answers.map((answer) => answer.status).join());
        assert.equal(new Set(lost.map(shape)).size, 1, "all refusals alike");
        assert.equal(lost[0].status, 401);
        wins += won.length;
    }
    agent.destroy();
    console.log(`     ${ROUNDS} rounds of ${TAKERS}: ${wins} served`);
    assert.equal(wins, ROUNDS);
}

test("D-60 one launch token, two hundred takers: one session, the rest refused alike", async () => {
    const { publishable_key: publishableKey } = server.contract;
    await race(EXCHANGE, async () => ({ launchToken: (await launched({ userPayload: { a: 1 } })).launch_token, publishableKey }), 200);
}, { guard_s: 300 });

test("D-60 one bootstrap token, two hundred takers", async () => {
    await race(SESSIONS, async () => ({ bootstrapToken: (await minted({ externalUserId: "raced" })).bootstrapToken }), 201);
}, { guard_s: 300 });

test("D-60 many tickets of one user at once: each is good once, and every payload arrives", async () => {
    const { launch_token, user_id: userId } = await launched();
    await good(exchange(server, launch_token));
    const tokens = await Promise.all(Array.from({ length: 8 }, (_, i) => launched({ userId, userPayload: { [`k${i}`]: i } })));
    for (const { user_id } of tokens) assert.equal(user_id, userId);
    let left = tokens.map((one) => one.launch_token), tries = 0;
    while (left.length && tries++ < 20) { // one that always met another's change is told to come back
        const answers = await Promise.all(left.map((token) => exchange(server, token)));
        for (const { status, text } of answers) assert.ok(status === 200 || status === 503, text);
        left = left.filter((_, i) => answers[i].status === 503);
    }
    assert.equal(left.length, 0);
    const [{ payload }] = rows(data, `SELECT payload FROM users WHERE hex(id) = '${userId.slice(7).toUpperCase()}'`);
    assert.deepEqual(Object.keys(JSON.parse(payload)).sort(), Array.from({ length: 8 }, (_, i) => `k${i}`));
});

// ---- death in between ----

// Redeems from many hands until the server dies; says which tickets were acknowledged, and which may be either.
async function redeemUntilDeath(killAfter)
{
    const acknowledged = [], open = [];
    const hand = async () => {
        for (;;) {
            const ticket = await launch(server, {}).catch(() => null);
            if (ticket?.status !== 200) return;
            const answer = await exchange(server, ticket.json.launch_token).catch(() => null);
            (answer?.status === 200 ? acknowledged : open).push(ticket.json);
            if (!answer) return;
            assert.equal(answer.status, 200, answer.text);
            if (acknowledged.length === killAfter) server.child.kill("SIGKILL");
        }
    };
    await Promise.all([...Array.from({ length: 16 }, hand), server.ended]);
    return { acknowledged, open };
}

test(`D-62 kill -9 while redeeming, ${KILLS} times: no ticket is good twice, no acknowledged user is lost`, async () => {
    let count = 0, either = 0, redeemed = 0;
    for (let round = 0; round < KILLS; round++) {
        const { acknowledged, open } = await redeemUntilDeath(20 + 31 * round);
        server = await startServer({ data, env: ENV });
        for (const { launch_token, user_id } of acknowledged) {
            assert.equal((await exchange(server, launch_token)).status, 401, "used before the death");
            assert.equal((await launched({ userId: user_id })).user_id, user_id, "its user is there");
        }
        for (const { launch_token, user_id } of open) {
            const there = (await launched({ userId: user_id })).user_id === user_id;
            const answer = await exchange(server, launch_token);
            assert.equal(answer.status, there ? 401 : 200, "taken with its user, or not at all");
            assert.equal((await exchange(server, launch_token)).status, 401, "and never again");
            redeemed += answer.status === 200;
        }
        count += acknowledged.length;
        either += open.length;
    }
    console.log(`     ${count} acknowledged, ${either} cut off, of which ${redeemed} were still good`);
    baseline = await server.baseline();
}, { guard_s: 300 });

// ---- wrong tries ----

test("D-64 wrong tries of every kind burn nothing, however many", async () => {
    const { launch_token } = await launched(), { bootstrapToken } = await minted();
    const origin = "https://evil.example";
    for (let i = 0; i < 25; i++) {
        assert.equal((await exchange(server, launch_token, { publishableKey: `pk_test_${crypto.randomBytes(12).toString("hex")}` })).status, 401);
        assert.equal((await exchange(server, launch_token, { headers: { origin } })).status, 403);
        assert.equal((await session(server, bootstrapToken, { origin })).status, 403);
        assert.equal((await session(server, launch_token)).status, 401);
        assert.equal((await exchange(server, bootstrapToken)).status, 401);
        assert.equal((await call(server, "POST", SESSIONS, { body: { bootstrapToken, publishableKey: "pk_x" } })).status, 401);
        assert.equal((await call(server, "POST", SESSIONS, { body: JSON.stringify({ bootstrapToken }), headers: { "content-type": "text/plain" } })).status, 415);
    }
    await good(exchange(server, launch_token));
    await good(session(server, bootstrapToken), 201);
});

test("D-65 no GET, HEAD or OPTIONS on any of the addresses redeems anything", async () => {
    const { launch_token } = await launched(), { bootstrapToken } = await minted();
    for (const path of [LAUNCH, EXCHANGE, SESSIONS, VISIT])
        for (const method of ["GET", "HEAD", "OPTIONS"])
            for (const query of ["", `?launchToken=${launch_token}&publishableKey=${server.contract.publishable_key}`, `?bootstrapToken=${bootstrapToken}`]) {
                const body = method === "GET" ? JSON.stringify({ launchToken: launch_token, bootstrapToken, publishableKey: server.contract.publishable_key }) : undefined;
                const answer = await call(server, method, path + query, { body, headers: body ? { "content-type": "application/json" } : {} });
                assert.equal(answer.status, method === "OPTIONS" ? 204 : 405, `${method} ${path}`);
                assert.match(answer.headers.allow, /POST/);
            }
    await good(exchange(server, launch_token));
    await good(session(server, bootstrapToken), 201);
});

test("D-66 a ticket in the query is not looked at, and is in no log and no explanation", async () => {
    const { launch_token } = await launched(), { bootstrapToken } = await minted();
    const { publishable_key: publishableKey } = server.contract;
    const asked = [
        await call(server, "POST", `${EXCHANGE}?launchToken=${launch_token}&publishableKey=${publishableKey}`, { body: {} }),
        await call(server, "POST", `${EXCHANGE}?launchToken=${launch_token}`, { body: { publishableKey } }),
        await call(server, "POST", `${SESSIONS}?bootstrapToken=${bootstrapToken}`, { body: {} }),
        await call(server, "POST", `${EXCHANGE}/${launch_token}`, { body: {} }),
        await call(server, "GET", `/sdk/sessions/${bootstrapToken}`),
    ];
    assert.deepEqual(asked.map(({ status }) => status), [400, 400, 400, 404, 404]);
    const said = [...server.logs];
    for (const answer of asked) {
        said.push(answer.text, JSON.stringify(answer.headers));
        said.push((await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", data)).out);
    }
    for (const token of [launch_token, bootstrapToken]) assert.ok(!said.join("\n").includes(token.slice(12, 32)), "only its form may be told");
    await good(exchange(server, launch_token));
    await good(session(server, bootstrapToken), 201);
});

test("D-67 what is guessed, used or expired gets one and the same answer", async () => {
    const { publishable_key: publishableKey } = server.contract;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    const expired = await launched(), expiredBootstrap = await minted();
    await advance(server, "300s");
    const used = await launched(), usedBootstrap = await minted();
    await good(exchange(server, used.launch_token));
    await good(session(server, usedBootstrap.bootstrapToken), 201);
    const [keyId] = used.launch_token.slice(3).split(".");
    const launches = new Set(), sessions = new Set();
    for (const launchToken of [expired.launch_token, used.launch_token]) launches.add(shape(await post(agent, EXCHANGE, { launchToken, publishableKey })));
    for (const { bootstrapToken } of [expiredBootstrap, usedBootstrap]) sessions.add(shape(await post(agent, SESSIONS, { bootstrapToken })));
    const guess = (prefix, length) => `${prefix}${keyId}.${crypto.randomBytes(length).toString("base64url")}`; // under a key that there is
    for (let i = 0; i < 20; i++) {
        const answers = await Promise.all(Array.from({ length: 16 }, (_, n) => post(agent, EXCHANGE, { launchToken: guess("lt_", 100 + n), publishableKey })));
        for (const answer of answers) launches.add(shape(answer));
        for (const answer of await Promise.all(Array.from({ length: 16 }, (_, n) => post(agent, SESSIONS, { bootstrapToken: guess("bt_", 60 + n) })))) sessions.add(shape(answer));
    }
    agent.destroy();
    assert.deepEqual([launches.size, sessions.size], [1, 1], [...launches, ...sessions].join("\n"));
    assert.equal(JSON.parse([...launches][0])[0], 401);
    assert.equal(JSON.parse([...sessions][0])[0], 401);
});

// ---- what else applies to them ----

test("A-22 a ticket, a session and a subscriber's token never stand in for each other", async () => {
    const { launch_token } = await launched(), { bootstrapToken } = await minted();
    const { accessToken } = await good(exchange(server, (await launched()).launch_token));
    const { sessionToken } = await good(session(server, (await minted()).bootstrapToken), 201);
    const anonymous = (await good(visit(server), 201)).sessionToken;
    const { token, refresh_token } = await mintToken(server, { reference: "ada@example.com" });
    const all = { launch_token, bootstrapToken, accessToken, sessionToken, anonymous, token, refresh_token };
    for (const [name, text] of Object.entries(all)) {
        if (name !== "token") {
            assert.equal((await info(server, text)).status, 401, `${name} as a subscriber's token`);
            const socket = await Session.open(server);
            assert.equal((await socket.connect(text)).error?.code, -32002, `${name} on the socket`);
            socket.ws.terminate();
        }
        if (name !== "sessionToken" && name !== "anonymous") assert.equal((await as(server, text, "GET", "/participants/me")).status, 401, `${name} as a session`);
        if (name !== "launch_token") assert.equal((await exchange(server, text)).status, 401, `${name} as a launch token`);
        if (name !== "bootstrapToken") assert.equal((await session(server, text)).status, 401, `${name} as a bootstrap token`);
        assert.equal((await call(server, "POST", BOOTSTRAP, { headers: { authorization: `Bearer ${text}` } })).status, 401, `${name} as a secret key`);
    }
    await good(exchange(server, launch_token));
    await good(session(server, bootstrapToken), 201);
});

async function revoke(of, name)
{
    const { code, err } = await coatcheck("revoke", of, name, "--project", server.contract.project_id, "--data", data);
    assert.deepEqual({ code, err }, { code: 0, err: "" });
}

test("A-25 a revocation voids waiting tickets and running sessions, and what is minted afterwards is good", async () => {
    const waiting = await minted({ externalUserId: "ada" }), other = await minted({ externalUserId: "bob" });
    const ada = await good(session(server, (await minted({ externalUserId: "ada" })).bootstrapToken), 201);
    await revoke("user", ada.userId);
    assert.equal((await as(server, ada.sessionToken, "GET", "/participants/me")).status, 401);
    assert.equal((await session(server, waiting.bootstrapToken)).status, 401);
    const bob = await good(session(server, other.bootstrapToken), 201);
    assert.equal((await good(session(server, (await minted({ externalUserId: "ada" })).bootstrapToken), 201)).userId, ada.userId);
    const { launch_token } = await launched();
    await revoke("key", server.contract.client_id);
    assert.equal((await exchange(server, launch_token)).status, 401);
    await good(exchange(server, (await launched()).launch_token));
    await revoke("key", server.contract.secret_key.slice(0, "sk_test_".length + 16));
    assert.equal((await as(server, bob.sessionToken, "GET", "/participants/me")).status, 401);
});

test("E-72 no ticket is in the store, before or after it was redeemed", async () => {
    const { launch_token } = await launched(), { bootstrapToken } = await minted();
    const holds = (text) => fs.readdirSync(data).map(String).some((name) => fs.statSync(`${data}/${name}`).isFile() && fs.readFileSync(`${data}/${name}`).includes(text));
    for (const when of ["before", "after"]) {
        for (const token of [launch_token, bootstrapToken]) {
            const sealed = token.split(".")[1];
            for (const text of [token, sealed, Buffer.from(sealed, "base64url"), Buffer.from(sealed, "base64url").toString("hex")]) assert.ok(!holds(text), when);
        }
        if (when === "before") {
            await good(exchange(server, launch_token));
            await good(session(server, bootstrapToken), 201);
        }
    }
});

test("F-87 every answer with a token or a participant's words says no-store and nosniff", async () => {
    const first = await launch(server, {}), second = await bootstrap(server, {}), third = await visit(server);
    const sessionToken = third.json.sessionToken;
    const answers = [first, second, third, await exchange(server, first.json.launch_token), await session(server, second.json.bootstrapToken),
        await exchange(server, first.json.launch_token), await as(server, sessionToken, "GET", "/participants/me"),
        await as(server, sessionToken, "GET", `/studies/${server.contract.study_id}`), await as(server, sessionToken, "POST", "/interviews", { studyId: server.contract.study_id })];
    for (const { headers, text } of answers)
        assert.deepEqual([headers["cache-control"], headers["x-content-type-options"], headers["set-cookie"], headers["content-type"]], ["no-store", "nosniff", undefined, "application/json"], text);
});

test("F-88 none of them takes a form or plain text, nor JSON under such a name", async () => {
    const { launch_token } = await launched(), { bootstrapToken } = await minted(), { sessionToken } = await good(visit(server), 201);
    const { publishable_key: publishableKey, study_id: studyId } = server.contract;
    const all = [[LAUNCH, {}, clientAuth(server)], [EXCHANGE, { launchToken: launch_token, publishableKey }], [BOOTSTRAP, {}, secretAuth(server)],
        [SESSIONS, { bootstrapToken }], [VISIT, { studyId }], ["/interviews", { studyId }, `Bearer ${sessionToken}`]];
    for (const [path, body, authorization] of all)
        for (const type of ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", undefined]) {
            const headers = { ...(authorization && { authorization }), ...(type && { "content-type": type }) };
            assert.equal((await call(server, "POST", path, { body: JSON.stringify(body), headers })).status, 415, `${path} ${type}`);
        }
    await good(exchange(server, launch_token));
});

await run({
    before: async () => { data = temporaryFolder(); server = await startServer({ data, env: ENV }); baseline = await server.baseline(); },
    after: async () => {
        await server.assertSound(baseline);
        await server.stop();
        fs.rmSync(data, { recursive: true, force: true });
    },
});
