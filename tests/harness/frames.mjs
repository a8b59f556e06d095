// frames.mjs — WebSocket frames by hand (RFC 6455 §5.2), both directions, legal or not.
import crypto from "node:crypto";
import { RawSocket, responses } from "./raw.mjs";

export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

export function frame(opcode, payload = "", { fin = true, rsv = 0, masked = true } = {})
{
    const body = Buffer.from(payload);
    const mask = crypto.randomBytes(4);
    const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
    const bit = masked ? 0x80 : 0;
    if (body.length < 126) head.push(bit | body.length);
    else if (body.length < 65536) head.push(bit | 126, body.length >> 8, body.length & 255);
    else {
        const length = Buffer.alloc(8);
        length.writeBigUInt64BE(BigInt(body.length));
        head.push(bit | 127, ...length);
    }
    if (!masked) return Buffer.concat([Buffer.from(head), body]);
    return Buffer.concat([Buffer.from(head), mask, body.map((byte, i) => byte ^ mask[i % 4])]);
}

export function closeFrame(code)
{
    return frame(OPCODE.CLOSE, code === undefined ? "" : Buffer.from([code >> 8, code & 255]));
}

// The whole frames a server has sent.
export function readFrames(bytes)
{
    const list = [];
    let at = 0;
    while (bytes.length - at >= 2) {
        let length = bytes[at + 1] & 127, head = 2;
        if (length === 126) {
            if (bytes.length - at < 4) break;
            length = bytes.readUInt16BE(at + 2);
            head = 4;
        } else if (length === 127) {
            if (bytes.length - at < 10) break;
            length = Number(bytes.readBigUInt64BE(at + 2));
            head = 10;
        }
        if (bytes.length - at < head + length) break;
        const payload = bytes.subarray(at + head, at + head + length);
        list.push({ fin: bytes[at] >> 7, rsv: (bytes[at] >> 4) & 7, opcode: bytes[at] & 15, masked: bytes[at + 1] >> 7,
            payload, code: (bytes[at] & 15) === OPCODE.CLOSE && length >= 2 ? payload.readUInt16BE(0) : undefined });
        at += head + length;
    }
    return list;
}

// A socket after the upgrade. frames() gives what came since.
export class RawWebSocket extends RawSocket {
    static async open(server, { origin } = {})
    {
        const ws = new RawWebSocket(server.port);
        await ws.connected;
        ws.key = crypto.randomBytes(16).toString("base64");
        await ws.send(`GET / HTTP/1.1\r\nHost: ${server.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
            + `Sec-WebSocket-Key: ${ws.key}\r\nSec-WebSocket-Version: 13\r\n${origin ? `Origin: ${origin}\r\n` : ""}\r\n`);
        const end = await ws.until((s) => s.read.indexOf("\r\n\r\n") + 1 || s.isClosed, "the upgrade's answer");
        ws.reply = responses(ws.read).list[0];
        if (ws.reply?.status !== 101) throw new Error(`upgrade refused: ${ws.reply?.head ?? "closed"}`);
        ws.start = end + 3;
        return ws;
    }

    frames() { return readFrames(this.read.subarray(this.start)); }

    untilFrame(condition, what) { return this.until(() => this.frames().find(condition) ?? (this.isClosed && "closed"), what); }
}
