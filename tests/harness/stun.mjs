// stun.mjs — both sides of STUN over UDP (RFC 8489): a client that asks again until it is answered (§6.2.1), and a server on
// 127.0.0.1 that tells everybody the address it sees, honestly.
import crypto from "node:crypto";
import dgram from "node:dgram";

const COOKIE = Buffer.from("2112a442", "hex");
const ASK_AGAIN_MS = 200;

export function bindingRequest(transaction = crypto.randomBytes(12))
{
    return Buffer.concat([Buffer.from("00010000", "hex"), COOKIE, transaction]);
}

// What a success answer says: { address, port }, IPv4 only.
export function mappedAddress(answer)
{
    for (let at = 20; at + 4 <= answer.length; at += 4 + ((answer.readUInt16BE(at + 2) + 3) & ~3)) {
        if (answer.readUInt16BE(at) !== 0x0020) continue;
        const ip = [...answer.subarray(at + 8, at + 12)].map((byte, i) => byte ^ COOKIE[i]);
        return { address: ip.join("."), port: answer.readUInt16BE(at + 6) ^ 0x2112 };
    }
    return null;
}

export class StunSocket {
    static async open()
    {
        const socket = new StunSocket();
        socket.udp = dgram.createSocket("udp4");
        socket.answers = [];
        socket.udp.on("message", (message) => {
            socket.answers.push(message);
            socket.wake?.();
        });
        socket.udp.on("error", () => {}); // a port that nobody listens on yet
        await new Promise((resolve) => socket.udp.bind(0, "127.0.0.1", resolve));
        socket.port = socket.udp.address().port;
        return socket;
    }

    send(datagram, port) { this.udp.send(datagram, port, "127.0.0.1"); }

    // The answer of this transaction, or null after so many tries.
    async ask(port, tries = 300)
    {
        const request = bindingRequest();
        for (let n = 0; n < tries; n++) {
            this.send(request, port);
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, ASK_AGAIN_MS);
                this.wake = () => { clearTimeout(timer); resolve(); };
            });
            const answer = this.answers.find((a) => a.length >= 20 && a.subarray(8, 20).equals(request.subarray(8)));
            if (answer) return answer;
        }
        return null;
    }

    close() { this.udp.close(); }
}

// The answer to a binding request, with the sender's address as XOR-MAPPED-ADDRESS; undefined for anything else.
function answerTo(request, { address, port })
{
    if (request.length < 20 || request.readUInt16BE(0) !== 0x0001 || !request.subarray(4, 8).equals(COOKIE)) return undefined;
    const answer = Buffer.alloc(32);
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(12, 2);
    request.copy(answer, 4, 4, 20);
    answer.writeUInt16BE(0x0020, 20);
    answer.writeUInt16BE(8, 22);
    answer.writeUInt16BE(0x0001, 24);
    answer.writeUInt16BE(port ^ COOKIE.readUInt16BE(0), 26);
    answer.writeUInt32BE((Buffer.from(address.split(".").map(Number)).readUInt32BE(0) ^ COOKIE.readUInt32BE(0)) >>> 0, 28);
    return answer;
}

export async function startStun()
{
    const socket = dgram.createSocket("udp4");
    let answered = 0;
    socket.on("message", (request, from) => {
        const answer = answerTo(request, from);
        if (!answer) return;
        answered++;
        socket.send(answer, from.port, from.address);
    });
    await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return {
        url: `stun:127.0.0.1:${socket.address().port}`,
        answered: () => answered,
        stop: () => new Promise((resolve) => socket.close(resolve)),
    };
}
