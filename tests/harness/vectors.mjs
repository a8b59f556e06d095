// vectors.mjs — the project's own vector files, for use against the live port.
import fs from "node:fs";
import path from "node:path";
import { REPOSITORY } from "./server.mjs";

export function vectors(name)
{
    return JSON.parse(fs.readFileSync(path.join(REPOSITORY, "tests/vectors", name))).cases;
}
