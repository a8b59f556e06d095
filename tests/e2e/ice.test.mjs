// ice.test.mjs — the way to a peer: the STUN answerer of `dev`, and passwords for a real coturn.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import path from "node:path";
import { mintToken } from "../harness/http.mjs";
import { freePort } from "../harness/raw.mjs";
import { startRefused, startServer, temporaryFolder } from "../harness/server.mjs";
import { Session } from "../harness/session.mjs";
import { StunSocket, bindingRequest, mappedAddress } from "../harness/stun.mjs";
import { LIMIT_S, run, test } from "../harness/suite.mjs";

const SECRET = "a secret of both, 32 characters.";
const LIFE_S = 600;

async function iceServers(server)
{
    const { token } = await mintToken(server, { reference: "ada@example.com" });
    const session = await Session.open(server);
    const answer = await session.connect(token);
    session.ws.close();
    return { list: answer.result.ice_servers, identity: answer.result.identity };
}

// ---- STUN ----

test("dev answers STUN: the asker's address, and a port that differs by one bit", async () => {
    const server = await startServer();
    const socket = await StunSocket.open();
    try {
        const { list } = await iceServers(server);
        assert.equal(list.length, 1);
        const [, port] = /^stun:127\.0\.0\.1:(\d+)$/.exec(list[0].urls[0]);
        assert.deepEqual(mappedAddress(await socket.ask(Number(port))), { address: "127.0.0.1", port: socket.port ^ 1 });
    } finally {
        socket.close();
        await server.stop();
    }
});

test("dev: what is no STUN question gets no answer, and the next question does", async () => {
    const server = await startServer();
    const socket = await StunSocket.open();
    try {
        const { list } = await iceServers(server);
        const port = Number(list[0].urls[0].split(":").pop());
        const answer = await socket.ask(port); // an answer, sent back, must not be answered
        for (const odd of [Buffer.alloc(0), Buffer.from("x"), crypto.randomBytes(1400), crypto.randomBytes(9000), answer,
            bindingRequest().subarray(0, 19), Buffer.concat([bindingRequest(), Buffer.alloc(4)])])
            socket.send(odd, port);
        assert.ok(await socket.ask(port));
        assert.equal(socket.answers.length, 2, "two questions, two answers");
    } finally {
        socket.close();
        await server.stop();
    }
});

test("dev with an ICE server of one's own answers none itself", async () => {
    const server = await startServer({ args: ["--ice-server", "stun:stun.example.com:3478"] });
    try {
        assert.deepEqual((await iceServers(server)).list, [{ urls: ["stun:stun.example.com:3478"] }]);
    } finally {
        await server.stop();
    }
});

// ---- TURN ----

test("settings of TURN that cannot work are refused at the start, with what to change", async () => {
    const refused = async (env, expected) => {
        const { code, said } = await startRefused({ env });
        assert.equal(code, 3, said);
        assert.match(said, expected);
    };
    await refused({ COATCHECK_TURN_URLS: "turn:a.example" }, /belong together/);
    await refused({ COATCHECK_TURN_SECRET: SECRET }, /belong together/);
    await refused({ COATCHECK_TURN_URLS: "stun:a.example", COATCHECK_TURN_SECRET: SECRET }, /not "stun:a\.example"/);
    await refused({ COATCHECK_TURN_URLS: "turn:a.example", COATCHECK_TURN_SECRET: "short" }, /too short/);
});

test("each session gets a TURN password of its own, beside the configured servers", async () => {
    const server = await startServer({ env: {
        COATCHECK_ICE_SERVERS: ' [ {"urls":"stun:stun.example.com"} ] ',
        COATCHECK_TURN_URLS: "turn:a.example:3478  turns:a.example:5349?transport=tcp",
        COATCHECK_TURN_SECRET: SECRET, COATCHECK_TURN_LIFE_S: String(LIFE_S) } });
    try {
        const before = Math.floor(Date.now() / 1000);
        const { list, identity } = await iceServers(server);
        const after = Math.floor(Date.now() / 1000);
        assert.deepEqual(list[0], { urls: "stun:stun.example.com" });
        assert.equal(list.length, 2);
        const { urls, username, credential, credentialType } = list[1];
        assert.deepEqual(urls, ["turn:a.example:3478", "turns:a.example:5349?transport=tcp"]);
        assert.equal(credentialType, "password");
        const [end, whom] = username.split(":");
        assert.ok(Number(end) >= before + LIFE_S && Number(end) <= after + LIFE_S, username);
        assert.equal(whom, identity.slice(0, 8));
        assert.equal(credential, crypto.createHmac("sha1", SECRET).update(username).digest("base64"));
        const other = (await iceServers(server)).list[1];
        assert.notEqual(other.username, username);
        assert.ok(!server.logs.join("\n").includes(SECRET) && !server.logs.join("\n").includes(credential));
    } finally {
        await server.stop();
    }
});

// ---- coturn ----

async function startCoturn()
{
    const port = await freePort();
    const folder = temporaryFolder("coturn");
    const child = spawn("turnserver", ["-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout", "--listening-ip", "127.0.0.1",
        "--relay-ip", "127.0.0.1", "--listening-port", String(port), "--use-auth-secret", `--static-auth-secret=${SECRET}`,
        "--realm", "coatcheck.test", "--allow-loopback-peers", "--pidfile", path.join(folder, "pid"),
        "--userdb", path.join(folder, "db")], { stdio: ["ignore", "ignore", "ignore"] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    const socket = await StunSocket.open();
    const answer = await socket.ask(port);
    socket.close();
    if (!answer) { child.kill("SIGKILL"); assert.fail("coturn does not answer"); }
    return { port, stop: async () => { child.kill("SIGTERM"); await ended; } };
}

// One datagram there and back over a relayed address; what the client of coturn says of it.
function relay(port, username, credential)
{
    return spawnSync("turnutils_uclient", ["-y", "-c", "-n", "1", "-m", "1", "-l", "100", "-z", "5", "-u", username,
        "-w", credential, "-p", String(port), "127.0.0.1"], { encoding: "utf8", timeout: LIMIT_S * 1000 });
}

test("a real coturn relays for the password of a session, for no other, and for none that has ended", async () => {
    const coturn = await startCoturn();
    const server = await startServer({ env: { COATCHECK_TURN_URLS: `turn:127.0.0.1:${coturn.port}`,
        COATCHECK_TURN_SECRET: SECRET, COATCHECK_TURN_LIFE_S: String(LIFE_S) } });
    try {
        const { username, credential } = (await iceServers(server)).list[0];
        const forged = `${Number(username.split(":")[0]) + 1}:${username.split(":")[1]}`;
        const past = `${Math.floor(Date.now() / 1000) - 3600}:${username.split(":")[1]}`; // a clock may be set meanwhile
        const rightOfPast = crypto.createHmac("sha1", SECRET).update(past).digest("base64");
        for (const [name, password] of [[username, `${credential.slice(0, -2)}A=`], [forged, credential], [past, rightOfPast]]) {
            const refused = relay(coturn.port, name, password);
            assert.notEqual(refused.status, 0, `${name} at ${new Date().toISOString()}: ${refused.stdout}`);
            assert.match(refused.stdout, /Cannot complete Allocation/);
        }
        const relayed = relay(coturn.port, username, credential);
        assert.equal(relayed.status, 0, relayed.stdout);
        assert.match(relayed.stdout, /Total lost packets 0 /);
    } finally {
        await server.stop();
        await coturn.stop();
    }
});

await run();
