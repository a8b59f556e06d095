// dev_page.mjs — what the tests of the start page share: what runs in it before its own code, and axe-core's judgement.
import fs from "node:fs";
import path from "node:path";
import { SDK } from "./sdk_pages.mjs";

const AXE = fs.readFileSync(path.join(SDK, "node_modules/axe-core/axe.min.js"), "utf8");

// Runs before the page's own code; a policy violation is heard here even where the console keeps quiet.
export function watchPage()
{
    window.violations = [];
    window.shift = 0;
    window.shifted = []; // what moved, for whoever has to find out why
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    const name = (node) => node?.parentElement ? `${node.parentElement.id || node.parentElement.className}>${node.nodeName}#${node.id ?? ""}` : "gone";
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            window.shift += entry.value;
            window.shifted.push(...entry.sources.map(({ node }) => name(node)));
        }
    }).observe({ type: "layout-shift", buffered: true });
}

// What axe-core finds wrong, one line each.
export async function axe(page)
{
    await page.evaluate(AXE);
    return page.evaluate(async () => (await window.axe.run()).violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.failureSummary.slice(0, 120)}`)));
}
