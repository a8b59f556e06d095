// sdk_losses.test.mjs — our own browser package in Chromium when its server is out of reach: an origin that the project does not
// list, a server that is down for long, killed or drained, a browser without a network. What is lost is told once in words that
// say what to change, and comes back by itself.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import { promisify } from "node:util";
import { startBrowser } from "../harness/browser.mjs";
import { mintToken } from "../harness/http.mjs";
import { buildSdk, startSdkPages } from "../harness/sdk_pages.mjs";
import { Visit } from "../harness/sdk_visit.mjs";
import { BINARY, startServer, temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const data = temporaryFolder("losses");
let server, browser, pages, foreign, people = 0;

async function mintRoute(request, answer)
{
    const { token } = await mintToken(server, { reference: `person-${++people}@example.com` });
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, expiry_at: Date.now() + 7_200_000 }));
}

async function start()
{
    buildSdk();
    server = await startServer({ data });
    browser = await startBrowser([]);
    const routes = { "/sat": mintRoute };
    pages = await startSdkPages([server.url], { routes });
    foreign = await startSdkPages([server.url], { routes, host: "shop.localhost" });
}

async function stop()
{
    await browser?.stop();
    await pages?.stop();
    await foreign?.stop();
    await server?.stop();
    fs.rmSync(data, { recursive: true, force: true });
}

const visit = (origin = pages.origin) => Visit.begin(browser, origin, { routes: { token: "/sat", refresh: "/sat" } });

// The same server on its port: what its clients find when it is there again.
async function startAgain()
{
    server = await startServer({ data, args: ["--port", String(server.port)] });
}

test("a page whose origin the project does not list is told so, and is let in once it does", async () => {
    const one = await visit(foreign.origin);
    await one.refused();
    const [[name, code, words]] = await one.log();
    assert.deepEqual([name, code], ["CoatcheckError", "network"]);
    assert.match(words, /does not list this page's origin/);
    assert.deepEqual([await one.run(() => window.states), one.sockets.length], [[false], 0]);
    await promisify(execFile)(BINARY, ["origin", "add", foreign.origin, "--data", data]);
    await one.registered();
    await one.end();
});

for (const [how, signal] of [["killed", "SIGKILL"], ["restarted", "SIGTERM"]])
    test(`a server that is ${how} and long away: the page tries again ever more rarely, tells of it, and gets a session when it is back`, async () => {
        const one = await visit();
        await one.registered();
        const asked = await one.run(() => window.asked.length);
        server.child.kill(signal);
        await server.ended;
        await one.until(() => !window.client.ready && !window.client.isConnected);
        const tries = () => one.run(() => window.webSockets.length);
        const before = await tries();
        await one.run(() => { window.tries = window.webSockets.length; });
        await one.until(() => window.webSockets.length >= window.tries + 3, undefined, 60);
        assert.ok(await tries() > before);
        await startAgain();
        await one.until(() => window.client.ready && window.client.isRegistered, undefined, 90);
        assert.deepEqual((await one.log()).map(([, code]) => code).filter((code) => code !== "network"), []);
        assert.equal(await one.run(() => window.asked.length), asked, "its token is good still");
        await one.end();
    });

test("a browser that is offline for a while asks nobody, and comes back when it is online", async () => {
    const one = await visit();
    await one.registered();
    const context = one.page.context();
    await context.setOffline(true);
    await one.run(() => { for (const socket of window.webSockets) socket.close(4999); }); // Chromium keeps open sockets when it is set offline
    await one.until(() => !window.client.ready);
    const sockets = await one.run(() => window.webSockets.length);
    await one.run(() => new Promise((resolve) => { setTimeout(resolve, 4000); }));
    assert.equal(await one.run(() => window.webSockets.length), sockets);
    await context.setOffline(false);
    await one.until(() => window.client.ready && window.client.isRegistered);
    assert.deepEqual(await one.log(), []);
    await one.end();
});

await run({ before: start, after: stop });
