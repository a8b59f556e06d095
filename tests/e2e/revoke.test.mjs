// revoke.test.mjs — `coatcheck revoke`: one command voids everything that was granted to one user, by one key, in one family,
// and ends the live sessions among it, on every loop, before it returns.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import { coatcheck } from "../harness/clock.mjs";
import { info, mintToken, readToken } from "../harness/http.mjs";
import { connected } from "../harness/session.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443", COATCHECK_LOOPS: "3" };
let server;

const mint = (reference) => mintToken(server, { reference });
const status = async (token) => (await info(server, token)).status;

async function revoke(of, name, { project = server.contract.project_id, data = server.data } = {})
{
    const { code, out, err } = await coatcheck("revoke", of, name, "--project", project, "--data", data, "--json");
    return { code, err, ...(code === 0 ? JSON.parse(out) : { out }) };
}

// ---- what is refused ----

test("what cannot be revoked is told apart, and nothing is touched", async () => {
    const { token } = await mint("ada@example.com");
    const { sub } = readToken(token).claims;
    for (const [of, name, options, code] of [["users", sub, {}, 2], ["user", "ada@example.com", {}, 2], ["user", "", {}, 2],
        ["key", "PT' OR 1=1 --", {}, 2], ["project", crypto.randomUUID(), {}, 2], ["user", sub, { project: "dev" }, 2],
        ["user", sub, { project: crypto.randomUUID() }, 1], ["user", sub, { data: `${server.data}/none` }, 1]]) {
        const answer = await revoke(of, name, options);
        assert.deepEqual([answer.code, answer.out], [code, ""], `${of} ${name}`);
        assert.match(answer.err, /^coatcheck: .+\n$/);
    }
    assert.equal(await status(token), 200);
    assert.match((await coatcheck("revoke", "--help")).out, /^usage: coatcheck revoke user\|key/);
});

test("a user, family or resource that nothing has is revoked too: it may only be unknown here", async () => {
    for (const of of ["user", "family", "resource"]) {
        const answer = await revoke(of, crypto.randomUUID());
        assert.deepEqual([answer.code, answer.sessions_closed], [0, 0], of);
    }
});

// Keys are never forgotten: one that is not there is a slip of the pen, and the right one would live on.
test("a key that the project does not have is refused, with and without a server", async () => {
    const { api_token } = server.contract, other = api_token.slice(0, 17) + (api_token[17] === "0" ? "1" : "0");
    const data = temporaryFolder("coatcheck-revoke"), made = async (...words) => JSON.parse((await coatcheck(...words, "--data", data, "--json")).out);
    await coatcheck("init", "--data", data);
    const one = await made("project", "create", "One", "--live"), two = await made("project", "create", "Two", "--live");
    const key = await made("key", "create", "api-token", "--project", one.id);
    for (const [name, options] of [["PTxx"], [other], [api_token], [key.id], ["PTxx", { project: one.id, data }], [key.id, { project: two.id, data }]].map(([n, o]) => [n, o ?? {}])) {
        const answer = await revoke("key", name, options);
        assert.deepEqual([answer.code, answer.out], [name === api_token ? 2 : 1, ""], name.slice(0, 18));
        assert.ok(!answer.err.includes(api_token.slice(0, 22)), "a secret in a key's place is not shown again");
        if (name !== api_token) assert.match(answer.err, /^coatcheck: project \S+: it has no such key: coatcheck key list shows them\n$/);
    }
    assert.equal((await revoke("key", key.id, { project: one.id, data })).code, 0);
    fs.rmSync(data, { recursive: true, force: true });
});

// ---- what is revoked ----

test("A-25 a revoked user: tokens refused at once, sockets on every loop closed with 4403, others untouched", async () => {
    const [ada, bob] = [await mint("ada@example.com"), await mint("bob@example.com")];
    const sessions = await Promise.all(Array.from({ length: 12 }, () => connected(server, ada.token)));
    const other = await connected(server, bob.token);
    const { sub } = readToken(ada.token).claims;
    const answer = await revoke("user", sub);
    assert.deepEqual([answer.code, answer.sessions_closed], [0, 12]);
    assert.equal(await status(ada.token), 401);
    for (const session of sessions) assert.equal((await session.closed).code, 4403);
    await assert.rejects(connected(server, ada.token), /-32002/);
    assert.equal(await status(bob.token), 200);
    assert.ok((await other.request("subscriber.online")).result);
    await other.close();
});

test("A-25 a mint after the revocation is good: it is no ban", async () => {
    const before = await mint("carol@example.com");
    const { sub } = readToken(before.token).claims;
    await revoke("user", sub);
    const after = await mint("carol@example.com");
    assert.ok(readToken(after.token).claims.gt > readToken(before.token).claims.gt);
    assert.deepEqual([await status(before.token), await status(after.token)], [401, 200]);
    await (await connected(server, after.token)).close();
});

test("A-25 a revoked family ends one sign-in and leaves the user's others", async () => {
    const [phone, laptop] = [await mint("dora@example.com"), await mint("dora@example.com")];
    const session = await connected(server, phone.token);
    assert.equal((await revoke("family", readToken(phone.token).claims.fam)).sessions_closed, 1);
    assert.equal((await session.closed).code, 4403);
    assert.deepEqual([await status(phone.token), await status(laptop.token)], [401, 200]);
});

test("A-17 the n-s twin of a revoked token is refused like the token itself", async () => {
    const { token } = await mint("erin@example.com");
    const [header, claims, signature] = token.split(".");
    const raw = Buffer.from(signature, "base64url");
    const n = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const s = n - BigInt(`0x${raw.subarray(32).toString("hex")}`);
    const twin = Buffer.concat([raw.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
    await revoke("family", readToken(token).claims.fam);
    assert.equal(await status(token), 401);
    assert.equal(await status(`${header}.${claims}.${twin.toString("base64url")}`), 401);
});

test("A-25 a revoked key: all it minted, while it still mints", async () => {
    const { token } = await mint("frank@example.com");
    const session = await connected(server, token);
    const answer = await revoke("key", server.contract.api_token.slice(0, 18));
    assert.equal(answer.code, 0);
    assert.ok(answer.sessions_closed >= 1);
    assert.equal((await session.closed).code, 4403);
    assert.equal(await status(token), 401);
    assert.equal(await status((await mint("frank@example.com")).token), 200);
});

test("A-25 a revoked project: everybody", async () => {
    const tokens = await Promise.all(["gina@example.com", "hans@example.com"].map(mint));
    const sessions = await Promise.all(tokens.map(({ token }) => connected(server, token)));
    assert.equal((await revoke("project", server.contract.project_id)).sessions_closed, 2);
    for (const session of sessions) assert.equal((await session.closed).code, 4403);
    for (const { token } of tokens) assert.equal(await status(token), 401);
    assert.equal(await status((await mint("gina@example.com")).token), 200);
});

test("the operator is told why: the cutoff and the token's stamp", async () => {
    const { token } = await mint("ivan@example.com");
    await revoke("user", readToken(token).claims.sub);
    const answer = await info(server, token);
    const why = await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", server.data, "--json");
    const found = JSON.parse(why.out);
    assert.deepEqual([found.refusal, found.check], ["TOKEN_CUT_OFF", "token.gt"]);
    assert.match(found.expected, /after the cutoff \d+/);
    assert.equal(answer.headers["coatcheck-error-code"], "unauthorized", "the client learns no more than of any bad token");
});

test("a connect under way while its user is revoked never outlives the revocation", async () => {
    for (let round = 0; round < 20; round++) {
        const { token } = await mint("judy@example.com");
        const opening = Array.from({ length: 6 }, () => connected(server, token).catch((error) => error));
        const revoked = revoke("user", readToken(token).claims.sub);
        const results = await Promise.all(opening);
        assert.equal((await revoked).code, 0);
        for (const session of results)
            if (session instanceof Error)
                assert.match(session.message, /-32002/);
            else
                assert.equal((await session.closed).code, 4403);
    }
});

// ---- what lasts ----

test("a revocation outlives kill -9 and a restart, and works on a folder without a server", async () => {
    const [ada, bob] = [await mint("ada@example.com"), await mint("bob@example.com")];
    await revoke("user", readToken(ada.token).claims.sub);
    await server.kill9();
    const answer = await revoke("user", readToken(bob.token).claims.sub);
    assert.deepEqual([answer.code, answer.sessions_closed], [0, 0]);
    const data = server.data;
    server = await startServer({ data, env: ENV });
    assert.deepEqual([await status(ada.token), await status(bob.token)], [401, 401]);
    assert.equal(await status((await mint("ada@example.com")).token), 200);
});

await run({
    before: async () => { server = await startServer({ env: ENV }); },
    after: () => server.stop(),
});
