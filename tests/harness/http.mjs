// http.mjs — HTTP as the tests need it: one connection per call, every field under control, nothing followed or retried.
// through(server, n) is the same server over n connections that stay open.
import http from "node:http";
import https from "node:https";
import { rememberAll, rememberFields } from "./secrets.mjs";

export const TOKENS = "/api/fabric/subscribers/tokens";
export const REFRESH = "/api/fabric/subscribers/tokens/refresh";
export const INFO = "/api/fabric/subscriber/info";
export const ADDRESSES = "/api/fabric/addresses";
export const JWKS = "/.well-known/jwks.json";

// Names under localhost mean this machine (RFC 6761 §6.3); not every C library knows.
export function loopbackLookup(name, options, answer)
{
    if (options.all) answer(null, [{ address: "127.0.0.1", family: 4 }]);
    else answer(null, "127.0.0.1", 4);
}

// headers may hold arrays for repeated fields. body: string or Buffer, or anything else, sent as JSON with its type.
// chunked: the body goes without a length.
export function call(server, method, path, { headers = {}, body, tls = false, chunked = false } = {})
{
    const isRaw = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
    const bytes = isRaw ? body : JSON.stringify(body);
    const base = tls ? server.contract.tls_url : server.url;
    const fields = { ...(isRaw ? {} : { "content-type": "application/json" }), ...headers };
    if (chunked) fields["transfer-encoding"] = "chunked";
    else if (bytes !== undefined) fields["content-length"] = Buffer.byteLength(bytes);
    rememberFields(fields);
    if (!isRaw) rememberAll(body);
    return new Promise((resolve, reject) => {
        const client = tls ? https : http;
        const options = { method, headers: fields, agent: server.agent ?? false, ca: server.ca, lookup: loopbackLookup };
        const request = client.request(base + path, options, (answer) => {
            const parts = [];
            answer.on("data", (part) => parts.push(part));
            answer.on("error", reject);
            answer.on("end", () => resolve(told(answer, Buffer.concat(parts).toString("utf8"))));
        });
        request.on("error", reject);
        request.end(bytes);
    });
}

export function through(server, connections)
{
    return Object.assign(Object.create(server), { agent: new http.Agent({ keepAlive: true, maxSockets: connections }) });
}

function told(answer, text)
{
    let json;
    try {
        json = JSON.parse(text);
    } catch {
        json = undefined;
    }
    rememberAll(json);
    return { status: answer.statusCode, headers: answer.headers, rawHeaders: answer.rawHeaders, text, json };
}

export function mint(server, body, headers = {})
{
    return call(server, "POST", TOKENS, { body, headers: { authorization: server.basic, ...headers } });
}

export async function mintToken(server, body)
{
    const answer = await mint(server, body);
    if (answer.status !== 200) throw new Error(`mint answered ${answer.status} ${answer.text}`);
    return answer.json;
}

export function refresh(server, refresh_token, headers = {})
{
    return call(server, "POST", REFRESH, { body: { refresh_token }, headers: { authorization: server.basic, ...headers } });
}

export async function refreshToken(server, refresh_token)
{
    const answer = await refresh(server, refresh_token);
    if (answer.status !== 201) throw new Error(`refresh answered ${answer.status} ${answer.text}`);
    return answer.json;
}

export function info(server, token, headers = {})
{
    return call(server, "GET", INFO, { headers: { authorization: `Bearer ${token}`, ...headers } });
}

export function nowS()
{
    return Math.floor(Date.now() / 1000);
}

// The two readable parts of a compact JWS.
export function readToken(token)
{
    const [header, payload] = token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
    return { header, claims: payload };
}
