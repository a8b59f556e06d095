// attacks_e_secrets.test.mjs — client credentials on the wire, and what lies in the data folder. Names begin with the
// number of the case.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { coatcheck } from "../harness/clock.mjs";
import { call, info, mint, mintToken, REFRESH, TOKENS } from "../harness/http.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { change, databaseFile, rows } from "../harness/ring.mjs";
import { basic, BINARY, startRefused, startServer, temporaryFolder } from "../harness/server.mjs";
import { eventually, run, test } from "../harness/suite.mjs";
import { vectors } from "../harness/vectors.mjs";

const PASSWORD = "opensesame-opensesame-72";
let server, baseline;

// The one answer to every bad credential: status, body and all fields but those that are new each time.
function face(answer)
{
    const { date, "coatcheck-error-id": id, ...fields } = answer.headers;
    return { status: answer.status, text: answer.text, fields, hasId: typeof id === "string" };
}

const ask = (authorization) => mint(server, { reference: "e@example.com" }, { authorization });

// For values that a proper client would not send.
async function askRaw(value)
{
    const raw = new RawSocket(server.port);
    await raw.connected;
    const body = '{"reference":"e@example.com"}';
    await raw.send(Buffer.from(`POST ${TOKENS} HTTP/1.1\r\nHost: ${server.host}\r\nContent-Type: application/json\r\nConnection: close\r\n`
        + `Content-Length: ${body.length}\r\nAuthorization: ${value}\r\n\r\n${body}`, "latin1"));
    await raw.until((s) => s.isClosed || responses(s.read).list.length, "an answer");
    const [answer] = responses(raw.read).list;
    raw.close();
    return answer;
}

test("E-68 the Basic field in every broken form: 401, WWW-Authenticate, one body", async () => {
    const { project_id, api_token } = server.contract;
    const good = server.basic.slice("Basic ".length);
    const wanted = face(await ask(basic(project_id, "PTwrong")));
    assert.deepEqual([wanted.status, wanted.text], [401, '{"error":"Unauthorized"}']);
    assert.match(wanted.fields["www-authenticate"], /^Basic realm="/);
    const b64 = (text) => Buffer.from(text, "latin1").toString("base64");
    const broken = { "no colon": `Basic ${b64(project_id + api_token)}`, "bad alphabet": `Basic ${good.replace(/.$/, "!")}`,
        "url alphabet": "Basic -_86_g", "cut": `Basic ${good.slice(0, -2)}`, "scheme only": "Basic", "two spaces": `Basic  ${good}`,
        "quoted": `Basic "${good}"`, "two credentials": `Basic ${good}, Basic ${good}`, "NUL in secret": `Basic ${b64(`${project_id}:${api_token}\0`)}`,
        "NUL in user": `Basic ${b64(`${project_id}\0:${api_token}`)}`, "CRLF": `Basic ${b64(`${project_id}:${api_token}\r\n`)}`,
        "long": `Basic ${b64(`${project_id}:${"x".repeat(3000)}`)}`, "Digest": `Digest ${good}`, "no scheme": good, "Basic twice": `Basic Basic ${good}`,
        "SQL": basic(`${project_id}' OR '1'='1`, "x"), "wildcards": basic("%", "%"), "upper project": basic(project_id.toUpperCase(), "PTwrong"),
        "space": basic(project_id, `${api_token} `), "inner space": `Basic ${good.slice(0, 9)} ${good.slice(9)}` };
    for (const [label, authorization] of Object.entries(broken)) assert.deepEqual(face(await ask(authorization)), wanted, label);
    for (const vector of vectors("own/basic_auth.json").filter((v) => v.header.length < 4000))
        assert.deepEqual(face(await ask(vector.header)), wanted, vector.id);
});

test("E-68 scheme case is free, tabs and 30 kB are refused", async () => {
    const good = server.basic.slice("Basic ".length);
    for (const scheme of ["basic", "BASIC", "bAsIc"]) assert.equal((await ask(`${scheme} ${good}`)).status, 200, scheme);
    assert.equal((await askRaw(`Basic\t${good}`))?.status, 401);
    const huge = await askRaw(`Basic ${"A".repeat(30000)}`);
    assert.ok(!huge || [400, 401, 431].includes(huge.status), huge?.head);
    const nul = await askRaw(`Basic ${good}\0`);
    assert.ok(!nul || [400, 401].includes(nul.status), nul?.head);
});

test("E-68 two Authorization fields never add up to a good one", async () => {
    const answer = await call(server, "POST", TOKENS, { body: { reference: "e@example.com" }, headers: { authorization: ["Basic eDp5", server.basic] } });
    assert.ok([400, 401].includes(answer.status), String(answer.status));
});

test("E-69 colons belong to the secret, an empty secret never authenticates", async () => {
    const { project_id, api_token } = server.contract;
    for (const [user, secret] of [[project_id, `${api_token}:`], [project_id, `:${api_token}`], [project_id, `x:${api_token}`], [project_id, ""],
        ["", ""], ["", api_token], [project_id, ":"], [`${project_id}:${api_token}`, ""]])
        assert.equal((await ask(basic(user, secret))).status, 401, `${user}:${secret.slice(0, 4)}`);
});

test("E-70 wrong project, wrong secret, unknown key: not to be told apart", async () => {
    const { project_id, api_token } = server.contract;
    const last = api_token.at(-1) === "0" ? "1" : "0", first = api_token[2] === "0" ? "1" : "0";
    const answers = [basic("00000000-0000-4000-8000-000000000000", api_token), basic(project_id, api_token.slice(0, -1) + last),
        basic(project_id, `PT${first}${api_token.slice(3)}`), basic("x", "y"), `Bearer ${api_token}`];
    const [wanted, ...others] = await Promise.all(answers.map(ask));
    for (const other of others) assert.deepEqual(face(other), face(wanted));
});

// Each question is asked of a user who is there and of one who is not, of a credential that was given out and of one that
// was not: without a key of the project both get one answer, also while the address is told to wait.
test("J-140 without a key of the project nobody finds out who is a user", async () => {
    const place = await startServer({ env: { COATCHECK_LIMITS: "wrong_login=1/300 embed_address=1/100" } }), { contract } = place;
    const stranger = JSON.parse((await coatcheck("project", "create", "Other", "--test", "--data", place.data, "--json")).out).id;
    const made = JSON.parse((await coatcheck("key", "create", "api-token", "--project", stranger, "--data", place.data, "--json")).out);
    const foreign = basic(stranger, made.secret), wrong = basic(contract.project_id, `PT${"0123456789abcdef".repeat(4).slice(0, contract.api_token.length - 2)}`);
    const ada = await mintToken(place, { reference: "ada@example.com" }), gone = await mintToken(place, { reference: "gone@example.com" });
    const own = (await info(place, ada.token)).json.fabric_addresses[0];
    const guest = (await call(place, "POST", "/api/fabric/guests/tokens", { body: { allowed_addresses: [contract.address_id] },
        headers: { authorization: place.basic } })).json.token;
    const api = (method, path, authorization, body) => call(place, method, path, { body, headers: authorization ? { authorization } : {} });
    const users = "/api/fabric/resources/subscribers", altered = (token) => `${token.slice(0, -9)}${token.slice(-9) === "AAAAAAAAA" ? "B" : "A"}AAAAAAAA`;
    assert.equal((await api("DELETE", `${users}/${gone.subscriber_id}`, place.basic)).status, 204);
    const none = "6f1c2d3e-0000-4000-8000-000000000000", form = { "content-type": "application/x-www-form-urlencoded" };
    const pairs = () => {
        const list = {};
        for (const [who, authorization] of Object.entries({ nobody: undefined, "a wrong key": wrong, "another project's key": foreign, "a guest": `Bearer ${guest}` })) {
            for (const [method, body] of [["GET"], ["PUT", { display_name: "x" }], ["DELETE"]])
                list[`${method} by ${who}`] = [ada.subscriber_id, none].map((id) => api(method, `${users}/${id}`, authorization, body));
            list[`addresses of, by ${who}`] = [ada.subscriber_id, none].map((id) => api("GET", `${users}/${id}/addresses`, authorization));
            list[`refresh by ${who}`] = [ada.refresh_token, gone.refresh_token, altered(ada.refresh_token)].map((refresh_token) =>
                api("POST", REFRESH, authorization, { refresh_token }));
        }
        for (const authorization of [undefined, wrong])
            list[`mint by ${authorization ? "a wrong key" : "nobody"}`] = ["ada@example.com", "nobody@example.com"].map((reference) => api("POST", TOKENS, authorization, { reference }));
        list["a token altered, or of one who is gone"] = [altered(ada.token), altered(gone.token), gone.token].map((token) => info(place, token));
        list["an address by id, for a guest"] = [own.id, none].map((id) => api("GET", `/api/fabric/addresses/${id}`, `Bearer ${guest}`));
        list["an address by name, for a guest"] = [own.name ?? "ada", "nobody"].map((name) => api("GET", `/api/fabric/addresses?name=/private/${name}`, `Bearer ${guest}`));
        list["refresh at the standard door"] = [ada.refresh_token, gone.refresh_token, altered(ada.refresh_token)].map((token) => call(place, "POST", "/oauth/token",
            { body: `grant_type=refresh_token&refresh_token=${token}`, headers: form }));
        for (const path of ["/oauth/introspect", "/oauth/revoke"])
            list[path] = [ada.token, gone.token, altered(ada.token)].map((token) => call(place, "POST", path, { body: `token=${token}`, headers: { ...form, authorization: wrong } }));
        list["a click-to-call token"] = [altered(contract.c2c_token), `c2c_${"0123456789abcdef".repeat(2)}`].map((token) => api("POST", "/api/fabric/embeds/tokens", undefined, { token }));
        return list;
    };
    const compare = async (when) => {
        for (const [label, asked] of Object.entries(pairs())) {
            const [first, ...others] = (await Promise.all(asked)).map(face);
            delete first.fields["retry-after"];
            for (const { fields: { "retry-after": after, ...fields }, ...other } of others) assert.deepEqual({ ...other, fields }, first, `${label}, ${when}`);
        }
    };
    await compare("at first");
    for (let i = 0; i < 310; i++) await info(place, altered(ada.token));
    assert.equal((await info(place, altered(ada.token))).status, 429);
    for (let i = 0; i < 110; i++) await api("POST", "/api/fabric/embeds/tokens", undefined, { token: altered(contract.c2c_token) });
    await compare("in a flood");
    assert.equal((await info(place, ada.token)).status, 200);
    await place.stop();
});

// ---- what lies in the folder ----

function folderFiles(folder)
{
    return fs.readdirSync(folder).map((name) => path.join(folder, String(name)))
        .filter((file) => fs.lstatSync(file).isFile());
}

// All the shapes in which a text could lie in a file: as it is, hex, base64 at each of three alignments, and hex undone.
function shapes(text)
{
    const bytes = Buffer.from(text);
    const list = [bytes, Buffer.from(bytes.toString("hex")), Buffer.from(bytes.toString("hex").toUpperCase())];
    for (const shift of [0, 1, 2]) {
        const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
        const inner = encoded.slice(4, 4 + Math.floor((bytes.length - 4) / 3) * 4);
        list.push(Buffer.from(inner), Buffer.from(inner.replaceAll("+", "-").replaceAll("/", "_")));
    }
    if (/^[0-9a-f]{16,}$/.test(text)) list.push(Buffer.from(text, "hex"));
    return list;
}

test("E-72 the database holds no secret and no token in any shape", async () => {
    const minted = await mintToken(server, { reference: "e72@example.com", password: PASSWORD });
    const { api_token, client_secret, secret_key, c2c_token, admin_token } = server.contract;
    const secrets = { api_token: api_token.slice(-40), client_secret: client_secret.slice(-40), secret_key: secret_key.slice(-40),
        c2c_token: c2c_token.slice(-16), "whole api_token": api_token, "whole client_secret": client_secret, "whole c2c": c2c_token,
        admin_token, password: PASSWORD, token: minted.token.split(".")[2], refresh_token: minted.refresh_token.split(".")[1],
        master: fs.readFileSync(path.join(server.data, "master.key"), "utf8").trim() };
    const database = databaseFile(server.data);
    const files = folderFiles(server.data).filter((file) => file.startsWith(database));
    assert.ok(files.length >= 1);
    const whole = Buffer.concat(files.map((file) => fs.readFileSync(file)));
    assert.ok(whole.includes(minted.subscriber_id.replaceAll("-", ""), 0, "hex"), "the search does find what is there");
    for (const [name, secret] of Object.entries(secrets))
        for (const shape of shapes(secret)) assert.ok(!whole.includes(shape), `${name} lies in the database`);
});

// A backup, and the copy that a migration makes first: here of a folder whose schema claims to be older, so that the step
// fails on what is there already and the copy stays.
test("E-72 backups and the copy before a migration hold no secret either", async () => {
    const minted = await mintToken(server, { reference: "e72-copy@example.com", password: PASSWORD });
    const { api_token, client_secret, secret_key } = server.contract;
    const elsewhere = temporaryFolder(), copy = path.join(elsewhere, "coatcheck.db");
    execFileSync(BINARY, ["backup", copy, "--data", server.data], { stdio: "ignore" });
    fs.copyFileSync(path.join(server.data, "master.key"), path.join(elsewhere, "master.key"));
    const master = fs.readFileSync(path.join(elsewhere, "master.key"), "utf8").trim();
    const backup = fs.readFileSync(copy);
    change(elsewhere, "PRAGMA user_version = 3");
    assert.notEqual((await startRefused({ data: elsewhere })).code, 0);
    const kept = fs.readdirSync(elsewhere).filter((name) => name.startsWith("coatcheck.db.before-"));
    assert.equal(kept.length, 1);
    const before = fs.readFileSync(path.join(elsewhere, kept[0]));
    for (const [kind, whole] of Object.entries({ backup, before })) {
        assert.ok(whole.includes(minted.subscriber_id.replaceAll("-", ""), 0, "hex"), `${kind}: the search does find what is there`);
        for (const secret of [api_token.slice(-40), client_secret.slice(-40), secret_key.slice(-40), PASSWORD, master,
            minted.token.split(".")[2], minted.refresh_token.split(".")[1]])
            for (const shape of shapes(secret)) assert.ok(!whole.includes(shape), `${kind}: ${secret.slice(0, 4)}`);
    }
    for (const name of fs.readdirSync(elsewhere)) assert.equal(fs.statSync(path.join(elsewhere, name)).mode & 0o077, 0, name);
    fs.rmSync(elsewhere, { recursive: true, force: true });
});

test("E-72 every file in the data folder is for its owner only", () => {
    for (const file of folderFiles(server.data)) {
        const mode = fs.statSync(file).mode & 0o777;
        assert.equal(mode & 0o077, 0, `${path.basename(file)} has mode ${mode.toString(8)}`);
    }
});

test("E-72 a password is stored by a slow, salted hash: the same one twice gives different rows", async () => {
    await mintToken(server, { reference: "e72-a@example.com", password: PASSWORD });
    await mintToken(server, { reference: "e72-b@example.com", password: PASSWORD });
    const [a, b] = rows(server.data, "SELECT hex(password_hash) AS h FROM users WHERE reference LIKE 'e72-_@example.com' ORDER BY reference");
    assert.equal(a.h.length, 96);
    assert.notEqual(a.h, b.h);
    assert.notEqual(a.h.slice(0, 32), b.h.slice(0, 32), "salts differ");
});

test("E-73 no answer and no log line shows a secret again", async () => {
    const { project_id, api_token, client_secret, secret_key, c2c_token } = server.contract;
    const { token } = await mintToken(server, { reference: "e73@example.com" });
    const answers = await Promise.all([mint(server, {}), mint(server, "{", { "content-type": "application/json" }), info(server, token),
        info(server, api_token), ask(basic(project_id, secret_key)), call(server, "GET", "/"), call(server, "GET", `/${api_token}`),
        call(server, "GET", "/.well-known/jwks.json"), call(server, "GET", "/healthz")]);
    const everything = answers.map((answer) => answer.rawHeaders.join("\n") + answer.text).join("\n") + server.logs.join("\n");
    for (const secret of [api_token, client_secret, secret_key, c2c_token, token, server.basic.slice(6), PASSWORD])
        assert.ok(!everything.includes(secret), secret.slice(0, 6));
    assert.ok(!everything.includes(token.split(".")[2]), "not even the signature");
});

// The pages of `coatcheck dev` show its credentials to the person at this machine. A sandboxed frame on any web site has
// the origin null, and a name of an attacker's DNS may lead here: neither may read them.
test("E-73 dev credentials are shown to our own pages only", async () => {
    const { api_token } = server.contract;
    const read = (headers) => call(server, "GET", "/dev/project.json", { headers });
    for (const origin of ["null", "http://localhost:3000", "http://127.0.0.1:1", "https://evil.example"]) {
        const answer = await read({ origin });
        assert.equal(answer.headers["access-control-allow-origin"], undefined, `readable by ${origin}`);
    }
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost@evil.example"])
        assert.ok(!(await read({ host })).text.includes(api_token), host);
    const preflight = await call(server, "OPTIONS", "/dev/project.json", { headers: { origin: "null", "access-control-request-method": "GET" } });
    assert.equal(preflight.headers["access-control-allow-origin"], undefined);
});

test("E-74 master.key: made with mode 0600, and a readable one is refused at start", async () => {
    const data = temporaryFolder();
    const first = await startServer({ data });
    assert.equal(fs.statSync(path.join(data, "master.key")).mode & 0o777, 0o600);
    await first.stop();
    for (const mode of [0o644, 0o640, 0o604]) {
        fs.chmodSync(path.join(data, "master.key"), mode);
        const { code, said } = await startRefused({ data });
        assert.notEqual(code, 0);
        assert.match(said, /master\.key/, "and it says which file");
    }
    fs.chmodSync(path.join(data, "master.key"), 0o600);
    await (await startServer({ data })).stop();
    fs.rmSync(data, { recursive: true });
});

test("E-74 another master key does not open the ring, a damaged one neither", async () => {
    const data = temporaryFolder();
    await (await startServer({ data })).stop();
    const file = path.join(data, "master.key");
    const kept = fs.readFileSync(file);
    for (const text of [`${Buffer.from("0123456789abcdefghijklmnopqrstuv").toString("base64url")}\n`, "", "x", kept.toString().slice(0, 20)]) {
        fs.writeFileSync(file, text);
        const { code, said } = await startRefused({ data });
        assert.notEqual(code, 0);
        assert.match(said, /master/);
        assert.ok(!said.includes(kept.toString().trim()));
    }
    fs.writeFileSync(file, kept);
    await (await startServer({ data })).stop();
    fs.rmSync(data, { recursive: true });
});

test("E-74 the process cannot be dumped or read by its own user", async () => {
    // As root everything can be read; so the server runs as a user without rights where that is possible.
    const isRoot = process.getuid() === 0;
    const data = temporaryFolder(), binary = path.join(temporaryFolder(), "coatcheck");
    fs.copyFileSync(BINARY, binary);
    fs.chmodSync(binary, 0o755);
    fs.chmodSync(path.dirname(binary), 0o755);
    const user = isRoot ? { uid: 65534, gid: 65534 } : {};
    if (isRoot) fs.chownSync(data, user.uid, user.gid);
    const other = await startServer({ data, binary, as: user });
    assert.equal(fs.statSync(`/proc/${other.pid}/environ`).uid, 0, "not dumpable: /proc/<pid> belongs to root");
    await other.stop();
    // nor can a command, which may hold keys, or what it was given: this one waits for its input
    const command = spawn(binary, ["token", "inspect", "-"], { ...user, stdio: ["pipe", "ignore", "inherit"] });
    const ended = new Promise((resolve) => command.once("exit", resolve));
    const runs = () => { try { return fs.readlinkSync(`/proc/${command.pid}/exe`) === binary; } catch { return !isRoot; } };
    const isClosed = () => runs() && fs.statSync(`/proc/${command.pid}/environ`).uid === 0;
    const wasClosed = await eventually(isClosed, "a closed command").catch(() => false);
    command.stdin.end();
    await ended;
    assert.ok(wasClosed, "a command is not dumpable either");
    fs.rmSync(data, { recursive: true });
    fs.rmSync(path.dirname(binary), { recursive: true });
});

test("E-74 the master key given by environment is not left in the environment", async () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) & 255)).toString("base64url");
    const other = await startServer({ env: { COATCHECK_MASTER_KEY: key } });
    assert.ok(!fs.existsSync(path.join(other.data, "master.key")));
    assert.ok(!fs.readFileSync(`/proc/${other.pid}/environ`).includes(key), "wiped where the kernel shows it");
    await other.stop();
});

test("E-75 a master key that is not random is refused", async () => {
    const keys = { zero: Buffer.alloc(32), "one byte": Buffer.alloc(32, "a"), password: Buffer.from("passwordpasswordpasswordpassword"), short: Buffer.alloc(16, 7) };
    for (const [label, key] of Object.entries(keys)) {
        const { code, said } = await startRefused({ env: { COATCHECK_MASTER_KEY: key.toString("base64url") } });
        assert.notEqual(code, 0, label);
        assert.match(said, /master key/, label);
    }
    for (const text of ["", "changeme", "!", "x".repeat(43)])
        assert.notEqual((await startRefused({ env: { COATCHECK_MASTER_KEY: text } })).code, 0, text);
});

test("E-75 a second process on the same folder is refused and told who holds it", async () => {
    const { code, said } = await startRefused({ data: server.data });
    assert.notEqual(code, 0);
    assert.ok(said.includes(String(server.pid)), said);
    assert.ok(server.isAlive);
});

test("E-75 settings out of range are refused with their name", async () => {
    for (const [name, value] of [["COATCHECK_PARK_S", "0"], ["COATCHECK_PARK_S", "x"], ["COATCHECK_PARK_S", ""],
        ["COATCHECK_PING_INTERVAL_S", "99999"], ["COATCHECK_LOG_LEVEL", "loud"]]) {
        const { code, said } = await startRefused({ env: { [name]: value } });
        assert.notEqual(code, 0, name);
        assert.match(said, new RegExp(name.replace("COATCHECK_", ""), "i"));
    }
});

await run({
    before: async () => {
        server = await startServer();
        await mintToken(server, { reference: "warm@example.com", password: PASSWORD });
        baseline = await server.baseline();
    },
    after: async () => {
        await server.assertSound(baseline, { growthKiB: 64 * 1024 }); // scrypt works in 32 MiB
        await server.stop();
    },
});
