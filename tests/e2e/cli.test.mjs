// The command line as people and service managers meet it: exit codes, and messages that say what to do next.
import { spawn, spawnSync } from "node:child_process";
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { coatcheck as command } from "../harness/clock.mjs";
import { BINARY, startServer, temporaryFolder } from "../harness/server.mjs";
import { LIMIT_S, run, test } from "../harness/suite.mjs";

let server, folder;

function coatcheck(argv, env = {})
{
    const ended = spawnSync(BINARY, argv, { encoding: "utf8", env: { ...process.env, ...env }, timeout: LIMIT_S * 1000 });
    return { code: ended.status, out: ended.stdout, said: ended.stderr };
}

function refused(argv, code, pattern, env)
{
    const ended = coatcheck(argv, env);
    assert.equal(ended.code, code, `${argv.join(" ")}: ${ended.said}`);
    assert.match(ended.said, pattern, argv.join(" "));
    assert.equal(ended.said.trim().split("\n").filter((line) => line.startsWith("coatcheck: ")).length, 1, ended.said);
}

const fresh = (name) => path.join(folder, name);
const serve = (...more) => ["serve", "--data", fresh("serve"), "--public-url", "https://auth.example.com", "--port", "0",
    "--admin-port", "0", ...more];

test("help and version: on stdout, exit 0", async () => {
    for (const argv of [["--help"], ["-h"], ["help"], ["dev", "--help"], ["serve", "--help"], ["version"], ["--version"]]) {
        const { code, out, said } = coatcheck(argv);
        assert.equal(code, 0, argv.join(" "));
        assert.ok(out.length > 10 && !said, argv.join(" "));
    }
    assert.match(coatcheck(["serve", "--help"]).out, /ping_interval_s +how often .* \[10, 1\.\.60 s\]/);
});

test("2: no command, an unknown one, an unknown option", async () => {
    assert.equal(coatcheck([]).code, 2);
    refused(["dvv"], 2, /no command "dvv"; coatcheck --help/);
    refused(["dev", "--prot", "1"], 2, /no option --prot; coatcheck dev --help/);
    refused(["dev", "now"], 2, /"now" is no option/);
    refused(["dev", "--port"], 2, /--port needs a value/);
    refused(["dev", "--ice-server", "foo"], 2, /stun:/);
    refused(["version", "x"], 2, /no options/);
});

test("3: settings that are missing, malformed or dangerous", async () => {
    refused(["serve"], 3, /--data is missing/);
    refused(["serve", "--data", fresh("x")], 3, /--public-url is missing/);
    for (const url of ["https://auth.example.com/x", "auth.example.com", "https://", "ftp://a.example", "HTTPS://A.EXAMPLE", "null"])
        refused(["serve", "--data", fresh("x"), "--public-url", url], 3, /public_url must be https:\/\/host/);
    refused(["serve", "--data", fresh("x"), "--public-url", "http://auth.example.com"], 3, /plain http/);
    refused(["serve", "--data", fresh("x"), "--public-url", "http://localhost.example.com"], 3, /plain http/);
    refused(serve("--ch", "http://x y"), 3, /ch must be host/);
    refused(serve("--ice-servers", "[{"), 3, /ice_servers is not JSON/);
    refused(serve("--ice-servers", "{}"), 3, /ice_servers must be a JSON list/);
    refused(serve("--tls-key", "/nowhere"), 3, /belong together/);
    refused(serve("--tls-key", "/nowhere", "--tls-certificate", "/nowhere"), 3, /tls_certificate \/nowhere cannot be read: No such file/);
    refused(serve("--admin-token", "short"), 3, /openssl rand/);
    refused(serve("--log-level", "loud"), 3, /log_level must be one of/);
    refused(serve("--host", "localhost"), 3, /host must be an IP address such as 127\.0\.0\.1 or ::1$/m);
    refused(["serve", "--config", fresh("none.conf")], 3, /cannot read the configuration file .*none\.conf: No such file/);
    fs.writeFileSync(fresh("typo.conf"), "port = 0\n\nprot = 1\n");
    refused(serve("--config", fresh("typo.conf")), 3, /typo\.conf, line 3: there is no setting "prot"; coatcheck serve --help/);
    refused(serve(), 3, /COATCHECK_LOOPS: loops must be a whole number, not "two"/, { COATCHECK_LOOPS: "two" });
    refused(serve("--prot"), 3, /there is no setting "prot"; coatcheck serve --help/);
    refused(serve("--ping-interval-s"), 3, /--ping-interval-s needs a value/);
    assert.ok(!fs.existsSync(fresh("x")), "a refused start makes nothing");
});

test("3: a TLS key that others can read", async () => {
    const key = fresh("open.key"), certificate = fresh("open.pem");
    fs.copyFileSync(path.join(server.data, "tls.key"), key);
    fs.copyFileSync(path.join(server.data, "tls.pem"), certificate);
    fs.chmodSync(key, 0o644);
    refused(serve("--tls-key", key, "--tls-certificate", certificate), 3, /can be read by others: chmod 600/);
});

test("3: a data folder that others can write in, or a lock that leads elsewhere", async () => {
    fs.mkdirSync(fresh("shared"));
    fs.chmodSync(fresh("shared"), 0o770);
    refused(["dev", "--port", "0", "--data", fresh("shared")], 3, /can be written by others: chmod go-w/);
    assert.deepEqual(fs.readdirSync(fresh("shared")), []);
    fs.mkdirSync(fresh("linked"), { mode: 0o700 });
    fs.symlinkSync(fresh("elsewhere"), path.join(fresh("linked"), "lock"));
    refused(["dev", "--port", "0", "--data", fresh("linked")], 1, /cannot be used: Too many levels of symbolic links/);
    assert.ok(!fs.existsSync(fresh("elsewhere")));
});

test("3: data without its master key is refused, and no key is made", async () => {
    const first = await startServer({ data: fresh("orphan") });
    await first.stop();
    const key = path.join(fresh("orphan"), "master.key"), kept = fs.readFileSync(key);
    fs.rmSync(key);
    refused(["dev", "--port", "0", "--data", fresh("orphan")], 3, /master\.key is missing: restore/);
    assert.ok(!fs.existsSync(key));
    fs.writeFileSync(key, kept, { mode: 0o600 });
    const again = await startServer({ data: fresh("orphan") });
    assert.equal(again.contract.api_token, first.contract.api_token);
    await again.stop();
});

test("4: a folder in use names its holder; another folder needs another port too", async () => {
    refused(["dev", "--port", "0", "--data", server.data], 4, new RegExp(`pid ${server.pid}\\).*--data.*--port`));
});

test("5: damaged data is refused, never replaced", async () => {
    const made = await startServer({ data: fresh("damaged") });
    await made.stop();
    const seed = path.join(fresh("damaged"), "seed.json");
    fs.writeFileSync(seed, "{");
    refused(["dev", "--port", "0", "--data", fresh("damaged")], 5, /seed\.json/);
    assert.equal(fs.readFileSync(seed, "utf8"), "{");
    fs.writeFileSync(path.join(fresh("damaged"), "coatcheck.db"), "not a database at all, by any means");
    refused(["dev", "--port", "0", "--data", fresh("damaged")], 5, /coatcheck|database|damaged/i);
});

test("6: a port in use, also one that our own other server holds", async () => {
    const { port } = server, admin = new URL(server.contract.admin_url).port;
    refused(["dev", "--port", String(port), "--data", fresh("second")], 6, new RegExp(`port ${port}: .*in use; .*with --port`),
        { COATCHECK_ADMIN_PORT: "0" });
    refused(["serve", "--data", fresh("third"), "--public-url", "https://auth.example.com", "--port", "0", "--admin-port", admin], 6,
        new RegExp(`port ${admin}: .*in use; .*with --admin-port`));
});

test("programs that only hold the admin socket keep no command out", async () => {
    const held = [];
    const hold = () => new Promise((resolve) => {
        const socket = net.connect(path.join(server.data, "admin.sock"), () => resolve(socket));
        socket.on("error", () => {});
        socket.resume();
        held.push(socket);
    });
    for (let i = 0; i < 40; i++) (await hold()).write("{"); // an ask that never ends
    const drip = setInterval(() => { for (const socket of held) if (socket.writable) socket.write(" "); }, 500);
    for (let i = 0; i < 3; i++) {
        const { code, err } = await command("clock", "--data", server.data); // not blocking: the drip goes on
        assert.deepEqual({ code, err }, { code: 0, err: "" });
    }
    clearInterval(drip);
    const before = held.filter((socket) => !socket.destroyed).length;
    assert.ok(before <= 16 && before > 0, `${before} are still there`);
    for (const socket of held) socket.destroy();
});

test("1: a folder that cannot be made says why", async () => {
    refused(["dev", "--port", "0", "--data", fresh("no/such/parent")], 1, /make the folder it shall lie in first/);
    fs.writeFileSync(fresh("file"), "");
    refused(["dev", "--port", "0", "--data", fresh("file")], 1, /cannot be used: /);
});

test("serve opens what dev made, warns when there is nobody to serve, and stops with 0", async () => {
    for (const [data, warns] of [[fresh("orphan"), false], [fresh("empty"), true]]) {
        const child = spawn(BINARY, ["serve", "--data", data, "--public-url", "https://auth.example.com", "--port", "0",
            "--admin-port", "0"], { stdio: ["ignore", "ignore", "pipe"] });
        let said = "";
        const listening = new Promise((resolve) => child.stderr.on("data", (piece) => {
            said += piece;
            if (said.includes(" listening ")) resolve();
        }));
        const ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
        await Promise.race([listening, ended]);
        assert.equal(said.includes("no_projects"), warns, said);
        child.kill("SIGTERM");
        assert.equal(await ended, 0, said);
    }
});

await run({
    before: async () => {
        folder = temporaryFolder("coatcheck-cli");
        server = await startServer({ tls: true });
    },
    after: async () => {
        await server.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    },
});
