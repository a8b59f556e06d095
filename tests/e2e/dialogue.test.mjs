// dialogue.test.mjs — bootstrap tokens, sessions and interviews, as the vendor's documentation and our choices have them.
// Each test begins with its number in that list (DG-…); what needs an SDK or a browser is tried elsewhere.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { advance, coatcheck } from "../harness/clock.mjs";
import { call, info, mintToken, readToken } from "../harness/http.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { rows } from "../harness/ring.mjs";
import { run, test } from "../harness/suite.mjs";
import { as, begin, BOOTSTRAP, bootstrap, good, launch, secretAuth, session, SESSIONS, VISIT, visit } from "../harness/tickets.mjs";

const ENV = { COATCHECK_LOOPS: "2" };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
let server, baseline;

const minted = (body) => good(bootstrap(server, body));
const opened = async (body) => good(session(server, (await minted(body)).bootstrapToken), 201);
const visited = (body) => good(visit(server, body), 201);

function refusedAs(answer, status, code)
{
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(Object.keys(answer.json), ["error"]);
    assert.deepEqual(Object.keys(answer.json.error).sort(), ["code", "message"]);
    assert.equal(answer.json.error.code, code, answer.text);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.match(answer.headers["coatcheck-error-id"], /^[\w-]{16}$/);
}

// ---- refusals ----

test("DG-3 DG-5 a wrong or missing secret yields no token", async () => {
    const { secret_key, publishable_key, client_id, client_secret, project_id, api_token } = server.contract;
    const { sessionToken } = await opened();
    const wrong = [undefined, "", "Bearer", "Bearer ", secret_key, `Basic ${secret_key}`, basic(secret_key, ""), basic("", secret_key), `Bearer ${secret_key}0`,
        `Bearer ${secret_key.slice(0, -1)}`, `Bearer ${secret_key.replace(/.$/, (c) => (c === "0" ? "1" : "0"))}`, `Bearer ${secret_key.replace("sk_test_", "sk_live_")}`,
        `Bearer ${publishable_key}`, `Bearer ${sessionToken}`, basic(client_id, client_secret), basic(project_id, api_token), [secretAuth(server), secretAuth(server)]];
    const bodies = new Set();
    for (const authorization of wrong) {
        const answer = await call(server, "POST", BOOTSTRAP, { headers: authorization === undefined ? {} : { authorization } });
        refusedAs(answer, 401, "unauthorized");
        assert.match(answer.headers["www-authenticate"], /^Bearer realm="/);
        bodies.add(answer.text);
    }
    assert.equal(bodies.size, 1, "all alike");
});

test("DG-3 the secret answers no foreign page", async () => {
    const far = await bootstrap(server, {}, { origin: "https://evil.example" });
    refusedAs(far, 401, "unauthorized");
    assert.equal(far.headers["access-control-allow-origin"], undefined);
    const { bootstrapToken } = await minted();
    const stolen = await session(server, bootstrapToken, { origin: "https://evil.example" });
    refusedAs(stolen, 403, "origin");
    assert.equal(stolen.headers["access-control-allow-origin"], undefined);
    refusedAs(await visit(server, undefined, { origin: "https://evil.example" }), 403, "origin");
    const near = await session(server, bootstrapToken, { origin: "http://localhost:3000" });
    assert.equal(near.status, 201, "and nothing was burnt");
    assert.equal(near.headers["access-control-allow-origin"], "http://localhost:3000");
    for (const path of [SESSIONS, VISIT, "/interviews", "/participants/me"]) {
        const headers = { origin: "http://localhost:3000", "access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type" };
        const asked = await call(server, "OPTIONS", path, { headers });
        assert.deepEqual([asked.status, asked.headers["access-control-allow-origin"]], [204, headers.origin], path);
    }
});

test("DG-6 what is no bootstrap token of ours opens no session", async () => {
    const { bootstrapToken } = await minted(), { launch_token } = await good(launch(server, {})), { sessionToken } = await opened();
    for (const body of [{}, { bootstrapToken: "" }, { bootstrapToken: null }, { BootstrapToken: bootstrapToken }])
        refusedAs(await call(server, "POST", SESSIONS, { body }), 400, "missing_parameter");
    refusedAs(await call(server, "POST", SESSIONS, { body: { bootstrapToken: 1 } }), 400, "invalid_parameter");
    refusedAs(await call(server, "POST", SESSIONS), 415, "unsupported");
    refusedAs(await call(server, "POST", SESSIONS, { body: "[]", headers: { "content-type": "application/json" } }), 400, "malformed");
    const bodies = new Set();
    for (const text of [launch_token, sessionToken, server.contract.secret_key, "bt_", "bt_00000000.", "x", bootstrapToken.slice(0, -1), `${bootstrapToken}A`,
        bootstrapToken.replace("bt_", "lt_"), bootstrapToken.replace(/.$/, (c) => (c === "A" ? "B" : "A"))]) {
        const answer = await session(server, text);
        refusedAs(answer, 401, "invalid_ticket");
        bodies.add(answer.text);
    }
    assert.equal(bodies.size, 1);
    refusedAs(await call(server, "POST", SESSIONS, { body: { bootstrapToken, publishableKey: `pk_test_${"0".repeat(24)}` } }), 401, "unauthorized");
    await good(session(server, bootstrapToken), 201);
    refusedAs(await session(server, bootstrapToken), 401, "invalid_ticket");
});

test("a request for a bootstrap token is judged by its members", async () => {
    for (const externalUserId of ["", "x".repeat(256), "a\nb", 7, {}, []]) refusedAs(await bootstrap(server, { externalUserId }), 400, "invalid_parameter");
    refusedAs(await call(server, "POST", BOOTSTRAP, { body: "[]", headers: { authorization: secretAuth(server), "content-type": "application/json" } }), 400, "malformed");
    refusedAs(await call(server, "POST", BOOTSTRAP, { body: "{}", headers: { authorization: secretAuth(server), "content-type": "text/plain" } }), 415, "unsupported");
    for (const method of ["GET", "HEAD", "PUT"]) assert.equal((await call(server, method, BOOTSTRAP, { headers: { authorization: secretAuth(server) } })).status, 405);
});

test("DG-7 participant calls take the session token, never the bootstrap token or the secret", async () => {
    const { bootstrapToken } = await minted(), { token: sat } = await mintToken(server, { reference: "ada@example.com" });
    const calls = [["GET", "/participants/me"], ["GET", `/studies/${server.contract.study_id}`], ["POST", "/interviews", { studyId: server.contract.study_id }],
        ["GET", `/interviews/${crypto.randomUUID()}`], ["POST", `/interviews/${crypto.randomUUID()}/consent`, {}],
        ["POST", `/interviews/${crypto.randomUUID()}/answers`, { question: "q1", answer: "a" }], ["POST", `/interviews/${crypto.randomUUID()}/complete`, {}]];
    for (const [method, path, body] of calls) {
        refusedAs(await call(server, method, path, { body }), 401, "unauthorized");
        for (const token of [bootstrapToken, server.contract.secret_key, server.contract.publishable_key, sat, "a.b.c"])
            refusedAs(await as(server, token, method, path, body), 401, "unauthorized");
    }
    const { sessionToken } = await good(session(server, bootstrapToken), 201);
    assert.equal((await info(server, sessionToken)).status, 401, "and a session token opens nothing else");
    for (const [method, path, body] of calls) assert.ok((await as(server, sessionToken, method, path, body)).status !== 401, path);
});

// ---- what is granted ----

test("DG-5 DG-13 the answer has two members, and says in UTC when the token ends", async () => {
    for (const body of [undefined, {}, { externalUserId: "u-1" }, { externalUserId: null }]) {
        const answer = await bootstrap(server, body);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.deepEqual(Object.keys(answer.json).sort(), ["bootstrapToken", "expiresAt"]);
        assert.match(answer.json.bootstrapToken, /^bt_[\w-]+\.[\w-]+$/);
        assert.match(answer.json.expiresAt, INSTANT);
        const left_s = (Date.parse(answer.json.expiresAt) - Date.now()) / 1000;
        assert.ok(left_s > 240 && left_s <= 301, `${left_s}`);
    }
});

test("DG-1 DG-6 a session is that of the participant whom the backend named", async () => {
    const answer = await session(server, (await minted({ externalUserId: "u-<1>" })).bootstrapToken);
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.deepEqual(Object.keys(answer.json).sort(), ["expiresAt", "sessionToken", "userId"]);
    assert.match(answer.json.userId, UUID);
    assert.match(answer.json.expiresAt, INSTANT);
    const { header, claims } = readToken(answer.json.sessionToken);
    assert.deepEqual([header.typ, claims.kind, claims.exp - claims.iat, claims.sub], ["at+jwt", "participant", 900, answer.json.userId]);
    const me = await good(as(server, answer.json.sessionToken, "GET", "/participants/me"));
    assert.deepEqual(me, { userId: answer.json.userId, anonymous: false, externalUserId: "u-<1>", expiresAt: answer.json.expiresAt });
});

test("a bootstrap token is good at 299 s and refused after 300 s, a session as long as it said", async () => {
    const early = await minted();
    await advance(server, "299s");
    const { sessionToken } = await good(session(server, early.bootstrapToken), 201);
    const late = await minted();
    await advance(server, "300s");
    refusedAs(await session(server, late.bootstrapToken), 401, "invalid_ticket");
    await good(as(server, sessionToken, "GET", "/participants/me"));
    await advance(server, "600s");
    refusedAs(await as(server, sessionToken, "GET", "/participants/me"), 401, "unauthorized");
});

test("DG-14 DG-15 without a provider a session is one plain call, which has to name a study or a key", async () => {
    const { study_id: studyId, publishable_key: publishableKey } = server.contract;
    for (const body of [undefined, {}, { studyId: null }]) refusedAs(await call(server, "POST", VISIT, { body }), 400, "missing_parameter");
    refusedAs(await visit(server, { studyId: "x" }), 400, "invalid_parameter");
    refusedAs(await visit(server, { studyId: crypto.randomUUID() }), 404, "not_found");
    refusedAs(await visit(server, { publishableKey: `pk_test_${"0".repeat(24)}` }), 401, "unauthorized");
    refusedAs(await visit(server, { publishableKey: server.contract.secret_key }), 401, "unauthorized");
    refusedAs(await call(server, "POST", VISIT, { body: JSON.stringify({ studyId }), headers: { "content-type": "text/plain" } }), 415, "unsupported");
    for (const body of [{ studyId }, { publishableKey }, { studyId, publishableKey }]) {
        const answer = await visit(server, body);
        assert.equal(answer.status, 201, answer.text);
        assert.deepEqual(Object.keys(answer.json).sort(), ["expiresAt", "sessionToken", "userId"]);
        const { claims } = readToken(answer.json.sessionToken);
        assert.deepEqual([claims.kind, claims.exp - claims.iat], ["participant", 14400]);
        const me = await good(as(server, answer.json.sessionToken, "GET", "/participants/me"));
        assert.deepEqual([me.anonymous, me.externalUserId, me.userId], [true, null, answer.json.userId]);
    }
});

test("DG-15 a visit leaves nothing behind until something is said", async () => {
    const count = () => rows(server.data, "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM once) + (SELECT count(*) FROM interviews) AS n")[0].n;
    const before = count();
    for (let i = 0; i < 20; i++) await visited();
    assert.equal(count(), before);
});

// ---- interviews ----

async function interviewed(token)
{
    const study = await good(as(server, token, "GET", `/studies/${server.contract.study_id}`));
    assert.deepEqual([study.id, study.questions.length], [server.contract.study_id, 3]);
    const at = await begin(server, token);
    const said = [await good(as(server, token, "POST", `${at}/consent`, {}))];
    for (const question of study.questions) said.push(await good(as(server, token, "POST", `${at}/answers`, { questionId: question.id, answer: `about ${question.text}` })));
    said.push(await good(as(server, token, "POST", `${at}/complete`)));
    assert.deepEqual(said.map(({ status, answerCount }) => [status, answerCount]), [["consented", 0], ["consented", 1], ["consented", 2], ["consented", 3], ["completed", 3]]);
    assert.match(said.at(-1).completedAt, INSTANT);
    assert.deepEqual(await good(as(server, token, "GET", at)), said.at(-1));
    return said.at(-1);
}

test("DG-16 an interview completes end to end, anonymously and with a bootstrap token", async () => {
    const { sessionToken, userId } = await visited();
    const done = await interviewed(sessionToken);
    assert.deepEqual([done.userId, done.studyId], [userId, server.contract.study_id]);
    const kept = rows(server.data, `SELECT question, answer FROM answers WHERE hex(interview) = '${done.id.replaceAll("-", "").toUpperCase()}' ORDER BY question`);
    assert.deepEqual(kept.map(({ question }) => question), ["q1", "q2", "q3"]);
    assert.match(kept[0].answer, /^about What/);
    const known = await opened({ externalUserId: "u-16" });
    assert.equal((await interviewed(known.sessionToken)).userId, known.userId);
});

test("DG-16 steps come in their order, and a repeated one is answered like the first", async () => {
    const { sessionToken: token } = await visited();
    const at = await begin(server, token), answer = { question: "q1", answer: "yes" };
    const post = (step, body) => as(server, token, "POST", `${at}/${step}`, body);
    refusedAs(await post("answers", answer), 409, "interview_state");
    refusedAs(await post("complete"), 409, "interview_state");
    for (let i = 0; i < 2; i++) assert.equal((await good(post("consent"))).status, "consented");
    for (const body of [{ answer: "x" }, { question: "q1" }, { question: "", answer: "x" }]) refusedAs(await post("answers", body), 400, "missing_parameter");
    for (const body of [{ question: "q4", answer: "x" }, { question: 3, answer: "x" }, { question: {}, answer: "x" }, { question: "q1", answer: "x".repeat(8193) }])
        refusedAs(await post("answers", body), 400, "invalid_parameter");
    for (const question of ["q1", 0, "What brought you here today?"]) assert.equal((await good(post("answers", { question, answer: "so" }))).answerCount, 1);
    assert.equal((await good(post("answers", { question: 1, answer: { scale: 4 } }))).answerCount, 2);
    for (let i = 0; i < 2; i++) assert.equal((await good(post("complete"))).status, "completed");
    refusedAs(await post("answers", answer), 409, "interview_state");
    refusedAs(await post("consent"), 409, "interview_state");
});

test("DG-16 another participant's interview is not there", async () => {
    const mine = await visited(), theirs = await visited();
    const at = await begin(server, mine.sessionToken);
    for (const [method, path, body] of [["GET", at], ["POST", `${at}/consent`, {}], ["POST", `${at}/answers`, { question: "q1", answer: "x" }], ["POST", `${at}/complete`, {}],
        ["GET", "/interviews/x"], ["GET", `/interviews/${crypto.randomUUID()}`], ["GET", `/studies/${crypto.randomUUID()}`], ["GET", "/studies/x"]])
        refusedAs(await as(server, theirs.sessionToken, method, path, body), 404, "not_found");
    refusedAs(await as(server, theirs.sessionToken, "POST", "/interviews", { studyId: crypto.randomUUID() }), 404, "not_found");
    for (const body of [{}, { studyId: null }]) refusedAs(await as(server, theirs.sessionToken, "POST", "/interviews", body), 400, "missing_parameter");
    assert.equal((await good(as(server, mine.sessionToken, "GET", at))).status, "created");
});

test("DG-17 two anonymous studies show two participants, with a bootstrap identity they show one", async () => {
    const first = await visited(), second = await visited();
    assert.notEqual(first.userId, second.userId);
    const done = [await interviewed(first.sessionToken), await interviewed(second.sessionToken)];
    assert.notEqual(done[0].userId, done[1].userId);
    const known = [await opened({ externalUserId: "u-17" }), await opened({ externalUserId: "u-17" }), await opened({ externalUserId: "u-18" }), await opened(), await opened()];
    assert.equal(known[0].userId, known[1].userId);
    assert.equal(new Set(known.map(({ userId }) => userId)).size, 4);
});

test("DG-17 the same id in another project is another participant", async () => {
    const other = await startServer({ env: ENV });
    const { userId } = await good(session(other, (await good(bootstrap(other, { externalUserId: "u-17" }))).bootstrapToken), 201);
    await other.stop();
    assert.notEqual(userId, (await opened({ externalUserId: "u-17" })).userId);
});

// ---- the operator ----

const remove = (id) => coatcheck("user", "delete", id, "--project", server.contract.project_id, "--data", server.data, "--json");
const count = (table, column, id) => rows(server.data, `SELECT count(*) AS n FROM ${table} WHERE hex(${column}) = '${id.replaceAll("-", "").toUpperCase()}'`)[0].n;

test("a participant who is removed while its tickets and its session are in use leaves nothing behind", async () => {
    for (let round = 0; round < 12; round++) {
        const externalUserId = `erased-${round}`, used = [];
        const { userId, sessionToken } = await opened({ externalUserId });
        const tickets = await Promise.all(Array.from({ length: 20 }, () => minted({ externalUserId })));
        let isRemoved = false;
        const removal = remove(userId).finally(() => { isRemoved = true; });
        for (const { bootstrapToken } of tickets) {
            const two = [session(server, bootstrapToken), as(server, sessionToken, "POST", "/interviews", { studyId: server.contract.study_id })];
            used.push(...two);
            await Promise.all(two); // the pace of the answers spreads them over the removal
            if (isRemoved) break;
        }
        const { code, err } = await removal;
        assert.equal(code, 0, err);
        for (const { status, text } of await Promise.all(used)) assert.ok([201, 401].includes(status), text);
        assert.deepEqual([count("users", "id", userId), count("interviews", "user", userId)], [0, 0], `round ${round}`);
        refusedAs(await as(server, sessionToken, "GET", "/participants/me"), 401, "unauthorized");
        assert.equal((await opened({ externalUserId })).userId, userId, "its backend may bring it back");
    }
});

test("what an anonymous participant said is removed by its id", async () => {
    const { sessionToken, userId } = await visited();
    const other = await visited(), kept = await begin(server, other.sessionToken);
    await interviewed(sessionToken);
    const { code, out, err } = await remove(userId);
    assert.equal(code, 0, err);
    assert.deepEqual([JSON.parse(out).removed, JSON.parse(out).interviews_only], [userId, true]);
    assert.equal(count("interviews", "user", userId), 0);
    refusedAs(await as(server, sessionToken, "GET", "/participants/me"), 401, "unauthorized");
    assert.match((await remove(userId)).err, /knows no such user/);
    assert.equal((await good(as(server, other.sessionToken, "GET", kept))).status, "created");
});

test("one participant begins interviews at a pace, and another does not notice", async () => {
    const one = await visited(), other = await visited();
    const answers = [];
    for (let i = 0; i < 40; i++) answers.push(await as(server, one.sessionToken, "POST", "/interviews", { studyId: server.contract.study_id }));
    assert.ok(answers.slice(0, 30).every(({ status }) => status === 201));
    const limited = answers.filter(({ status }) => status === 429);
    assert.ok(limited.length > 0);
    assert.ok(Number(limited[0].headers["retry-after"]) >= 1);
    await begin(server, other.sessionToken);
});

test("token inspect and why say what became of a bootstrap token", async () => {
    const { bootstrapToken } = await minted();
    const inspected = await coatcheck("token", "inspect", bootstrapToken, "--data", server.data, "--json");
    assert.equal(inspected.code, 0, inspected.err);
    assert.match(inspected.out, /bootstrap token/);
    await good(session(server, bootstrapToken), 201);
    const used = await session(server, bootstrapToken);
    const told = JSON.parse((await coatcheck("why", used.headers["coatcheck-error-id"], "--data", server.data, "--json")).out);
    assert.deepEqual([told.refusal, told.check], ["TICKET_USED", "ticket.once"]);
});

await run({
    before: async () => { server = await startServer({ env: ENV }); baseline = await server.baseline(); },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
