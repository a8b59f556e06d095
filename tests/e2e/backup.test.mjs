// backup.test.mjs — `coatcheck backup` beside a server at work, and `coatcheck restore`: what comes back, what is void, what
// is refused, and that a process that dies on the way leaves the old or the new. Names begin with the number of the case.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { coatcheck } from "../harness/clock.mjs";
import { call, info, JWKS, mint, mintToken, readToken, refresh, refreshToken } from "../harness/http.mjs";
import { connected } from "../harness/session.mjs";
import { BINARY, startRefused, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";
import { exchange, good, launch } from "../harness/tickets.mjs";

const ENV = { COATCHECK_PUBLIC_URL: "https://coatcheck.localhost:8443", COATCHECK_LOOPS: "2" };
const HANDS = 12;
let folder, data, server, backup;
let granted; // before the backup: an access token, a refresh token, a ticket that was redeemed and one that was not

const db = (where) => path.join(where, "coatcheck.db");
const ask = (file, sql) => execFileSync("sqlite3", ["-readonly", file, sql], { encoding: "utf8" }).trim();
const change = (file, sql) => execFileSync("sqlite3", [file, sql], { stdio: ["ignore", "ignore", "pipe"] });
const fresh = (name) => path.join(folder, name);
const status = async (token) => (await info(server, token)).status;
const start = async (where = data) => { server = await startServer({ data: where, env: ENV }); };

// What a person does beside the restore: the master key comes from where it was kept, and dev's credentials with it.
function keysTo(where)
{
    fs.mkdirSync(where, { recursive: true, mode: 0o700 });
    for (const name of ["master.key", "seed.json"]) fs.copyFileSync(path.join(data, name), path.join(where, name));
}

async function fine(...args)
{
    const { code, out, err } = await coatcheck(...args, "--json");
    assert.equal(code, 0, `${args}: ${err}`);
    return { ...JSON.parse(out), err };
}

async function refused(code, said, ...args)
{
    const answer = await coatcheck(...args);
    assert.deepEqual([answer.code, answer.out], [code, ""], `${args}: ${answer.err}`);
    assert.match(answer.err, said);
    assert.match(answer.err, /^coatcheck: .+\n$/, "one sentence");
}

function assertWhole(file)
{
    assert.equal(ask(file, "PRAGMA integrity_check"), "ok");
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    for (const suffix of ["-wal", "-shm", "-journal", ".part"]) assert.ok(!fs.existsSync(file + suffix), suffix);
}

// Mints new users, changes known ones, rotates refresh tokens and redeems tickets until told to stop; every answer must be good.
function workUntil(state)
{
    const hand = async (n) => {
        let { refresh_token } = await mintToken(server, { reference: `rotates-${n}@example.com` });
        for (let i = 0; !state.isOver; i++) {
            const reference = i % 2 ? `known-${n}@example.com` : `${state.label}-${n}-${i}@example.com`;
            const answer = await mint(server, { reference, job_title: `${i}` });
            assert.equal(answer.status, 200, answer.text);
            state.minted.push(reference);
            ({ refresh_token } = await refreshToken(server, refresh_token));
            if (i % 8 === 0) await good(exchange(server, (await good(launch(server, {}))).launch_token));
        }
    };
    return Promise.all(Array.from({ length: HANDS }, (_, n) => hand(n)));
}

// ---- a copy ----

test("I-130 a backup of 70 MB under load: no write is refused, and it holds all that was acknowledged before", async () => {
    const first = await mintToken(server, { reference: "granted@example.com" });
    granted = { ...first, ...await refreshToken(server, first.refresh_token) };
    for (const name of ["redeemed", "unredeemed"]) granted[name] = (await good(launch(server, {}))).launch_token;
    await good(exchange(server, granted.redeemed));
    const load = { label: "load", minted: [] };
    const hands = workUntil(load);
    while (load.minted.length < 50) await call(server, "GET", "/healthz");
    const before = new Set(load.minted);
    const { bytes, err } = await fine("backup", backup, "--data", data);
    const during = new Set(load.minted);
    load.isOver = true;
    await hands;
    assert.match(err, /^coatcheck: \d+ of \d+ MiB copied\n/, "progress of a big one");
    assert.equal(fs.statSync(backup).size, bytes);
    assertWhole(backup);
    const there = new Set(ask(backup, "SELECT reference FROM users").split("\n"));
    for (const reference of before) assert.ok(there.has(reference), reference);
    assert.ok(during.size > before.size, "work went on meanwhile");
    assert.equal(ask(db(data), "SELECT count(*) FROM users WHERE reference LIKE 'known-%'"), `${HANDS}`);
});

test("a backup after kill -9 and without a server: nothing is lost, and the folder is as it was", async () => {
    const known = await mintToken(server, { reference: "last-words@example.com" });
    server.child.kill("SIGKILL");
    await server.ended;
    const log = fs.statSync(`${db(data)}-wal`).size;
    assert.ok(log > 0, "there is something in the log");
    await fine("backup", fresh("crashed"), "--data", data);
    assert.equal(fs.statSync(`${db(data)}-wal`).size, log, "the mark of a crash stays");
    assertWhole(fresh("crashed"));
    assert.equal(ask(fresh("crashed"), "SELECT count(*) FROM users WHERE reference = 'last-words@example.com'"), "1");
    await start();
    assert.equal((await mintToken(server, { reference: "last-words@example.com" })).subscriber_id, known.subscriber_id);
});

test("a backup overwrites nothing by mistake", async () => {
    fs.writeFileSync(fresh("letter"), "dear");
    await refused(1, /there already/, "backup", backup, "--data", data);
    await refused(1, /there already/, "backup", fresh("letter"), "--data", data);
    await refused(1, /no backup of this program/, "backup", fresh("letter"), "--data", data, "--replace");
    await refused(1, /no backup of this program/, "backup", path.join(data, "master.key"), "--data", data, "--replace");
    await refused(1, /the database itself/, "backup", db(data), "--data", data, "--replace");
    await refused(1, /is the folder there/, "backup", fresh("none/file"), "--data", data);
    await refused(1, /no database here/, "backup", fresh("b"), "--data", fresh("none"));
    await refused(2, /where to\?/, "backup", "--data", data);
    await refused(2, /one word too many/, "backup", "a", "b");
    await refused(2, /no option --fast/, "backup", fresh("b"), "--fast");
    assert.equal(fs.readFileSync(fresh("letter"), "utf8"), "dear");
    await fine("backup", fresh("again"), "--data", data);
    await fine("backup", fresh("again"), "--data", data, "--replace");
    assertWhole(fresh("again"));
});

// A file-size limit stands for a full disk, as in attacks_i_faults.test.mjs.
function withLittleRoom(...args)
{
    const script = `trap '' XFSZ; ulimit -f 8192; exec '${BINARY}' "$@"`; // blocks of 1 KiB or 512 bytes: 4 or 8 MiB
    return spawnSync("sh", ["-c", script, "sh", ...args], { encoding: "utf8" });
}

test("I-126 no room for a backup, or for a restore: said so, nothing half is left, the old one is untouched", async () => {
    const before = fs.readFileSync(fresh("again"));
    for (const [file, more] of [[fresh("unmade"), []], [fresh("again"), ["--replace"]]]) {
        const { status: code, stderr } = withLittleRoom("backup", file, "--data", data, ...more);
        assert.deepEqual([code, /is there room/.test(stderr)], [1, true], stderr);
    }
    assert.ok(before.equals(fs.readFileSync(fresh("again"))));
    const { status: code, stderr } = withLittleRoom("restore", backup, "--data", fresh("narrow"));
    assert.deepEqual([code, /is there room/.test(stderr)], [1, true], stderr);
    assert.deepEqual(fs.readdirSync(fresh("narrow")), ["lock"]);
    assert.deepEqual(fs.readdirSync(folder).filter((name) => /part|unmade/.test(name)), []);
    assert.equal((await mint(server, { reference: "room@example.com" })).status, 200);
});

// ---- putting back ----

test("restored into a fresh folder: everybody is back, every token is void, new ones are good", async () => {
    const known = await mintToken(server, { reference: "known-1@example.com" });
    const late = await mintToken(server, { reference: "after-the-backup@example.com" });
    const keys = (await call(server, "GET", JWKS)).json;
    assert.equal(await status(known.token), 200);
    await server.stop();
    const where = fresh("fresh");
    keysTo(where);
    const done = await fine("restore", backup, "--data", where);
    assert.deepEqual([done.projects, done.replaced, done.has_master_key], [1, 0, true]);
    assert.ok(done.users > HANDS);
    await start(where);
    assert.deepEqual((await call(server, "GET", JWKS)).json, keys);
    assert.deepEqual([await status(granted.token), await status(known.token), await status(late.token)], [401, 401, 401]);
    for (const { refresh_token } of [granted, known, late]) assert.equal((await refresh(server, refresh_token)).status, 422);
    for (const ticket of [granted.redeemed, granted.unredeemed]) assert.equal((await exchange(server, ticket)).status, 401);
    await assert.rejects(connected(server, known.token), /-32002/);
    const again = await mintToken(server, { reference: "known-1@example.com" });
    assert.equal(again.subscriber_id, known.subscriber_id);
    assert.equal(await status(again.token), 200);
    assert.equal(await status((await refreshToken(server, again.refresh_token)).token), 200);
    await good(exchange(server, (await good(launch(server, {}))).launch_token));
    await (await connected(server, again.token)).close();
    assert.ok(readToken(again.token).claims.gt > done.cut_ms);
    assert.notEqual((await mintToken(server, { reference: "after-the-backup@example.com" })).subscriber_id, late.subscriber_id);
    await server.stop();
});

test("the same backup again, after a life between: that life's tokens are void, too", async () => {
    const where = fresh("fresh");
    await start(where);
    const between = await mintToken(server, { reference: "known-2@example.com" });
    await refused(4, /stop it first/, "restore", backup, "--data", where, "--replace");
    assert.equal(await status(between.token), 200, "and nothing has happened to it");
    await server.stop();
    const epoch = Number(ask(db(where), "SELECT epoch FROM meta"));
    await refused(1, /there is a database here already/, "restore", backup, "--data", where);
    const done = await fine("restore", backup, "--data", where, "--replace");
    assert.deepEqual([done.replaced, done.epoch > epoch], [1, true]);
    assert.equal(ask(`${db(where)}.replaced-1`, "SELECT epoch FROM meta"), `${epoch}`);
    await start(where);
    assert.equal(await status(between.token), 401);
    assert.equal((await refresh(server, between.refresh_token)).status, 422);
    assert.equal(await status((await mintToken(server, { reference: "known-2@example.com" })).token), 200);
    await server.stop();
});

test("what was used once before the backup is used in it, and what people read is said", async () => {
    const used = Math.floor(Date.now() / 1000) + 7200;
    fs.copyFileSync(backup, fresh("used"));
    change(fresh("used"), `INSERT INTO once (bucket_s, id) VALUES (${used}, x'00112233445566778899aabbccddeeff')`);
    const { code, out } = await coatcheck("restore", fresh("used"), "--data", fresh("bare"));
    assert.equal(code, 0);
    assert.match(out, /everybody signs in again/);
    assert.match(out, /there is no master\.key here/);
    assert.equal(ask(db(fresh("bare")), `SELECT hex(id) FROM once WHERE bucket_s = ${used}`), "00112233445566778899AABBCCDDEEFF");
    const without = await startRefused({ data: fresh("bare"), env: ENV });
    assert.deepEqual([without.code === 0, /master/.test(without.said)], [false, true], without.said);
});

test("I-131 no backup, a damaged one, a newer one: refused in one sentence, and what is there stays", async () => {
    const where = fresh("fresh");
    const before = fs.readFileSync(db(where));
    const whole = fs.readFileSync(backup);
    const spoilt = Buffer.from(whole);
    spoilt.fill(0xa5, 4096 * 6, 4096 * 7);
    fs.writeFileSync(fresh("damaged"), spoilt);
    fs.writeFileSync(fresh("cut"), whole.subarray(0, whole.length - 4096 * 3));
    fs.writeFileSync(fresh("torn"), whole.subarray(0, whole.length - 100));
    fs.writeFileSync(fresh("empty"), "");
    for (const [name, sql] of [["newer", "PRAGMA user_version = 99"], ["foreign", "PRAGMA application_id = 1"]]) {
        fs.copyFileSync(backup, fresh(name));
        change(fresh(name), sql);
    }
    const restore = (code, said, name) => refused(code, said, "restore", fresh(name), "--data", where, "--replace");
    for (const name of ["damaged", "cut", "torn"]) await restore(5, /damaged/, name);
    await restore(5, /not a database|not one of this program/, "letter");
    await restore(5, /not a database|not one of this program/, "empty");
    await restore(5, /not one of this program/, "foreign");
    await restore(5, /newer version/, "newer");
    await restore(1, /No such file/, "nothing");
    await refused(2, /where to\?/, "restore", backup);
    await refused(2, /from what\?/, "restore", "--data", where);
    assert.ok(before.equals(fs.readFileSync(db(where))));
    assert.deepEqual(fs.readdirSync(where).filter((name) => /restor|replaced-2/.test(name)), []);
});

test("I-131 a database that is too damaged to start is put aside with its log, and the backup serves", async () => {
    const where = fresh("ruin");
    keysTo(where);
    fs.writeFileSync(db(where), "ruined");
    fs.writeFileSync(`${db(where)}-wal`, "its log");
    assert.equal((await startRefused({ data: where, env: ENV })).code, 5);
    assert.match((await coatcheck("restore", backup, "--data", where, "--replace")).out, /could not be read/);
    assert.equal(fs.readFileSync(`${db(where)}.replaced-1`, "utf8"), "ruined");
    assert.equal(fs.readFileSync(`${db(where)}.replaced-1-wal`, "utf8"), "its log");
    await start(where);
    assert.equal(await status((await mintToken(server, { reference: "known-3@example.com" })).token), 200);
    await server.stop();
});

// ---- kill -9 ----

// Kills the command as soon as the file it writes has so many bytes. False: it was done before.
async function killAt(file, bytes, ...args)
{
    const child = spawn(BINARY, args, { stdio: "ignore" });
    const ended = once(child, "close");
    let isOver = false;
    ended.then(() => { isOver = true; });
    while (!isOver && (fs.statSync(file, { throwIfNoEntry: false })?.size ?? -1) < bytes) await new Promise(setImmediate);
    child.kill("SIGKILL");
    return (await ended)[1] === "SIGKILL";
}

test("kill -9 while a backup or a restore is written: the old one stays, and the next attempt works", async () => {
    const where = fresh("fresh"), target = fresh("killed");
    const epoch = ask(db(where), "SELECT epoch FROM meta");
    let kills = 0;
    for (const bytes of [0, 4096, 8 << 20, 40 << 20]) {
        kills += await killAt(`${target}.part`, bytes, "backup", target, "--data", where);
        if (fs.existsSync(target)) fs.rmSync(target);
        kills += await killAt(`${db(where)}.restoring`, bytes, "restore", backup, "--data", where, "--replace");
        assert.equal(ask(db(where), "PRAGMA quick_check"), "ok");
    }
    assert.ok(kills > 2, `${kills} kills came in time`);
    await start(where);
    assert.equal(await status((await mintToken(server, { reference: "known-4@example.com" })).token), 200);
    await server.stop();
    await fine("backup", target, "--data", where);
    assertWhole(target);
    await fine("restore", backup, "--data", where, "--replace");
    assert.ok(Number(ask(db(where), "SELECT epoch FROM meta")) > Number(epoch));
    assert.deepEqual(fs.readdirSync(where).filter((name) => /restor/.test(name)), []);
});

test("a restore that was complete but had not taken its place does so at the next start", async () => {
    const where = fresh("fresh");
    fs.copyFileSync(db(where), fresh("ready"));
    change(fresh("ready"), "UPDATE meta SET epoch = 77");
    fs.renameSync(fresh("ready"), `${db(where)}.restored`);
    await start(where);
    assert.equal(ask(db(where), "SELECT epoch FROM meta"), "77");
    assert.equal(await status((await mintToken(server, { reference: "known-5@example.com" })).token), 200);
    assert.ok(!fs.existsSync(`${db(where)}.restored`));
    await server.stop();
});

await run({
    before: async () => {
        folder = temporaryFolder("backup");
        data = fresh("data");
        backup = fresh("backup");
        fs.mkdirSync(data, { mode: 0o700 });
        await start();
        await server.stop();
        change(db(data), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
            INSERT INTO answers (interview, project, question, answer, written_ms)
            SELECT randomblob(16), (SELECT max(number) FROM projects), 'q' || i, hex(randomblob(50000)), 1 FROM n`);
        await start();
    },
    after: async () => {
        if (server?.isAlive) server.child.kill("SIGKILL");
        fs.rmSync(folder, { recursive: true, force: true });
    },
});
