// compat_test.mjs — docs/compat.md against the tests: each that it names is there, and each of the scripts' tests of older
// packages is named; the releases are those that tests/package.json asks for.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const read = (name) => fs.readFileSync(path.join(REPOSITORY, name), "utf8");
const page = read("docs/compat.md");
const named = [...page.matchAll(/`(\w+\.test\.mjs): ([^`]+)`/g)].map(([, file, name]) => ({ file, name }));

function namesIn(file)
{
    const folder = ["tests/interop", "tests/e2e"].find((one) => fs.existsSync(path.join(REPOSITORY, one, file)));
    assert.ok(folder, `no script ${file}`);
    return [...read(`${folder}/${file}`).matchAll(/^\s*test\((["`])((?:\\.|(?!\1).)*)\1/gm)].map(([, , name]) => name);
}

// A name with a hole at its end may be given without it: `... hangs up (${media})`.
const fits = (name) => (there) => there === name || there.startsWith(`${name} (\${`);

test("every test that the page names is there", () => {
    for (const { file, name } of named) assert.ok(namesIn(file).some(fits(name)), `${file}: ${name}`);
    assert.ok(named.length > 30, `${named.length} are named`);
});

test("every row names a test", () => {
    const rows = page.split("\n").filter((line) => /^\|/.test(line) && /^## /m.test(page.slice(0, page.indexOf(line))));
    for (const row of rows.filter((line) => !/^\|[-|]+$/.test(line) && !/\| test \|$/.test(line)))
        assert.match(row, /`\w+\.test\.mjs: [^`]+`(<br>`[^`]+`)* \|$/, row.slice(0, 80));
    assert.ok(rows.length > 30, `${rows.length} rows`);
});

test("every test of an older release is named", () => {
    for (const file of ["beta7_sdk.test.mjs", "v3_sdk.test.mjs"])
        for (const there of namesIn(file)) assert.ok(named.some((one) => one.file === file && fits(one.name)(there)), `${file}: ${there}`);
});

test("the releases are those that are installed", () => {
    const { dependencies } = JSON.parse(read("tests/package.json"));
    const releases = Object.values(dependencies).flatMap((one) => one.match(/^(?:npm:@signalwire\/js@)(.*)$/)?.[1] ?? []);
    for (const release of [dependencies["@signalwire/js"], ...releases]) assert.ok(page.includes(`## ${release}\n`), release);
    assert.equal(releases.length, 2);
});

await run();
