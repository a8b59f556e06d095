// unit.test.mjs — the unit tests of the browser SDK (Vitest, beside each file of sdk/src), told and counted like all others.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { SDK } from "../harness/sdk_pages.mjs";
import { temporaryFolder } from "../harness/server.mjs";

const folder = temporaryFolder("coatcheck-vitest");
const report = path.join(folder, "report.json");
const { stdout, stderr } = spawnSync(process.execPath, [path.join(SDK, "node_modules/vitest/vitest.mjs"), "run", "--reporter=json", `--outputFile=${report}`],
    { cwd: SDK, encoding: "utf8", timeout: 600_000 });
if (!fs.existsSync(report)) {
    console.log(`FAIL no report\n${stdout}\n${stderr}\n0 passed, 1 failed`);
    process.exit(1);
}
const { testResults } = JSON.parse(fs.readFileSync(report, "utf8"));
fs.rmSync(folder, { recursive: true });

let passed = 0, failed = 0;
for (const { name, status, message, assertionResults } of testResults) {
    const file = path.relative(SDK, name);
    if (status === "failed" && !assertionResults.length) {
        failed++;
        console.log(`FAIL ${file}\n     ${message}`);
    }
    for (const { fullName, status: outcome, failureMessages } of assertionResults) {
        if (outcome === "passed") passed++;
        else failed++;
        console.log(`${outcome === "passed" ? "ok  " : "FAIL"} ${file}: ${fullName}${outcome === "passed" ? "" : `\n     ${failureMessages.join("\n     ")}`}`);
    }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
