// sessions_test.mjs — docs/sessions.md against the program: states, close codes, settings, and the tests its rows name.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const read = (name) => fs.readFileSync(path.join(REPOSITORY, name), "utf8");
const page = read("docs/sessions.md");
const section = (heading) => page.split(`\n## ${heading}\n`)[1].split("\n## ")[0];
const cells = (text) => [...text.matchAll(/^\|(?!---| state | token | code )(.*)\|$/gm)].map(([, row]) => row.split("|").map((cell) => cell.trim()));

test("the states of a socket are those of the engine's table", () => {
    const names = read("src/engine/session.c").match(/names\[SESSION_STATES\] = \{([^}]*)\}/)[1];
    const wanted = [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name).filter((name) => name !== "none");
    assert.deepEqual(cells(section("A socket")).map(([state]) => state), wanted);
});

test("every close code that the server sends is in the table, and no other", () => {
    const told = cells(section("Close codes")).flatMap(([codes]) => codes.split(", ").map(Number));
    const server = ["socket", "socket_calls", "socket_resume"].map((name) => read(`src/server/${name}.c`)).join("");
    const sent = [...server.matchAll(/(?:socket_close(?:_until)?|peer_closed)\([^;]*?(\d{4})\b/g)].map(([, code]) => Number(code));
    const failures = [...read("src/base/err.def").matchAll(/^ERR_ROW\(\w+,\s*\d+, (\d+)/gm)].map(([, code]) => Number(code));
    const frames = [...["ws_frame", "ws_message"].map((name) => read(`src/wire/${name}.c`)).join("").matchAll(/\b(100\d)\b/g)]
        .map(([, code]) => Number(code));
    for (const code of sent) assert.ok(told.includes(code), `${code} is sent`);
    for (const code of told) assert.ok([...sent, ...failures, ...frames].includes(code), `${code} is told`);
    assert.ok(sent.length > 8 && new Set(told).size === told.length);
});

test("every row of coming back is a test", () => {
    const tests = [...read("tests/e2e/sessions.test.mjs").matchAll(/^test\("(.*?)", /gm)].map(([, name]) => name);
    const rows = cells(section("Coming back"));
    for (const row of rows) {
        const name = row.at(-1).slice(1, -1);
        assert.ok(tests.includes(name), name);
        const code = name.match(/: (-3200[23])/)?.[1];
        if (code) assert.ok(row[3].startsWith(code.replace("-", "\u2212")), `${row[3]}: ${name}`);
    }
    assert.equal(rows.length, 19);
});

test("every row of becoming more is a test", () => {
    const tests = [...read("tests/e2e/upgrade.test.mjs").matchAll(/^test\("(.*?)", /gm)].map(([, name]) => name);
    const rows = cells(section("Becoming more"));
    for (const row of rows) {
        const name = row.at(-1).slice(1, -1);
        assert.ok(tests.includes(name), name);
        const code = name.match(/: (-3200[23])/)?.[1];
        if (code) assert.ok(row[3].startsWith(code.replace("-", "\u2212")), `${row[3]}: ${name}`);
    }
    assert.equal(rows.length, 12);
});

test("every event of a session is in the table, and no other", () => {
    const sent = ["socket", "verto_encode"].map((name) => read(`src/dialect/signalwire/${name}.c`)).join("")
        .matchAll(/signalwire_event_begin\(&w, out, session, "([^"]+)"\)/g);
    const told = cells(section("What a session is told of itself and its user")).slice(1).map(([name]) => name.slice(1, -1));
    assert.deepEqual([...sent].map(([, name]) => name).filter((name) => name !== "webrtc.message").sort(), told.sort());
});

test("settings that the page names are there", () => {
    for (const [, name] of page.matchAll(/`([a-z]+_(?:timeout|interval|lapse|window|warning)?_?s)`/g))
        assert.match(read("src/config/params.def"), new RegExp(`PARAM\\(${name},`), name);
    const defaults = Object.fromEntries([...read("src/config/params.def").matchAll(/^NUMBER_PARAM\((\w+), *"\w*", *\d+, *\d+, *(\d+),/gm)].map(([, name, value]) => [name, value]));
    const told = [...page.split("\n## ")[0].matchAll(/`(\w+_s)`\s(\d+)/g)];
    for (const [, name, value] of told) assert.equal(value, defaults[name], name);
    const named = new Set([...page.matchAll(/`([a-z_]+_s)`/g)].map(([, name]) => name));
    assert.deepEqual([...new Set(told.map(([, name]) => name))].sort(), [...named].sort());
});

await run();
