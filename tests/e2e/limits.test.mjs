// limits.test.mjs — how often is too often: 429 with Retry-After for who overdoes it, and nobody else notices.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import { basic, startRefused, startServer, temporaryFolder } from "../harness/server.mjs";
import { INVITES, Prover, bearer } from "../harness/prover.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { rows } from "../harness/ring.mjs";
import { Session } from "../harness/session.mjs";
import { call, info, mint, mintToken } from "../harness/http.mjs";
import { advance, coatcheck, movedClock } from "../harness/clock.mjs";
import { eventually, run, test } from "../harness/suite.mjs";
import { bootstrap, EXCHANGE, exchange, good, LAUNCH, launch, session, SESSIONS } from "../harness/tickets.mjs";

const LIMITS = "wrong_login=1/20 mint_key=1/100 embed_address=1/15 proof_key=1/10"; // one a minute: a test is quicker
let server;

// A request from an address of this machine that is not 127.0.0.1.
function postFrom(localAddress, path, members, fields)
{
    return new Promise((resolve, reject) => {
        const body = JSON.stringify(members);
        const request = http.request(`${server.url}${path}`, { method: "POST", localAddress, agent: false,
            headers: { ...fields, "content-type": "application/json", "content-length": Buffer.byteLength(body) } });
        request.on("response", (answer) => { answer.resume(); answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers })); });
        request.on("error", reject);
        request.end(body);
    });
}

const mintFrom = (address, authorization) => postFrom(address, "/api/fabric/subscribers/tokens", { reference: "ada@example.com" }, { authorization });
const exchangeFrom = (address) => postFrom(address, "/api/fabric/embeds/tokens", { token: server.contract.c2c_token });
const wrong = () => basic(server.contract.project_id, `PT${"0".repeat(56)}`);

test("settings that cannot be read are refused at the start, by name", async () => {
    for (const limits of ["wrong_login", "wrong_login=1", "wrong=1/1", "wrong_login=1/0", "wrong_login=-1/5", "wrong_login=6000/2000 mint_key"]) {
        const { code, said } = await startRefused({ env: { COATCHECK_LIMITS: limits } });
        assert.equal(code, 3, limits);
        assert.match(said, /limits/);
    }
});

test("E-76 wrong logins from one address: 429 after a burst, while a right one passes from there and from anywhere", async () => {
    const answers = [];
    for (let i = 0; i < 40; i++) answers.push(await mintFrom("127.0.0.1", wrong()));
    const statuses = answers.map(({ status }) => status);
    assert.ok(statuses.slice(0, 20).every((status) => status === 401), statuses.join(" "));
    assert.ok(statuses.slice(25).every((status) => status === 429), statuses.join(" "));
    const limited = answers.at(-1);
    assert.match(limited.headers["retry-after"], /^[1-9]\d*$/);
    assert.equal(limited.headers["coatcheck-error-code"], "rate_limited");
    assert.ok(limited.headers["coatcheck-error-id"]);
    assert.equal((await mintFrom("127.0.0.1", server.basic)).status, 200);
    assert.equal((await mintFrom("127.0.0.2", wrong())).status, 401, "another address has its own bucket");
    assert.equal((await mintFrom("127.0.0.2", server.basic)).status, 200);
});

test("E-76 guesses that ask before they send a body count as well", async () => {
    const strict = await startServer({ env: { COATCHECK_LIMITS: "wrong_login=1/5" } });
    const { id, secret } = JSON.parse((await coatcheck("key", "create", "api-token", "--project", strict.contract.project_id,
        "--data", strict.data, "--json")).out);
    assert.equal((await coatcheck("key", "retire", id, "--data", strict.data)).code, 0);
    const ask = async (authorization) => {
        const raw = new RawSocket(strict.port);
        await raw.connected;
        await raw.send(`POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: ${strict.host}\r\nContent-Type: application/json\r\n`
            + `Content-Length: 2\r\nAuthorization: ${authorization}\r\nExpect: 100-continue\r\n\r\n`);
        await raw.until((s) => s.isClosed || s.read.includes("100 Continue") || responses(s.read).list.length, "an answer");
        raw.close();
        return raw.read.includes("100 Continue") ? { status: 100 } : responses(raw.read).list[0];
    };
    const heard = [];
    for (let i = 0; i < 12; i++) heard.push(await ask(basic(strict.contract.project_id, `PT${"0".repeat(56)}`)));
    assert.deepEqual(heard.map(({ status }) => status), [...Array(5).fill(401), ...Array(7).fill(429)]);
    assert.match(heard.at(-1).head, /^retry-after: [1-9]\d*$/im);
    assert.match(heard.at(-1).head, /^coatcheck-error-code: rate_limited$/im);
    assert.equal((await ask(basic(strict.contract.project_id, secret))).status, 429, "nor is one told that was right once");
    assert.equal((await ask(strict.basic)).status, 100, "a right one is never locked out");
    await strict.stop();
});

// What a guess that hits nothing is told, and what was a ticket or a key once: in a flood the answer must not tell them apart.
const told = ({ status, text, headers: { date, "retry-after": after, "coatcheck-error-id": id, ...fields } }) => {
    assert.match(id, /^[\w-]{16}$/);
    assert.match(after ?? "1", /^[1-9]\d*$/);
    return JSON.stringify([status, text, fields, after !== undefined]);
};

test("D-67 guesses run into the limit by address, and then used and expired tickets are told nothing else", async () => {
    const slow = await startServer({ env: { COATCHECK_LIMITS: "wrong_login=1/20" } });
    const { publishable_key: publishableKey, project_id: project } = slow.contract;
    const tickets = async () => ({ launch: (await good(launch(slow, {}))).launch_token, boot: (await good(bootstrap(slow, {}))).bootstrapToken });
    const expired = await tickets();
    await advance(slow, "300s");
    const used = await tickets();
    await good(exchange(slow, used.launch));
    await good(session(slow, used.boot), 201);
    const guess = (known) => `${known.split(".")[0]}.${crypto.randomBytes(100).toString("base64url")}`;
    const ways = { launch: (launchToken) => call(slow, "POST", EXCHANGE, { body: { launchToken, publishableKey } }),
        boot: (bootstrapToken) => call(slow, "POST", SESSIONS, { body: { bootstrapToken } }) };
    const heard = async (way) => {
        const answers = new Set();
        for (const token of [guess(used[way]), used[way], expired[way]]) answers.add(told(await ways[way](token)));
        assert.equal(answers.size, 1, [...answers].join("\n"));
        return JSON.parse([...answers][0]);
    };
    for (const way of Object.keys(ways)) assert.equal((await heard(way))[0], 401, way);
    for (let i = 0; i < 20; i++) await ways.launch(guess(used.launch));
    for (const way of Object.keys(ways)) {
        const [status, , , hasRetryAfter] = await heard(way);
        assert.deepEqual([status, hasRetryAfter], [429, true], way);
    }
    await good(exchange(slow, (await tickets()).launch)); // a right one is never locked out
    const { id, secret } = JSON.parse((await coatcheck("key", "create", "client", "--project", project, "--data", slow.data, "--json")).out);
    assert.equal((await coatcheck("key", "retire", id, "--data", slow.data)).code, 0);
    const answers = await Promise.all([secret, `sec_${"0".repeat(secret.length - 4)}`].map((password) =>
        call(slow, "POST", LAUNCH, { body: {}, headers: { authorization: basic(id, password) } })));
    assert.deepEqual(answers.map(({ status }) => status), [429, 429], "nor a secret that was right once");
    assert.equal(told(answers[0]), told(answers[1]));
    await slow.stop();
});

test("C-59 guesses at refresh tokens count too where no key speaks for who asks", async () => {
    const guess = () => call(server, "POST", "/oauth/token", { headers: { "content-type": "application/x-www-form-urlencoded", dpop: "a.b.c" },
        body: `grant_type=refresh_token&refresh_token=rt_aaaaaaaa.${crypto.randomBytes(90).toString("base64url")}` });
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await guess()).status);
    assert.ok(statuses.slice(30).every((status) => status === 429), statuses.join(" "));
});

test("F-81 one address draining a click-to-call token gets 429, another goes on", async () => {
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await exchangeFrom("127.0.0.1")).status);
    assert.ok(statuses.slice(0, 15).every((status) => status === 201), statuses.join(" "));
    assert.ok(statuses.slice(25).every((status) => status === 429), statuses.join(" "));
    assert.match((await exchangeFrom("127.0.0.1")).headers["retry-after"], /^[1-9]\d*$/);
    assert.equal((await exchangeFrom("127.0.0.3")).status, 201);
});

// What a proof is good for does not matter: each is remembered, so each counts.
test("B-33 one browser's key beyond its limit of proofs is told to wait, wherever it shows them, and another goes on", async () => {
    const own = (await info(server, await new Prover().bound(server))).json.fabric_addresses[0].id;
    const ways = {
        renew: async (prover, token) => (await prover.renew(server, token)).status,
        invite: async (prover, token) => (await bearer(server, INVITES, token, { address_id: own,
            dpop_token: prover.http(INVITES, token) })).status,
        connect: async (prover, token) => {
            const session = await Session.open(server);
            const reply = await session.connect(token, { dpop_token: prover.rpc() });
            session.ws.terminate();
            return reply.result ? 201 : reply.error.code;
        },
    };
    for (const [way, show] of Object.entries(ways)) {
        const prover = new Prover(), token = await prover.bound(server), statuses = [];
        for (let i = 0; i < 20; i++) statuses.push(await show(prover, token));
        assert.ok(statuses.slice(0, 10).every((status) => status === 201), `${way}: ${statuses}`);
        assert.ok(statuses.slice(15).every((status) => status === (way === "connect" ? -32002 : 429)), `${way}: ${statuses}`);
        const other = new Prover();
        assert.equal(await show(other, await other.bound(server)), 201, way);
    }
    const prover = new Prover(), token = await prover.bound(server);
    let limited;
    for (let i = 0; i < 20 && limited?.status !== 429; i++) limited = await prover.renew(server, token);
    assert.match(limited.headers["retry-after"], /^[1-9]\d*$/);
    assert.equal(limited.headers["coatcheck-error-code"], "rate_limited");
});

test("B-33 used proofs are kept on disk, not in memory, until their window is over and no longer", async () => {
    const data = temporaryFolder(), clock = movedClock(data), count = Number(process.env.COATCHECK_PROOFS ?? 3000);
    const limits = { COATCHECK_LIMITS: "proof_key=0/1", COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443" };
    const kept = () => rows(data, "SELECT count(*) AS n FROM once")[0].n;
    let crowded = await startServer({ data, env: { ...limits, ...clock.env } });
    const browsers = await Promise.all(Array.from({ length: 30 }, async () => {
        const prover = new Prover();
        return { prover, token: await prover.bound(crowded) };
    }));
    const flood = async (times) => {
        await Promise.all(browsers.map(async ({ prover, token }) => {
            for (let i = 0; i < times; i++) assert.equal((await prover.renew(crowded, token)).status, 201);
        }));
    };
    await flood(10);
    const baseline = await crowded.baseline(), before = kept();
    await flood(count / 30);
    assert.equal(kept(), before + 2 * count, "two rows each, in neighbouring buckets of time");
    await crowded.assertSound(baseline, { growthKiB: 4096 });
    await crowded.stop();
    clock.set(15 * 60_000); // the windows are over, but a clock that is a little wrong might still need them
    crowded = await startServer({ data, env: { ...limits, ...clock.env } });
    assert.equal(kept(), before + 2 * count, "nothing leaves early");
    await crowded.stop();
    clock.set(51 * 60_000); // two buckets of a quarter of an hour, and the slack
    crowded = await startServer({ data, env: { ...limits, ...clock.env } });
    await eventually(() => kept() === 0, "and then all do");
    await crowded.stop();
    fs.rmSync(data, { recursive: true, force: true });
});

test("a key beyond what it may: 429, and another key of the project goes on", async () => {
    const statuses = [];
    for (let i = 0; i < 120; i++) statuses.push((await mint(server, { reference: "bob@example.com" })).status);
    assert.ok(statuses.includes(200) && statuses.slice(110).every((status) => status === 429), statuses.join(" "));
    const limited = await mint(server, { reference: "bob@example.com" });
    assert.ok(Number(limited.headers["retry-after"]) >= 1);
});

test("without a setting a key is not limited", async () => {
    const other = await startServer();
    for (let i = 0; i < 300; i++) await mintToken(other, { reference: "carol@example.com" });
    await other.stop();
});

await run({
    before: async () => { server = await startServer({ env: { COATCHECK_LIMITS: LIMITS, COATCHECK_LOOPS: "3" } }); },
    after: () => server.stop(),
});
