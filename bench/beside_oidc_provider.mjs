// beside_oidc_provider.mjs — npm oidc-provider at the same work: a refresh token is rotated and a JWT access token signed
// with ES256, with a client's secret, or without one and with a DPoP proof by the token's own key.
//
//   node beside_oidc_provider.mjs FOLDER        where it is installed; prints {"port":N,...} and serves
//
// Rows are kept in a Map: nothing is durable. GET /bench/tokens?count=N&client=ID[&jkt=...]... makes refresh tokens, which
// would take a browser and a person otherwise.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder] = process.argv;
const { Provider } = await import(pathToFileURL(path.join(folder, "node_modules/oidc-provider/lib/index.js")));

const AUDIENCE = "https://api.example", SCOPE = "api offline_access";
const rows = new Map(), byGrant = new Map();

class Adapter {
  constructor(name) { this.name = name; }
  key(id) { return `${this.name}:${id}`; }
  async upsert(id, payload) {
    rows.set(this.key(id), payload);
    if (payload.grantId) byGrant.set(payload.grantId, [...(byGrant.get(payload.grantId) ?? []), this.key(id)]);
  }
  async find(id) { return rows.get(this.key(id)); }
  async findByUid() { return undefined; }
  async findByUserCode() { return undefined; }
  async consume(id) { rows.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { rows.delete(this.key(id)); }
  async revokeByGrantId(id) {
    for (const key of byGrant.get(id) ?? []) rows.delete(key);
    byGrant.delete(id);
  }
}

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const client = { grant_types: ["refresh_token", "authorization_code"], redirect_uris: ["https://client.example/back"],
  id_token_signed_response_alg: "ES256" };
const clients = [
  { ...client, client_id: "backend", client_secret: "bench-bench-bench-bench-bench-bench-bench-be", token_endpoint_auth_method: "client_secret_basic" },
  { ...client, client_id: "browser", token_endpoint_auth_method: "none" },
];

const provider = new Provider("http://127.0.0.1", {
  adapter: Adapter,
  clients,
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
  scopes: ["api", "offline_access"],
  rotateRefreshToken: true,
  ttl: { AccessToken: 900, RefreshToken: 86400, Grant: 86400 },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => AUDIENCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "api", audience: AUDIENCE, accessTokenFormat: "jwt", accessTokenTTL: 900, jwt: { sign: { alg: "ES256" } } }),
    },
  },
});
provider.on("server_error", (ctx, error) => console.error(error));

async function makeToken(clientId, jkt, number) {
  const accountId = `bench-${number}`;
  const grant = new provider.Grant({ clientId, accountId });
  grant.addOIDCScope("offline_access");
  grant.addResourceScope(AUDIENCE, "api");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ client: await provider.Client.find(clientId), accountId, grantId, scope: SCOPE,
    resource: AUDIENCE, gty: "authorization_code", iiat: Math.floor(Date.now() / 1000), ...(jkt ? { jkt } : {}) });
  return token.save();
}

const answer = provider.callback();
const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname !== "/bench/tokens") return answer(request, response);
  const jkts = url.searchParams.getAll("jkt"), tokens = [];
  for (let i = 0; i < Number(url.searchParams.get("count")); i++)
    tokens.push(await makeToken(url.searchParams.get("client"), jkts[i % jkts.length], i));
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(tokens));
});
server.keepAliveTimeout = 60000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  console.log(JSON.stringify({ port, secret: clients[0].client_secret }));
});
