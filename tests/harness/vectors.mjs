// vectors.mjs — the project's own vector files, for use against the live port. Cases that COATCHECK_VECTORS holds under the
// same name are given as well, once each.
import fs from "node:fs";
import path from "node:path";
import { REPOSITORY } from "./server.mjs";

export function vectors(name)
{
    const theirs = process.env.COATCHECK_VECTORS && path.join(process.env.COATCHECK_VECTORS, name);
    const files = [path.join(REPOSITORY, "tests/vectors", name), ...(theirs && fs.existsSync(theirs) ? [theirs] : [])];
    const cases = files.flatMap((file) => JSON.parse(fs.readFileSync(file)).cases);
    return [...new Map(cases.map((row) => [JSON.stringify(row), row])).values()];
}
