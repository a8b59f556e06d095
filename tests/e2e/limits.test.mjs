// limits.test.mjs — how often is too often: 429 with Retry-After for who overdoes it, and nobody else notices.
import assert from "node:assert/strict";
import http from "node:http";
import { basic, startRefused, startServer } from "../harness/server.mjs";
import { mint, mintToken } from "../harness/http.mjs";
import { run, test } from "../harness/suite.mjs";

const LIMITS = "wrong_login=60/20 mint_key=60/40 embed_address=60/15";
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

test("F-81 one address draining a click-to-call token gets 429, another goes on", async () => {
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await exchangeFrom("127.0.0.1")).status);
    assert.ok(statuses.slice(0, 15).every((status) => status === 201), statuses.join(" "));
    assert.ok(statuses.slice(25).every((status) => status === 429), statuses.join(" "));
    assert.match((await exchangeFrom("127.0.0.1")).headers["retry-after"], /^[1-9]\d*$/);
    assert.equal((await exchangeFrom("127.0.0.3")).status, 201);
});

test("a key beyond what it may: 429, and another key of the project goes on", async () => {
    const statuses = [];
    for (let i = 0; i < 60; i++) statuses.push((await mint(server, { reference: "bob@example.com" })).status);
    assert.ok(statuses.includes(200) && statuses.slice(50).every((status) => status === 429), statuses.join(" "));
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
