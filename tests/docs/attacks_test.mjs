// attacks_test.mjs — docs/attacks.md against the tests: every test it names is there, every test that carries a case's
// number is in that case's row, every case has one row, and the counts at its top are those of its rows.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const CASES = 142;
const SECTIONS = { A: [1, 28], B: [29, 47], C: [48, 59], D: [60, 67], E: [68, 76], F: [77, 88], G: [89, 104], H: [105, 123], I: [124, 134], J: [135, 142] };
const STATES = ["tested", "in part", "open", "not yet"];

const read = (name) => fs.readFileSync(path.join(REPOSITORY, name), "utf8");

function filesBelow(folder, pattern)
{
    return fs.readdirSync(path.join(REPOSITORY, folder), { withFileTypes: true })
        .filter((entry) => entry.name !== "node_modules")
        .flatMap((entry) => (entry.isDirectory() ? filesBelow(`${folder}/${entry.name}`, pattern) : [`${folder}/${entry.name}`]))
        .filter((name) => pattern.test(name));
}

// ---- the tests that there are ----

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// A name with holes, `G-${number} raw requests`, fits whatever may stand in them.
function pattern(name)
{
    return new RegExp(`^${name.split(/\$\{[^}]*\}/).map(escaped).join(".+")}$`);
}

function namesIn(file)
{
    const text = read(file);
    if (file.endsWith(".c")) return [...text.matchAll(/^\s*(?:if \(\w+\) )?CHECK_RUN\((\w+)\);/gm)].map((match) => match[1]);
    return [...text.matchAll(/^\s*test\((["`])((?:\\.|(?!\1).)*)\1/gm)].map((match) => match[2]);
}

const tests = new Map(); // a file's name without its folder: { file, names }
for (const file of [...filesBelow("src", /_test\.c$/), ...filesBelow("tests", /(_test\.c|test\.mjs)$/)]) {
    const name = path.basename(file);
    if (tests.has(name)) throw new Error(`${file} and ${tests.get(name).file} have one name`);
    tests.set(name, { file, names: namesIn(file) });
}

// ---- the rows ----

function rowsOf(text)
{
    let section;
    return text.split("\n").flatMap((line) => {
        section = line.match(/^## ([A-J])\. /)?.[1] ?? section;
        const row = line.match(/^\| (\d+) \| ([^|]+) \| ([^|]+) \| (.*) \|$/);
        if (!row) return [];
        const [, number, subject, state, where] = row;
        const named = [...where.matchAll(/`([\w.]+\.(?:mjs|c)): ([^`]+)`/g)].map(([, file, name]) => ({ file, name }));
        return [{ number: Number(number), section, subject, state, where, named, reason: where.replace(/`[^`]*: [^`]*`(<br>)?/g, "") }];
    });
}

const rows = rowsOf(read("docs/attacks.md"));
const isThere = ({ file, name }) => tests.get(file)?.names.some((known) => known === name || (known.includes("${") && pattern(known).test(name)));

test("every case has one row, in order, in its section, with a state", () => {
    assert.deepEqual(rows.map((row) => row.number), Array.from({ length: CASES }, (_, i) => i + 1));
    for (const { number, section, state } of rows) {
        const [first, last] = SECTIONS[section];
        assert.ok(number >= first && number <= last, `${number} stands in ${section}`);
        assert.ok(STATES.includes(state), `${number} is "${state}"`);
    }
});

test("every test that a row names is in the file it names", () => {
    let named = 0;
    for (const row of rows)
        for (const reference of row.named) {
            assert.ok(isThere(reference), `${row.number} names ${reference.file}: ${reference.name}`);
            named++;
        }
    assert.ok(named > 150, `${named} names were found`);
});

test("a state says what its row shows: tests where it claims them, words where something is missing", () => {
    for (const { number, state, named, reason } of rows) {
        if (state === "tested" || state === "in part") assert.ok(named.length > 0, `${number} is ${state} by no test`);
        if (state === "open" || state === "not yet") assert.equal(named.length, 0, `${number} is ${state} and names tests`);
        if (state === "tested") assert.equal(reason, "", `${number} is tested, yet says "${reason}"`);
        else assert.ok(reason.length > 10, `${number} is ${state} and does not say why`);
        assert.equal(state === "in part" || state === "open", reason.startsWith("missing: "), `${number}: ${reason}`);
    }
});

test("every test that carries a case's number is in that case's row", () => {
    let numbered = 0;
    for (const [file, { names }] of tests)
        for (const name of names) {
            const [, section, number] = name.match(/^([A-J])-(\d+|\$\{\w+\}) /) ?? [];
            if (!section) continue;
            numbered++;
            const fits = (reference) => reference.file === file && pattern(name).test(reference.name);
            if (number.startsWith("$")) {
                assert.ok(rows.some((row) => row.named.some(fits)), `${file}: ${name} is in no row`);
                continue;
            }
            const row = rows[Number(number) - 1];
            assert.equal(row?.section, section, `${file}: ${name}: case ${number} is not in section ${section}`);
            assert.ok(row.named.some(fits), `${file}: ${name} is not in row ${number}`);
        }
    assert.ok(numbered > 100, `${numbered} numbered tests were found`);
});

test("names out of loops stand in the row of their own number", () => {
    for (const row of rows)
        for (const { file, name } of row.named) {
            const number = name.match(/^[A-J]-(\d+) (?:raw requests|frames), /)?.[1];
            if (number && !rows[number - 1].named.some((other) => other.file === file && other.name === name))
                assert.fail(`${name} stands in row ${row.number} and not in its own`);
        }
});

test("the counts at the top are those of the rows", () => {
    const told = Object.fromEntries([...read("docs/attacks.md").matchAll(/^\| (tested|in part|open|not yet) \| (\d+) \| /gm)]
        .filter(([, , count]) => count).map(([, state, count]) => [state, Number(count)]));
    assert.deepEqual(told, Object.fromEntries(STATES.map((state) => [state, rows.filter((row) => row.state === state).length])));
});

test("the test itself can fail: a name nobody has, a name of another file, a row without its test", () => {
    assert.ok(isThere({ file: "jws_test.c", name: "refuses_headers" }));
    assert.ok(isThere({ file: "attacks_g_http.test.mjs", name: "G-89 raw requests, framing, whole" }));
    for (const [file, name] of [["jws_test.c", "refuses_header"], ["mint.test.mjs", "refuses_headers"], ["no_test.c", "refuses_headers"],
        ["attacks_g_http.test.mjs", "G-89 raw requests"]])
        assert.ok(!isThere({ file, name }), `${file}: ${name}`);
    const [row] = rowsOf("## A. x\n| 1 | s | tested | `a_test.c: b`<br>`c.test.mjs: d, e: f` |");
    assert.deepEqual(row.named, [{ file: "a_test.c", name: "b" }, { file: "c.test.mjs", name: "d, e: f" }]);
    assert.equal(row.reason, "");
});

await run();
