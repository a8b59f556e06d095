// bound_sessions.test.mjs — participants whose session is bound to a key (RFC 9449 section 7): the ticket is exchanged with a
// proof, and from then on every call is `Authorization: DPoP` with a proof of its own. What is stolen without the key is nothing.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { coatcheck } from "../harness/clock.mjs";
import { EXCHANGE_GRANT, form, hashOf, introspect, Prover, refreshBy, REVOKE, TOKEN, TYPE } from "../harness/door.mjs";
import { b64, compact } from "../harness/forge.mjs";
import { call, nowS } from "../harness/http.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { Session } from "../harness/session.mjs";
import { run, test } from "../harness/suite.mjs";
import { as, begin, bootstrap, good, launch, session, VISIT, visit } from "../harness/tickets.mjs";

let server, strict;
const ME = "/participants/me";
const ALGS = 'algs="ES256 EdDSA RS256"';

// A participant with a key: what the exchange gave, and calls with a proof each.
class Participant extends Prover {
    static async on(at, alg = "ES256")
    {
        const who = new Participant(alg);
        who.server = at;
        const { bootstrapToken } = await good(bootstrap(at, { externalUserId: `bound-${crypto.randomUUID()}` }));
        const exchange = (nonce) => form(at, TOKEN, { grant_type: EXCHANGE_GRANT, subject_token: bootstrapToken, subject_token_type: TYPE("bootstrap") },
            { dpop: who.prove(at, TOKEN, nonce ? { nonce } : {}) });
        let answer = await exchange();
        if (answer.json.error === "use_dpop_nonce") answer = await exchange(answer.headers["dpop-nonce"]);
        assert.deepEqual([answer.status, answer.json.token_type], [200, "DPoP"], answer.text);
        who.token = answer.json.access_token;
        return who;
    }

    proof(method, path, changes = {}, header = {}) { return this.prove(this.server, path, { htm: method, ath: hashOf(this.token), ...changes }, header); }

    send(method, path, { body, dpop = this.proof(method, path), token = this.token, scheme = "DPoP", headers = {} } = {})
    {
        return call(this.server, method, path, { body, headers: { authorization: `${scheme} ${token}`, ...(dpop ? { dpop } : {}), ...headers } });
    }
}

function refused(answer, error = "invalid_dpop_proof", label = "")
{
    assert.equal(answer.status, 401, `${label}: ${answer.text}`);
    assert.equal(answer.headers["www-authenticate"], `DPoP realm="coatcheck", error="${error}", ${ALGS}`, label);
    assert.equal(answer.headers["cache-control"], "no-store");
    return answer;
}

async function why(answer, at = server)
{
    const { code, out } = await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", at.data, "--json");
    assert.equal(code, 0, out);
    return JSON.parse(out);
}

async function interviewed(who)
{
    const studyId = server.contract.study_id, at = `/interviews/`;
    const study = await good(who.send("GET", `/studies/${studyId}`));
    assert.ok(study.questions.length);
    const { id } = await good(who.send("POST", "/interviews", { body: { studyId } }), 201);
    await good(who.send("POST", `${at}${id}/consent`, { body: {} }));
    await good(who.send("POST", `${at}${id}/answers`, { body: { question: 0, answer: "by proof" } }));
    await good(who.send("POST", `${at}${id}/complete`, { body: {} }));
    return good(who.send("GET", `${at}${id}`));
}

test("a ticket exchanged with a proof, then a whole interview with proofs only, by each algorithm", async () => {
    for (const alg of ["ES256", "EdDSA", "RS256"]) {
        const who = await Participant.on(server, alg), told = await interviewed(who);
        assert.deepEqual([told.status, told.answerCount], ["completed", 1]);
        assert.deepEqual(await good(who.send("GET", ME, { scheme: "dpop" })), await good(who.send("GET", ME)));
        const { cnf, token_type } = await introspect(server, who.token);
        assert.deepEqual([cnf.jkt, token_type], [who.fingerprint, "DPoP"]);
    }
});

test("B-41 a bound session as Bearer is refused, with a proof too, and is told both schemes", async () => {
    const who = await Participant.on(server);
    for (const dpop of [undefined, who.proof("GET", ME)]) {
        const answer = await who.send("GET", ME, { scheme: "Bearer", dpop: dpop ?? "" });
        assert.equal(answer.status, 401);
        assert.equal(answer.headers["www-authenticate"], `Bearer realm="coatcheck", error="invalid_token", DPoP realm="coatcheck", ${ALGS}`);
    }
    const none = await call(server, "GET", ME);
    assert.deepEqual([none.status, none.headers["www-authenticate"]], [401, `Bearer realm="coatcheck", DPoP realm="coatcheck", ${ALGS}`]);
    await good(who.send("GET", ME));
});

test("an unbound session with the DPoP scheme is refused, whatever proof comes with it", async () => {
    const { bootstrapToken } = await good(bootstrap(server, {})), { sessionToken } = await good(session(server, bootstrapToken), 201);
    const who = Object.assign(new Participant(), { server, token: sessionToken });
    const answer = refused(await who.send("GET", ME), "invalid_token");
    assert.equal((await why(answer)).check, "token.bound");
    refused(await who.send("GET", ME, { dpop: "" }), "invalid_token");
    await good(as(server, sessionToken, "GET", ME));
});

test("B-41 every proof that is not for this call, this token, this key or this time", async () => {
    const who = await Participant.on(server), other = await Participant.on(server), path = `/studies/${server.contract.study_id}`;
    const stranger = new Prover(), own = (changes, header) => who.proof("GET", path, changes, header);
    const cases = {
        "no proof": ["proof.present", ""],
        "another key": ["proof.key", stranger.prove(server, path, { htm: "GET", ath: hashOf(who.token) })],
        "another participant": ["proof.key", other.proof("GET", path)],
        "no ath": ["proof.ath", own({ ath: undefined })],
        "ath of another token": ["proof.ath", own({ ath: hashOf(other.token) })],
        "ath in hex": ["proof.ath", own({ ath: crypto.createHash("sha256").update(who.token).digest("hex") })],
        "another method": ["proof.request", own({ htm: "POST" })],
        "another path": ["proof.request", own({ htu: `${server.url}${ME}` })],
        "a path alone": ["proof.request", own({ htu: path })],
        "another host": ["proof.request", own({ htu: `https://evil.example${path}` })],
        "a proof for the socket": ["proof.request", who.rpc("signalwire.connect")],
        "too old": ["proof.iat", own({ iat: nowS() - 70 })],
        "ahead": ["proof.iat", own({ iat: nowS() + 60 })],
        "no jti": ["proof.form", own({ jti: undefined })],
        "typ JWT": ["proof.form", own({}, { typ: "JWT" })],
        "a key that did not sign": ["proof.form", own({}, { jwk: stranger.jwk })],
        "alg none": ["proof.form", `${b64(JSON.stringify({ typ: "dpop+jwt", alg: "none", jwk: who.jwk }))}.${own().split(".")[1]}.x`],
        "HS256": ["proof.form", compact({ typ: "dpop+jwt", alg: "HS256", jwk: who.jwk }, { htm: "GET" }, JSON.stringify(who.jwk), "HS256")],
        "two in one field": ["proof.form", `${own()}, ${own()}`],
        "two fields": ["proof.form", [own(), own()]],
        "no JWT": ["proof.form", "x"],
    };
    for (const [label, [check, dpop]] of Object.entries(cases)) {
        const answer = refused(await who.send("GET", path, { dpop }), "invalid_dpop_proof", label);
        const found = await why(answer);
        assert.equal(found.check, check, `${label}: ${JSON.stringify(found)}`);
        assert.ok(!JSON.stringify(found).includes(who.token));
    }
    refused(await who.send("GET", path, { token: other.token }), "invalid_dpop_proof", "another's token under my proof");
    refused(await who.send("GET", path, { token: `${who.token}x` }), "invalid_token");
    await good(who.send("GET", path));
    await good(who.send("GET", `${path}?a=b`, { dpop: own() })); // a query does not count
});

test("B-29 a proof is good once, many times at once: on a call that writes and on one that reads", async () => {
    const who = await Participant.on(server), body = { studyId: server.contract.study_id };
    for (const [method, path, status, more, times] of [["POST", "/interviews", 201, { body }, 25], ["GET", ME, 200, {}, 100]]) {
        const dpop = who.proof(method, path);
        const answers = await Promise.all(Array.from({ length: times }, () => who.send(method, path, { ...more, dpop })));
        assert.equal(answers.filter((answer) => answer.status === status).length, 1, path);
        for (const answer of answers) if (answer.status !== status) refused(answer);
        assert.equal((await why(refused(await who.send(method, path, { ...more, dpop })))).check, "proof.once");
    }
    const jti = crypto.randomUUID();
    await good(who.send("GET", ME, { dpop: who.proof("GET", ME, { jti }) }));
    refused(await who.send("GET", ME, { dpop: who.proof("GET", ME, { jti, iat: nowS() - 1 }) }));
});

test("what a refused call had with it is not used up, and writes nothing", async () => {
    const who = await Participant.on(server), dpop = who.proof("POST", "/interviews");
    assert.equal((await who.send("POST", "/interviews", { body: { studyId: 7 }, dpop })).status, 400);
    assert.equal((await who.send("POST", "/interviews", { body: { studyId: crypto.randomUUID() }, dpop })).status, 404);
    await good(who.send("POST", "/interviews", { body: { studyId: server.contract.study_id }, dpop }), 201);
});

test("B-32 a used proof stays used after kill -9", async () => {
    const data = temporaryFolder(), env = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const at = async () => Object.assign(await startServer({ data, env }), { publicUrl: env.COATCHECK_PUBLIC_URL });
    const before = await at(), who = await Participant.on(before), dpop = who.proof("GET", ME);
    await good(who.send("GET", ME, { dpop }));
    before.child.kill("SIGKILL");
    await before.ended;
    who.server = await at();
    refused(await who.send("GET", ME, { dpop }));
    await good(who.send("GET", ME));
    await who.server.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("with nonces on each call is asked for one, and nothing is used up by that", async () => {
    const who = await Participant.on(strict), answer = refused(await who.send("GET", ME), "use_dpop_nonce");
    const nonce = answer.headers["dpop-nonce"];
    assert.ok(nonce);
    refused(await who.send("GET", ME, { dpop: who.proof("GET", ME, { nonce: "AAAA" }) }), "use_dpop_nonce");
    const taken = await who.send("GET", ME, { dpop: who.proof("GET", ME, { nonce }) });
    assert.equal(taken.status, 200, taken.text);
    assert.ok(taken.headers["dpop-nonce"], "the next one");
});

test("revoked, of another kind, from another origin", async () => {
    const who = await Participant.on(server), prover = new Prover();
    assert.equal((await who.send("GET", ME, { headers: { origin: "https://evil.example" } })).status, 403);
    const { launch_token } = await good(launch(server, {}));
    const { access_token } = (await form(server, TOKEN, { grant_type: EXCHANGE_GRANT, subject_token: launch_token,
        subject_token_type: TYPE("launch"), client_id: server.contract.publishable_key }, { dpop: prover.prove(server) })).json;
    const embedded = Object.assign(new Participant(), prover, { server, token: access_token });
    refused(await embedded.send("GET", ME), "invalid_token");
    await good(form(server, REVOKE, { token: who.token }, { dpop: who.prove(server, REVOKE, { ath: hashOf(who.token) }) }));
    refused(await who.send("GET", ME), "invalid_token");
});

test("B-33 what one key can put into the memory of used proofs is limited: participant calls, token endpoint, connect", async () => {
    const guarded = await startServer({ env: { COATCHECK_LIMITS: "proof_key=1/3" } });
    const who = await Participant.on(guarded), statuses = []; // the exchange was one
    for (let i = 0; i < 4; i++) statuses.push((await who.send("GET", ME)).status);
    assert.deepEqual(statuses, [200, 200, 429, 429]);
    const refreshing = new Participant(), { refresh_token } = await refreshing.mint(guarded, { reference: "door@example.com" });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await refreshBy(guarded, refresh_token, { dpop: refreshing.prove(guarded) }));
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 429]);
    assert.match(answers[3].headers["retry-after"], /^[1-9]\d*$/);
    const connecting = new Participant(), { token } = await connecting.mint(guarded, { reference: "connect@example.com" }), replies = [];
    for (let i = 0; i < 5; i++) {
        const one = await Session.open(guarded);
        replies.push(await one.connect(token, { dpop_token: connecting.rpc() }));
        await one.close();
    }
    assert.deepEqual(replies.map(({ error }) => error?.data?.error_code ?? "connected"), ["connected", "connected", "connected", "rate_limited", "rate_limited"]);
    await good((await Participant.on(guarded)).send("GET", ME));
    await guarded.stop();
});

test("in dialects that have proofs of their own the scheme is no credential", async () => {
    const who = new Prover(), { token } = await who.mint(server, { reference: "scheme@example.com" });
    const path = "/api/fabric/subscriber/info";
    const answer = await call(server, "GET", path, { headers: { authorization: `DPoP ${token}`, dpop: who.prove(server, path, { htm: "GET", ath: hashOf(token) }) } });
    assert.equal(answer.status, 401);
    assert.equal((await call(server, "GET", path, { headers: { authorization: `Bearer ${token}` } })).status, 200);
    const visitor = await good(visit(server), 201);
    assert.ok(visitor.sessionToken ?? visitor.token, VISIT);
});

await run({
    before: async () => {
        [server, strict] = await Promise.all([startServer(), startServer({ env: { COATCHECK_DPOP_NONCES: "on" } })]);
    },
    after: async () => {
        await server.assertSound(await server.baseline());
        await Promise.all([server.stop(), strict.stop()]);
    },
});
