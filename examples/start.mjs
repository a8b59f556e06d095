// start.mjs [--server URL] [--ports A,B,C] — starts the example products against a running `coatcheck dev`.
//
// Each is a process of its own and gets the credentials that it needs, and no others. They end when this program does: by a
// signal, when its stdin (if that is a pipe) is closed, or when its parent is gone. 0 is any free port.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const START_MS = 20_000;
const data = fs.mkdtempSync(path.join(os.tmpdir(), "coatcheck-products-")); // what they keep, for as long as they run
const children = new Set();

const PRODUCTS = [
    { id: "call", name: "Call us", what: "A shop’s call button, the desk that answers it, and invitations by link and code.",
        env: ({ project_id, api_token, c2c_token, c2c_address }) => ({ PROJECT: project_id, API_TOKEN: api_token, EMBED_TOKEN: c2c_token, DESK: c2c_address }) },
    { id: "interview", name: "Interview", what: "An interview with consent and questions, for people with an account and without.",
        env: ({ secret_key, publishable_key, study_id }) => ({ SECRET_KEY: secret_key, PUBLISHABLE_KEY: publishable_key, STUDY: study_id }) },
    { id: "clinic", name: "Clinic", what: "A clinic’s record with an embedded app in a frame of another origin.",
        env: ({ client_id, client_secret, publishable_key }) => ({ CLIENT_ID: client_id, CLIENT_SECRET: client_secret, PUBLISHABLE_KEY: publishable_key }) },
];

const say = (text) => console.error(`products: ${text}`);

function readArguments(words)
{
    const options = { "--server": "http://127.0.0.1:8787", "--ports": "8791,8792,8793" };
    for (let i = 0; i < words.length; i += 2) {
        if (!Object.hasOwn(options, words[i]) || words[i + 1] === undefined) usage();
        options[words[i]] = words[i + 1];
    }
    const ports = options["--ports"].split(",").map(Number);
    if (!ports.every((port) => Number.isInteger(port) && port >= 0 && port < 65_536) || !/^https?:\/\//.test(options["--server"])) usage();
    return { server: options["--server"].replace(/\/$/, ""), ports };
}

function usage()
{
    console.error("usage: node examples/start.mjs [--server http://127.0.0.1:8787] [--ports 8791,8792,8793]");
    leave(2);
}

/** Ends all, once. */
function leave(code)
{
    for (const child of children) child.kill("SIGTERM");
    fs.rmSync(data, { recursive: true, force: true });
    process.exit(code);
}

function isFree(port)
{
    return new Promise((resolve) => {
        const probe = net.createServer().once("error", () => resolve(false)).listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
}

async function portFor({ name }, port = 0)
{
    if (port === 0 || (await isFree(port))) return port;
    say(`port ${port} is taken, so ${name} gets another`);
    return 0;
}

/** Starts one and gives its URL, or null. */
async function start(product, project, server, wanted)
{
    const port = await portFor(product, wanted), folder = path.join(data, product.id);
    fs.mkdirSync(folder, { mode: 0o700 });
    const env = { PATH: process.env.PATH, COATCHECK_URL: server, PORT: String(port), DATA: folder, ...(port === 0 && { FRAME_PORT: "0" }), ...product.env(project) };
    const child = spawn(process.execPath, ["-r", path.join(HERE, "shared/with_parent.cjs"), path.join(HERE, product.id, "backend.mjs")],
        { env, stdio: ["ignore", "pipe", "inherit", "ipc"] });
    children.add(child);
    const url = await new Promise((resolve) => {
        readline.createInterface({ input: child.stdout }).on("line", (line) => resolve(line.match(/https?:\/\/\S+/)?.[0])); // the first says it
        child.once("close", () => { children.delete(child); resolve(null); });
        child.once("error", () => { children.delete(child); resolve(null); });
        setTimeout(resolve, START_MS, null).unref();
    });
    if (!url) return void say(`${product.name} did not start`);
    child.once("close", () => say(`${product.name} has ended`));
    console.log(`${product.name.padEnd(10)} ${url}  ${product.what}`);
    return { id: product.id, name: product.name, what: product.what, url: new URL("/", url).href };
}

/** The start page of the server lists them, if it can. */
async function tell(server, products)
{
    const answer = await fetch(`${server}/dev/products`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ products }) });
    if (!answer.ok && answer.status !== 404) say(`the server's start page does not list them: it answered ${answer.status}`);
}

function endWithOthers()
{
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => leave(0));
    const stdin = fs.fstatSync(0), parent = process.ppid;
    if (stdin.isFIFO() || stdin.isSocket()) process.stdin.resume().once("close", () => leave(0)).once("error", () => leave(0));
    setInterval(() => { if (process.ppid !== parent) leave(0); }, 500);
}

endWithOthers();
const { server, ports } = readArguments(process.argv.slice(2));
const project = await fetch(`${server}/dev/project.json`, { signal: AbortSignal.timeout(10_000) }).then((answer) => answer.json()).catch(() => null);
if (!project?.project_id) {
    say(`no test project at ${server}: is \`coatcheck dev\` running there?`);
    leave(1);
}
const started = [];
for (const [i, product] of PRODUCTS.entries()) started.push(await start(product, project, server, ports[i]));
if (!started.some(Boolean)) leave(1);
await tell(server, started.filter(Boolean)).catch(() => say("the server has gone"));
