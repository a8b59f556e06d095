// beside_fastify.mjs — a mint as one would write it in Node with npm fastify and jose: Basic against a keyed hash, a JWT
// access token signed with ES256, a refresh token sealed with AES-256-GCM, no row written.
//
//   node beside_fastify.mjs FOLDER        where both are installed; prints {"port":N,...} and serves
import { createHmac, generateKeyPairSync, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , folder] = process.argv;
const require = createRequire(path.join(path.resolve(folder), "index.js"));
const fastify = require("fastify");
const { EncryptJWT, SignJWT } = await import(pathToFileURL(path.join(folder, "node_modules/jose/dist/webapi/index.js")));

const project = randomUUID(), secret = `bench_${randomBytes(24).toString("hex")}`;
const hashKey = randomBytes(32), sealKey = randomBytes(32);
const hashOf = (text) => createHmac("sha256", hashKey).update(text).digest();
const known = hashOf(secret);
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const users = new Map();

function isKey(authorization = "") {
  const [user, password] = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString().split(":");
  return user === project && timingSafeEqual(hashOf(password ?? ""), known);
}

async function mint({ reference }) {
  if (!users.has(reference)) users.set(reference, randomUUID());
  const sub = users.get(reference), family = randomUUID();
  const token = await new SignJWT({ prj: project, kind: "subscriber", fam: family, gt: Date.now() })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "0123abcd" })
    .setIssuer("http://127.0.0.1").setAudience("http://127.0.0.1").setSubject(sub).setJti(randomUUID()).setIssuedAt()
    .setExpirationTime("2h").sign(privateKey);
  const refresh_token = await new EncryptJWT({ sub, fam: family, gen: 0 })
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" }).setExpirationTime("3h").encrypt(sealKey);
  return { subscriber_id: sub, token, refresh_token };
}

const app = fastify();
app.post("/api/fabric/subscribers/tokens",
  { schema: { body: { type: "object", required: ["reference"], properties: { reference: { type: "string", maxLength: 255 } } } } },
  async (request, reply) => {
    if (!isKey(request.headers.authorization)) return reply.code(401).send({ error: "Unauthorized" });
    return mint(request.body);
  });
await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ port: app.server.address().port,
  authorization: `Basic ${Buffer.from(`${project}:${secret}`).toString("base64")}` }));
