// phone.mjs — a telephone on a live session, by hand: dials, rings, answers, hangs up; every event is kept, in order.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { connected } from "./session.mjs";

// What a browser offers: two media, bundled, with candidates of each kind.
export const HEAD = "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
export const BUNDLE = "a=group:BUNDLE 0 1\r\n";
export const HOST = "a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0\r\n";
export const SRFLX = "a=candidate:3 1 udp 1677729535 198.51.100.7 40000 typ srflx raddr 0.0.0.0 rport 0\r\n";
const media = (kind, mid) => `m=${kind} 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:${mid}\r\n`;
export const AUDIO = media("audio", 0), VIDEO = media("video", 1);
export const OFFER = HEAD + BUNDLE + AUDIO + HOST + SRFLX + VIDEO + HOST + SRFLX;
export const ANSWER = `${HEAD}a=group:BUNDLE 0 1\r\n${AUDIO}a=recvonly\r\n${VIDEO}`;

export const CREATED = "CALL CREATED";

export class Phone {
    // online: registers, with these params; false: it does not
    static async of(server, token, { online = {}, ...options } = {})
    {
        const phone = new Phone(await connected(server, token, options));
        if (online) await phone.online(online);
        return phone;
    }

    constructor(session)
    {
        this.session = session;
        this.answeredLegs = new Set();
    }

    // Loses its connection without a word, and comes back with the newest state that it was given.
    async lose()
    {
        await this.session.event("signalwire.authorization.state");
        const states = this.session.messages.filter((m) => m.params?.event_type === "signalwire.authorization.state");
        const params = { authorization_state: states.at(-1).params.params.authorization_state, protocol: this.session.result.protocol };
        this.session.ws.terminate();
        await this.session.closed;
        return params;
    }

    static async back(server, token, params)
    {
        const phone = new Phone(await connected(server, token, { params }));
        assert.equal(phone.session.result.protocol, params.protocol, "it is the same session");
        return phone;
    }

    online(params = {}) { return this.session.request("subscriber.online", params); }
    offline() { return this.session.request("subscriber.offline"); }
    close() { return this.session.close(); }

    // One request about a call, whole: resolves to the whole reply.
    request(method, params, more = {})
    {
        const message = { jsonrpc: "2.0", id: crypto.randomUUID(), ...(method ? { method } : {}), ...(params ? { params } : {}), ...more };
        return this.session.request("webrtc.verto", { callID: params?.dialogParams?.callID, node_id: "", message });
    }

    // The inner result; what is refused throws.
    async verto(method, params, more)
    {
        const reply = await this.request(method, params, more);
        assert.ok(reply.result, `${method}: ${JSON.stringify(reply.error)}`);
        assert.equal(reply.result.code, "200");
        return reply.result.result.result;
    }

    invite(to, { leg = crypto.randomUUID(), sdp = OFFER, ...more } = {})
    {
        return this.request("verto.invite", { dialogParams: { callID: leg, destination_number: to, remote_caller_id_number: to,
            userVariables: { memberCallId: leg }, screenShare: false, version: 1000, ...more }, sdp });
    }

    // A call that is created: resolves to its name here.
    async dial(to, { leg = crypto.randomUUID(), ...more } = {})
    {
        const reply = await this.invite(to, { leg, ...more });
        assert.deepEqual(reply.result?.result.result, { message: CREATED, callID: leg, memberID: leg }, JSON.stringify(reply.error));
        return leg;
    }

    // A call that is refused: resolves to the error.
    async refused(to, more)
    {
        const reply = await this.invite(to, more);
        assert.ok(reply.error, `dialling ${to} was not refused`);
        return reply.error;
    }

    answer(leg, sdp = ANSWER) { return this.verto("verto.answer", { dialogParams: { callID: leg, destination_number: "room" }, sdp }); }
    bye(leg, more = {}) { return this.verto("verto.bye", { dialogParams: { callID: leg }, ...more }); }
    reject(leg) { return this.bye(leg, { cause: "USER_BUSY", causeCode: "17" }); }

    news(method, leg)
    {
        const fits = ({ method: outer, params: event }) => outer === "signalwire.event" && event.event_type === "webrtc.message" &&
            event.params.method === method && (leg === undefined ? !this.answeredLegs.has(event.params.params.callID) : event.params.params.callID === leg);
        return this.session.message(fits, `${method} ${leg ?? ""}`).then((message) => message.params.params.params);
    }

    // The next call that rings here and was not taken before.
    async ring()
    {
        const invite = await this.news("verto.invite");
        this.answeredLegs.add(invite.callID);
        return invite;
    }

    answered(leg) { return this.news("verto.answer", leg); }

    async ended(leg, cause, causeCode)
    {
        assert.deepEqual(await this.news("verto.bye", leg), { callID: leg, cause, causeCode });
    }

    // What has come until now: a round trip first, so that nothing sent before it is still under way.
    async heard(method)
    {
        await this.request("verto.info", { dialogParams: {} });
        return this.session.messages.filter((m) => m.params?.event_type === "webrtc.message" && m.params.params.method === method)
            .map((m) => m.params.params.params);
    }

    async isQuiet() { assert.deepEqual(await this.heard("verto.invite"), []); }
}
