// attacks_j_leaks.test.mjs — what logs, metrics, headers and other doors tell, and to whom. Names begin with the number
// of the case.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { coatcheck } from "../harness/clock.mjs";
import { call, info, JWKS, mint, mintToken, REFRESH } from "../harness/http.mjs";
import { ACTIVATE, Prover } from "../harness/prover.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { remember, secretIn, secretInFile, secretsInFolder } from "../harness/secrets.mjs";
import { connected, Session } from "../harness/session.mjs";
import { basic, startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

let server, baseline;
const issued = [];

const admin = (path, headers = {}) => call({ ...server, url: server.contract.admin_url }, "GET", path, { headers });
const metric = async (name) => Number((await admin("/metrics", { authorization: `Bearer ${server.contract.admin_token}` }))
    .text.match(new RegExp(`^${name} (\\d+)`, "m"))?.[1]);

test("J-141 metrics are for the admin token, on the admin listener only", async () => {
    const { admin_token, api_token, secret_key } = server.contract;
    assert.match(server.contract.admin_url, /^http:\/\/127\.0\.0\.1:/);
    for (const headers of [{}, { authorization: "Bearer " }, { authorization: `Bearer ${admin_token}x` }, { authorization: `Bearer ${api_token}` },
        { authorization: `Bearer ${admin_token.slice(0, -1)}` }, { authorization: `Basic ${admin_token}` }, { authorization: `Bearer ${secret_key}` },
        { authorization: [`Bearer ${admin_token}`, `Bearer ${admin_token}`] }])
        assert.ok([400, 401].includes((await admin("/metrics", headers)).status), JSON.stringify(headers).slice(0, 40));
    const good = await admin("/metrics", { authorization: `Bearer ${admin_token}` });
    assert.equal(good.status, 200);
    assert.match(good.text, /^# TYPE coatcheck_/m);
    for (const path of ["/metrics", "/metrics/", "/admin"]) assert.equal((await call(server, "GET", path, { headers: {
        authorization: `Bearer ${admin_token}` } })).status, 404, path);
    assert.equal((await admin("/healthz")).status, 200);
    assert.equal((await admin("/readyz")).status, 200);
});

test("J-141 the admin listener is no second front door", async () => {
    const { token } = await mintToken(server, { reference: "j141@example.com" });
    const other = { ...server, url: server.contract.admin_url };
    assert.equal((await mint(other, { reference: "j141@example.com" }, { authorization: server.basic })).status, 404);
    assert.equal((await info(other, token)).status, 404);
});

test("metrics count what happens", async () => {
    const before = await metric("coatcheck_tokens_minted_total");
    const { token } = await mintToken(server, { reference: "count@example.com" });
    assert.equal(await metric("coatcheck_tokens_minted_total"), before + 1);
    const live = await metric("coatcheck_sessions_live");
    const session = await connected(server, token);
    await session.request("subscriber.online");
    assert.equal(await metric("coatcheck_sessions_live"), live + 1);
    assert.equal(await metric("coatcheck_sessions_registered"), 1);
    await session.request("subscriber.offline");
    assert.equal(await metric("coatcheck_sessions_registered"), 0);
    await session.close();
    while (await metric("coatcheck_sessions_live") !== live) await new Promise((resolve) => setTimeout(resolve, 20));
});

test("J-136 nothing a caller sends can break a log line", async () => {
    const evil = ["\r\nforged level=error", "\u001b[2J", "\u0000", "\u2028forged", "x".repeat(8000), '" level="error'];
    for (const text of evil) {
        await mint(server, { reference: `j136 ${text}`, display_name: text }).catch(() => {});
        await call(server, "GET", `/${encodeURIComponent(text)}`.slice(0, 7000)).catch(() => {});
        const printable = text.replace(/[^\x20-\x7e]/g, "?");
        await call(server, "GET", "/nothing", { headers: { "user-agent": printable, referer: printable, "x-forwarded-for": printable } });
    }
    const raw = new RawSocket(server.port);
    await raw.connected;
    await raw.send(Buffer.from("GET /\u001b[31m HTTP/1.1\r\nHost: \u001b[0m\r\nUser-Agent: \u0007\r\n\r\n", "latin1"));
    await raw.until((s) => s.isClosed, "the end");
    for (const line of server.logs) {
        assert.match(line, /^\d{4}-\d\d-\d\dT\S+ (debug|info|warn|error) \S+/, `no log line of ours: ${line.slice(0, 80)}`);
        assert.doesNotMatch(line, /[\x00-\x08\x0b-\x1f\x7f]/, "a control character in a log line");
        assert.ok(line.length < 4096, "a bounded line");
    }
});

test("J-139 answers tell no version, path, SQL, stack or internal host", async () => {
    const answers = [await call(server, "GET", "/nothing"), await call(server, "GET", JWKS), await call(server, "GET", "/api/"),
        await mint(server, {}), await mint(server, "{", { "content-type": "application/json" }), await info(server, "x"),
        await admin("/metrics"), await call(server, "GET", "/healthz"), await admin("/readyz")];
    for (const answer of answers) {
        const all = answer.rawHeaders.join("\n") + answer.text;
        const told = all.match(/sqlite|openssl|libuv|jansson|SELECT |\.c:\d|\/home|\/tmp|\/usr|0x[0-9a-f]{6}/i);
        assert.equal(told?.[0], undefined, answer.text);
        assert.equal(answer.headers.server ?? "", answer.headers.server?.replace(/[\d.]/g, "") ?? "", "no version");
    }
});

test("J-138 references of every form are told apart by their bytes, or refused", async () => {
    for (const reference of ["\t", "\u0085", "\u00a0", "a\u0000", "\u007f", "\u202eevil", "a".repeat(100000), "\ud83d\ude42".repeat(63)]) {
        const answer = await mint(server, { reference });
        assert.ok([200, 413, 422].includes(answer.status), `${JSON.stringify(reference.slice(0, 8))}: ${answer.status}`);
    }
});

test("J-137 SQL in every text is text: it comes back as it was, and no other row moves", async () => {
    const evil = ["'; DROP TABLE users; --", "' OR '1'='1", "\"; DELETE FROM users; --", "x') ON CONFLICT DO UPDATE SET id = 1 --", "?1", ":a", "$1", "%", "_"];
    const bystander = await mintToken(server, { reference: "j137@example.com", job_title: "stays" });
    for (const text of evil) {
        const body = { reference: text, display_name: text, job_title: text, country: text };
        const { token, subscriber_id } = await mintToken(server, body);
        const { json } = await info(server, token);
        assert.deepEqual([json.id, json.display_name, json.job_title, json.country], [subscriber_id, text, text, text]);
        assert.equal((await mintToken(server, body)).subscriber_id, subscriber_id, "found again by the same text");
        const found = await call(server, "GET", `/api/fabric/addresses?name=${encodeURIComponent(text)}`, { headers: { authorization: `Bearer ${token}` } });
        assert.deepEqual(found.json?.data ?? [], [], text);
    }
    const { json } = await info(server, bystander.token);
    assert.deepEqual([json.id, json.email, json.job_title], [bystander.subscriber_id, "j137@example.com", "stays"]);
});

test("F-85 markup in names and paths comes back as JSON that no browser guesses at", async () => {
    const markup = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    const { token } = await mintToken(server, { reference: markup, display_name: markup });
    const answers = [await info(server, token), await mint(server, { reference: markup, scope: markup }), await mint(server, { [markup]: 1 }),
        await call(server, "GET", `/api/fabric/${encodeURIComponent(markup)}`), await call(server, "GET", `/${encodeURIComponent(markup)}`),
        await call(server, "GET", `/api/fabric/addresses?name=${encodeURIComponent(markup)}`, { headers: { authorization: `Bearer ${token}` } })];
    for (const answer of answers) {
        assert.match(answer.headers["content-type"] ?? "application/json", /^application\/json/, answer.text);
        assert.equal(answer.headers["x-content-type-options"], "nosniff", answer.text);
    }
    assert.equal(answers[0].json.display_name, markup);
});

// ---- the TLS door ----

const tlsPort = () => Number(new URL(server.contract.tls_url).port);

test("TLS: plain HTTP, garbage and silence on the TLS port are cut, others are served", async () => {
    const before = server.descriptors();
    const noise = ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", Buffer.from("16030100", "hex"), Buffer.alloc(5000, 0x16), Buffer.from("160301020001000200", "hex"),
        Buffer.from("800000", "hex"), Buffer.alloc(20000, 0xff)];
    for (const bytes of noise) {
        const raw = new RawSocket(tlsPort());
        await raw.connected;
        await raw.send(bytes);
        await raw.send(Buffer.alloc(64));
        raw.close();
    }
    assert.equal((await call(server, "GET", "/healthz", { tls: true })).status, 200);
    await server.settled(before + 2);
});

test("TLS: handshakes that stop half-way are let go when the peer is", async () => {
    const before = server.descriptors();
    const list = await Promise.all(Array.from({ length: 50 }, async () => {
        const raw = new RawSocket(tlsPort());
        await raw.connected;
        await raw.send(Buffer.from("1603010200", "hex"));
        return raw;
    }));
    assert.equal((await call(server, "GET", "/healthz", { tls: true })).status, 200);
    for (const raw of list) raw.close();
    await server.settled(before + 2);
});

test("TLS: a stranger's client certificate, an unknown name and ALPN h2 change nothing", async () => {
    const options = { port: tlsPort(), host: "127.0.0.1", ca: server.ca, servername: "coatcheck.localhost", ALPNProtocols: ["h2", "http/1.1"] };
    const socket = await new Promise((resolve, reject) => { const s = tls.connect(options, () => resolve(s)); s.on("error", reject); });
    assert.notEqual(socket.alpnProtocol, "h2");
    assert.ok(["TLSv1.2", "TLSv1.3"].includes(socket.getProtocol()));
    socket.destroy();
    await assert.rejects(new Promise((resolve, reject) => {
        const s = tls.connect({ ...options, servername: "evil.example" }, () => resolve(s.destroy()));
        s.on("error", reject);
    }), /altnames|certificate|alert/i);
});

// The wire of a TLS client that, once told to, keeps what is written and sends it in one piece at the end.
function heldBack(raw)
{
    const held = [];
    let isHolding = false;
    raw.on("data", (part) => wire.push(part));
    raw.on("end", () => wire.push(null));
    const wire = new Duplex({
        read() {},
        write(part, encoding, done) { if (isHolding) held.push(part); else raw.write(part); done(); },
        final(done) { raw.end(Buffer.concat(held)); done(); },
    });
    return { wire, hold: () => { isHolding = true; } };
}

// close_notify in the same bytes as the requests is seen while the first of them waits for the store.
test("TLS: a client that has said goodbye still gets every answer it asked for", async () => {
    const body = (i) => `{"reference":"goodbye-${i}@example.com"}`;
    const asked = Array.from({ length: 5 }, (_, i) => `POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
        + `Authorization: ${server.basic}\r\nContent-Length: ${body(i).length}\r\n\r\n${body(i)}`).join("");
    for (const rest of ["", "GET /healthz HTT"]) {
        const raw = net.connect({ port: tlsPort(), host: "127.0.0.1", allowHalfOpen: true });
        const { wire, hold } = heldBack(raw);
        const socket = tls.connect({ socket: wire, ca: server.ca, servername: "coatcheck.localhost", allowHalfOpen: true });
        const parts = [];
        socket.on("data", (part) => parts.push(part));
        await once(socket, "secureConnect");
        hold();
        socket.end(asked + rest);
        await once(socket, "end");
        raw.destroy();
        assert.deepEqual(responses(Buffer.concat(parts)).list.map((answer) => answer.status), Array(5).fill(200));
    }
});

test("the listeners are on the loopback address only", async () => {
    const { networkInterfaces } = await import("node:os");
    const outside = Object.values(networkInterfaces()).flat().find((i) => !i.internal && i.family === "IPv4");
    if (!outside) return;
    for (const port of [server.port, tlsPort(), Number(new URL(server.contract.admin_url).port)])
        await assert.rejects(new Promise((resolve, reject) => {
            const socket = net.connect(port, outside.address, () => { socket.destroy(); resolve(); });
            socket.on("error", reject);
        }), /ECONNREFUSED/);
});

test("J-135 no log line holds a token, a secret or an Authorization value", async () => {
    const minted = await mintToken(server, { reference: "j135@example.com", password: "a-password-for-135" });
    const session = await connected(server, minted.token);
    await session.close();
    await info(server, `${minted.token.slice(0, -3)}AAA`);
    issued.push(minted.token, minted.refresh_token, minted.token.split(".")[2], minted.refresh_token.split(".")[1], "a-password-for-135");
    const { api_token, client_secret, secret_key, c2c_token, admin_token } = server.contract;
    for (const secret of [...issued, api_token, client_secret, secret_key, c2c_token, admin_token, server.basic.slice(6)])
        assert.ok(!server.logs.some((line) => line.includes(secret)), `${secret.slice(0, 6)}… was logged`);
    while (!server.logs.some((line) => / debug /.test(line))) await new Promise((done) => setTimeout(done, 20)); // refusals are logged at debug: searched too
});

test("J-135 nor does any file of the data folder or the metrics, in any shape", async () => {
    const { api_token, client_secret, secret_key, c2c_token, admin_token } = server.contract;
    const metrics = await admin("/metrics", { authorization: `Bearer ${admin_token}` });
    // Two files are there to hold secrets: the test project's credentials, and the keys, which are never issued.
    const files = fs.readdirSync(server.data, { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "seed.json")
        .map((entry) => entry.name);
    assert.ok(files.includes("coatcheck.db") && files.includes("coatcheck.db-wal"));
    const told = Buffer.concat([Buffer.from(metrics.text), ...files.map((name) => fs.readFileSync(path.join(server.data, name)))]);
    assert.ok(told.includes("j135@example.com"), "the search does find what is there");
    for (const secret of [...issued, api_token, client_secret, secret_key, c2c_token, admin_token, server.basic.slice(6)]) {
        const bytes = Buffer.from(secret);
        for (const shape of [bytes, bytes.toString("hex"), bytes.toString("hex").toUpperCase(), bytes.toString("base64").slice(0, -4),
            Buffer.from(secret.split("_").at(-1), "base64url")])
            assert.ok(shape.length < 8 || !told.includes(shape), `${secret.slice(0, 6)}… is in a file`);
    }
});

// Every script's logs and files are searched so when its server stops (harness/secrets.mjs); here are all kinds of
// credential, good, used, altered and with the private half of their key, with logs at debug, and what is made of the data.
test("J-135 of every kind of credential, good or refused, nothing is in logs, files, a backup, metrics or answers of the commands", async () => {
    const prover = new Prover(), { privateJwk } = prover, { contract, data } = server;
    const said = [], ask = async (path, body, authorization, more = {}) => {
        const answer = await call(server, "POST", path, { body, headers: { ...(authorization ? { authorization } : {}), ...more } });
        if (answer.headers["coatcheck-error-id"]) said.push((await coatcheck("why", answer.headers["coatcheck-error-id"], "--data", data)).out);
        return answer.json ?? {};
    };
    const bearer = (token) => `Bearer ${token}`, altered = (token) => `${token.slice(0, -9)}AAAAAAAAA`, strict = (path, more) => prover.sign({ htm: "POST",
        htu: `${server.url}${path}`, ...more });
    const one = await mintToken(server, { reference: "flow@example.com", password: "a-password-of-more-than-twenty" });
    const next = await ask(REFRESH, { refresh_token: one.refresh_token }, server.basic);
    await ask(REFRESH, { refresh_token: altered(next.refresh_token) }, server.basic);
    await ask("/oauth/introspect", `token=${next.token}`, server.basic, { "content-type": "application/x-www-form-urlencoded" });
    const own = (await info(server, next.token)).json.fabric_addresses[0].id;
    const guest = await ask("/api/fabric/guests/tokens", { allowed_addresses: [contract.address_id] }, server.basic);
    const invite = await ask("/api/fabric/subscriber/invites", { address_id: own }, bearer(next.token));
    const embed = await ask("/api/fabric/embeds/tokens", { token: contract.c2c_token });
    await ask("/api/fabric/embeds/tokens", { token: altered(contract.c2c_token) });
    const { launch_token } = await ask("/v1/oauth/launch", {}, basic(contract.client_id, contract.client_secret));
    const { bootstrapToken } = await ask("/sdk/bootstrap-tokens", {}, bearer(contract.secret_key));
    for (const token of [altered(launch_token), launch_token, launch_token])
        await ask("/v1/oauth/launch/exchange", { launchToken: token, publishableKey: contract.publishable_key });
    for (const token of [altered(bootstrapToken), bootstrapToken, bootstrapToken]) await ask("/sdk/sessions", { bootstrapToken: token });
    const { sessionToken } = await ask("/sessions", { studyId: contract.study_id });
    await call(server, "GET", "/participants/me", { headers: { authorization: bearer(altered(sessionToken)) } });
    const bound = await prover.bound(server), proof = prover.http(ACTIVATE);
    for (const dpop_token of [proof, proof, altered(proof), prover.http(ACTIVATE, undefined, {}, { jwk: privateJwk })])
        await ask(ACTIVATE, { dpop_token }, bearer(bound));
    await ask("/oauth/token", `grant_type=refresh_token&refresh_token=${next.refresh_token}`, undefined, { dpop: strict("/oauth/token"),
        "content-type": "application/x-www-form-urlencoded" });
    await ask("/api/project/tokens", { name: "made", permissions: ["messaging"] }, server.basic);
    for (const token of [guest.token, invite.token, embed.token, altered(guest.token)]) await info(server, token);
    for (const dpop_token of [prover.rpc(), "a.b.c", undefined]) {
        const session = await Session.open(server);
        await session.connect(bound, dpop_token ? { dpop_token } : {});
        session.ws.terminate();
    }
    for (const text of [privateJwk.d, "a-password-of-more-than-twenty"]) remember(text, "a private half");
    const backup = path.join(data, "j135.backup");
    said.push((await coatcheck("backup", backup, "--data", data)).out, (await coatcheck("key", "list", "--project", contract.project_id, "--data", data)).out,
        (await admin("/metrics", { authorization: `Bearer ${contract.admin_token}` })).text);
    assert.ok(said.length > 12 && said.every((text) => text.length > 20), "commands and metrics said something");
    assert.ok([guest, invite, embed].every(({ token }) => token) && sessionToken && launch_token && bootstrapToken);
    assert.equal(secretIn(said.join("\n")), undefined);
    assert.deepEqual(secretsInFolder(data), [], "the backup too");
    for (const line of server.logs) assert.equal(secretIn(line), undefined, line.slice(0, 60));
    assert.ok(secretInFile(path.join(data, "seed.json")), "the search does find what is there");
    for (const token of [guest.token, launch_token, bootstrapToken, sessionToken, proof, privateJwk.d])
        assert.ok(secretIn(`refused token="${token}" id=1`), token.slice(0, 8));
});

await run({
    before: async () => {
        server = await startServer({ tls: true, env: { COATCHECK_LOG_LEVEL: "debug" } });
        await mintToken(server, { reference: "warm@example.com" });
        assert.equal((await call(server, "GET", "/healthz", { tls: true })).status, 200);
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
