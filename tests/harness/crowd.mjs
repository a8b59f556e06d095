// crowd.mjs — many at once: clients that send a byte now and then, sessions that are opened in a storm, names that were
// chosen for a hash table. The tests take some of each and look at the outcome; bench/crowd.mjs takes thousands, and times.
import net from "node:net";
import { Session } from "./session.mjs";

const STARTS = [ // where a slow client stays, and drips from there
    "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: x\r\nX: ",
    "POST /api/fabric/subscribers/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000\r\n\r\n{",
    "GET /",
    "",
];

// Keeps `count` slow clients there: whoever is cut comes again, until stop(). Counts what became of them.
export class SlowCrowd {
    constructor(port, count, { everyMs = 1000 } = {})
    {
        Object.assign(this, { port, cut: 0, answered: 0, refused: 0, isOver: false, sockets: new Set() });
        this.arrived = Promise.all(Array.from({ length: count }, (_, i) => new Promise((resolve) => this.come(i, resolve))));
        this.timer = setInterval(() => { for (const socket of this.sockets) socket.write("x"); }, everyMs);
    }

    come(i, arrived = () => {})
    {
        const socket = net.connect(this.port, "127.0.0.1", () => { socket.write(STARTS[i % STARTS.length]); arrived(); });
        this.sockets.add(socket);
        socket.once("data", (bytes) => { this.answered += /^HTTP\/1\.1 (408|4\d\d) /.test(bytes.toString("latin1")); });
        socket.once("error", () => { this.refused += socket.connecting; arrived(); });
        socket.once("close", () => {
            this.sockets.delete(socket);
            this.cut++;
            if (!this.isOver) this.come(i);
        });
    }

    async stop()
    {
        this.isOver = true;
        clearInterval(this.timer);
        await Promise.all([...this.sockets].map((socket) => new Promise((resolve) => { socket.once("close", resolve); socket.destroy(); })));
    }
}

// One connect of a storm: { outcome } is "granted", "refused" (answered, no rights), "turned away" (no upgrade), or "cut".
export async function stormOne(server, token)
{
    let session;
    try {
        session = await Session.open(server);
        const reply = await Promise.race([session.connect(token), session.closed.then(() => ({}))]);
        if (!reply.result) return { outcome: reply.error ? "refused" : "cut", session };
        return { outcome: "granted", session, reply };
    } catch (error) {
        return { outcome: error.status ? "turned away" : "cut", status: error.status, session };
    }
}

export const percentile = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part / 100))];

// ---- names for one bucket ----

const rotate = (x, by) => (x << by) | (x >>> (32 - by));

// The hash of the JSON library's tables (lookup3, Bob Jenkins 2006), for a seed of ours: its own nobody knows.
export function lookup3(text, seed)
{
    let a = (0xdeadbeef + text.length + seed) | 0, b = a, c = a, at = 0;
    const word = (from) => (text.charCodeAt(from) || 0) | (text.charCodeAt(from + 1) || 0) << 8 | (text.charCodeAt(from + 2) || 0) << 16
        | (text.charCodeAt(from + 3) || 0) << 24;
    for (; text.length - at > 12; at += 12) {
        a = (a + word(at)) | 0; b = (b + word(at + 4)) | 0; c = (c + word(at + 8)) | 0;
        a = ((a - c) | 0) ^ rotate(c, 4); c = (c + b) | 0;
        b = ((b - a) | 0) ^ rotate(a, 6); a = (a + c) | 0;
        c = ((c - b) | 0) ^ rotate(b, 8); b = (b + a) | 0;
        a = ((a - c) | 0) ^ rotate(c, 16); c = (c + b) | 0;
        b = ((b - a) | 0) ^ rotate(a, 19); a = (a + c) | 0;
        c = ((c - b) | 0) ^ rotate(b, 4); b = (b + a) | 0;
    }
    a = (a + word(at)) | 0; b = (b + word(at + 4)) | 0; c = (c + word(at + 8)) | 0;
    c = ((c ^ b) - rotate(b, 14)) | 0;
    a = ((a ^ c) - rotate(c, 11)) | 0;
    b = ((b ^ a) - rotate(a, 25)) | 0;
    c = ((c ^ b) - rotate(b, 16)) | 0;
    a = ((a ^ c) - rotate(c, 4)) | 0;
    b = ((b ^ a) - rotate(a, 14)) | 0;
    c = ((c ^ b) - rotate(b, 24)) | 0;
    return c >>> 0;
}

// So many names that fall into one bucket of 2^bits under that seed.
export function collidingNames(count, seed, bits)
{
    const mask = 2 ** bits - 1, names = [];
    for (let i = 0; names.length < count; i++) {
        const name = i.toString(36);
        if ((lookup3(name, seed) & mask) === 0) names.push(name);
    }
    return names;
}
