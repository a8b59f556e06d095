// session.test.mjs — our own browser package in Chromium against a running server: signing in, staying, ending. Rows of the
// acceptance list stand in the names (SW-n).
import assert from "node:assert/strict";
import { startBrowser } from "../harness/browser.mjs";
import { mintToken } from "../harness/http.mjs";
import { buildSdk, startSdkPages } from "../harness/sdk_pages.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

let server, foreign, browser, pages;

async function start()
{
    buildSdk();
    server = await startServer();
    foreign = await startServer();
    browser = await startBrowser([]);
    pages = await startSdkPages([server.url, foreign.url]);
}

async function stop()
{
    await browser?.stop();
    await pages?.stop();
    await foreign?.stop();
    await server?.stop();
}

// ---- a page with a client in it ----

function begin({ credential, options }) // in the page
{
    window.log = [];
    window.client = new window.sdk.CoatcheckClient(new window.sdk.StaticCredentialProvider(credential), options);
    window.client.errors$.subscribe((error) => window.log.push(`${error.name} ${error.code}: ${error.message}`));
    window.client.warnings$.subscribe((warning) => window.log.push(`warning ${warning.code} ${warning.reason}`));
}

class Visit {
    static async begin(credential, options = {})
    {
        const visit = new Visit();
        visit.page = await browser.newPage();
        visit.sockets = [];
        visit.problems = [];
        visit.page.on("websocket", (ws) => visit.sockets.push(ws));
        visit.page.on("pageerror", (error) => visit.problems.push(String(error)));
        visit.page.on("console", (line) => visit.problems.push(line.text()));
        await visit.page.goto(pages.origin);
        await visit.page.waitForFunction(() => window.sdk);
        await visit.page.evaluate(begin, { credential, options });
        return visit;
    }

    run(body, argument) { return this.page.evaluate(body, argument); }

    async until(condition, argument)
    {
        await this.page.waitForFunction(condition, argument, { timeout: 20_000 }).catch(async (error) => {
            throw new Error(`${error.message}: ${JSON.stringify([await this.run(() => window.log), this.problems])}`);
        });
    }

    ready() { return this.until(() => window.client.ready); }
    registered() { return this.until(() => window.client.isRegistered); }
    log() { return this.run(() => window.log); }

    async end()
    {
        assert.deepEqual(this.problems, []);
        await this.page.close();
    }
}

test("SW-3 a minted token, in a page under a strict policy, opens a session and registers", async () => {
    const { token } = await mintToken(server, { reference: "ada@example.com", display_name: "Ada" });
    const visit = await Visit.begin({ token });
    await visit.registered();
    assert.deepEqual(await visit.log(), []);
    assert.equal(await visit.run(() => window.client.user.display_name), "Ada");
    await visit.end();
});

await run({ before: start, after: stop });
