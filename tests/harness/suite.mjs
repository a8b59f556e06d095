// suite.mjs — the test framework of the Node side: a test is a function, a failure names itself, the last line counts.
//
//     test("A-1 refuses alg none", async () => { assert.equal(...) });
//     await run({ before: start, after: stop });
//
// Tests run one after another in the order written; neighbours that are marked { beside: true } run at once, for they mostly
// wait. COATCHECK_ONLY=<text> runs those whose name contains the text. Nothing waits for luck: a test ends when its events
// have come, and the guard only turns a hang into a failure.
export const LIMIT_S = 60; // for what comes at once on a machine that has time: it costs nothing when all is well
const GUARD_S = 4 * LIMIT_S;
const SHOWN_LINES = 24;
const tests = [], witnesses = [];

export function test(name, body, { guard_s = GUARD_S, beside = false } = {})
{
    tests.push({ name, body, guard_s, beside });
}

// What else a failure is told with: a function of the error's text that resolves to lines.
export function witness(tell) { witnesses.push(tell); }

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

// A condition that nothing tells of is looked at until it holds; resolves to what it gave.
export async function eventually(holds, what, seconds = LIMIT_S)
{
    for (const begun = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 20))) {
        const found = await holds();
        if (found) return found;
        if (performance.now() - begun > seconds * 1000) throw new Error(`never within ${seconds} s: ${what}`);
    }
}

async function tell(name, error)
{
    const text = error?.stack ?? String(error), lines = text.split("\n").slice(0, SHOWN_LINES);
    for (const more of witnesses)
        lines.push(...await guarded(more(text), LIMIT_S, "what a witness tells").catch((silent) => [silent.message]));
    console.log([`FAIL ${name}`, ...lines].join("\n     "));
}

async function passes({ name, body, guard_s })
{
    try {
        await guarded(Promise.resolve().then(body), guard_s, name);
        console.log(`ok   ${name}`);
        return true;
    } catch (error) {
        await tell(name, error);
        return false;
    }
}

// Lists of tests that run at once: neighbours that may, and each other one alone.
function companies(chosen)
{
    const lists = [];
    for (const one of chosen) {
        if (one.beside && lists.at(-1)?.[0].beside) lists.at(-1).push(one);
        else lists.push([one]);
    }
    return lists;
}

export async function run({ before = async () => {}, after = async () => {} } = {})
{
    const only = process.env.COATCHECK_ONLY, chosen = tests.filter(({ name }) => !only || name.includes(only));
    let passed = 0, failed = 0;
    const count = (ok) => { ok ? passed++ : failed++; };
    if (!(await passes({ name: "starts", body: before, guard_s: 2 * LIMIT_S }))) failed++;
    else
        for (const together of companies(chosen)) (await Promise.all(together.map(passes))).forEach(count);
    count(await passes({ name: "ends sound", body: after, guard_s: 2 * LIMIT_S }));
    console.log(`${passed} passed, ${failed} failed`);
    process.stdout.write("", () => process.exit(failed || !passed ? 1 : 0));
}
