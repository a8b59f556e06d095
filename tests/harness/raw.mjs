// raw.mjs — bytes on a TCP socket, for everything that no proper client would send.
import crypto from "node:crypto";
import net from "node:net";
import { guarded, LIMIT_S } from "./suite.mjs";

// A connection that remembers all it read and lets a test wait for a condition on it.
export class RawSocket {
    constructor(port)
    {
        this.read = Buffer.alloc(0);
        this.isClosed = false;
        this.waiting = [];
        this.socket = net.connect(port, "127.0.0.1");
        this.socket.setNoDelay(true);
        this.connected = new Promise((resolve, reject) => {
            this.socket.once("connect", resolve);
            this.socket.once("error", reject);
        });
        this.socket.on("data", (part) => { this.read = Buffer.concat([this.read, part]); this.wake(); });
        this.socket.on("error", () => {}); // a reset is the server's right; "close" follows
        this.socket.on("close", () => { this.isClosed = true; this.wake(); });
    }

    wake()
    {
        this.waiting = this.waiting.filter(({ condition, resolve }) => {
            const value = condition(this);
            if (value) resolve(value);
            return !value;
        });
    }

    until(condition, what, seconds = LIMIT_S)
    {
        const now = condition(this);
        if (now) return Promise.resolve(now);
        return guarded(new Promise((resolve) => this.waiting.push({ condition, resolve })), seconds, what);
    }

    send(bytes)
    {
        return new Promise((resolve) => {
            if (this.isClosed || !this.socket.writable) resolve();
            else this.socket.write(bytes, () => resolve());
        });
    }

    // In single bytes, or for long inputs in some two hundred odd pieces, each in a segment of its own.
    async dribble(bytes)
    {
        const step = bytes.length > 2000 ? Math.ceil(bytes.length / 211) : 1;
        for (let at = 0; at < bytes.length && !this.isClosed; at += step) {
            await this.send(bytes.subarray(at, at + step));
            await new Promise((resolve) => setImmediate(resolve));
        }
    }

    close() { this.socket.destroy(); }
}

// A port for a program that cannot take any: free, and below those that the kernel gives to whoever takes any, so that no other
// connection of the machine has it before the program does.
export async function freePort()
{
    for (;;) {
        const port = crypto.randomInt(20_000, 30_000), listener = net.createServer();
        const isFree = await new Promise((resolve) => { listener.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)); });
        await new Promise((resolve) => { listener.close(resolve); });
        if (isFree) return port;
    }
}

// All whole final responses in the bytes; 1xx are not counted. The rest is how many bytes belong to none.
export function responses(bytes)
{
    const list = [];
    let at = 0;
    for (;;) {
        const end = bytes.indexOf("\r\n\r\n", at);
        if (end < 0) break;
        const head = bytes.toString("latin1", at, end);
        const status = Number(head.match(/^HTTP\/1\.[01] (\d{3})/)?.[1] ?? 0);
        const length = Number(head.match(/^content-length:\s*(\d+)/im)?.[1] ?? 0);
        if (end + 4 + length > bytes.length) break;
        if (status === 0 || status >= 200 || status === 101)
            list.push({ status, head, body: bytes.toString("utf8", end + 4, end + 4 + length) });
        at = end + 4 + length;
        if (status === 101) break;
    }
    return { list, rest: bytes.length - at };
}
