// refresh.test.mjs — POST subscribers/tokens/refresh: what comes out, how long it lives, what an old one does to its
// family, and what a client may rely on when answers are lost or the server dies (acceptance SW-29 to SW-37, attacks C).
// COATCHECK_KILL_ROUNDS says how often it dies (default 30), COATCHECK_RACE_ROUNDS how often fifty refresh at once (100),
// COATCHECK_FAMILY_DEPTH how long the long line is (3000).
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { call, info, mint, mintToken, nowS, readToken, REFRESH, refresh, refreshToken, through } from "../harness/http.mjs";
import { advance, coatcheck } from "../harness/clock.mjs";
import { RawSocket } from "../harness/raw.mjs";
import { change, rows } from "../harness/ring.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const ROUNDS = Number(process.env.COATCHECK_KILL_ROUNDS ?? 30);
const RACES = Number(process.env.COATCHECK_RACE_ROUNDS ?? 100);
const DEPTH = Number(process.env.COATCHECK_FAMILY_DEPTH ?? 3000);
const GRACE_S = 60, GRACE_MS = GRACE_S * 1000; // the longest that there is: a retry on a busy machine falls into it
// Ports change from start to start; issuer and audience must not.
const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443", COATCHECK_LOOPS: "2" };
const FINGERPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; // RFC 7638 §3.1
let data, server, baseline;

let people = 0;
const someone = (more = {}) => ({ reference: `refreshes-${++people}@example.com`, ...more });
const families = (at = server) => rows(at.data, "SELECT hex(id) AS id, state, generation FROM families");

// A refusal of this API: 422, its one entry about refresh_token. Gives the id for `coatcheck why`.
async function refused(refresh_token, code, at = server)
{
    const answer = await refresh(at, refresh_token);
    assert.equal(answer.status, 422, answer.text);
    assert.equal(answer.json.errors.length, 1);
    const [error] = answer.json.errors;
    assert.deepEqual([error.type, error.code, error.attribute], ["validation_error", code, "refresh_token"]);
    return answer.headers["coatcheck-error-id"];
}

async function why(error_id, at = server)
{
    const { code, out } = await coatcheck("why", error_id, "--data", at.data, "--json");
    assert.equal(code, 0);
    return JSON.parse(out);
}

// ---- the call ----

test("answers 201 with exactly token and refresh_token", async () => {
    const first = await mintToken(server, someone());
    const answer = await refresh(server, first.refresh_token);
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ["refresh_token", "token"]);
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal((await info(server, answer.json.token)).status, 200);
});

test("who may ask: the project's key, by Basic, with a permission that mints", async () => {
    const { refresh_token } = await mintToken(server, someone());
    const { project_id, api_token, client_id, client_secret, secret_key } = server.contract;
    const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    for (const authorization of [undefined, "Bearer x", `Bearer ${secret_key}`, basic(project_id, `${api_token}0`),
        basic(crypto.randomUUID(), api_token), basic(client_id, client_secret)]) {
        const answer = await call(server, "POST", REFRESH, { body: { refresh_token }, headers: authorization ? { authorization } : {} });
        assert.deepEqual([answer.status, answer.text], [401, '{"error":"Unauthorized"}'], authorization);
    }
    await refreshToken(server, refresh_token);
});

test("missing, null, blank and mistyped", async () => {
    for (const body of [{}, { refresh_token: null }, { refresh_token: "" }, { token: "x" }]) {
        const answer = await call(server, "POST", REFRESH, { body, headers: { authorization: server.basic } });
        assert.equal(answer.status, 422, answer.text);
        assert.deepEqual([answer.json.errors[0].code, answer.json.errors[0].attribute], ["missing_required_parameter", "refresh_token"]);
    }
    for (const refresh_token of [7, [], {}, true]) await refused(refresh_token, "invalid_parameter");
    for (const body of ["[]", "7", "{", "null"]) {
        const answer = await call(server, "POST", REFRESH, { body, headers: { authorization: server.basic, "content-type": "application/json" } });
        assert.equal(answer.status, 400, body);
    }
});

// ---- what comes out ----

test("SW-29 a token created without expiry lives two hours, refreshed or not", async () => {
    const before = nowS(), first = await mintToken(server, someone());
    const next = await refreshToken(server, first.refresh_token), after = nowS();
    for (const { token } of [first, next]) {
        const { claims } = readToken(token);
        assert.ok(Math.abs(claims.exp - claims.iat - 7200) <= 1);
        assert.ok(claims.iat >= before - 1 && claims.iat <= after + 1, `${before} <= ${claims.iat} <= ${after}`); // a clock may be set by as much
    }
});

test("SW-35 every answer of a mint carries a refresh token, and it works", async () => {
    const bodies = [someone(), someone({ expire_at: nowS() + 100 }), someone({ scope: "sat:refresh" }),
        someone({ fingerprint: FINGERPRINT }), someone({ fingerprint: FINGERPRINT, scope: "sat:refresh" })];
    for (const body of bodies) {
        const { refresh_token } = await mintToken(server, body);
        assert.match(refresh_token, /^[A-Za-z0-9_-]*[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
        await refreshToken(server, refresh_token);
    }
});

test("SW-36 a refresh swaps the pair: same user, family and binding, new token, new refresh token", async () => {
    const body = someone({ fingerprint: FINGERPRINT, application_id: "00000000-0000-4000-8000-000000000001" });
    let last = await mintToken(server, body);
    const first = readToken(last.token).claims, jtis = new Set([first.jti]), refreshes = new Set([last.refresh_token]);
    for (let i = 0; i < 5; i++) {
        last = await refreshToken(server, last.refresh_token);
        assert.ok(last.refresh_token.length <= 512);
        const { claims } = readToken(last.token);
        jtis.add(claims.jti);
        refreshes.add(last.refresh_token);
        const { iat, exp, jti, ...rest } = claims, { iat: _i, exp: _e, jti: _j, ...before } = first;
        assert.deepEqual(rest, before);
        assert.equal(claims.cnf.jkt, FINGERPRINT);
    }
    assert.deepEqual([jtis.size, refreshes.size], [6, 6]);
});

test("SW-37 the new token has the standard life whatever expire_at said, the refresh token five minutes more", async () => {
    const own = await startServer();
    try {
        const short = await mintToken(own, someone({ expire_at: nowS() + 90 }));
        const long = await mintToken(own, someone({ expire_at: nowS() + 80_000 }));
        const [a, b] = [await refreshToken(own, short.refresh_token), await refreshToken(own, long.refresh_token)];
        for (const { token } of [a, b]) assert.equal(readToken(token).claims.exp - readToken(token).claims.iat, 7200);
        await advance(own, "7440s");
        assert.equal((await info(own, a.token)).status, 401);
        const next = await refreshToken(own, a.refresh_token); // its access token is over, it is not
        assert.equal((await info(own, next.token)).status, 200, "and the next lives its whole time after an advance");
        assert.equal(readToken(next.token).claims.exp - readToken(next.token).claims.iat, 7200);
        await advance(own, "60s");
        const id = await refused(b.refresh_token, "token_expired", own);
        assert.equal((await why(id, own)).check, "refresh.exp");
        await advance(own, "30d");
        await refused(next.refresh_token, "token_expired", own);
    } finally {
        await own.stop();
    }
});

test("SW-37 nothing passes the end of its family", async () => {
    const own = await startServer();
    try {
        let last = await mintToken(own, someone({ fingerprint: FINGERPRINT })); // 24 hours at most
        for (let hours = 0; hours < 22; hours += 2) {
            last = await refreshToken(own, last.refresh_token);
            assert.equal(readToken(last.token).claims.exp - readToken(last.token).claims.iat, 7200, `after ${hours} h`);
            await advance(own, "2h");
        }
        await advance(own, "4m");
        last = await refreshToken(own, last.refresh_token);
        const left = readToken(last.token).claims.exp - readToken(last.token).claims.iat;
        assert.ok(left > 7200 - 300 && left <= 7200 - 238, `${left}`);
        await advance(own, "2h");
        await refused(last.refresh_token, "token_expired", own);
    } finally {
        await own.stop();
    }
});

test("scope sat:refresh without a key lives at most 60 s at every issuance", async () => {
    let last = await mintToken(server, someone({ scope: "sat:refresh", expire_at: nowS() + 5000 }));
    for (let i = 0; i < 3; i++) {
        const { claims } = readToken(last.token);
        assert.equal(claims.exp - claims.iat, 60);
        last = await refreshToken(server, last.refresh_token);
    }
});

test("an access token in its place is told so", async () => {
    const { token } = await mintToken(server, someone());
    const id = await refused(token, "not_a_refresh_token");
    const record = await why(id);
    assert.deepEqual([record.refusal, record.check], ["REFRESH_KIND", "sealed.form"]);
    assert.ok(!JSON.stringify(record).includes(token.slice(0, 40)));
});

// ---- attacks ----

test("C-48 an old refresh token after its successor was used: the family dies, and no log tells a token", async () => {
    const single = await startServer({ env: ENV });
    try {
        const first = await mintToken(single, someone());
        const second = await refreshToken(single, first.refresh_token);
        const third = await refreshToken(single, second.refresh_token);
        const id = await refused(first.refresh_token, "token_invalid", single);
        await refused(third.refresh_token, "token_invalid", single);
        await refused(second.refresh_token, "token_invalid", single);
        for (const { token } of [first, second, third]) assert.equal((await info(single, token)).status, 401);
        const record = await why(id, single), { claims } = readToken(third.token);
        assert.deepEqual([record.refusal, record.check, record.family, record.user], ["REFRESH_REUSED", "refresh.generation", claims.fam, claims.sub]);
        const warned = single.logs.filter((line) => line.includes("refresh_reused"));
        assert.equal(warned.length, 1);
        for (const { refresh_token, token } of [first, second, third])
            for (const secret of [refresh_token, token]) assert.ok(!single.logs.join("\n").includes(secret.slice(0, 60)));
    } finally {
        await single.stop();
    }
});

test("C-48 the same when the restart lies between", async () => {
    const first = await mintToken(server, someone());
    const second = await refreshToken(server, first.refresh_token);
    const third = await refreshToken(server, second.refresh_token);
    await server.stop();
    server = await startServer({ data, env: ENV });
    await refused(first.refresh_token, "token_invalid");
    await server.stop();
    server = await startServer({ data, env: ENV });
    await refused(third.refresh_token, "token_invalid");
    assert.equal(families().filter((family) => family.state === 2).length >= 1, true);
});

test(`C-49 fifty refreshes of one token at once, ${RACES} times: one successor, one state`, async () => {
    const at = through(server, 50);
    for (let round = 0; round < RACES; round++) {
        const first = await mintToken(at, someone());
        const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(at, first.refresh_token)));
        for (const answer of answers) assert.equal(answer.status, 201, answer.text);
        assert.equal(new Set(answers.map((answer) => answer.json.refresh_token)).size, 1);
        const claims = answers.map((answer) => JSON.stringify(readToken(answer.json.token).claims));
        assert.equal(new Set(claims).size, 1, "and one access token, signed as often as it was asked for");
        if (round % 10 === 0) {
            const id = readToken(first.token).claims.fam.replaceAll("-", "").toUpperCase();
            assert.deepEqual(families().filter((family) => family.id === id), [{ id, state: 1, generation: 1 }]);
        }
        await refreshToken(at, answers[0].json.refresh_token);
    }
    at.agent.destroy();
}, { guard_s: 300 });

test("C-51 a retry within the grace time gets the same; two generations back is never covered", async () => {
    const first = await mintToken(server, someone());
    const second = await refreshToken(server, first.refresh_token);
    for (let i = 0; i < 3; i++) {
        const again = await refreshToken(server, first.refresh_token);
        assert.equal(again.refresh_token, second.refresh_token);
        assert.deepEqual(readToken(again.token).claims, readToken(second.token).claims);
    }
    const third = await refreshToken(server, second.refresh_token);
    await refused(first.refresh_token, "token_invalid");
    await refused(third.refresh_token, "token_invalid");
});

test("C-51 a retry after the grace time revokes the family", async () => {
    await server.stop();
    change(data, "REPLACE INTO settings SELECT number, 'refresh_grace', 0 FROM projects");
    server = await startServer({ data, env: ENV });
    const first = await mintToken(server, someone());
    const second = await refreshToken(server, first.refresh_token), { iat } = readToken(second.token).claims;
    while (readToken((await mintToken(server, someone())).token).claims.iat === iat); // the next second has begun
    await refused(first.refresh_token, "token_invalid");
    await refused(second.refresh_token, "token_invalid");
    await server.stop();
    change(data, `UPDATE settings SET value = ${GRACE_S} WHERE name = 'refresh_grace'`);
    server = await startServer({ data, env: ENV });
});

// A line of refreshes by one client until the server dies. Gives what it holds: the newest it was given, and when it
// last asked.
async function refreshUntilDeath(line, onAnswer)
{
    for (;;) {
        line.askedAt = Date.now();
        const answer = await refresh(server, line.held).catch(() => null);
        if (!answer) return;
        assert.equal(answer.status, 201, answer.text);
        line.old.push(line.held);
        line.held = answer.json.refresh_token;
        onAnswer();
    }
}

test(`C-53 kill -9 while refreshing, ${ROUNDS} times: the newest token that was received goes on, no older one does`, async () => {
    let continued = 0, late = 0;
    for (let round = 0; round < ROUNDS; round++) {
        const minted = await Promise.all(Array.from({ length: 6 }, () => mintToken(server, someone())));
        const lines = minted.map(({ refresh_token }) => ({ held: refresh_token, old: [] }));
        let answers = 0;
        await Promise.all(lines.map((line) => refreshUntilDeath(line, () => { if (++answers === 7 + round) server.child.kill("SIGKILL"); })));
        await server.ended;
        server = await startServer({ data, env: ENV });
        for (const line of lines) {
            const answer = await refresh(server, line.held);
            if (Date.now() - line.askedAt > GRACE_MS - 1000) { late++; continue; } // a machine that slow: a refusal is right
            assert.equal(answer.status, 201, `round ${round}: ${answer.text}`);
            const again = await refreshToken(server, line.held);
            assert.equal(again.refresh_token, answer.json.refresh_token, "never two successors");
            continued++;
        }
        const [line] = lines;
        if (line.old.length > 1) await refused(line.old[0], "token_invalid");
    }
    console.log(`     ${continued} lines went on after their server died, ${late} came too late to tell`);
    assert.ok(continued > ROUNDS);
}, { guard_s: 300 });

test("C-54 the answer is lost with its socket: the client recovers by asking again", async () => {
    let { refresh_token } = await mintToken(server, someone()), stored = 0;
    for (let i = 0; i < 25; i++) {
        const body = JSON.stringify({ refresh_token });
        const socket = new RawSocket(server.port);
        await socket.connected;
        await socket.send(Buffer.from(`POST ${REFRESH} HTTP/1.1\r\nHost: ${server.host}\r\nAuthorization: ${server.basic}\r\n`
            + `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
        if (i % 3) socket.socket.resetAndDestroy();
        else await socket.until((s) => s.read.length > 0, "the answer that nobody reads").then(() => socket.close());
        const answer = await refreshToken(server, refresh_token);
        stored += answer.refresh_token !== refresh_token;
        refresh_token = answer.refresh_token;
    }
    assert.equal(stored, 25);
});

test("C-56 another tenant's refresh token: refused like an unknown one, and nothing changes for its owner", async () => {
    const first = await mintToken(server, someone()), owner = { authorization: server.basic };
    const second = await refreshToken(server, first.refresh_token);
    const id = server.contract.project_id.replaceAll("-", ""), hidden = "00".repeat(16);
    await server.stop();
    change(data, `UPDATE projects SET id = x'${hidden}' WHERE id = x'${id}'`); // dev misses its project, and makes another
    server = await startServer({ data, env: ENV });
    const stranger = { authorization: server.basic };
    assert.notDeepEqual(stranger, owner);
    await server.stop();
    change(data, `UPDATE projects SET id = x'${id}' WHERE id = x'${hidden}'`);
    server = await startServer({ data, env: ENV });
    const before = families();
    for (const { refresh_token } of [first, second]) {
        const foreign = await refresh(server, refresh_token, stranger), garbage = await refresh(server, `${refresh_token.slice(0, -2)}__`, stranger);
        assert.deepEqual([foreign.status, foreign.json.errors[0].code], [422, "token_invalid"]);
        assert.equal(foreign.text, garbage.text);
        const record = await why(foreign.headers["coatcheck-error-id"]);
        assert.deepEqual([record.refusal, record.check, record.family], ["REFRESH_FOREIGN", "refresh.project", null]);
    }
    assert.deepEqual(families(), before);
    assert.equal((await refresh(server, second.refresh_token, owner)).status, 201);
});

// A hand refreshes on and on, each answer's token by the next ask, until it is refused.
async function refreshUntilRefused(at, line, state)
{
    for (;;) {
        const isAfter = state.isRevoked, answer = await refresh(at, line.held);
        if (answer.status !== 201) {
            assert.deepEqual([answer.status, answer.json.errors[0].code], [422, "token_invalid"], answer.text);
            return;
        }
        assert.ok(!isAfter, "a pair was asked for and given after the revocation");
        line.held = answer.json.refresh_token;
        line.tokens.push(answer.json.token);
        state.count++;
    }
}

test("C-57 fifty refresh without end while it is revoked: afterwards nobody gets a pair, and no pair is good", async () => {
    const at = through(server, 50), project = server.contract.project_id;
    let given = 0;
    for (let round = 0; round < 12; round++) {
        const user = someone();
        const minted = await Promise.all(Array.from({ length: 50 }, () => mintToken(at, user)));
        const { sub, fam } = readToken(minted[0].token).claims;
        const [of, name] = [["user", sub], ["family", fam], ["key", server.contract.api_token.slice(0, 18)], ["project", project]][round % 4];
        const one = { held: minted[0].refresh_token, tokens: [minted[0].token] }; // a family is one line, in one client's hands
        const lines = of === "family" ? [one] : minted.map(({ token, refresh_token }) => ({ held: refresh_token, tokens: [token] }));
        const state = { isRevoked: false, count: 0 };
        const hands = lines.map((line) => refreshUntilRefused(at, line, state));
        const { code, err } = await coatcheck("revoke", of, name, "--project", project, "--data", data);
        state.isRevoked = true;
        assert.deepEqual({ code, err }, { code: 0, err: "" });
        await Promise.all(hands);
        for (const { tokens } of lines) for (const token of tokens.slice(-3)) assert.equal((await info(at, token)).status, 401);
        assert.equal((await info(at, (await mintToken(at, user)).token)).status, 200, "it is no ban");
        if (of === "family") await refreshToken(at, minted[1].refresh_token);
        given += state.count;
    }
    at.agent.destroy();
    console.log(`     ${given} pairs were given before`);
    assert.ok(given > 12 * 10);
}, { guard_s: 300 });

test(`C-58 a line of ${DEPTH} refreshes: one row, and the first is still refused`, async () => {
    const at = through(server, 1), took = [];
    const first = await mintToken(at, someone()), before = families().length;
    let { refresh_token } = first;
    for (let i = 0; i < DEPTH; i++) {
        const begun = performance.now();
        ({ refresh_token } = await refreshToken(at, refresh_token));
        took.push(performance.now() - begun);
        if (i % Math.ceil(DEPTH / 20) === 0) assert.equal(families().length, before + 1);
    }
    assert.equal(families().length, before + 1);
    assert.equal(Math.max(...families().map((family) => family.generation)), DEPTH);
    assert.ok(refresh_token.length <= 512);
    // what the quickest tenth takes: the rest says what else the machine does
    const quick = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 10)].toFixed(2);
    console.log(`     a refresh takes ${quick(took.slice(0, 1000))} ms at the beginning, ${quick(took.slice(-1000))} ms at the end`);
    await refused(first.refresh_token, "token_invalid");
    await refused(refresh_token, "token_invalid");
    at.agent.destroy();
}, { guard_s: 300 + DEPTH / 50 });

test("C-59 cut, stretched, altered, hashed and wild: all refused alike, and the family lives", async () => {
    const { refresh_token } = await mintToken(server, someone());
    const at = refresh_token.indexOf(".");
    const texts = [refresh_token.slice(0, -1), refresh_token.slice(0, 20), refresh_token.slice(1), `${refresh_token}A`, `${refresh_token}=`,
        ` ${refresh_token}`, `${refresh_token} `, `${refresh_token}\n`, `${refresh_token}\0`, refresh_token.toUpperCase(), refresh_token.toLowerCase(),
        refresh_token.slice(0, at), refresh_token.slice(at), `${refresh_token}.${refresh_token.slice(at + 1)}`,
        crypto.createHash("sha256").update(refresh_token).digest("base64url"), crypto.createHash("sha256").update(refresh_token).digest("hex"),
        "%", "_", "*", "' OR 1=1 --", "rt_%", `${refresh_token.slice(0, 12)}%`, "\u0000", "x".repeat(600), "x".repeat(8000)];
    for (let i = at + 1; i < refresh_token.length; i += 37)
        texts.push(refresh_token.slice(0, i) + (refresh_token[i] === "A" ? "B" : "A") + refresh_token.slice(i + 1));
    const bodies = new Set();
    for (const text of texts) {
        const answer = await refresh(server, text);
        assert.equal(answer.status, 422, JSON.stringify(text));
        const [{ code }] = answer.json.errors;
        if (/\0/.test(text)) assert.ok(["token_invalid", "invalid_parameter"].includes(code), code);
        else if (text.split(".").length === 3) assert.ok(["token_invalid", "not_a_refresh_token"].includes(code), code);
        else bodies.add(answer.text);
    }
    assert.equal(bodies.size, 1, [...bodies].join("\n"));
    await refreshToken(server, refresh_token);
});

test("a refresh token is no access token, and stands in no log", async () => {
    const { refresh_token } = await mintToken(server, someone());
    assert.equal((await info(server, refresh_token)).status, 401);
    await refreshToken(server, refresh_token);
    assert.ok(!server.logs.join("\n").includes(refresh_token.slice(0, 40)));
    assert.equal((await mint(server, {})).status, 422);
});

await run({
    before: async () => {
        data = temporaryFolder();
        server = await startServer({ data, env: ENV });
        assert.equal((await coatcheck("project", "set", server.contract.project_id, "refresh_grace", String(GRACE_S), "--data", data)).code, 0);
        baseline = await server.baseline();
    },
    after: async () => {
        if (server.isAlive) await server.stop();
        assert.ok(baseline.descriptors > 0);
        fs.rmSync(data, { recursive: true, force: true });
    },
});
