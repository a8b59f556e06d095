// schema.mjs — as much of JSON Schema 2020-12 as docs/openapi.json uses, stricter in one thing: an object's members are all
// told, unless additionalProperties says that there may be others. A keyword that is not known here is an error, never
// ignored, so that the document cannot say what nobody checks.
const ANNOTATIONS = new Set(["description", "default", "title"]);
const FORMATS = {
    "uuid": /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
    "uri": /^https?:\/\/[^\s/]+/,
    "email": /^[^@\s]+@[^@\s]+$/,
};
const TYPES = {
    string: (value) => typeof value === "string",
    number: (value) => typeof value === "number",
    integer: Number.isInteger,
    boolean: (value) => typeof value === "boolean",
    null: (value) => value === null,
    array: Array.isArray,
    object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};
const bytes = (value) => Buffer.byteLength(value);

const ALIKE = { // keyword -> whether the value is as the keyword says; values of other types are not its business
    type: (value, types) => [types].flat().some((type) => TYPES[type](value)),
    enum: (value, words) => words.includes(value),
    format: (value, format) => typeof value !== "string" || FORMATS[format].test(value),
    pattern: (value, pattern) => typeof value !== "string" || new RegExp(pattern, "u").test(value),
    minLength: (value, least) => typeof value !== "string" || bytes(value) >= least,
    maxLength: (value, most) => typeof value !== "string" || bytes(value) <= most,
    minimum: (value, least) => typeof value !== "number" || value >= least,
    maximum: (value, most) => typeof value !== "number" || value <= most,
    minItems: (value, least) => !Array.isArray(value) || value.length >= least,
    maxItems: (value, most) => !Array.isArray(value) || value.length <= most,
    required: (value, names) => !TYPES.object(value) || names.every((name) => name in value),
};

export function resolved(document, thing)
{
    if (thing?.$ref === undefined) return thing;
    const found = thing.$ref.replace(/^#\//, "").split("/").reduce((at, name) => at?.[name], document);
    if (found === undefined || !thing.$ref.startsWith("#/")) throw new Error(`${thing.$ref} leads nowhere`);
    return resolved(document, found);
}

// What is wrong with a value: a list of sentences, each with the place; empty if it fits.
export function misfits(document, schema, value, at = "$")
{
    const rule = resolved(document, schema), found = [];
    for (const [keyword, wanted] of Object.entries(rule)) {
        if (ANNOTATIONS.has(keyword) || keyword === "additionalProperties") continue;
        if (keyword === "items") {
            if (Array.isArray(value)) value.forEach((item, i) => found.push(...misfits(document, wanted, item, `${at}[${i}]`)));
        } else if (keyword === "properties") {
            if (TYPES.object(value)) for (const name of Object.keys(wanted)) if (name in value) found.push(...misfits(document, wanted[name], value[name], `${at}.${name}`));
        } else if (keyword === "oneOf") {
            const each = wanted.map((one) => misfits(document, one, value, at));
            if (each.filter((one) => !one.length).length !== 1) found.push(`${at} does not fit exactly one of ${wanted.length}: ${each.flat().join("; ")}`);
        } else if (!Object.hasOwn(ALIKE, keyword))
            throw new Error(`${at}: the keyword ${keyword} is not checked`);
        else if (!ALIKE[keyword](value, wanted))
            found.push(`${at} is ${JSON.stringify(value)?.slice(0, 120)}, but ${keyword} is ${JSON.stringify(wanted)}`);
    }
    if (TYPES.object(value) && rule.additionalProperties !== true && [rule.type].flat().includes("object"))
        for (const name of Object.keys(value)) if (!Object.hasOwn(rule.properties ?? {}, name)) found.push(`${at}.${name} is not told`);
    return found;
}
