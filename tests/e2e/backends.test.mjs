// backends.test.mjs — the programs of docs/backends.md, as they stand there, against a real server: each does what its
// product needs, gives a page no secret, and lets nobody in who is not signed in.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { programsOf } from "../harness/app_pages.mjs";
import { nowhere, startProgram } from "../harness/programs.mjs";
import { REPOSITORY, startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const programs = programsOf("docs/backends.md");
const folder = temporaryFolder("coatcheck-backends");
const SECRETS = ["api_token", "client_secret", "secret_key"];
const children = [];
let server;

for (const [name, code] of Object.entries(programs)) fs.writeFileSync(path.join(folder, name), code);

// Starts one of the programs with the environment that the document names.
async function start(name, more)
{
    const { url, project_id, api_token, client_id, client_secret, secret_key } = server.contract;
    const child = await startProgram(folder, name, programs[name], { COATCHECK_URL: url, PROJECT: project_id, API_TOKEN: api_token,
        CLIENT_ID: client_id, CLIENT_SECRET: client_secret, SECRET_KEY: secret_key, ...more });
    children.push(child);
    return child;
}

async function post(url, { user, headers = {}, body } = {})
{
    const answer = await fetch(url, { method: "POST", body, headers: { ...(user && { "x-demo-user": user }), ...headers } });
    const text = await answer.text();
    for (const name of SECRETS) assert.ok(!text.includes(server.contract[name]), `no ${name} for a page`);
    return { status: answer.status, json: text ? JSON.parse(text) : null };
}

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const get = async (url, token) => (await fetch(url, { headers: bearer(token) })).json();

test("nobody who is not signed in gets anything", async () => {
    for (const [name, paths] of [["calls.mjs", ["/token", "/refresh"]], ["interviews.mjs", ["/bootstrap"]], ["scribe.mjs", ["/launch", "/notes"]]]) {
        const { url } = await start(name);
        for (const at of paths) assert.equal((await post(url + at)).status, 401, `${name} ${at}`);
        assert.ok((await post(`${url}/other`, { user: "ada" })).status >= 400, name);
    }
});

test("each answers 502 and lives on when the server is away, and tells its operator", async () => {
    const away = await nowhere();
    for (const [name, paths] of [["calls.mjs", ["/token", "/refresh"]], ["interviews.mjs", ["/bootstrap"]], ["scribe.mjs", ["/launch", "/notes"]]]) {
        const { url, said, isRunning } = await start(name, { COATCHECK_URL: away });
        for (const at of paths) assert.equal((await post(url + at, { user: "ada", headers: bearer("x") })).status, 502, `${name} ${at}`);
        await eventually(() => said.length === paths.length, "a line for the operator each time");
        assert.ok(isRunning(), name);
    }
});

test("a call widget: a token, the next one, and a new mint when the family is over", async () => {
    const { url, said } = await start("calls.mjs"), user = "widget@example.com", info = `${server.url}/api/fabric/subscriber/info`;
    const first = await post(`${url}/token`, { user });
    assert.deepEqual([first.status, Object.keys(first.json)], [200, ["token", "expiry_at"]]);
    const life = (json) => [json.expiry_at, JSON.parse(Buffer.from(json.token.split(".")[1], "base64url")).exp * 1000];
    assert.equal(...life(first.json));
    assert.ok(first.json.expiry_at > Date.now() + 3_600_000, "in milliseconds, and ahead");
    const who = await get(info, first.json.token);
    assert.equal(who.email, user);
    const second = await post(`${url}/refresh`, { user });
    assert.equal(second.status, 200);
    assert.notEqual(second.json.token, first.json.token);
    assert.equal(...life(second.json));
    const { project_id, api_token } = server.contract;
    await fetch(`${server.url}/oauth/revoke`, { method: "POST", body: new URLSearchParams({ token: second.json.token }),
        headers: { authorization: `Basic ${btoa(`${project_id}:${api_token}`)}` } });
    const third = await post(`${url}/refresh`, { user });
    assert.equal((await get(info, third.json.token)).id, who.id, "the same user by another mint");
    assert.equal(said.length, 1);
    assert.match(said[0], /^refused: coatcheck why [\w-]{16}$/);
});

test("an interview: bootstrap, session, every question, completed", async () => {
    const { url } = await start("interviews.mjs"), { study_id } = server.contract, asked = [];
    const { interview } = await import(path.join(folder, "interview_page.mjs"));
    const { json } = await post(`${url}/bootstrap`, { user: "participant-9" });
    assert.deepEqual(Object.keys(json), ["bootstrapToken", "expiresAt"]);
    const done = await interview(server.url, json.bootstrapToken, study_id, (question) => { asked.push(question.text); return "Well."; });
    assert.deepEqual([done.status, done.answerCount], ["completed", asked.length]);
    assert.ok(asked.length > 0);
    await assert.rejects(interview(server.url, json.bootstrapToken, study_id, () => ""), /\/sdk\/sessions: 401 invalid_ticket/, "good once");
});

test("an embedded app: launch, exchange, a call to its own API, and the same user again", async () => {
    const { url } = await start("scribe.mjs"), { publishable_key } = server.contract;
    const exchanged = async (user) => {
        const { json } = await post(`${url}/launch`, { user });
        assert.deepEqual(Object.keys(json), ["launchToken"]);
        const answer = await fetch(`${server.url}/v1/oauth/launch/exchange`, { method: "POST", headers: { "content-type": "application/json" },
            body: JSON.stringify({ launchToken: json.launchToken, publishableKey: publishable_key }) });
        assert.equal(answer.status, 200);
        return answer.json();
    };
    const first = await exchanged("clinician-1"), again = await exchanged("clinician-1"), other = await exchanged("clinician-2");
    assert.equal(again.userId, first.userId);
    assert.notEqual(other.userId, first.userId);
    const saved = await post(`${url}/notes`, { headers: bearer(first.accessToken) });
    assert.equal(saved.status, 200);
    assert.equal(`tortus|${saved.json.savedFor.replaceAll("-", "")}`, first.userId);
    for (const token of ["", "x", first.accessToken.slice(0, -2)]) assert.equal((await post(`${url}/notes`, { headers: bearer(token) })).status, 401);
});

test("the pages of the other documents ask what these programs answer", async () => {
    for (const [document, backend] of [["migrate-dialogue.md", "interviews.mjs"], ["migrate-tortus.md", "scribe.mjs"]]) {
        const asked = [...fs.readFileSync(path.join(REPOSITORY, "docs", document), "utf8").matchAll(/await fetch\("(\/[^"]*)"(?:, \{ method: "(\w+)" \})?\)/g)];
        assert.equal(asked.length, 1, document);
        const [[, at, method]] = asked, { url } = await start(backend);
        assert.equal(method, "POST", `${document}: it mints`);
        assert.equal((await post(url + at, { user: "ada" })).status, 200, `${document}: ${at}`);
    }
});

test("each program has at most forty-five lines", () => {
    const names = fs.readdirSync(folder);
    assert.equal(names.length, 4);
    for (const name of names) assert.ok(fs.readFileSync(path.join(folder, name), "utf8").trim().split("\n").length <= 45, name);
});

await run({
    before: async () => { server = await startServer(); },
    after: async () => {
        for (const child of children) child.stop();
        fs.rmSync(folder, { recursive: true, force: true });
        await server.stop();
    },
});
