// demo.test.mjs — the one saved page, opened from a disk: a token is pasted, the log says whether a session opened.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { startBrowser } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { mintToken } from "../harness/http.mjs";
import { buildSdk, SDK } from "../harness/sdk_pages.mjs";
import { startServer, temporaryFolder } from "../harness/server.mjs";
import { LIMIT_S, run, test } from "../harness/suite.mjs";

const folder = temporaryFolder("coatcheck-demo");
let server, foreign, browser, page;

async function start()
{
    buildSdk();
    fs.copyFileSync(path.join(SDK, "dist/auth-demo.html"), path.join(folder, "auth-demo.html"));
    server = await startServer();
    foreign = await startServer();
    browser = await startBrowser([]);
    page = await browser.newPage();
    await page.goto(pathToFileURL(path.join(folder, "auth-demo.html")).href);
}

async function authenticate(token, expected)
{
    await page.getByLabel("Subscriber access token (SAT)").fill(token);
    await page.getByRole("button", { name: "Authenticate" }).click();
    await page.waitForFunction((text) => document.querySelector("#log").textContent.includes(text), expected, { timeout: LIMIT_S * 1000 })
        .catch(async () => assert.fail(`the log says ${await page.getByRole("log").textContent()}`));
    return page.getByRole("log").textContent();
}

const OPEN = "Authenticated — WebSocket open.", REFUSED = "Failed: InvalidCredentialsError";
const minted = async (at = server) => (await mintToken(at, { reference: "ada@example.com" })).token;

test("SW-58 SW-59 a good token: the log says that the user is authenticated and the WebSocket open", async () => {
    const said = await authenticate(await minted(), OPEN);
    assert.ok(!said.includes("Failed"));
});

test("SW-60 an expired token, a malformed one, one of another server: InvalidCredentialsError each, and a fresh one then succeeds", async () => {
    const old = await minted();
    await advance(server, "3h");
    const good = await minted();
    await page.getByLabel("Server").fill(server.url);
    for (const token of [old, "nonsense", "", good.slice(0, -6), await minted(foreign)]) {
        const said = await authenticate(token, REFUSED);
        assert.ok(!said.includes(OPEN));
        await authenticate(good, OPEN);
    }
});

await run({ before: start, after: async () => {
    await browser?.stop();
    await foreign?.stop();
    await server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
} });
