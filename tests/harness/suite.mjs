// suite.mjs — the test framework of the Node side: a test is a function, a failure names itself, the last line counts.
//
//     test("A-1 refuses alg none", async () => { assert.equal(...) });
//     await run({ before: start, after: stop });
//
// Tests run one after another in the order written. COATCHECK_ONLY=<text> runs those whose name contains the text.
// Nothing waits for luck: a test ends when its events have come, and the guard only turns a hang into a failure.
import { format } from "node:util";

const GUARD_S = 120;
const tests = [];

export function test(name, body, { guard_s = GUARD_S } = {})
{
    tests.push({ name, body, guard_s });
}

export async function guarded(promise, seconds, what)
{
    let timer;
    const alarm = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing came within ${seconds} s: ${what}`)), seconds * 1000);
    });
    try {
        return await Promise.race([promise, alarm]);
    } finally {
        clearTimeout(timer);
    }
}

async function passes(name, body, guard_s)
{
    try {
        await guarded(Promise.resolve().then(body), guard_s, name);
        console.log(`ok   ${name}`);
        return true;
    } catch (error) {
        console.log(`FAIL ${name}`);
        console.log(format("     %s", (error?.stack ?? String(error)).split("\n").slice(0, 14).join("\n     ")));
        return false;
    }
}

export async function run({ before = async () => {}, after = async () => {} } = {})
{
    const only = process.env.COATCHECK_ONLY;
    let passed = 0, failed = 0;
    const count = (ok) => { ok ? passed++ : failed++; };
    if (!(await passes("starts", before, 60))) failed++;
    else
        for (const { name, body, guard_s } of tests)
            if (!only || name.includes(only)) count(await passes(name, body, guard_s));
    count(await passes("ends sound", after, 60));
    console.log(`${passed} passed, ${failed} failed`);
    process.stdout.write("", () => process.exit(failed || !passed ? 1 : 0));
}
