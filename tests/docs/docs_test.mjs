// docs_test.mjs — the documents against the code: files and functions that docs/journey.md names are there, links lead
// somewhere, tables match what the program prints, and the shell lines of README.md work as they stand.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { BINARY, REPOSITORY, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const shell = promisify(execFile);
let server;

const read = (name) => fs.readFileSync(path.join(REPOSITORY, name), "utf8");
const exists = (name) => fs.existsSync(path.join(REPOSITORY, name));
const documents = () => [...fs.readdirSync(REPOSITORY), ...walk("docs"), "examples/README.md"].filter((name) => name.endsWith(".md"));
const withoutFences = (text) => text.replace(/^```[\s\S]*?^```/gm, "");

function walk(folder)
{
    return fs.readdirSync(path.join(REPOSITORY, folder), { withFileTypes: true })
        .flatMap((entry) => (entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]));
}

// A definition begins in the first column and is no declaration: its argument list ends in a line without a semicolon.
function defines(file, name)
{
    return new RegExp(`^[a-z][^\\n;=]*\\b${name}\\([^;{]*\\)[^;{]*\\n\\{`, "m").test(read(file));
}

// ---- what the documents name ----

// Each row, or sentence, speaks of one file; functions stand beside the file they are in.
function namedTogether(text)
{
    return withoutFences(text).split(/\n(?=\|)|\n\n|(?<=[.;:])\s/)
        .map((part) => ({
            files: [...part.matchAll(/`(src\/[\w/.]+\.[ch])`/g)].map((match) => match[1]),
            functions: [...part.matchAll(/`([a-z]\w+)\(\)`/g)].map((match) => match[1]),
        }));
}

test("files of the source that a document names are there", () => {
    let named = 0;
    for (const document of documents())
        for (const [, file] of withoutFences(read(document)).matchAll(/`((?:src|tests|tools|docs|cmake|bench|console|examples)\/[\w/.-]+)`/g)) {
            if (/\bX\b/.test(file)) continue; // stands for any name
            assert.ok(exists(file), `${document} names ${file}`);
            named++;
        }
    assert.ok(named > 100, `${named} names were found`);
});

test("functions of docs/journey.md are defined in the file beside them", () => {
    let named = 0;
    for (const { files, functions } of namedTogether(read("docs/journey.md")))
        for (const name of functions.filter(() => files.length)) {
            assert.ok(files.some((file) => defines(file, name)), `${name}() in ${files.join(", ")}`);
            named++;
        }
    assert.ok(named > 100, `${named} functions were found`);
});

test("functions named elsewhere are defined somewhere", () => {
    const sources = walk("src").filter((name) => /\.c$/.test(name) && !/_(test|fuzz)\.c$/.test(name));
    for (const document of documents())
        for (const [, name] of withoutFences(read(document)).matchAll(/`([a-z]\w+)\(\)`/g))
            assert.ok(sources.some((file) => defines(file, name)), `${document} names ${name}()`);
});

test("the test itself can fail: a declaration is no definition", () => {
    assert.ok(defines("src/service/service.c", "service_start"));
    assert.ok(!defines("src/service/service.h", "service_start"));
    assert.ok(!defines("src/service/run_mint.c", "service_start"));
    assert.ok(!defines("src/service/run_mint.c", "mint_plan"), "a call");
});

// ---- links ----

const anchorOf = (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replace(/ /g, "-");

function hasAnchor(file, anchor)
{
    return [...read(file).matchAll(/^#+ (.*)$/gm)].some(([, heading]) => anchorOf(heading) === anchor);
}

test("links between documents lead somewhere", () => {
    let followed = 0;
    for (const document of documents())
        for (const [, target] of withoutFences(read(document)).matchAll(/\]\(([^)\s]+)\)/g)) {
            if (/^https?:/.test(target)) continue;
            const [name, anchor] = target.split("#");
            const file = name ? path.posix.join(path.posix.dirname(document), name) : document;
            assert.ok(exists(file), `${document} -> ${target}`);
            if (anchor) assert.ok(hasAnchor(file, anchor), `${document} -> ${target}: no such heading`);
            followed++;
        }
    assert.ok(followed > 15, `${followed} links were found`);
});

test("every decision has its three parts and is linked from README.md", () => {
    const readme = read("README.md");
    const numbers = walk("docs/adr").sort().map((name) => {
        for (const part of ["**Context.**", "**Decision.**", "**Consequences.**"])
            assert.ok(read(name).includes(part), `${name}: ${part}`);
        assert.ok(readme.includes(name), `README.md does not link ${name}`);
        return Number(path.basename(name).slice(0, 4));
    });
    assert.deepEqual(numbers, numbers.map((_, i) => i + 1), "numbered without gaps");
});

test("the size that decision 1 tells is the readers' size", () => {
    const text = read("docs/adr/0001-http-and-websocket-are-ours.md");
    const files = ["http_request", "ws_handshake", "ws_frame", "ws_message"];
    const lines = files.reduce((sum, name) => sum + read(`src/wire/${name}.c`).split("\n").length - 1, 0);
    const told = Number(text.match(/(\d+) lines together/)[1]);
    assert.ok(Math.abs(lines - told) <= told / 20, `told ${told}, there are ${lines}`);
});

test("the vectors that decision 1 counts are as many as it says", () => {
    const text = read("docs/adr/0001-http-and-websocket-are-ours.md");
    for (const name of ["http/own_raw_requests", "ws/own_frames", "ws/own_handshakes"]) {
        const { cases } = JSON.parse(read(`tests/vectors/${name}.json`));
        assert.match(text, new RegExp(`tests/vectors/${name}\\.json\`\\).*\\| ${cases.length}, `), name);
    }
});

// ---- docs/vectors.md ----

// [set, tests] of each row; a set of the second table has no tests.
function vectorRows()
{
    return [...read("docs/vectors.md").split("## Facts")[0].matchAll(/^\| `([\w/.]+)` \| (.*?) \|/gm)]
        .map(([, set, cell]) => [set, [...cell.matchAll(/`((?:src|tests|sdk)\/[\w/.-]+)`/g)].map((match) => match[1])]);
}

function filesBelow(folder, name = "")
{
    return fs.readdirSync(path.join(folder, name), { withFileTypes: true })
        .flatMap((entry) => (entry.isDirectory() ? filesBelow(folder, path.posix.join(name, entry.name)) : [path.posix.join(name,
            entry.name)]));
}

test("docs/vectors.md has a row for every set there is", () => {
    const sets = vectorRows().map(([set]) => set), theirs = process.env.COATCHECK_VECTORS ?? path.join(REPOSITORY,
        "../shared/vectors");
    const found = [...filesBelow(path.join(REPOSITORY, "tests/vectors")), ...(fs.existsSync(theirs) ? filesBelow(theirs) : [])]
        .filter((name) => !/(^|\/)(LICENSE[\w.]*|README\.md)$/.test(name));
    if (!fs.existsSync(theirs)) console.log("not found: vectors of other projects");
    const nameless = found.filter((name) => !sets.includes(name) && !sets.includes(path.posix.dirname(name)));
    assert.deepEqual(nameless, []);
    assert.equal(new Set(sets).size, sets.length, "one row each");
});

test("tests that docs/vectors.md names run the set beside them", () => {
    for (const [set, tests] of vectorRows())
        for (const file of tests) assert.ok(read(file).includes(set), `${file} does not mention ${set}`);
    const without = vectorRows().filter(([, tests]) => tests.length === 0).map(([set]) => set);
    assert.deepEqual(without, ["wycheproof/aes_gcm_test.json"], "sets that no test runs");
});

test("each fact of an RFC is run by the test that docs/vectors.md names", () => {
    const rows = read("docs/vectors.md").split("## Facts")[1].split("\n").filter((line) => line.startsWith("| `rfc"));
    const told = rows.flatMap((line) => {
        const [, entries, cell] = line.split("|"), [, file] = cell.match(/`(src\/[\w/.]+)`/);
        return [...entries.matchAll(/`(\w+)`/g)].map(([, name]) => {
            assert.ok(read(file).includes(`"${name}"`), `${file} does not mention ${name}`);
            return name;
        });
    });
    assert.deepEqual(told.sort(), Object.keys(JSON.parse(read("tests/vectors/rfc/rfc_facts.json")).vectors).sort());
});

// ---- what the program says of itself ----

const tableKeys = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]).sort();

test("docs/operating.md lists the metrics that there are", async () => {
    const { admin_url, admin_token } = server.contract;
    const answer = await fetch(`${admin_url}/metrics`, { headers: { authorization: `Bearer ${admin_token}` } });
    assert.equal(answer.status, 200);
    const told = tableKeys(read("docs/operating.md"), /^\| `(coatcheck_\w+)` \|/gm);
    assert.deepEqual(told, tableKeys(await answer.text(), /^# TYPE (\w+) /gm));
});

test("docs/operating.md lists the exit codes that there are", () => {
    const told = tableKeys(read("docs/operating.md"), /^\| (\d) \| /gm);
    assert.deepEqual(told, tableKeys(read("src/cli/cli.h"), /EXIT_\w+ = (\d)/g));
});

test("docs/operating.md tells names and modes of the data folder", () => {
    const table = read("docs/operating.md");
    for (const name of fs.readdirSync(server.data)) {
        const mode = (fs.statSync(path.join(server.data, name)).mode & 0o777).toString(8).padStart(4, "0");
        const row = table.split("\n").find((line) => line.startsWith("| `") && line.includes(`\`${name}\``));
        assert.ok(row, `no row for ${name}`);
        assert.ok(row.includes(mode), `${name} has mode ${mode}: ${row}`);
    }
});

test("settings that the documents name are there", () => {
    const settings = tableKeys(read("src/config/params.def"), /^(?:NUMBER|TEXT)_PARAM\((\w+)/gm);
    const example = read("docs/operating.md").match(/# coatcheck\.ini\n([\s\S]*?)```/)[1];
    for (const name of tableKeys(example, /^(\w+) *=/gm)) assert.ok(settings.includes(name), name);
});

test("make targets that the documents name are there", () => {
    const targets = tableKeys(read("Makefile"), /^([a-z-]+):/gm);
    for (const document of documents())
        for (const [, name] of read(document).matchAll(/`make ([a-z-]+)/g)) assert.ok(targets.includes(name), `${document}: ${name}`);
});

// ---- the first minute ----

// Each command of README.md's shell block, run in order in one shell; its answers come back as lines.
async function runReadme()
{
    const [block] = [...read("README.md").matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1]);
    assert.match(block, /^URL=http:\/\/127\.0\.0\.1:8787$/m);
    const script = block.replace(/^URL=.*$/m, `URL=${server.url}`);
    const { stdout, stderr } = await shell("bash", ["-euc", script], { timeout: 60000 });
    assert.equal(stderr, "");
    return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

test("the shell lines of README.md work as they stand", async () => {
    const [minted, info, addresses, jwks, ...more] = await runReadme();
    assert.deepEqual(Object.keys(minted).sort(), ["refresh_token", "subscriber_id", "token"]);
    assert.deepEqual([info.email, info.display_name, info.id], ["ada@example.com", "Ada", minted.subscriber_id]);
    assert.deepEqual(addresses.data.map((address) => address.name), ["front-desk"]);
    assert.equal(jwks.keys[0].alg, "ES256");
    assert.equal(more.length, 0);
});

test("the commands of docs/operating.md that run it for real work as they stand", async () => {
    const [, block] = read("docs/operating.md").match(/^## Running it for real\n[\s\S]*?^```sh\n([\s\S]*?)^```/m);
    assert.match(block, /COATCHECK_DATA=\/var\/lib\/coatcheck /);
    const folder = temporaryFolder("coatcheck-docs"), bin = path.join(folder, "bin");
    fs.mkdirSync(bin);
    fs.symlinkSync(BINARY, path.join(bin, "coatcheck"));
    const script = block.replace("/var/lib/coatcheck", path.join(folder, "data"));
    const { stdout, stderr } = await shell("bash", ["-euc", script], { timeout: 60000, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
    fs.rmSync(folder, { recursive: true });
    assert.equal(stderr, "");
    for (const said of [/^ {2}space +https:\/\/auth\.example\.com$/m, /^ {2}api token +PT[0-9a-f]{56}$/m, /^ {2}token +c2c_[0-9a-f]{32}$/m, /^pk_live_[0-9a-f]{24} +publishable +live/m,
        /sat_life is 3600 s now/, /^ {2}reference +front-desk@example\.com$/m]) assert.match(stdout, said);
});

test("the start page that README.md speaks of is there", async () => {
    const answer = await fetch(`${server.url}/`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type"), /^text\/html/);
});

test("the version that README.md names is the one that is tested", () => {
    const { dependencies } = JSON.parse(read("tests/package.json"));
    assert.ok(read("README.md").includes(`\`@signalwire/js\` ${dependencies["@signalwire/js"]} `));
});

await run({ before: async () => { server = await startServer({ tls: true }); }, after: async () => { await server?.stop(); } });
