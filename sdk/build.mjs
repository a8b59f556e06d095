// build.mjs — writes dist/: the modules as ESM (Vite), their types (tsc), and says how big each entry is, minified and
// gzipped. Above its budget is a failure. An entry is a row here; what does not exist yet is left out. `--sizes` measures alone, `--modules` writes alone.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import esbuild from "esbuild";
import { build } from "vite";

const here = path.dirname(fileURLToPath(import.meta.url));
const at = (...names) => path.join(here, ...names);

// name in dist: source, and how many bytes it may add at the start to the core and to the entries that it stands over; no number, no budget
const ENTRIES = [
    { name: "index", source: "src/index.ts", budget: 9_000 },
    { name: "participant", source: "src/participant/index.ts", budget: 3_500 },
    { name: "react", source: "src/react/index.ts", budget: 2_000, over: ["participant"] },
    { name: "embed", source: "src/embed/index.ts", budget: 3_000 },
    { name: "frame", source: "src/frame/index.ts", budget: 3_000 },
    { name: "compat/signalwire", source: "src/compat/signalwire.ts" },
    { name: "compat/dialogue", source: "src/compat/dialogue.ts", over: ["participant", "react"] },
    { name: "compat/tortus", source: "src/compat/tortus.ts", over: ["embed"] },
].filter(({ source }) => fs.existsSync(at(source)));

// The modules that an entry is made of.
async function modulesOf({ source })
{
    const { metafile } = await esbuild.build({ entryPoints: [at(source)], bundle: true, format: "esm", write: false, metafile: true, absWorkingDir: here,
        external: ["react"], logLevel: "error" });
    return Object.keys(metafile.inputs).map((name) => at(name));
}

// What an entry takes from the core, and from the entries that it stands over, is not its to pay for.
const withoutCore = {
    name: "without core",
    async setup(esbuild_)
    {
        const { over = [] } = ENTRIES.find(({ source }) => at(source) === esbuild_.initialOptions.entryPoints[0]);
        const below = ENTRIES.filter(({ name }) => ["index", ...over].includes(name));
        const paid = new Set((await Promise.all(below.map(modulesOf))).flat());
        esbuild_.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path: name, importer }) =>
            (paid.has(path.resolve(path.dirname(importer), name.replace(/js$/, "ts"))) ? { path: name, external: true } : undefined));
    },
};

// What is loaded when it is first needed (a dynamic import) is not there at the start.
const withoutLater = {
    name: "without later",
    setup(esbuild_) { esbuild_.onResolve({ filter: /./ }, ({ kind, path: name }) => (kind === "dynamic-import" ? { path: name, external: true } : undefined)); },
};

async function bytesOf({ name, source }, plugins)
{
    const { outputFiles } = await esbuild.build({ entryPoints: [at(source)], bundle: true, minify: true, format: "esm", target: "es2022",
        write: false, external: ["react", "react/jsx-runtime"], plugins: name === "index" ? plugins : [withoutCore, ...plugins], logLevel: "error" });
    return zlib.gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

// The demo as one page that can be saved and opened from a disk: the package stands in its import map.
async function demo()
{
    const { outputFiles } = await esbuild.build({ entryPoints: [at("src/index.ts")], bundle: true, minify: true, format: "esm", target: "es2022", write: false });
    const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;
    const page = fs.readFileSync(at("demo/auth-demo.html"), "utf8");
    fs.writeFileSync(at("dist/auth-demo.html"), page.replace('<script type="module">', `<script type="importmap">{"imports":{"coatcheck":"${url}"}}</script>\n$&`));
}

// Hooks run in the browser: a framework that renders some components on a server only is told so.
const banner = ({ name }) => (["react", "compat/dialogue"].includes(name) ? '"use client";' : "");

async function modules()
{
    fs.rmSync(at("dist"), { recursive: true, force: true });
    await build({
        root: here, configFile: false, logLevel: "warn",
        build: {
            outDir: "dist", minify: false, target: "es2022", sourcemap: false,
            lib: { entry: Object.fromEntries(ENTRIES.map(({ name, source }) => [name, at(source)])), formats: ["es"] },
            rollupOptions: { external: ["react", "react/jsx-runtime"], output: { entryFileNames: "[name].js", chunkFileNames: "shared/[name].js", banner } },
        },
    });
    await demo();
    execFileSync(process.execPath, [at("node_modules/typescript/bin/tsc"), "-p", at("tsconfig.types.json")], { stdio: "inherit" });
}

const only = process.argv[2];
if (only !== "--sizes") await modules();
for (const entry of only === "--modules" ? [] : ENTRIES) {
    const bytes = await bytesOf(entry, [withoutLater]);
    const later = (await bytesOf(entry, [])) - bytes;
    const isTooBig = bytes > (entry.budget ?? Infinity);
    console.log(`${isTooBig ? "FAIL" : "ok  "} ${entry.name}: ${bytes} bytes${entry.budget ? ` of ${entry.budget}` : ""}, minified and gzipped${later > 50 ? `; ${later} more when first needed` : ""}`);
    if (isTooBig) process.exitCode = 1;
}
