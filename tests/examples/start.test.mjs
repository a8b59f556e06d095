// start.test.mjs — how the example products come up beside a server and go with it: examples/start.mjs, and the script of `make run`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import readline from "node:readline";
import { freePort } from "../harness/raw.mjs";
import { BINARY, REPOSITORY, temporaryFolder } from "../harness/server.mjs";
import { eventually, guarded, run, test } from "../harness/suite.mjs";

const START = path.join(REPOSITORY, "examples/start.mjs"), RUN = path.join(REPOSITORY, "tools/run.sh");
const THERE = ["call", "interview", "clinic"];
const folder = temporaryFolder("coatcheck-start"), running = new Set();
const PROJECT = { project_id: "p-1", api_token: "PT-one", c2c_token: "c2c_one", c2c_address: "/public/desk", secret_key: "sk-one", publishable_key: "pk-one",
    study_id: "s-1", client_id: "cli-one", client_secret: "sec-one", admin_token: "adm-one" };

process.on("exit", () => { for (const child of running) child.kill("SIGKILL"); });

function launch(command, args, { env = {}, stdin = "pipe" } = {})
{
    const child = spawn(command, args, { stdio: [stdin, "pipe", "pipe"], env: { ...process.env, COATCHECK_BIN: BINARY, ...env } });
    const one = { child, out: [], err: [], wake: new Set() };
    running.add(child);
    child.once("close", () => running.delete(child));
    for (const [name, lines] of [["stdout", one.out], ["stderr", one.err]])
        readline.createInterface({ input: child[name] }).on("line", (line) => { lines.push(line); one.wake.forEach((look) => look()); });
    one.ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
    // The first line of either that matches, once it is there.
    one.line = (lines, pattern) => guarded(Promise.race([one.ended.then(() => new Promise((resolve) => setImmediate(resolve))).then(() => undefined), new Promise((resolve) => {
        const look = () => { const found = lines.find((text) => pattern.test(text)); if (found !== undefined) resolve(found); };
        one.wake.add(look);
        look();
    })]).then((found) => { assert.ok(found !== undefined || lines.some((text) => pattern.test(text)), `${pattern} in ${[...one.out, ...one.err].join("\n")}`); return found ?? lines.find((text) => pattern.test(text)); }), 100, String(pattern));
    return one;
}

// What looks like `coatcheck dev`, and hears of the products. status: what it answers then.
async function startDev(status = 200)
{
    const told = [];
    const server = http.createServer(async (request, answer) => {
        let text = "";
        for await (const part of request) text += part;
        if (request.url === "/dev/project.json") return answer.end(JSON.stringify(PROJECT));
        if (request.url === "/dev/products") told.push([request.method, request.headers["content-type"], text]);
        answer.writeHead(request.url === "/dev/products" ? status : 404).end("{}");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${server.address().port}`, told, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

const urlsOf = (lines) => lines.map((line) => line.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0]).filter(Boolean);

function answers(url)
{
    return new Promise((resolve) => {
        const socket = net.connect(Number(new URL(url).port), "127.0.0.1");
        socket.once("connect", () => { socket.destroy(); resolve(true); }).once("error", () => resolve(false));
    });
}

async function areGone(urls)
{
    await eventually(async () => !(await Promise.all(urls.map(answers))).includes(true), `${urls} are gone`);
}

// start.mjs with all its products up.
async function up(dev, ports = "0", how)
{
    const one = launch(process.execPath, [START, "--server", dev.url, "--ports", ports], how);
    await guarded((async () => { while (dev.told.length === 0) { await one.line(one.out, /http/); await new Promise((resolve) => setTimeout(resolve, 50)); } })(), 60, "the list");
    return Object.assign(one, { urls: urlsOf(one.out) });
}

test("words that it does not know, a server that is not there or is none: it says so and ends", async () => {
    for (const args of [["--port", "1"], ["--ports"], ["--ports", "x"], ["--ports", "70000"], ["--server", "file:///x"]]) {
        const one = launch(process.execPath, [START, ...args]);
        assert.equal((await one.ended).code, 2, args.join(" "));
        assert.match(one.err.join("\n"), /^usage: /);
    }
    const dev = await startDev();
    for (const server of [`${dev.url}/elsewhere`, "http://127.0.0.1:9"]) {
        const one = launch(process.execPath, [START, "--server", server]);
        assert.equal((await one.ended).code, 1, server);
        assert.match(one.err.join("\n"), /^products: no test project at .*: is `coatcheck dev` running there\?$/);
    }
    await dev.stop();
});

test("no product's own port is one that the server takes by itself, so that each is where the documents say", () => {
    const read = (name) => fs.readFileSync(path.join(REPOSITORY, name), "utf8");
    const servers = [...read("src/config/params.def").matchAll(/^NUMBER_PARAM\(\w*port,\s*"port",\s*\d+,\s*\d+,\s*(\d+),/gm)].map(([, port]) => port);
    const [, list] = read("examples/start.mjs").match(/"--ports": "([\d,]+)"/), products = list.split(",");
    assert.deepEqual([servers.length, products.length], [3, 3]);
    assert.equal(new Set([...servers, ...products]).size, 6, `${servers} and ${products}`);
    for (const port of products) assert.ok(read("examples/README.md").includes(`port ${port} |`), port);
    for (const name of ["README.md", "examples/README.md"]) assert.ok(read(name).includes(`http://127.0.0.1:${products[0]}/`), name);
    assert.ok(read("examples/call/backend.mjs").includes(`PORT = "${products[0]}"`));
});

test("each product there is comes up, is told to the server once, and gets its own credentials alone", async () => {
    const dev = await startDev(), one = await up(dev);
    assert.equal(one.out.length, THERE.length);
    const [[method, type, text]] = dev.told, { products } = JSON.parse(text);
    assert.deepEqual([method, type, products.map(({ id }) => id)], ["POST", "application/json", THERE]);
    for (const [i, product] of products.entries()) {
        assert.deepEqual(Object.keys(product), ["id", "name", "what", "url"]);
        assert.ok(one.out[i].includes(product.url) && product.url.endsWith("/"));
        assert.match(product.what, /^[A-Z].{10,150}\.$/);
        assert.equal((await fetch(product.url)).status, 200, product.url);
    }
    const children = fs.readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
        try { return fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[1] === String(one.child.pid); } catch { return false; }
    });
    const environments = children.map((pid) => fs.readFileSync(`/proc/${pid}/environ`, "utf8"));
    assert.equal(environments.length, THERE.length);
    const secrets = ["PT-one", "sk-one", "sec-one", "adm-one"];
    for (const environment of environments) assert.equal(secrets.filter((secret) => environment.includes(secret)).length, 1);
    one.child.kill("SIGTERM");
    assert.deepEqual(await one.ended, { code: 0, signal: null });
    await areGone(one.urls);
    assert.equal(dev.told.length, 1);
    await dev.stop();
});

test("a server that has no list is well; one that refuses is told of", async () => {
    for (const [status, said] of [[404, /^$/], [400, /does not list them: it answered 400/]]) {
        const dev = await startDev(status), one = await up(dev);
        if (status === 400) await one.line(one.err, said);
        one.child.kill("SIGINT");
        assert.equal((await one.ended).code, 0);
        assert.match(one.err.join("\n"), said);
        await areGone(one.urls);
        await dev.stop();
    }
});

test("a port that is taken is said, and another one taken; a free one is the one that was asked for", async () => {
    const taken = net.createServer().listen(await freePort(), "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address(), dev = await startDev(), one = await up(dev, String(port));
    assert.match(one.err.join("\n"), new RegExp(`^products: port ${port} is taken, so Call us gets another$`));
    assert.notEqual(new URL(one.urls[0]).port, String(port));
    one.child.kill();
    await areGone(one.urls);
    await new Promise((resolve) => taken.close(resolve));
    const next = await startDev(), two = await up(next, String(port));
    assert.equal(new URL(two.urls[0]).port, String(port));
    two.child.kill();
    await areGone(two.urls);
    await Promise.all([dev.stop(), next.stop()]);
});

for (const [how, end] of [["its stdin is closed", (one) => one.child.stdin.end()], ["it is killed", (one) => one.child.kill("SIGKILL")]])
    test(`when ${how}, the products end too`, async () => {
        const dev = await startDev(), one = await up(dev);
        assert.ok(await answers(one.urls[0]));
        end(one);
        await one.ended;
        await areGone(one.urls);
        await dev.stop();
    });

test("when its parent is gone, it and the products end", async () => {
    const dev = await startDev(), parent = `require("node:child_process").spawn(process.execPath, ${JSON.stringify([START, "--server", dev.url, "--ports", "0"])}, { stdio: ["ignore", "inherit", "inherit"] }); setInterval(() => {}, 1000);`;
    const one = launch(process.execPath, ["-e", parent]);
    await one.line(one.out, /http/);
    await guarded((async () => { while (!dev.told.length) await new Promise((resolve) => setTimeout(resolve, 50)); })(), 60, "the list");
    one.child.kill("SIGKILL");
    await areGone(urlsOf(one.out));
    await dev.stop();
});

// ---- make run ----

function runScript(name, args = [], how)
{
    return launch(RUN, ["--port", "0", "--data", path.join(folder, name), ...args], how);
}

async function productsOf(one)
{
    for (const id of THERE) await one.line(one.err, new RegExp({ call: "^Call us", interview: "^Interview", clinic: "^Clinic" }[id]));
    return urlsOf(one.err);
}

test("make run: one line of JSON on stdout, the products beside it on stderr, twice at once; SIGTERM ends both, with the server's code", async () => {
    const two = [runScript("one", ["--json"]), runScript("two", ["--json"])];
    for (const one of two) {
        const { url, project_id } = JSON.parse(await one.line(one.out, /^\{/)), urls = await productsOf(one);
        assert.ok(project_id && urls.length === THERE.length);
        assert.equal((await (await fetch(`${urls[0]}/button`)).json()).server, url, "its own server's");
        const listed = async () => (await (await fetch(`${url}/dev/flow`)).json()).products.map(({ id }) => id);
        await guarded((async () => { while ((await listed()).join() !== THERE.join()) await new Promise((resolve) => setTimeout(resolve, 50)); })(), 60, "the list on the start page");
        Object.assign(one, { urls });
    }
    for (const one of two) {
        one.child.kill("SIGTERM"); // the script has become the server
        assert.deepEqual(await guarded(one.ended, 60, "the end"), { code: 0, signal: null });
        assert.equal(one.out.length, 1);
        await areGone(one.urls);
    }
});

test("make run: what the server says for people is as it is without the products", async () => {
    const one = runScript("three"), urls = await productsOf(one);
    await one.line(one.out, /Ctrl-C stops it/);
    assert.match(one.out.join("\n"), /^\nCoatcheck is running\. Open http:\/\/127\.0\.0\.1:\d+\/\n[\s\S]*api token {4}PT[0-9a-f]{56}\n/);
    one.child.kill("SIGINT");
    assert.equal((await guarded(one.ended, 60, "the end")).code, 0);
    await areGone(urls);
});

test("make run: a server that refuses to start gives its own exit code and words", async () => {
    const one = launch(RUN, ["--nonsense"]);
    assert.equal((await guarded(one.ended, 60, "the end")).code, 2);
    assert.match(one.err.join("\n"), /^coatcheck: there is no option --nonsense/);
});

// A machine without Node, and a network that is not there.
function poorPath()
{
    const bin = path.join(folder, "bin");
    fs.mkdirSync(bin);
    for (const from of ["/bin", "/usr/bin"])
        for (const name of fs.readdirSync(from))
            if (!/^(node|nodejs|npm|npx|apt-get)$/.test(name) && !fs.existsSync(path.join(bin, name))) fs.symlinkSync(path.join(from, name), path.join(bin, name));
    fs.writeFileSync(path.join(bin, "apt-get"), "#!/bin/sh\nexit 100\n", { mode: 0o755 });
    return bin;
}

test("make run: no Node and no way to get it: the server runs, and one line says why there are no products and what to do", async () => {
    const one = runScript("four", ["--json"], { env: { PATH: poorPath() } });
    const { url } = JSON.parse(await one.line(one.out, /^\{/));
    await one.line(one.err, /^run: the server runs without the example products: .* tools\/install\.sh products/);
    assert.match(one.err.join("\n"), /^install: (apt-get update failed|these packages are missing)/m);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    one.child.kill("SIGTERM");
    assert.equal((await guarded(one.ended, 60, "the end")).code, 0);
});

test("what is installed is not installed again, and nothing is asked of the network", async () => {
    const offline = { npm_config_registry: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9" };
    assert.equal((await launch(path.join(REPOSITORY, "tools/install.sh"), ["products"]).ended).code, 0);
    const one = launch(path.join(REPOSITORY, "tools/install.sh"), ["products"], { env: offline });
    assert.deepEqual([(await one.ended).code, one.out, one.err], [0, [], []]);
});

for (const id of THERE)
    test(`the backend of ${id} has at most 120 lines, and needs no package`, () => {
        const code = fs.readFileSync(path.join(REPOSITORY, "examples", id, "backend.mjs"), "utf8");
        assert.ok(code.trim().split("\n").length <= 120);
        for (const [, from] of code.matchAll(/ from "([^"]+)"/g)) assert.match(from, /^(node:|\.\.\/shared\/)/);
    });

await run({ after: async () => fs.rmSync(folder, { recursive: true, force: true }) });
