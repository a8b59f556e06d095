// proxies.test.mjs — the examples of docs/operating.md behind which the server is meant to stand, word for word but for ports,
// names and certificates: nginx and Caddy as Debian has them, unpacked by tools/install.sh into build/proxies (or where
// COATCHECK_PROXIES says). Where one is not there a line says so.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { coatcheck } from "../harness/clock.mjs";
import { hashOf, Prover, TOKEN } from "../harness/door.mjs";
import { INFO, loopbackLookup, readToken, TOKENS } from "../harness/http.mjs";
import { REPOSITORY, startServer, temporaryFolder } from "../harness/server.mjs";
import { freePort } from "../harness/raw.mjs";
import { connected, Session } from "../harness/session.mjs";
import { guarded, LIMIT_S, run, test } from "../harness/suite.mjs";

const UNPACKED = process.env.COATCHECK_PROXIES ?? path.join(REPOSITORY, "build/proxies");
const HOST = "coatcheck.localhost";
const documented = (language, marker) => {
    const blocks = [...fs.readFileSync(path.join(REPOSITORY, "docs/operating.md"), "utf8").matchAll(/^```(\w*)\n([^]*?)^```$/gm)];
    const found = blocks.filter(([, of, text]) => of === language && text.includes(marker));
    assert.equal(found.length, 1, `one example of ${marker}`);
    return found[0][2];
};
const replaced = (text, pairs) => pairs.reduce((all, [from, to]) => {
    assert.ok(all.includes(from), `the example has ${from}`);
    return all.replaceAll(from, to);
}, text);

// How each is started: its program below UNPACKED, and the arguments, with its files in `folder`.
const proxies = {
    nginx: ["usr/sbin/nginx", ({ folder, port, server }) => {
        const example = replaced(documented("nginx", "proxy_pass"), [["127.0.0.1:8787", server.host], ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
            ["auth.example.com puc.auth.example.com", `${HOST} puc.${HOST}`], ["/etc/ssl/auth.example.com.pem", `${server.data}/tls.pem`],
            ["/etc/ssl/auth.example.com.key", `${server.data}/tls.key`]]);
        const rooms = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
        fs.writeFileSync(`${folder}/conf`, `daemon off; master_process off; pid ${folder}/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n${rooms}\n${example}}\n`);
        return ["-p", folder, "-c", `${folder}/conf`, "-e", "stderr"];
    }],
    caddy: ["usr/bin/caddy", ({ folder, port, server }) => {
        const example = replaced(documented("", "reverse_proxy"), [["127.0.0.1:8787", server.host], ["auth.example.com, puc.auth.example.com {",
            `${HOST}:${port}, puc.${HOST}:${port} {\n    bind 127.0.0.1\n    tls ${server.data}/tls.pem ${server.data}/tls.key`]]);
        fs.writeFileSync(`${folder}/Caddyfile`, `{\n    admin off\n    auto_https disable_redirects\n}\n${example}`);
        return ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
    }],
};

const accepts = (port) => new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); });
    socket.on("error", () => resolve(false));
});

// The server and the proxy before it; what clients see of both is at `url`.
class Place {
    static async open(name)
    {
        const [program, argumentsOf] = proxies[name], binary = path.join(UNPACKED, program), port = await freePort();
        const place = new Place();
        place.folder = temporaryFolder(`coatcheck-${name}`);
        place.url = `https://${HOST}:${port}`;
        place.server = await startServer({ tls: true, env: { COATCHECK_PUBLIC_URL: place.url, COATCHECK_PING_INTERVAL_S: "1" } });
        place.child = spawn(binary, argumentsOf({ folder: place.folder, port, server: place.server }),
            { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: place.folder, XDG_DATA_HOME: place.folder } });
        process.on("exit", () => place.child.kill("SIGKILL"));
        place.ended = new Promise((resolve) => place.child.once("close", resolve));
        place.said = [];
        place.child.stderr.on("data", (text) => place.said.push(text));
        for (let tries = 0; !(await accepts(port)); tries++) {
            if (tries > 20 * LIMIT_S || place.child.exitCode !== null) throw new Error(`${name} does not start:\n${place.said.join("")}`);
            await new Promise((done) => setTimeout(done, 50));
        }
        place.agent = new https.Agent({ keepAlive: true, maxSockets: 4, ca: place.server.ca, lookup: loopbackLookup });
        place.seen = { ca: place.server.ca, contract: { tls_url: place.url } }; // as the session harness wants it
        return place;
    }

    ask(method, target, { body, headers = {} } = {})
    {
        const bytes = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
        const fields = { ...(bytes !== undefined && typeof body !== "string" ? { "content-type": "application/json" } : {}), ...headers };
        if (bytes !== undefined) fields["content-length"] = Buffer.byteLength(bytes);
        return new Promise((resolve, reject) => {
            const request = https.request(this.url + target, { method, headers: fields, agent: this.agent }, (answer) => {
                const parts = [];
                answer.on("data", (part) => parts.push(part));
                answer.on("end", () => {
                    const text = Buffer.concat(parts).toString();
                    let json;
                    try { json = JSON.parse(text); } catch { json = undefined; }
                    resolve({ status: answer.statusCode, headers: answer.headers, text, json });
                });
            }).once("error", reject);
            request.end(bytes);
        });
    }

    async mint(body = {})
    {
        const answer = await this.ask("POST", TOKENS, { body: { reference: "ada@example.com", ...body }, headers: { authorization: this.server.basic } });
        assert.equal(answer.status, 200, answer.text);
        return answer.json;
    }

    async stop()
    {
        this.agent.destroy();
        this.child.kill("SIGTERM");
        await guarded(this.ended, LIMIT_S, "the proxy's end");
        await this.server.stop();
        fs.rmSync(this.folder, { recursive: true });
    }
}

for (const name of Object.keys(proxies)) {
    if (!fs.existsSync(path.join(UNPACKED, proxies[name][0]))) {
        console.log(`not found: ${name}`);
        continue;
    }
    let place;

    test(`${name}: starts on the documented example, and the token's issuer is the public URL`, async () => {
        place = await Place.open(name);
        const { token } = await place.mint();
        assert.equal(readToken(token).claims.iss, place.url);
        for (let i = 0; i < 20; i++) assert.equal((await place.ask("GET", INFO, { headers: { authorization: `Bearer ${token}` } })).status, 200);
        const refused = await place.ask("GET", INFO, { headers: { authorization: "Bearer x.y.z" } });
        assert.deepEqual([refused.status, refused.headers["coatcheck-error-id"]?.length], [401, 16]);
        assert.ok(refused.headers["www-authenticate"]);
        assert.equal((await place.ask("POST", TOKENS, { body: { reference: "x".repeat(20_000) }, headers: { authorization: place.server.basic } })).status, 413);
    });

    test(`${name}: a strict proof names the public URL, whatever the proxy or the client says of hosts`, async () => {
        const prover = new Prover(), at = { publicUrl: place.url }, { refresh_token } = await place.mint({ fingerprint: prover.fingerprint });
        const form = (dpop, more = {}) => place.ask("POST", TOKEN, { body: new URLSearchParams({ grant_type: "refresh_token", refresh_token }).toString(),
            headers: { "content-type": "application/x-www-form-urlencoded", dpop, ...more } });
        for (const [other, more] of [[place.server.url, {}], ["https://evil.example", { "x-forwarded-host": "evil.example", forwarded: "host=evil.example;proto=https" }],
            [place.url.replace("https", "http"), { "x-forwarded-proto": "http" }]]) {
            const answer = await form(prover.prove({ publicUrl: other }), more);
            assert.equal(answer.json?.error, "invalid_dpop_proof", `${other}: ${answer.text}`);
        }
        const answer = await form(prover.prove(at));
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.token_type, "DPoP");
        assert.ok(hashOf(answer.json.access_token));
    });

    test(`${name}: a session goes through: proof, calls, pings in both directions, and the close code at its end`, async () => {
        const prover = new Prover(), { token, subscriber_id } = await place.mint({ reference: "socket@example.com", fingerprint: prover.fingerprint });
        const session = await connected(place.seen, token, { tls: true, params: { dpop_token: prover.rpc() } });
        assert.equal(session.result.authorization.fabric_subscriber.subscriber_id, subscriber_id);
        assert.ok((await session.request("subscriber.online")).result);
        await session.message((message) => message.method === "signalwire.ping", "a ping of the server's");
        const { code, err } = await coatcheck("revoke", "user", subscriber_id, "--project", place.server.contract.project_id, "--data", place.server.data);
        assert.deepEqual({ code, err }, { code: 0, err: "" });
        assert.equal((await guarded(session.closed, LIMIT_S, "the close")).code, 4403);
        await assert.rejects(Session.open(place.seen, { tls: true, origin: "https://evil.example" }), { status: 403 });
    });

    test(`${name}: ends`, () => place.stop());
}

test("the documented examples are there", () => { for (const [language, marker] of [["nginx", "proxy_pass"], ["", "reverse_proxy"]]) documented(language, marker); });

await run();
