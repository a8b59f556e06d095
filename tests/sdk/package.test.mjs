// package.test.mjs — the SDK as others get it: built within its budgets, packed, installed into a new project without any network,
// type-checked there under two module resolutions, and imported where there is no page.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { SDK } from "../harness/sdk_pages.mjs";
import { temporaryFolder } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const manifest = JSON.parse(fs.readFileSync(path.join(SDK, "package.json"), "utf8"));
let folder;

function node(argv, cwd = SDK)
{
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd, encoding: "utf8" });
    assert.equal(status, 0, `${argv[0]}:\n${stdout}${stderr}`);
    return stdout;
}

const npm = (argv, cwd) => execFileSync("npm", [...argv, "--offline", "--no-audit", "--no-fund", "--loglevel=error"], { cwd, encoding: "utf8" });

test("the entries are within their budgets", () => {
    const said = node(["build.mjs"]);
    console.log(said.trim().replace(/^/gm, "     "));
    assert.match(said, /^ok {3}index: \d+ bytes of 9000/m);
});

test("it has no dependency to run, does nothing when imported, and holds nothing but its build", () => {
    assert.equal(manifest.dependencies, undefined);
    assert.equal(manifest.sideEffects, false);
    folder = temporaryFolder("coatcheck-pack");
    const [{ files, filename }] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], SDK));
    for (const { path: name } of files) assert.match(name, /^(dist\/.+\.(js|d\.ts)|dist\/auth-demo\.html|package\.json|README\.md)$/);
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "new-project", private: true, type: "module" }));
    npm(["install", "--ignore-scripts", `./${filename}`], folder);
    assert.deepEqual(fs.readdirSync(path.join(folder, "node_modules")).filter((name) => !name.startsWith(".")), ["coatcheck"]);
});

test("a new project beside a clone installs it by the line of the documents, and gets a copy of its build alone", () => {
    const lines = ["README.md", "../docs/quickstarts.md"].map((name) => fs.readFileSync(path.join(SDK, name), "utf8").match(/npm pack \.\.\/coatcheck\/sdk [^\n`]*/)[0]);
    assert.equal(lines[0], lines[1]);
    const beside = path.join(folder, "beside"), shop = path.join(beside, "shop");
    fs.mkdirSync(shop, { recursive: true });
    fs.writeFileSync(path.join(shop, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }));
    fs.symlinkSync(path.dirname(SDK), path.join(beside, "coatcheck"));
    execFileSync("bash", ["-ec", lines[0]], { cwd: shop, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, npm_config_offline: "true", npm_config_audit: "false", npm_config_loglevel: "error" } });
    assert.deepEqual(fs.readdirSync(path.join(shop, "node_modules/coatcheck")).sort(), ["README.md", "dist", "package.json"]);
    assert.equal(node(["--input-type=module", "-e", 'console.log(typeof (await import("coatcheck")).CoatcheckClient)'], shop), "function\n");
});

const USE = `import { CoatcheckClient, CoatcheckError, StaticCredentialProvider, type CredentialProvider } from "coatcheck";
export const provider: CredentialProvider = new StaticCredentialProvider({ token: "t" });
export const start = (): CoatcheckClient => new CoatcheckClient(provider, { skipRegister: true });
export function told(error: unknown): string
{
    if (!(error instanceof CoatcheckError)) return "?";
    switch (error.code) {
    case "credential_expired": return "sign in again";
    // @ts-expect-error there is no such code
    case "no_such_code": return "";
    default: return error.message;
    }
}
// @ts-expect-error an option that is none
export const wrong = new CoatcheckClient(provider, { skipRegistration: true });
`;

// Every entry, under React's types, which are the tests' own.
const USE_ALL = `import { createParticipant, type BootstrapTokenResult } from "coatcheck/participant";
import { CoatcheckProvider, useInterview, type CoatcheckProviderProps } from "coatcheck/react";
import { loadEmbed, type EmbedClient } from "coatcheck/embed";
import { framePolicy, openFrame } from "coatcheck/frame";
import { DialogueProvider, isDialogueError } from "coatcheck/compat/dialogue";
import { SignalWire, UnexpectedError, type WebRTCCall } from "coatcheck/compat/signalwire";
import { loadTortus, TortusError } from "coatcheck/compat/tortus";
const bootstrapTokenProvider = async (): Promise<BootstrapTokenResult> => ({ bootstrapToken: "b", expiresAt: "2030-01-01T00:00:00Z" });
export const props: CoatcheckProviderProps = { baseUrl: "/auth", bootstrapTokenProvider };
// @ts-expect-error a token is no property
export const wrong: CoatcheckProviderProps = { sessionToken: "t" };
export const phase = (): string => useInterview("study").phase;
export const user = async (): Promise<string> => (await createParticipant({ bootstrapTokenProvider }).authenticate()).userId;
const fetchClientSecrets = async () => ({ launchToken: "a.b" });
export const embed = (): Promise<EmbedClient> => loadEmbed({ publishableKey: "pk_test_1", container: "#app", environment: "production", frameUrl: "https://app.example/", fetchClientSecrets });
// @ts-expect-error environment has no default
export const none = () => loadTortus({ publishableKey: "pk_test_1", container: "#app", baseUrl: "https://app.example/", fetchClientSecrets });
export const frame = () => openFrame({ hosts: ["https://clinic.example"], serverUrl: "https://auth.example" });
export const others = [framePolicy([]), CoatcheckProvider, DialogueProvider, isDialogueError, TortusError, UnexpectedError];
export const phone = () => new SignalWire(undefined, { skipConnection: true, logLevel: "warn" });
export const hangUp = (call: WebRTCCall) => call.hangup();
`;

for (const [module, resolution] of [["NodeNext", "NodeNext"], ["ESNext", "Bundler"]])
    test(`every entry has its types, module resolution ${resolution}`, () => {
        fs.mkdirSync(path.join(folder, "node_modules/@types"), { recursive: true });
        for (const name of ["@types/react", "@types/prop-types", "csstype"])
            fs.cpSync(path.join(SDK, "node_modules", name), path.join(folder, "node_modules", name), { recursive: true });
        fs.writeFileSync(path.join(folder, "use_all.ts"), USE_ALL);
        node([path.join(SDK, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", "--types", "react",
            "--module", module, "--moduleResolution", resolution, "use_all.ts"], folder);
    });

for (const [module, resolution] of [["NodeNext", "NodeNext"], ["ESNext", "Bundler"]])
    test(`a new project is type-checked with it, module resolution ${resolution}`, () => {
        fs.writeFileSync(path.join(folder, "use.ts"), USE);
        node([path.join(SDK, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022",
            "--lib", "es2022,dom", "--module", module, "--moduleResolution", resolution, "use.ts"], folder);
    });

// As a reader of the guide would type it: its functions' own parameters, and nothing about what the package hands over.
const GUIDE = `${fs.readFileSync(path.join(SDK, "README.md"), "utf8").match(/^```js\n\/\/ page\.js\n([\s\S]*?)^```$/m)[1].replace("post(path, body)", "post(path: string, body: object)")}
import { type CredentialProvider, type SDKCredential } from "coatcheck";
import { type CredentialProvider as VendorsProvider } from "coatcheck/compat/signalwire";
export const taking: CredentialProvider = { authenticate: ({ fingerprint }) => post("/token", { fingerprint }), refresh: ({ signal }) => post("/refresh", { signal }) };
export class Plain implements CredentialProvider { authenticate(): Promise<SDKCredential> { return post("/token", {}); } }
export class Wary implements CredentialProvider { authenticate(context?: { fingerprint?: string }): Promise<SDKCredential> { return post("/token", { ...context }); } }
export class Around implements VendorsProvider
{
    constructor(readonly inner: VendorsProvider) {}
    authenticate(context?: { fingerprint?: string }): Promise<SDKCredential> { return this.inner.authenticate(context); }
}
export const around = () => new CoatcheckClient(new Around(new Plain()));
`;

test("the provider of the guide is typed, and so is one without parameters", () => {
    fs.writeFileSync(path.join(folder, "guide.ts"), GUIDE);
    node([path.join(SDK, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", "--module", "ESNext",
        "--moduleResolution", "Bundler", "guide.ts"], folder);
});

test("it is imported on a server, where there is no page, and nothing happens", () => {
    const said = node(["--input-type=module", "-e", `
        const before = Object.getOwnPropertyNames(globalThis).length;
        const sdk = await import("coatcheck");
        for (const name of ["participant", "embed", "frame", "compat/signalwire", "compat/tortus"]) await import(\`coatcheck/\${name}\`); // /react: participant.test.mjs
        console.log(Object.getOwnPropertyNames(globalThis).length - before, Object.keys(sdk).includes("default"), typeof sdk.CoatcheckClient);
        try { new sdk.StaticCredentialProvider({}); } catch (error) { console.log(error.name, error.code); }`], folder);
    assert.equal(said, "0 false function\nInvalidCredentialsError credential_invalid\n");
});

await run({ after: async () => fs.rmSync(folder, { recursive: true, force: true }) });
