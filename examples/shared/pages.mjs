// pages.mjs — what all three backends need of a web server: files, JSON in and out. Nothing here knows Coatcheck.
//
// Files come from a product's own folder and, below /coatcheck/, from the built browser package. The policy that goes with
// each page lets scripts come from this server alone: nothing inline, nothing evaluated.
import fs from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../../sdk/dist", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml" };
const BODY_MAX = 16 * 1024; // bytes

/** The Content-Security-Policy of a page that talks to Coatcheck at `server`. more: further directives, which replace. */
export function policy(server, more = {})
{
    const { origin, host } = new URL(server);
    const socket = `${server.startsWith("https:") ? "wss" : "ws"}://${host}`;
    const all = { "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:", "media-src": "'self' blob:",
        "connect-src": `'self' ${origin} ${socket}`, "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'", ...more };
    return Object.entries(all).map(([name, value]) => `${name} ${value}`).join("; ");
}

/** Answers with the file that the path names, or with 404. `/` is index.html. */
export async function sendFile(response, folder, pathname, headers = {})
{
    const [root, rest] = pathname.startsWith("/coatcheck/") ? [PACKAGE, pathname.slice(10)] : [folder, pathname];
    const file = path.join(root, path.normalize(rest.endsWith("/") ? `${rest}index.html` : rest));
    const type = TYPES[path.extname(file)];
    const text = type && file.startsWith(root + path.sep) ? await fs.readFile(file).catch(() => null) : null;
    if (!text) return sendJson(response, 404, { error: "not_found" });
    response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer", ...headers }).end(text);
}

/** True: it came by another name than this server's own, and was sent home. Else a stranger's page, under a name of its own that it
 * lets lead to this machine, would be one of ours. */
export function sentHome(request, response, origin)
{
    if (`http://${request.headers.host}` === origin) return false;
    response.writeHead(308, { Location: `${origin}/` }).end();
    return true;
}

/** Tokens are never kept by a cache on their way. */
export function sendJson(response, status, value, headers = {})
{
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers }).end(JSON.stringify(value));
}

/** The request's JSON object. Throws a SyntaxError for anything else, a RangeError for more than 16 KiB. */
export async function readJson(request)
{
    const chunks = [];
    let bytes = 0;
    for await (const chunk of request) {
        bytes += chunk.length;
        if (bytes > BODY_MAX) throw new RangeError("body too large");
        chunks.push(chunk);
    }
    const value = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new SyntaxError("no object");
    return value;
}
