// ws_probe.mjs — the client's end of a WebSocket for tests of the protocol itself: sends any bytes in any pieces, and
// turns what the peer sends into events, in order:
//
//     { type: "text" | "binary" | "ping" | "pong" | "close", payload, code }   a frame (a peer under test never fragments)
//     { type: "end" }                                                          the peer has closed, or cut, the connection
import crypto from "node:crypto";
import net from "node:net";
import assert from "node:assert/strict";
import { frame, OPCODE } from "./frames.mjs";
import { guarded, LIMIT_S } from "./suite.mjs";

const TYPES = { [OPCODE.TEXT]: "text", [OPCODE.BINARY]: "binary", [OPCODE.CLOSE]: "close", [OPCODE.PING]: "ping",
    [OPCODE.PONG]: "pong" };

// Bytes in, in the pieces they come in; out, as many as asked for, copied once.
class ByteQueue {
    parts = [];
    length = 0;

    push(part) { this.parts.push(part); this.length += part.length; }

    // The first n bytes, which must be there; they stay unless taken.
    first(n)
    {
        if (n > 0 && this.parts[0].length < n) this.parts = [Buffer.concat(this.parts)];
        return n > 0 ? this.parts[0].subarray(0, n) : Buffer.alloc(0);
    }

    take(n)
    {
        const bytes = this.first(n);
        if (n > 0) this.parts[0] = this.parts[0].subarray(n);
        if (this.parts[0]?.length === 0) this.parts.shift();
        this.length -= n;
        return bytes;
    }
}

// { head, length } of the frame that the bytes begin with; undefined if its head is not whole.
function frameHead(bytes)
{
    if (bytes.length < 2) return undefined;
    const short = bytes[1] & 127, head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < head) return undefined;
    return { head, length: head === 2 ? short : head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)) };
}

export class WsProbe {
    events = [];
    #incoming = new ByteQueue();
    #wake = () => {};
    #socket;
    #isOpen = false;

    static async open(port)
    {
        const probe = new WsProbe();
        const socket = probe.#socket = net.connect(port, "127.0.0.1");
        socket.setNoDelay(true);
        socket.on("data", (part) => probe.#take(part));
        socket.on("error", () => {}); // a reset is one way to cut; "close" follows
        socket.on("close", () => { probe.events.push({ type: "end" }); probe.#wake(); });
        const key = crypto.randomBytes(16).toString("base64");
        socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
            + `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
        await probe.#until(() => probe.#isOpen || probe.events.length > 0, "the upgrade");
        assert.ok(probe.#isOpen, "the upgrade was answered");
        const accept = crypto.createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        assert.match(probe.reply, /^HTTP\/1\.1 101 /);
        assert.ok(probe.reply.includes(`Sec-WebSocket-Accept: ${accept}\r\n`), probe.reply);
        return probe;
    }

    #take(part)
    {
        this.#incoming.push(part);
        if (!this.#isOpen) {
            const end = this.#incoming.first(this.#incoming.length).indexOf("\r\n\r\n");
            if (end < 0) return;
            this.reply = this.#incoming.take(end + 4).toString("latin1");
            this.#isOpen = true;
        }
        while (this.#takeFrame());
        this.#wake();
    }

    #takeFrame()
    {
        const found = frameHead(this.#incoming.first(Math.min(10, this.#incoming.length)));
        if (!found || this.#incoming.length < found.head + found.length) return false;
        const [first, second] = this.#incoming.take(found.head);
        const payload = this.#incoming.take(found.length), type = TYPES[first & 15];
        assert.equal(first & 0xf0, 0x80, "final, no reserved bit");
        assert.equal(second & 0x80, 0, "a server does not mask");
        this.events.push({ type, payload, code: type === "close" && payload.length >= 2 ? payload.readUInt16BE(0) : undefined });
        return true;
    }

    #until(condition, what, seconds = LIMIT_S)
    {
        if (condition()) return Promise.resolve();
        return guarded(new Promise((resolve) => { this.#wake = () => { if (condition()) resolve(); }; }), seconds, what);
    }

    // The next event; undefined when none comes within the seconds that were given.
    async next({ within_s } = {})
    {
        try {
            await this.#until(() => this.events.length > 0, "an event", within_s);
        } catch (error) {
            if (within_s) return undefined;
            throw error;
        }
        return this.events.shift();
    }

    // All in one write.
    send(...parts) { return this.#write(Buffer.concat(parts)); }

    #write(bytes)
    {
        return new Promise((resolve) => { this.#socket.writable ? this.#socket.write(bytes, () => resolve()) : resolve(); });
    }

    // Each part in a write of its own.
    async sendEach(...parts)
    {
        for (const part of parts) await this.#write(part);
    }

    // In pieces of so many bytes, each in a write of its own.
    async sendChopped(size, ...parts)
    {
        const bytes = Buffer.concat(parts);
        for (let at = 0; at < bytes.length && this.#socket.writable; at += size) await this.#write(bytes.subarray(at, at + size));
    }

    // ---- what may come ----

    async expect(type, payload)
    {
        const event = await this.next();
        assert.equal(event.type, type, `wanted ${type}, got ${event.type} ${event.code ?? ""}`);
        const wanted = Buffer.from(payload);
        assert.equal(event.payload.length, wanted.length, "length");
        assert.ok(event.payload.equals(wanted), "payload as sent");
    }

    // A close frame with one of the codes, or a cut where that is allowed; then the end and nothing before it.
    async expectClose(codes, { mayCut = false } = {})
    {
        const event = await this.next();
        if (event.type === "end" && mayCut) return;
        assert.equal(event.type, "close", `wanted a close frame, got ${event.type}`);
        assert.ok(codes.includes(event.code), `close code ${event.code}, wanted ${codes}`);
        await this.expectEnd();
    }

    async expectEnd()
    {
        this.#socket.end();
        const event = await this.next();
        assert.equal(event.type, "end", `nothing comes after a close frame, but ${event.type} did`);
    }

    // The normal end, begun by us.
    async closeCleanly()
    {
        await this.send(frame(OPCODE.CLOSE, Buffer.from([1000 >> 8, 1000 & 255])));
        await this.expectClose([1000]);
    }

    cut() { this.#socket.destroy(); }
}
