// sdk_pages.mjs — pages with our own browser package in them, as a bundler leaves it (sdk/dist), under a policy that allows no
// inline script, no eval, and no server but the one under test.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { REPOSITORY } from "./server.mjs";

export const SDK = path.join(REPOSITORY, "sdk");
const TYPES = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" };

const PAGE = `<!doctype html><meta charset="utf-8"><title>sdk</title><script type="module" src="/page.js"></script>`;
const SCRIPT = `import * as sdk from "/sdk/index.js"; window.sdk = sdk;`;

export function buildSdk()
{
    execFileSync(process.execPath, ["build.mjs", "--modules"], { cwd: SDK, stdio: ["ignore", "ignore", "inherit"] });
}

// servers: origins that the page may talk to. routes: more paths, each (request, answer) => void.
export async function startSdkPages(servers, { host = "127.0.0.1", routes = {} } = {})
{
    const connect = servers.flatMap((url) => [url, url.replace(/^http/, "ws")]).join(" ");
    const policy = `default-src 'none'; script-src 'self'; connect-src 'self' ${connect}; base-uri 'none'; form-action 'none'`;
    const server = http.createServer((request, answer) => {
        const { pathname } = new URL(request.url, "http://x");
        if (routes[pathname]) return void routes[pathname](request, answer);
        const [type, body] = fileOf(pathname);
        answer.writeHead(body === undefined ? 404 : 200, { "content-type": type, "content-security-policy": policy });
        answer.end(body);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://${host}:${server.address().port}`;
    return { origin, policy, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

function fileOf(pathname)
{
    if (pathname === "/") return [TYPES[".html"], PAGE];
    if (pathname === "/page.js") return [TYPES[".js"], SCRIPT];
    const file = path.join(SDK, "dist", path.normalize(pathname).replace(/^\/sdk\//, ""));
    const isOurs = pathname.startsWith("/sdk/") && file.startsWith(path.join(SDK, "dist")) && fs.existsSync(file);
    return [TYPES[path.extname(file)] ?? "text/plain", isOurs ? fs.readFileSync(file) : undefined];
}
