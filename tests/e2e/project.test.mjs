// project.test.mjs — running a project by hand: everything that `coatcheck dev` seeds is made by commands, each of them
// once in a folder that nobody serves and once through the server that runs on it. Both must say and do the same.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { coatcheck } from "../harness/clock.mjs";
import { ADDRESSES, call, info, mint, TOKENS } from "../harness/http.mjs";
import { BINARY, basic, startServe, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
let root;

// What is done to one folder, with or without a server on it.
class Place {
    constructor(name) { this.data = path.join(root, name); }

    async say(...args) { return coatcheck(...args, "--data", this.data); }

    async json(...args)
    {
        const { code, out, err } = await this.say(...args, "--json");
        assert.deepEqual([code, err], [0, ""], args.join(" "));
        assert.equal(out.trim().split("\n").length, 1, "one line");
        return JSON.parse(out);
    }

    async refused(code, pattern, ...args)
    {
        for (const more of [[], ["--json"]]) {
            const ended = await this.say(...args, ...more);
            assert.deepEqual([ended.code, ended.out], [code, ""], `${args.join(" ")}: ${ended.err}`);
            assert.match(ended.err, /^coatcheck: [^\n]+\n$/, args.join(" "));
            assert.match(ended.err, pattern, args.join(" "));
        }
    }

    serve(env) { return startServe(this.data, { COATCHECK_LOOPS: "3", ...env }); }
}

// The same test in both ways of running; place is fresh, initialised, and holds nothing else.
function inBothWays(name, body)
{
    for (const isServed of [false, true])
        test(`${name}, ${isServed ? "through the server" : "in the folder"}`, async () => {
            const place = new Place(crypto.randomUUID());
            await place.json("init");
            const server = isServed ? await place.serve() : null;
            try {
                await body(place, isServed);
            } finally {
                await server?.stop();
            }
        });
}

// ---- init ----

test("init makes a folder once, with modes that keep others out", async () => {
    const place = new Place("made");
    const { data, database, master } = await place.json("init");
    assert.deepEqual([data, database, master], [place.data, ...["coatcheck.db", "master.key"].map((name) => path.join(place.data, name))]);
    assert.deepEqual(fs.readdirSync(place.data).sort(), ["coatcheck.db", "lock", "master.key"]);
    for (const [name, mode] of [["", 0o700], ["coatcheck.db", 0o600], ["master.key", 0o600]])
        assert.equal(fs.statSync(path.join(place.data, name)).mode & 0o777, mode, name);
    const before = fs.readFileSync(path.join(place.data, "coatcheck.db"));
    await place.refused(1, /holds a database already: it is left as it is/, "init");
    assert.deepEqual(fs.readFileSync(path.join(place.data, "coatcheck.db")), before);
    const server = await place.serve();
    await place.refused(1, /holds a database already/, "init");
    await server.stop();
});

test("init takes the master key from the environment, and then writes none", async () => {
    const place = new Place("without-file"), key = crypto.randomBytes(32).toString("base64url");
    const init = (env) => spawnSync(BINARY, ["init", "--data", place.data], { encoding: "utf8", env: { ...process.env, ...env } });
    const made = init({ COATCHECK_MASTER_KEY: key });
    assert.equal(made.status, 0, made.stderr);
    assert.match(made.stdout, /coatcheck project create NAME --live --data/);
    assert.ok(!fs.existsSync(path.join(place.data, "master.key")));
    await place.json("project", "create", "no secret in it");
    await place.refused(3, /master/, "key", "create", "client");
});

test("without a database, every command says what to do; a folder that others write in is refused", async () => {
    const place = new Place("nothing");
    for (const args of [["project", "list"], ["project", "create", "x"], ["key", "list"], ["key", "create", "client"], ["user", "list"], ["study", "list"],
        ["origin", "list"], ["address", "list"], ["resource", "list"]])
        await place.refused(1, /there is no database here: coatcheck init makes one/, ...args);
    assert.ok(!fs.existsSync(place.data), "and makes nothing");
    await place.json("init");
    fs.chmodSync(place.data, 0o777);
    await place.refused(3, /can be written by others/, "project", "list");
});

test("usage: every noun helps, and names what is wrong", async () => {
    for (const noun of ["init", "project", "key", "origin", "user", "resource", "address", "study"]) {
        const help = await coatcheck(noun, "--help");
        assert.deepEqual([help.code, help.err], [0, ""], noun);
        assert.match(help.out, new RegExp(`^usage: coatcheck ${noun} `));
        assert.match(help.out, /--json/);
        if (noun === "init") continue;
        assert.equal((await coatcheck(noun)).code, 2);
        assert.match((await coatcheck(noun, "frobnicate")).err, new RegExp(`no "${noun} frobnicate"; coatcheck ${noun} --help`));
    }
    for (const [pattern, ...args] of [[/usage: coatcheck project create NAME/, "project", "create"], [/one word too many/, "project", "create", "a", "b"],
        [/takes no --live/, "key", "create", "client", "--live"], [/takes no --colour/, "key", "list", "--colour"], [/--name needs a value/, "key", "create", "client", "--name"],
        [/which user\?/, "user", "show"], [/which user\?/, "user", "delete", crypto.randomUUID(), "--reference", "ada"], [/usage: coatcheck resource create/, "resource", "create", "room"],
        [/usage: coatcheck project set/, "project", "set", "x", "sat_life"], [/one word too many/, "init", "now"], [/no option --live/, "init", "--live"]]) {
        const ended = await coatcheck(...args);
        assert.deepEqual([ended.code, ended.out], [2, ""], args.join(" "));
        assert.match(ended.err, pattern);
    }
    assert.match((await coatcheck("project", "settings")).out, /^sat_life +life of a subscriber.*\[7200, 60\.\.86400 s\]$/m);
    assert.match((await coatcheck("--help")).out, /^ {2}project +tenants/m);
});

// ---- projects ----

inBothWays("a project is made, listed, shown and set", async (place, isServed) => {
    assert.deepEqual((await place.json("project", "list")).projects, []);
    assert.match((await place.say("project", "list")).out, /no project yet: coatcheck project create/);
    const shop = await place.json("project", "create", "Shop", "--live");
    assert.match(shop.id, UUID);
    assert.deepEqual(shop, { id: shop.id, name: "Shop", kind: "live", age_ms: 0 });
    const trial = await place.json("project", "create", "Trial – ünï");
    assert.equal(trial.kind, "test");
    const { projects } = await place.json("project", "list");
    assert.deepEqual(projects.map(({ id }) => id).sort(), [shop.id, trial.id].sort());
    assert.match((await place.say("project", "list")).out, new RegExp(`^${shop.id} +live +Shop$`, "m"));

    const shown = await place.json("project", "show", shop.id);
    assert.deepEqual([shown.name, shown.kind, shown.keys, shown.origins], ["Shop", "live", 0, []]);
    assert.equal(shown.url, isServed ? "https://auth.example.com" : null);
    assert.deepEqual(shown.settings.find(({ name }) => name === "sat_life"), { name: "sat_life", value: 7200, default: 7200, unit: "s",
        doc: "life of a subscriber or guest token that names no expiry" });
    const set = await place.json("project", "set", shop.id, "sat_life", "30m");
    assert.deepEqual(set, { project: shop.id, setting: "sat_life", value: 1800, was: 7200, unit: "s" });
    assert.match((await place.say("project", "set", shop.id, "sat_life", "900")).out, /sat_life is 900 s now, it was 1800/);
    assert.equal((await place.json("project", "show", shop.id)).settings[0].value, 900);
    assert.equal((await place.json("project", "show", trial.id)).settings[0].value, 7200, "the other project's stays");

    await place.refused(1, /a name of 1 to 100 bytes/, "project", "create", " ");
    await place.refused(1, /a name of 1 to 100 bytes/, "project", "create", "x".repeat(101));
    await place.refused(1, /no setting "colour": coatcheck project settings/, "project", "set", shop.id, "colour", "1");
    for (const value of ["59", "86401", "x", "", "1.5", "-60", "25h"])
        await place.refused(1, /sat_life is a whole number of seconds from 60 to 86400, or that as 90s, 15m, 2h, 7d/, "project", "set", shop.id, "sat_life", value);
    await place.refused(1, /guest_uses is a whole number from 0 to \d+, in uses/, "project", "set", shop.id, "guest_uses", "-1");
    await place.refused(2, /usage: coatcheck project settings: the same for every project/, "project", "settings", shop.id);
    await place.refused(1, /which project\?/, "project", "show");
    for (const id of ["Shop", crypto.randomUUID(), ""]) await place.refused(1, /there is no project .* here/, "project", "show", id);
});

// ---- keys ----

inBothWays("keys of all kinds are made, listed and retired; SW-6 one command prints all three values", async (place, isServed) => {
    const { id: project } = await place.json("project", "create", "shop", "--live");
    const token = await place.json("key", "create", "api-token", "--project", project, "--name", "backend", "--permissions", "calling, management");
    assert.match(token.secret, /^PT[0-9a-f]{56}$/);
    assert.deepEqual([token.kind, token.name, token.permissions, token.state, token.project], ["api-token", "backend", ["calling", "management"], "live", project]);
    assert.equal(token.id, token.secret.slice(0, 18));
    const client = await place.json("key", "create", "client"); // there is one project: it need not be named
    assert.match(`${client.id}:${client.secret}`, /^cli_[0-9a-f]{24}:sec_[0-9a-f]{48}$/);
    const secret = await place.json("key", "create", "secret-key");
    assert.match(secret.secret, /^sk_live_[0-9a-f]{56}$/);
    const publishable = await place.json("key", "create", "publishable");
    assert.match(publishable.id, /^pk_live_[0-9a-f]{24}$/);
    assert.equal("secret" in publishable, false);
    assert.deepEqual((await place.json("key", "create", "api-token")).permissions, ["calling", "messaging", "fax", "video"], "what it takes to mint");
    assert.equal((await place.json("key", "create", "api-token", "--permissions", "all")).permissions.length, 11);

    const { out } = await place.say("key", "create", "api-token", "--project", project);
    if (isServed) assert.match(out, /^ {2}space +https:\/\/auth\.example\.com$/m);
    assert.match(out, new RegExp(`^  project id +${project}$`, "m"));
    assert.match(out, /^ {2}api token +PT[0-9a-f]{56}$/m);
    assert.match(out, /shown this once/);

    const { keys } = await place.json("key", "list", "--project", project);
    assert.equal(keys.length, 7);
    assert.deepEqual(Object.keys(keys[0]), ["id", "project", "kind", "name", "permissions", "created_at", "state", "used_at"]);
    const told = JSON.stringify(keys) + (await place.say("key", "list")).out;
    for (const made of [token, client, secret]) assert.ok(told.includes(made.id) && !told.includes(made.secret.slice(-20)), "the secret is nowhere");
    assert.ok(keys.every(({ used_at, created_at }) => used_at === null && Math.abs(Date.parse(created_at) - Date.now()) < 60000));

    const retired = await place.json("key", "retire", token.id);
    assert.deepEqual([retired.state, retired.was_retired], ["retired", false]);
    assert.equal((await place.json("key", "retire", token.id)).was_retired, true);
    assert.match((await place.say("key", "list")).out, new RegExp(`^${token.id} +api-token +retired`, "m"));
    assert.match((await place.say("key", "retire", client.id)).out, new RegExp(`coatcheck revoke key ${client.id} --project ${project}`));

    await place.refused(1, /no key "PTnone"/, "key", "retire", "PTnone");
    for (const verb of ["retire", "show"])
        await place.refused(1, /^coatcheck: there is no key "PT0123456789"/, "key", verb, `PT${"0123456789".repeat(5)}012345`);
    await place.refused(1, /which kind of key\?/, "key", "create", "password");
    await place.refused(1, /resource create click-to-call/, "key", "create", "click-to-call");
    await place.refused(1, /"root" is no permission: calling/, "key", "create", "api-token", "--permissions", "calling,root");
    await place.refused(1, /"" is no permission/, "key", "create", "api-token", "--permissions", "");
    await place.refused(1, /permissions are for api tokens only/, "key", "create", "client", "--permissions", "calling");
    await place.refused(1, /the name is too long/, "key", "create", "client", "--name", "x".repeat(101));
    await place.refused(1, /no project/, "key", "create", "client", "--project", crypto.randomUUID());
});

inBothWays("a list of keys comes in pages", async (place) => {
    await place.json("project", "create", "many");
    const made = new Set();
    for (let i = 0; i < 53; i++) made.add((await place.json("key", "create", "publishable")).id);
    const first = await place.json("key", "list");
    assert.equal(first.keys.length, 50);
    const second = await place.json("key", "list", "--after", first.next);
    assert.equal(second.next, undefined);
    assert.deepEqual(new Set([...first.keys, ...second.keys].map(({ id }) => id)), made);
    assert.match((await place.say("key", "list")).out, new RegExp(`there are more: add --after ${first.next}\n$`));
});

// ---- origins ----

inBothWays("origins are exact, but for test projects", async (place) => {
    const { id: live } = await place.json("project", "create", "live", "--live"), { id: trial } = await place.json("project", "create", "trial");
    for (const origin of ["https://shop.example", "https://shop.example:8443", "http://10.0.0.1", "https://[::1]:444"])
        for (const project of [live, trial]) assert.deepEqual(await place.json("origin", "add", origin, "--project", project), { project, origin, was_listed: false });
    assert.equal((await place.json("origin", "add", "https://shop.example", "--project", live)).was_listed, true);
    for (const origin of ["http://localhost:*", "https://127.0.0.1:*", "null"]) {
        await place.json("origin", "add", origin, "--project", trial);
        await place.refused(1, /for test projects only: a live project lists each origin exactly/, "origin", "add", origin, "--project", live);
    }
    for (const origin of ["shop.example", "https://shop.example/", "https://SHOP.example", "https://shop.example:443", "https://*.shop.example", "*", "", "https://",
        `https://${"a".repeat(260)}.example`, "https://a.example:*:*", ":*", "https://shop.example:*/x"])
        for (const project of [live, trial]) await place.refused(1, /is no origin: write scheme:\/\/host/, "origin", "add", origin, "--project", project);
    assert.deepEqual((await place.json("origin", "list", "--project", trial)).origins.length, 7);
    assert.deepEqual(await place.json("origin", "remove", "null", "--project", trial), { project: trial, removed: "null" });
    await place.refused(1, /does not list "null"/, "origin", "remove", "null", "--project", trial);
    assert.match((await place.say("origin", "list", "--project", live)).out, /^https:\/\/shop\.example$/m);
});

// ---- users, resources, studies ----

inBothWays("buttons, rooms, users and studies are made, found and removed; SW-16 a button yields a c2c_ token", async (place) => {
    const { id: project } = await place.json("project", "create", "desk");
    const button = await place.json("resource", "create", "click-to-call", "Front desk", "--address", "/public/front-desk", "--reaches", "front-desk@example.com");
    assert.match(button.token, /^c2c_[0-9a-f]{32}$/);
    assert.deepEqual([button.type, button.name, button.address, button.state, button.project], ["click-to-call", "Front desk", "/public/front-desk", "enabled", project]);
    for (const id of [button.id, button.address_id, button.reaches]) assert.match(id, UUID);
    const { keys } = await place.json("key", "list");
    assert.deepEqual(keys.map(({ id, kind, resource }) => [id, kind, resource]), [[button.token.slice(0, 20), "click-to-call", button.id]]);
    const room = await place.json("resource", "create", "room", "Board room");
    assert.deepEqual([room.address, room.type, "token" in room], ["/public/board-room", "room", false]);

    const { users } = await place.json("user", "list");
    assert.deepEqual(users.map(({ id, reference, address, kind }) => [id, reference, address, kind]),
        [[button.reaches, "front-desk@example.com", "/private/front-desk", "subscriber"]]);
    const again = await place.json("resource", "create", "click-to-call", "Side door", "--address", "/public/side-door", "--reaches", "front-desk@example.com");
    assert.equal(again.reaches, button.reaches, "the same user");
    assert.deepEqual((await place.json("user", "show", button.reaches)).users, users);
    assert.deepEqual((await place.json("user", "show", "--reference", "front-desk@example.com")).users, users);

    const { resources } = await place.json("resource", "list");
    assert.deepEqual(resources.map(({ id }) => id).sort(), [button.id, room.id, again.id].sort());
    assert.deepEqual((await place.json("address", "list")).addresses.map(({ name }) => name), ["/public/board-room", "/public/front-desk", "/public/side-door"]);
    assert.equal((await place.json("resource", "disable", button.id)).state, "disabled");
    assert.match((await place.say("resource", "list")).out, new RegExp(`^${button.id} +click-to-call +disabled +/public/front-desk`, "m"));
    assert.equal((await place.json("resource", "enable", button.id)).state, "enabled");
    await place.json("resource", "disable", button.id);
    const bounded = await place.json("resource", "set", button.id, "click_uses_day", "500");
    assert.deepEqual([bounded.click_uses_day, bounded.state, "click_uses" in bounded], [500, "disabled", false], "the rest stays as it was");
    assert.equal((await place.json("resource", "list")).resources.find(({ id }) => id === button.id).click_uses_day, 500);
    assert.match((await place.say("resource", "set", button.id, "click_sessions", "7")).out, /^ +in a day +500\n +open at once +7$/m);
    assert.ok(!("click_uses_day" in await place.json("resource", "set", button.id, "click_uses_day", "0")));
    await place.refused(1, /has click_uses, click_uses_hour/, "resource", "set", button.id, "sat_life", "60");
    await place.refused(1, /whole number up to 1000000000/, "resource", "set", button.id, "click_uses", "1000000001");
    await place.refused(1, /whole number up to 1000000000/, "resource", "set", button.id, "click_uses", "-1");
    await place.refused(1, /only a click-to-call button/, "resource", "set", room.id, "click_uses", "1");
    await place.refused(1, /no such resource/, "resource", "set", crypto.randomUUID(), "click_uses", "1");
    assert.deepEqual(await place.json("resource", "delete", button.id), { removed: button.id });
    await place.refused(1, /no such resource/, "resource", "delete", button.id);
    await place.refused(1, /no such resource/, "resource", "disable", button.id);
    assert.equal((await place.json("key", "list")).keys.find(({ resource }) => resource === button.id).state, "retired");
    assert.ok(!(await place.json("address", "list")).addresses.some(({ name }) => name === "/public/front-desk"));

    assert.deepEqual(await place.json("user", "delete", "--reference", "front-desk@example.com"), { removed: button.reaches, reference: "front-desk@example.com" });
    await place.refused(1, /knows no such user/, "user", "show", button.reaches);
    await place.refused(1, /knows no such user/, "user", "delete", button.reaches);
    await place.refused(1, /knows no such user/, "user", "show", "--external-id", "42");
    await place.refused(1, /"ada" is no id of a user/, "user", "show", "ada");

    const study = await place.json("study", "create", "How was it?", "--question", "What?", "--question", "Why \"then\"?");
    assert.match(study.id, UUID);
    assert.deepEqual([study.title, study.questions], ["How was it?", [{ id: "q1", text: "What?" }, { id: "q2", text: "Why \"then\"?" }]]);
    assert.deepEqual((await place.json("study", "list")).studies, [{ id: study.id, project, title: "How was it?", questions: 2 }]);
    const long = await place.json("study", "create", "Long", ...Array.from({ length: 20 }, (_, i) => ["--question", `Question ${i + 1}?`]).flat());
    assert.deepEqual([long.questions[8].id, long.questions[9].id, long.questions[19].id], ["q9", "q10", "q20"]);

    await place.refused(1, /which kind of resource\?/, "resource", "create", "phone", "x");
    await place.refused(1, /whom shall it ring\?/, "resource", "create", "click-to-call", "x", "--address", "/public/x");
    for (const address of ["front", "/private/", "/public/a/b", "/public/ä", "/public/..", "/other/x", `/public/${"x".repeat(200)}`])
        await place.refused(1, /the address must be \/public\/ or \/private\//, "resource", "create", "click-to-call", "x", "--address", address, "--reaches", "ada");
    await place.refused(1, /the name leads to an address that is taken/, "resource", "create", "room", "Board Room");
    await place.refused(1, /the address is taken/, "resource", "create", "click-to-call", "x", "--address", "/public/side-door", "--reaches", "bob");
    assert.equal((await place.json("user", "list")).users.length, 0, "what was refused made nobody");
    await place.refused(1, /the name can't be blank/, "resource", "create", "room", " ");
    await place.refused(1, /what shall be asked\?/, "study", "create", "Empty");
    await place.refused(1, /a question has 1 to 500 bytes/, "study", "create", "x", "--question", "");
    await place.refused(2, /takes no --question, or no more of them/, "study", "create", "x", ...Array(21).fill(["--question", "y"]).flat());
});

// ---- what the server does with it ----

test("E-73 a secret is shown once: no list, log or file has it again; a new key works at once, a retired one never again", async () => {
    const place = new Place("keys");
    await place.json("init");
    const server = await place.serve({ COATCHECK_LOG_LEVEL: "debug" });
    const { id: project } = await place.json("project", "create", "shop", "--live"), secrets = [];
    for (let round = 0; round < 3; round++) {
        const one = await place.json("key", "create", "api-token"), two = await place.json("key", "create", "api-token");
        secrets.push(one.secret, two.secret);
        const as = (key) => ({ authorization: basic(project, key.secret) });
        for (let i = 0; i < 8; i++) assert.equal((await mint(server, { reference: "ada" }, as(one))).status, 200, "at once, on any loop");
        const { token } = (await mint(server, { reference: "ada" }, as(one))).json;
        await place.json("key", "retire", one.id);
        for (let i = 0; i < 8; i++) {
            const answer = await mint(server, { reference: "ada" }, as(one));
            assert.deepEqual([answer.status, answer.text], [401, '{"error":"Unauthorized"}']);
        }
        assert.equal((await info(server, token)).status, 200, "what it minted lives on");
        assert.equal((await mint(server, { reference: "ada" }, as(two))).status, 200, "and so does the other key");
    }
    let keys;
    await eventually(async () => { // it is told behind the answers
        ({ keys } = await place.json("key", "list"));
        return keys.every(({ used_at }) => used_at);
    }, "the keys' use is told");
    assert.equal(keys.length, 6);
    const lists = [keys, await place.json("project", "show", project), await place.json("key", "retire", secrets[0].slice(0, 18))].map((list) => JSON.stringify(list)).join("")
        + (await place.say("key", "list")).out;
    for (const secret of secrets) assert.ok(lists.includes(secret.slice(0, 18)) && !lists.includes(secret.slice(18)), "a list shows the public part alone");
    assert.ok(keys.every(({ used_at }) => Math.abs(Date.parse(used_at) - Date.now()) < 60000), "each was used just now");
    await server.stop();
    const again = await place.serve();
    assert.equal((await mint(again, { reference: "ada" }, { authorization: basic(project, secrets[0]) })).status, 401, "retired for good");
    assert.equal((await mint(again, { reference: "ada" }, { authorization: basic(project, secrets[1]) })).status, 200);
    await again.stop();
    const bytes = ["coatcheck.db", "coatcheck.db-wal"].map((name) => path.join(place.data, name)).filter((name) => fs.existsSync(name)).map((name) => fs.readFileSync(name, "latin1"));
    for (const secret of secrets) {
        assert.ok(![...server.logs, ...again.logs].some((line) => line.includes(secret.slice(18))), "a secret was logged");
        assert.ok(!bytes.some((text) => text.includes(secret.slice(18))), "a secret lies in the database in clear");
    }
});

test("SW-16 everything that dev seeds works when it is made by hand on a server that runs", async () => {
    const place = new Place("by-hand");
    await place.json("init");
    const server = await place.serve();
    const { id: project } = await place.json("project", "create", "by hand");
    const key = await place.json("key", "create", "api-token", "--permissions", "all");
    const as = { authorization: basic(project, key.secret) };
    await place.json("origin", "add", "https://shop.example");
    const preflight = await call(server, "OPTIONS", ADDRESSES, { headers: { origin: "https://shop.example", "access-control-request-method": "GET" } });
    assert.equal(preflight.headers["access-control-allow-origin"], "https://shop.example");
    const { token } = (await mint(server, { reference: "ada@example.com" }, as)).json;
    assert.equal((await info(server, token, { origin: "https://shop.example" })).status, 200);
    const button = await place.json("resource", "create", "click-to-call", "Front desk", "--address", "/public/front-desk", "--reaches", "front-desk@example.com");
    const seen = async () => (await call(server, "GET", ADDRESSES, { headers: { authorization: `Bearer ${token}` } })).json.data.map(({ id }) => id);
    assert.deepEqual(await seen(), [button.address_id]);
    const rest = await call(server, "GET", `/api/fabric/resources/${button.id}`, { headers: as });
    assert.deepEqual([rest.json.type, rest.json.click_to_call.disabled], ["click_to_call", false]);
    await place.json("origin", "remove", "https://shop.example");
    assert.equal((await info(server, token, { origin: "https://shop.example" })).status, 403, "at once");
    await place.json("project", "set", project, "sat_life", "60");
    const short = (await mint(server, { reference: "ada@example.com" }, as)).json.token;
    const { iat, exp } = JSON.parse(Buffer.from(short.split(".")[1], "base64url"));
    assert.equal(exp - iat, 60, "a setting holds at once");
    await place.json("user", "delete", "--reference", "ada@example.com");
    assert.equal((await info(server, short)).status, 401, "and so does the end of a user");
    await server.stop();
});

test("an origin is listed per project: what one lists, the other's tokens are refused at", async () => {
    const place = new Place("origins");
    await place.json("init");
    const server = await place.serve(), minted = [];
    for (const name of ["one", "two"]) {
        const { id: project } = await place.json("project", "create", name, "--live");
        const key = await place.json("key", "create", "api-token", "--project", project);
        await place.json("origin", "add", `https://${name}.example`, "--project", project);
        minted.push((await mint(server, { reference: "ada" }, { authorization: basic(project, key.secret) })).json.token);
    }
    const status = async (token, origin) => (await info(server, token, { origin })).status;
    assert.deepEqual([await status(minted[0], "https://one.example"), await status(minted[1], "https://two.example")], [200, 200]);
    assert.deepEqual([await status(minted[0], "https://two.example"), await status(minted[1], "https://one.example")], [403, 403]);
    for (const origin of ["https://three.example", "https://one.example.evil", "https://sub.one.example", "http://one.example"])
        assert.deepEqual([await status(minted[0], origin), await status(minted[1], origin)], [403, 403], origin);
    await server.stop();
});

test("commands at the same time all hold, and a stop in the middle loses nothing that was answered", async () => {
    const place = new Place("together");
    await place.json("init");
    const server = await place.serve();
    await place.json("project", "create", "busy");
    const made = await Promise.all(Array.from({ length: 12 }, () => place.json("key", "create", "publishable")));
    const { keys } = await place.json("key", "list");
    assert.deepEqual(keys.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
    const socket = net.connect(path.join(place.data, "admin.sock")), told = [];
    socket.on("data", (piece) => told.push(piece));
    socket.on("error", () => {});
    socket.write('{"command":"operate","verb":"key create","kind":"publishable"}\n'.repeat(30));
    await new Promise((resolve) => socket.once("data", resolve));
    await server.stop();
    socket.destroy();
    const answered = Buffer.concat(told).toString().split("\n").filter(Boolean).map((line) => { try { return JSON.parse(line).id; } catch { return undefined; } }).filter(Boolean);
    const kept = new Set();
    for (let after; ;) {
        const page = await place.json("key", "list", ...(after ? ["--after", after] : []));
        for (const { id } of page.keys) kept.add(id);
        if (!(after = page.next)) break;
    }
    for (const id of [...answered, ...made.map((key) => key.id)]) assert.ok(kept.has(id), `${id} was answered`);
});

test("what is no operation is refused as a whole on the admin socket", async () => {
    const place = new Place("noise");
    await place.json("init");
    const server = await place.serve();
    const ask = (line) => new Promise((resolve, reject) => {
        const socket = net.connect(path.join(place.data, "admin.sock"), () => socket.write(`${line}\n`));
        socket.once("data", (piece) => { resolve(JSON.parse(piece)); socket.destroy(); });
        socket.once("error", reject);
    });
    for (const order of [{}, { verb: "key steal" }, { verb: "project create", name: 7 }, { verb: "project create", name: "a\0b" }, { verb: "study create", questions: "x" },
        { verb: "study create", questions: [1] }, { verb: "study create", questions: Array(21).fill("x") }])
        assert.deepEqual(await ask(JSON.stringify({ command: "operate", ...order })), { error: "malformed" }, JSON.stringify(order));
    assert.match((await ask('{"command":"operate","verb":"project create"}')).refused, /a project has a name/);
    await server.stop();
});

await run({
    before: async () => { root = temporaryFolder("coatcheck-project"); },
    after: async () => { fs.rmSync(root, { recursive: true, force: true }); },
});
