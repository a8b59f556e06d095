// stun.mjs — a STUN server on 127.0.0.1 that tells everybody the address it sees (RFC 8489), honestly, and nothing else.
import dgram from "node:dgram";

const COOKIE = 0x2112a442;

// The answer to a binding request, with the sender's address as XOR-MAPPED-ADDRESS; undefined for anything else.
function answerTo(request, { address, port })
{
    if (request.length < 20 || request.readUInt16BE(0) !== 0x0001 || request.readUInt32BE(4) !== COOKIE) return undefined;
    const answer = Buffer.alloc(32);
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(12, 2);
    request.copy(answer, 4, 4, 20);
    answer.writeUInt16BE(0x0020, 20);
    answer.writeUInt16BE(8, 22);
    answer.writeUInt16BE(0x0001, 24);
    answer.writeUInt16BE(port ^ (COOKIE >>> 16), 26);
    answer.writeUInt32BE((Buffer.from(address.split(".").map(Number)).readUInt32BE(0) ^ COOKIE) >>> 0, 28);
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
