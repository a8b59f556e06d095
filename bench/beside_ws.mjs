// beside_ws.mjs — npm ws at the work of bare_sessions.c: answers each text with a fixed reply, closes all on the line "close".
//
//     node bench/beside_ws.mjs FOLDER REPLY_BYTES      FOLDER/node_modules has ws; prints {"port":N} and serves
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

const [folder, bytes] = process.argv.slice(2);
const { WebSocketServer } = createRequire(path.join(folder, "x.cjs"))("ws");
const head = '{"jsonrpc":"2.0","id":"c","result":{"pad":"', reply = `${head}${"x".repeat(Number(bytes) - head.length - 3)}"}}`;

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, backlog: 4096 });
server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
server.on("connection", (socket) => {
  socket.on("error", () => {}); // gone: its close says so
  socket.on("message", () => socket.send(reply));
});
const input = readline.createInterface({ input: process.stdin });
input.on("line", () => { for (const socket of server.clients) socket.close(4403, "revoked"); });
input.on("close", () => process.exit(0));
