// sources_test.mjs — src/README.md against src/: every file of a folder is named in that folder's section, and every name
// there is a file's.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const page = fs.readFileSync(path.join(REPOSITORY, "src/README.md"), "utf8");
const FOLDERS_OF = { cli: ["cli", "config"], route: ["route", "dialect"] }; // sections that tell of two

function stemsOf(folder)
{
    const names = fs.readdirSync(path.join(REPOSITORY, "src", folder));
    const product = names.filter((name) => /\.(c|h|def)$/.test(name) && !/_(test|fuzz)\.c$/.test(name));
    return [...new Set(product.map((name) => name.replace(/\.\w+$/, "")))];
}

const sections = page.split(/^## /m).slice(1).map((text) => {
    const [first] = text.match(/^\w+/);
    const body = text.slice(text.indexOf("\n"));
    return { folders: FOLDERS_OF[first] ?? [first], names: [...body.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name) };
});

test("every folder of src/ has a section", () => {
    const folders = fs.readdirSync(path.join(REPOSITORY, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(sections.flatMap((section) => section.folders).sort(), folders.map((entry) => entry.name).sort());
});

for (const { folders, names } of sections)
    test(`the files of ${folders.join(" and ")} are those that are named`, () => {
        const there = folders.flatMap(stemsOf);
        assert.deepEqual(names.filter((name) => !there.includes(name)), [], "names without a file");
        assert.deepEqual(there.filter((name) => !names.includes(name)), [], "files without a name");
    });

await run();
