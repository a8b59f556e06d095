// beside.mjs — what others cost for the same work, measured in the same way. Each is installed into a temporary folder
// when it is asked for (node bench/run.mjs --beside NAME), never into the repository.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { post, postJson, provers } from "./works.mjs";

const here = path.dirname(new URL(import.meta.url).pathname);

/** BENCH_PACKAGES names a folder that has them already. Says what is absent instead of failing without a word. */
function install(packages) {
  const folder = process.env.BENCH_PACKAGES ?? mkdtempSync(path.join(os.tmpdir(), "coatcheck-bench-npm-"));
  const manifest = (name) => path.join(folder, "node_modules", name, "package.json");
  const names = packages.map((name) => name.replace(/(.)@.*/, "$1"));
  try {
    if (!names.every((name) => existsSync(manifest(name))))
      execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, ...packages], { stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    throw new Error(`not there, and not installed: npm ${packages.join(", ")} (${error.message.split("\n")[0]})`);
  }
  return { folder, isOurs: !process.env.BENCH_PACKAGES,
    versions: names.map((name) => `${name} ${JSON.parse(readFileSync(manifest(name))).version}`).join(", ") };
}

async function tokens(server, query) {
  const answer = await fetch(`http://127.0.0.1:${server.port}/bench/tokens?${query}`);
  if (!answer.ok) throw new Error(`no tokens: ${answer.status}`);
  return answer.json();
}

const FORM = "application/x-www-form-urlencoded";
const formOf = (refresh_token, more = "") => `grant_type=refresh_token&refresh_token=${refresh_token}${more}`;

export const others = {
  "oidc-provider": {
    packages: ["oidc-provider@8"], script: path.join(here, "beside_oidc_provider.mjs"), install,
    works: {
      refresh: {
        status: 200,
        async prepare(server, count) {
          const authorization = `Basic ${Buffer.from(`backend:${server.secret}`).toString("base64")}`;
          const made = await tokens(server, `count=${count}&client=backend`);
          return made.map((token) => post(server, "/token", { Authorization: authorization }, formOf(token), FORM));
        },
      },
      proof: {
        status: 200,
        async prepare(server, count) {
          const all = provers();
          const made = await tokens(server, `count=${count}&client=browser&${all.map(({ fingerprint }) => `jkt=${fingerprint}`).join("&")}`);
          return made.map((token, i) => post(server, "/token",
            { DPoP: all[i % all.length].prove({ htu: `http://127.0.0.1:${server.port}/token` }) }, formOf(token, "&client_id=browser"), FORM));
        },
      },
    },
  },
  "fastify-jose": {
    packages: ["fastify", "jose"], script: path.join(here, "beside_fastify.mjs"), install,
    works: {
      mint: {
        status: 200,
        async prepare(server) {
          return Array.from({ length: 100 }, (_, i) => postJson(server, "/api/fabric/subscribers/tokens",
            { Authorization: server.authorization }, { reference: `bench-${i}@example.com` }));
        },
      },
    },
  },
};
