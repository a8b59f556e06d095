// session.mjs — a live session by hand over npm `ws`: JSON-RPC requests out, replies and events in.
import crypto from "node:crypto";
import { WebSocket } from "ws";
import { loopbackLookup } from "./http.mjs";
import { rememberAll } from "./secrets.mjs";
import { guarded, LIMIT_S } from "./suite.mjs";

export class Session {
    // options: { tls, origin, answersPings = true }
    static async open(server, options = {})
    {
        const base = options.tls ? server.contract.tls_url : server.url;
        const session = new Session(new WebSocket(base.replace(/^http/, "ws"),
            { ca: server.ca, origin: options.origin, lookup: loopbackLookup }));
        session.answersPings = options.answersPings ?? true;
        await guarded(session.opened, LIMIT_S, "the upgrade");
        return session;
    }

    constructor(ws)
    {
        this.ws = ws;
        this.messages = [];
        this.watchers = [];
        this.opened = new Promise((resolve, reject) => {
            ws.once("open", resolve);
            ws.once("error", reject);
            ws.once("unexpected-response", (request, answer) => reject(Object.assign(
                new Error(`upgrade answered ${answer.statusCode}`), { status: answer.statusCode, headers: answer.headers })));
        });
        this.closed = new Promise((resolve) => ws.once("close", (code, reason) => {
            this.isClosed = true;
            resolve({ code, reason: reason.toString() });
        }));
        ws.on("error", () => {});
        ws.on("message", (data) => this.take(JSON.parse(data.toString())));
    }

    take(message)
    {
        this.messages.push(message);
        if (message.method === "signalwire.ping" && this.answersPings) {
            this.pings = (this.pings ?? 0) + 1;
            this.send({ jsonrpc: "2.0", id: message.id, result: { timestamp: Date.now() / 1000 } });
        }
        if (message.method === "signalwire.event") this.send({ jsonrpc: "2.0", id: message.id, result: {} });
        this.watchers = this.watchers.filter((watcher) => !watcher(message));
    }

    send(message) { this.ws.send(typeof message === "string" ? message : JSON.stringify(message)); }

    // The first message, past or to come, that fits.
    message(fits, what, seconds = LIMIT_S)
    {
        const past = this.messages.find(fits);
        if (past) return Promise.resolve(past);
        return guarded(new Promise((resolve) => this.watchers.push((m) => fits(m) && (resolve(m), true))), seconds, what);
    }

    request(method, params = {})
    {
        const id = crypto.randomUUID();
        const reply = this.message((m) => m.id === id && !m.method, `a reply to ${method}`);
        rememberAll(params);
        this.send({ jsonrpc: "2.0", id, method, params });
        return reply;
    }

    connect(token, more = {}) { return this.request("signalwire.connect", connectParams(token, more)); }

    event(type) { return this.message((m) => m.method === "signalwire.event" && m.params.event_type === type, type); }

    // Sends calls, then a close frame. True when the close is answered and none of the calls was: the peer heard them and
    // stayed silent.
    async endsWithoutAnswering(...methods)
    {
        const ids = methods.map(() => crypto.randomUUID());
        methods.forEach((method, i) => this.send({ jsonrpc: "2.0", id: ids[i], method, params: {} }));
        await this.close();
        return !this.messages.some((m) => ids.includes(m.id));
    }

    async close()
    {
        this.ws.close(1000);
        return guarded(this.closed, LIMIT_S, "the close");
    }
}

export function connectParams(token, more = {})
{
    return { version: { major: 4, minor: 0, revision: 0 }, event_acks: true, authentication: { jwt_token: token },
        agent: "signalwire-js/4.0.0", contexts: [], eventing: [], topics: [], ...more };
}

export async function connected(server, token, options)
{
    const session = await Session.open(server, options);
    const reply = await session.connect(token, options?.params);
    if (!reply.result) throw new Error(`connect refused: ${JSON.stringify(reply.error)}`);
    session.result = reply.result;
    return session;
}
