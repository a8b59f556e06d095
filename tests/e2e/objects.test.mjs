// objects.test.mjs — what a backend keeps over REST: subscribers, rooms, keys; pages of them; and that nobody's id is
// anybody else's.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { coatcheck } from "../harness/clock.mjs";
import { ADDRESSES, call, info, mint, mintToken, TOKENS } from "../harness/http.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { connected } from "../harness/session.mjs";
import { run, test } from "../harness/suite.mjs";

const RESOURCES = "/api/fabric/resources", SUBSCRIBERS = `${RESOURCES}/subscribers`, ROOMS = `${RESOURCES}/conference_rooms`;
const KEYS = "/api/project/tokens";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const INSTANT = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOT_FOUND = '{"error":"Not Found"}', UNAUTHORIZED = '{"error":"Unauthorized"}';
let server, baseline, other; // other: another project of the same server, { project, basic }

const ask = (method, path, body, as = server.basic) => call(server, method, path, { body, headers: { authorization: as } });
const make = async (body, as) => {
    const answer = await ask("POST", SUBSCRIBERS, body, as);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
};
const email = (name) => `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;

// A command of the operator's, with its answer.
async function operate(...args)
{
    const { code, out, err } = await coatcheck(...args, "--data", server.data, "--json");
    assert.equal(code, 0, err);
    return JSON.parse(out);
}

async function newKey(project, permissions)
{
    const { id, secret } = await operate("key", "create", "api-token", "--project", project, "--permissions", permissions);
    return { id, basic: basic(project, secret) };
}

function invalid(answer, code, attribute)
{
    assert.equal(answer.status, 422, answer.text);
    const [error] = answer.json.errors;
    assert.deepEqual(Object.keys(error).sort(), ["attribute", "code", "message", "type", "url"]);
    assert.deepEqual([error.type, error.code, error.attribute], ["validation_error", code, attribute], answer.text);
}

// ---- refusals ----

test("every call needs an api token of the project, with a permission that mints", async () => {
    const id = crypto.randomUUID(), manager = await newKey(server.contract.project_id, "management");
    const calls = [["GET", SUBSCRIBERS], ["POST", SUBSCRIBERS, { email: "a@b.example" }], ["GET", `${SUBSCRIBERS}/${id}`],
        ["PUT", `${SUBSCRIBERS}/${id}`, { email: "a@b.example" }], ["DELETE", `${SUBSCRIBERS}/${id}`], ["GET", `${SUBSCRIBERS}/${id}/addresses`],
        ["GET", RESOURCES], ["GET", `${RESOURCES}/${id}`], ["DELETE", `${RESOURCES}/${id}`], ["GET", `${RESOURCES}/${id}/addresses`],
        ["POST", ROOMS, { name: "x", enable_room_previews: false }]];
    const { token } = await mintToken(server, { reference: "ada@example.com" });
    for (const [method, path, body] of calls)
        for (const as of [undefined, `Bearer ${token}`, basic(server.contract.client_id, server.contract.client_secret), `Bearer ${server.contract.secret_key}`,
            manager.basic]) {
            const answer = await call(server, method, path, { body, headers: as ? { authorization: as } : {} });
            assert.deepEqual([answer.status, answer.text], [401, UNAUTHORIZED], `${method} ${path} ${as?.slice(0, 12)}`);
        }
});

test("members are checked one by one; what is not ours is ignored", async () => {
    const good = email("good");
    for (const [body, code, attribute] of [[{}, "missing_required_parameter", "email"], [{ email: null }, "missing_required_parameter", "email"],
        [{ email: "  " }, "missing_required_parameter", "email"], [{ email: 7 }, "invalid_parameter", "email"], [{ email: "ada" }, "invalid_parameter", "email"],
        [{ email: `${"a".repeat(250)}@b.example` }, "invalid_parameter", "email"], [{ email: "a\n@b.example" }, "invalid_parameter", "email"],
        [{ email: good, password: "short77" }, "invalid_parameter", "password"], [{ email: good, password: "p".repeat(73) }, "invalid_parameter", "password"],
        [{ email: good, password: 12345678 }, "invalid_parameter", "password"], [{ email: good, first_name: "x".repeat(256) }, "invalid_parameter", "first_name"],
        [{ email: good, company_name: {} }, "invalid_parameter", "company_name"]])
        invalid(await ask("POST", SUBSCRIBERS, body), code, attribute);
    assert.equal((await ask("POST", SUBSCRIBERS, [])).status, 400);
    assert.equal((await ask("POST", SUBSCRIBERS, "{")).status, 415);
    const made = await make({ email: good, password: "p".repeat(72), id: "mine", project_id: other.project, type: "app", admin: true });
    assert.equal(made.project_id, server.contract.project_id);
    invalid(await ask("POST", SUBSCRIBERS, { email: good }), "value_not_unique", "email");
});

test("an id that is none, unknown, or gone gets one and the same 404", async () => {
    for (const id of ["x", crypto.randomUUID(), server.contract.project_id, "00000000-0000-0000-0000-000000000000", "%41"])
        for (const [method, path, body] of [["GET", `${SUBSCRIBERS}/${id}`], ["PUT", `${SUBSCRIBERS}/${id}`, { email: "a@b.example" }],
            ["DELETE", `${SUBSCRIBERS}/${id}`], ["GET", `${SUBSCRIBERS}/${id}/addresses`], ["GET", `${RESOURCES}/${id}`], ["DELETE", `${RESOURCES}/${id}`],
            ["GET", `${RESOURCES}/${id}/addresses`]]) {
            const answer = await ask(method, path, body);
            assert.deepEqual([answer.status, answer.text], [404, NOT_FOUND], `${method} ${path}`);
        }
});

// ---- subscribers ----

test("a subscriber is made, read, changed and removed", async () => {
    const address = email("grace");
    const made = await make({ email: address, password: "correct horse", first_name: "Grace", last_name: "Hopper", display_name: "Grace H.",
        job_title: "Admiral", timezone: "America/New_York", country: "US", company_name: "Navy" });
    assert.deepEqual(Object.keys(made), ["id", "project_id", "display_name", "type", "created_at", "updated_at", "subscriber"]);
    assert.deepEqual(made.subscriber, { id: made.subscriber.id, email: address, first_name: "Grace", last_name: "Hopper", display_name: "Grace H.",
        job_title: "Admiral", timezone: "America/New_York", country: "US", company_name: "Navy" });
    assert.deepEqual([made.type, made.display_name, made.project_id], ["subscriber", "Grace H.", server.contract.project_id]);
    assert.match(made.id, UUID);
    assert.match(made.subscriber.id, UUID);
    assert.notEqual(made.id, made.subscriber.id);
    assert.match(made.created_at, INSTANT);

    for (const path of [`${SUBSCRIBERS}/${made.id}`, `${SUBSCRIBERS}/${made.subscriber.id}`, `${RESOURCES}/${made.id}`]) {
        const read = await ask("GET", path);
        assert.equal(read.status, 200);
        assert.deepEqual(read.json, made, path);
    }
    const { token, subscriber_id } = await mintToken(server, { reference: address });
    assert.equal(subscriber_id, made.subscriber.id, "the token is for the same subscriber");
    assert.equal((await info(server, token)).json.job_title, "Admiral");

    const put = await ask("PUT", `${SUBSCRIBERS}/${made.id}`, { email: address, job_title: "Rear admiral", password: "battery staple" });
    assert.equal(put.status, 200, put.text);
    assert.deepEqual([put.json.subscriber.job_title, put.json.subscriber.first_name, put.json.id], ["Rear admiral", "Grace", made.id]);
    assert.ok(put.json.updated_at >= made.updated_at);
    assert.equal((await info(server, token)).json.job_title, "Rear admiral", "at once");
    invalid(await ask("PUT", `${SUBSCRIBERS}/${made.id}`, { email: email("another") }), "invalid_parameter", "email");
    invalid(await ask("PUT", `${SUBSCRIBERS}/${made.id}`, {}), "missing_required_parameter", "email");

    const addresses = await ask("GET", `${SUBSCRIBERS}/${made.id}/addresses`);
    assert.equal(addresses.status, 200);
    assert.deepEqual([addresses.json.data.length, addresses.json.data[0].resource_id, addresses.json.data[0].type], [1, made.id, "subscriber"]);
    assert.match(addresses.json.data[0].channels.audio, /^\/private\/grace-.*\?channel=audio$/);
    assert.deepEqual((await ask("GET", `${RESOURCES}/${made.id}/addresses`)).json.data, addresses.json.data);

    const gone = await ask("DELETE", `${SUBSCRIBERS}/${made.id}`);
    assert.deepEqual([gone.status, gone.text], [204, ""]);
    assert.equal((await ask("GET", `${SUBSCRIBERS}/${made.id}`)).text, NOT_FOUND);
    assert.equal((await ask("DELETE", `${SUBSCRIBERS}/${made.id}`)).status, 404);
    const anew = await mintToken(server, { reference: address });
    assert.notEqual(anew.subscriber_id, made.subscriber.id, "somebody new");
});

test("a removed subscriber's tokens end at once, on every loop; one made anew is not concerned", async () => {
    const address = email("leaver"), before = [];
    for (let i = 0; i < 6; i++) before.push((await mintToken(server, { reference: address })).token);
    for (const token of before) assert.equal((await info(server, token)).status, 200);
    const { subscriber_id } = await mintToken(server, { reference: address });
    assert.equal((await ask("DELETE", `${SUBSCRIBERS}/${subscriber_id}`)).status, 204);
    for (let round = 0; round < 4; round++)
        for (const token of before) assert.equal((await info(server, token)).status, 401);
    assert.equal((await info(server, (await mintToken(server, { reference: address })).token)).status, 200);
});

test("twenty creates of one e-mail address at once make one subscriber", async () => {
    const address = email("race");
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("POST", SUBSCRIBERS, { email: address })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(19).fill(422)]);
});

// ---- pages ----

async function walk(path, size, as)
{
    const pages = [];
    let next = `${path}${path.includes("?") ? "&" : "?"}page_size=${size}`;
    while (next) {
        const answer = await ask("GET", next, undefined, as);
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(Object.keys(answer.json), ["data", "links"]);
        pages.push(answer.json);
        assert.ok(pages.length < 200, "the links end");
        next = answer.json.links.next;
    }
    return pages;
}

test("120 subscribers come in pages by their links, each once, in the order they were made", async () => {
    const { id: project } = await operate("project", "create", "pages", "--test");
    const key = await newKey(project, "calling"), made = [];
    for (let i = 0; i < 120; i++) made.push((await make({ email: `n${i}@example.com` }, key.basic)).id);
    for (const size of [1000, 100, 50, 49, 7]) {
        const pages = await walk(SUBSCRIBERS, size, key.basic);
        assert.deepEqual(pages.flatMap(({ data }) => data.map(({ id }) => id)), made, `pages of ${size}`);
        assert.equal(pages.length, Math.ceil(120 / Math.min(size, 100)));
        const [first, second] = pages;
        assert.match(first.links.self, new RegExp(`^${SUBSCRIBERS}\\?page_number=0&page_size=${Math.min(size, 100)}$`));
        assert.equal(first.links.first, first.links.self);
        assert.equal(first.links.prev, undefined);
        assert.match(second.links.self, /\?page_number=1&page_size=\d+&page_token=[\w.~%-]+$/);
        assert.equal(second.links.self, first.links.next);
        assert.equal(second.links.prev, first.links.first);
        assert.equal(pages.at(-1).links.next, undefined);
    }
    const standard = await ask("GET", SUBSCRIBERS, undefined, key.basic);
    assert.equal(standard.json.data.length, 50);
});

test("resources are one list: rooms and buttons first, then subscribers, each once", async () => {
    const { id: project } = await operate("project", "create", "mixed", "--test");
    const key = await newKey(project, "video"), wanted = [];
    for (let i = 0; i < 11; i++) wanted.push((await ask("POST", ROOMS, { name: `room ${i}`, enable_room_previews: true }, key.basic)).json.id);
    for (let i = 0; i < 13; i++) wanted.push((await make({ email: `m${i}@example.com` }, key.basic)).id);
    for (const size of [100, 24, 11, 12, 10, 5, 1]) {
        const pages = await walk(RESOURCES, size, key.basic), all = pages.flatMap(({ data }) => data);
        assert.deepEqual(all.map(({ id }) => id).sort(), [...wanted].sort(), `pages of ${size}`);
        assert.deepEqual([...new Set(all.map(({ type }) => type))], ["video_room", "subscriber"]);
        assert.ok(pages.every(({ data }) => data.length <= size));
    }
});

test("page members that no page gave are refused", async () => {
    for (const path of [SUBSCRIBERS, RESOURCES])
        for (const query of ["page_size=0", "page_size=-1", "page_size=x", "page_number=x", "page_token=%ff", "page_size=1e3", "page_token=rubbish", "page_token="]) {
            const answer = await ask("GET", `${path}?${query}`);
            assert.equal(answer.status, 422, `${path}?${query}: ${answer.text}`);
        }
    assert.equal((await ask("GET", `${SUBSCRIBERS}?page_number=3&sort=x`)).status, 200);
});

// ---- rooms ----

test("a room is made, dialled by its address, read and removed; every loop knows it at once", async () => {
    const made = await ask("POST", ROOMS, { name: "Board Room", enable_room_previews: false, display_name: "The Board" });
    assert.equal(made.status, 200, made.text);
    const { id, type, display_name, video_room } = made.json;
    assert.deepEqual([type, display_name, video_room.name, video_room.id], ["video_room", "The Board", "Board Room", id]);
    const addresses = (await ask("GET", `${RESOURCES}/${id}/addresses`)).json;
    assert.deepEqual([addresses.data.length, addresses.data[0].channels.video], [1, "/public/board-room?channel=video"]);
    assert.match(addresses.links.self, new RegExp(`^${RESOURCES}/${id}/addresses`));
    const { token } = await mintToken(server, { reference: "ada@example.com" });
    for (let i = 0; i < 8; i++) { // connections fall on any loop
        assert.equal((await ask("GET", `${RESOURCES}/${id}`)).status, 200);
        const found = await call(server, "GET", `${ADDRESSES}?name=/public/board-room`, { headers: { authorization: `Bearer ${token}` } });
        assert.equal(found.json.data.length, 1);
    }
    invalid(await ask("POST", ROOMS, { name: "Board room", enable_room_previews: false }), "value_not_unique", "name");
    assert.equal((await ask("DELETE", `${RESOURCES}/${id}`)).status, 204);
    for (let i = 0; i < 8; i++) assert.equal((await ask("GET", `${RESOURCES}/${id}`)).status, 404);
    assert.equal((await ask("POST", ROOMS, { name: "Board room", enable_room_previews: false })).status, 200, "the name is free again");
});

test("a room's members are checked", async () => {
    for (const [body, code, attribute] of [[{ enable_room_previews: true }, "missing_required_parameter", "name"], [{ name: "x" }, "missing_required_parameter", "enable_room_previews"],
        [{ name: "x", enable_room_previews: "yes" }, "invalid_parameter", "enable_room_previews"], [{ name: "", enable_room_previews: true }, "missing_required_parameter", "name"],
        [{ name: "x".repeat(101), enable_room_previews: true }, "invalid_parameter", "name"], [{ name: 1, enable_room_previews: true }, "invalid_parameter", "name"]])
        invalid(await ask("POST", ROOMS, body), code, attribute);
});

// ---- keys ----

test("a key with management makes others, which work at once on every loop", async () => {
    const made = await ask("POST", KEYS, { name: "video only", permissions: ["video", "video"] });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(Object.keys(made.json), ["id", "name", "permissions", "token"]);
    assert.deepEqual([made.json.name, made.json.permissions], ["video only", ["video"]]);
    assert.match(made.json.token, /^PT[0-9a-f]{56}$/);
    const as = basic(server.contract.project_id, made.json.token);
    for (let i = 0; i < 8; i++) assert.equal((await mint(server, { reference: "ada@example.com" }, { authorization: as })).status, 200);
    const refused = await ask("POST", KEYS, { name: "more", permissions: ["management"] }, as);
    assert.deepEqual([refused.status, refused.text], [401, UNAUTHORIZED], "video alone makes no keys");
    const { keys } = await operate("key", "list", "--project", server.contract.project_id);
    assert.ok(keys.some(({ id, name, state }) => id === made.json.id && name === "video only" && state === "live"));
});

test("a key with management alone makes keys with any permission: whoever holds it holds the project", async () => {
    const { basic: manager } = await newKey(server.contract.project_id, "management");
    const { json } = await ask("POST", KEYS, { name: "calls", permissions: ["calling"] }, manager);
    assert.deepEqual(json.permissions, ["calling"]);
});

test("SW-5 a token with any one of voice, messaging, fax, video mints; with none of them it does not", async () => {
    for (const permission of ["calling", "messaging", "fax", "video"]) {
        const { json } = await ask("POST", KEYS, { name: permission, permissions: [permission] });
        const answer = await mint(server, { reference: "ada@example.com" }, { authorization: basic(server.contract.project_id, json.token) });
        assert.equal(answer.status, 200, permission);
    }
    const { json } = await ask("POST", KEYS, { name: "none of them", permissions: ["chat", "datasphere", "management", "numbers", "pubsub", "storage", "tasking"] });
    const answer = await mint(server, { reference: "ada@example.com" }, { authorization: basic(server.contract.project_id, json.token) });
    assert.deepEqual([answer.status, answer.text], [401, UNAUTHORIZED]);
});

test("a key's members are checked", async () => {
    for (const [body, code, attribute] of [[{ permissions: ["chat"] }, "missing_required_parameter", "name"], [{ name: "x" }, "missing_required_parameter", "permissions"],
        [{ name: "x", permissions: [] }, "missing_required_parameter", "permissions"], [{ name: "x", permissions: "chat" }, "invalid_parameter", "permissions"],
        [{ name: "x", permissions: ["root"] }, "invalid_parameter", "permissions"], [{ name: "x", permissions: [1] }, "invalid_parameter", "permissions"],
        [{ name: " ", permissions: ["chat"] }, "missing_required_parameter", "name"], [{ name: "x".repeat(101), permissions: ["chat"] }, "invalid_parameter", "name"],
        [{ name: "x", permissions: ["chat"], subproject_id: crypto.randomUUID() }, "invalid_parameter", "subproject_id"]])
        invalid(await ask("POST", KEYS, body), code, attribute);
});

// ---- two projects ----

test("A-23 another project's ids and credentials are nobody's, whatever is asked", async () => {
    const mine = await make({ email: email("mine") }), theirs = await make({ email: email("theirs") }, other.basic);
    const room = (await ask("POST", ROOMS, { name: `room ${crypto.randomUUID()}`, enable_room_previews: true }, other.basic)).json;
    for (const id of [theirs.id, theirs.subscriber.id, room.id])
        for (const [method, path, body] of [["GET", `${SUBSCRIBERS}/${id}`], ["PUT", `${SUBSCRIBERS}/${id}`, { email: theirs.subscriber.email, first_name: "x" }],
            ["DELETE", `${SUBSCRIBERS}/${id}`], ["GET", `${SUBSCRIBERS}/${id}/addresses`], ["GET", `${RESOURCES}/${id}`], ["DELETE", `${RESOURCES}/${id}`],
            ["GET", `${RESOURCES}/${id}/addresses`]]) {
            const answer = await ask(method, path, body);
            assert.deepEqual([answer.status, answer.text], [404, NOT_FOUND], `${method} ${path}`);
        }
    assert.deepEqual((await ask("GET", `${SUBSCRIBERS}/${theirs.id}`, undefined, other.basic)).json, theirs, "and it is as it was");

    const [, token] = Buffer.from(other.basic.slice(6), "base64").toString().split(":");
    const crossed = [basic(server.contract.project_id, token), basic(other.project, server.contract.api_token)];
    for (const as of crossed)
        for (const [method, path, body] of [["GET", SUBSCRIBERS], ["DELETE", `${SUBSCRIBERS}/${mine.id}`], ["POST", KEYS, { name: "x", permissions: ["chat"] }],
            ["POST", TOKENS, { reference: "ada@example.com" }]])
            assert.deepEqual([(await ask(method, path, body, as)).status, (await ask(method, path, body, as)).text], [401, UNAUTHORIZED], `${method} ${path}`);

    // the same reference in two projects is two people
    const here = await mintToken(server, { reference: "twin@example.com" }), there = (await mint(server, { reference: "twin@example.com" }, { authorization: other.basic })).json;
    assert.notEqual(here.subscriber_id, there.subscriber_id);
    const seen = await call(server, "GET", ADDRESSES, { headers: { authorization: `Bearer ${there.token}` } });
    assert.deepEqual(seen.json.data.map(({ id }) => id).includes(server.contract.address_id), false, "nor does a token see the other's addresses");
    const page = await walk(RESOURCES, 100, other.basic);
    assert.ok(!page.flatMap(({ data }) => data).some(({ id }) => id === mine.id));
});

// ---- what ends with it ----

test("a removed subscriber's session is closed before the removal is answered, whoever removes it", async () => {
    const remove = { rest: (id) => ask("DELETE", `${SUBSCRIBERS}/${id}`), command: (id) => operate("user", "delete", id, "--project", server.contract.project_id) };
    for (const [how, by] of Object.entries(remove)) {
        const { token, subscriber_id } = await mintToken(server, { reference: email(how) });
        const sessions = await Promise.all(Array.from({ length: 6 }, () => connected(server, token)));
        const stays = await connected(server, (await mintToken(server, { reference: email("stays") })).token);
        await by(subscriber_id);
        for (const session of sessions) assert.equal((await session.closed).code, 4403, how);
        assert.ok((await stays.request("subscriber.online")).result, "others go on");
        await stays.close();
    }
});

test("a stop in the middle of removals and new rooms ends clean", async () => {
    for (let round = 0; round < 3; round++) {
        const busy = await startServer({ env: { COATCHECK_LOOPS: "3" } });
        const as = { authorization: busy.basic }, made = [];
        for (let i = 0; i < 12; i++) made.push((await mintToken(busy, { reference: `u${i}@example.com` })).subscriber_id);
        const asks = made.flatMap((id, i) => [call(busy, "DELETE", `${SUBSCRIBERS}/${id}`, { headers: as }),
            call(busy, "POST", ROOMS, { body: { name: `room ${i}`, enable_room_previews: false }, headers: as })]).map((answer) => answer.catch(() => null));
        await Promise.race(asks);
        await busy.stop();
        await Promise.all(asks);
    }
});

// ---- a live project ----

test("a live project: no secret from a browser, no widened origin, no clock", async () => {
    const { id: project } = await operate("project", "create", "shop", "--live");
    const key = await newKey(project, "all");
    await operate("origin", "add", "https://shop.example", "--project", project);
    for (const origin of ["https://shop.example", "http://localhost:3000", "null"]) {
        const answer = await call(server, "POST", TOKENS, { body: { reference: "ada@example.com" }, headers: { authorization: key.basic, origin } });
        assert.deepEqual([answer.status, answer.headers["access-control-allow-origin"]], [401, undefined], origin);
        const { refusal } = await operate("why", answer.headers["coatcheck-error-id"]);
        assert.equal(refusal, "SECRET_FROM_BROWSER");
    }
    const { token } = (await mint(server, { reference: "ada@example.com" }, { authorization: key.basic })).json;
    assert.equal((await info(server, token, { origin: "https://shop.example" })).status, 200);
    assert.equal((await info(server, token, { origin: "http://localhost:3000" })).status, 403, "a test project's origin is not a live one's");
    for (const origin of ["http://localhost:*", "null"]) {
        const { code, err } = await coatcheck("origin", "add", origin, "--project", project, "--data", server.data);
        assert.deepEqual([code, /for test projects only/.test(err)], [1, true], err);
    }
    const clock = await coatcheck("clock", "advance", "1h", "--project", project, "--data", server.data);
    assert.equal(clock.code, 1);
    assert.match(clock.err, /live/);
});

await run({
    before: async () => {
        server = await startServer({ env: { COATCHECK_LOOPS: "3" } });
        const { id: project } = await operate("project", "create", "the other", "--test");
        other = { project, basic: (await newKey(project, "all")).basic };
        baseline = await server.baseline();
    },
    after: async () => {
        await server.assertSound(baseline);
        await server.stop();
    },
});
