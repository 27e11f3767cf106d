/** The JSON Schema of a training configuration, made from the tables of docs/configuration.md. */

/** @typedef {{ key: string, type: string, fallback: string, range: string, meaning: string }} Row */

/** The page's types of values that need no range. @type {Record<string, object>} */
const TYPES = {
  folder: { type: "string", minLength: 1 },
  path: { type: "string" },
  layer: { type: "string", minLength: 1 },
  name: { type: "string", minLength: 1 },
  "name or path": { type: "string", minLength: 1 },
  "name or layer": { type: "string", minLength: 1 },
  "layer or list of layers": {
    anyOf: [
      { type: "string", minLength: 1 },
      { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 },
    ],
  },
  "list of names": { type: "array", items: { type: "string" } },
  "true or false": { type: "boolean" },
  number: { type: "number" },
  "whole number": { type: "integer" },
};

/**
 * @param {string} page text of docs/configuration.md.
 * @returns {object} draft 2020-12.
 */
export function configurationSchema(page) {
  const rows = rowsOf(page);
  const under = (/** @type {string} */ prefix) =>
    rows.filter(({ key }) => key.startsWith(prefix) && !/[.[]/.test(key.slice(prefix.length)));
  const objectOf = (/** @type {string} */ prefix) => ({
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(under(prefix).map((row) => [row.key.slice(prefix.length), schemaOfValue(row)])),
  });
  const described = (/** @type {string} */ key) => ({ description: headingOf(page, key) });
  const whole = objectOf("");
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of a training with Aspectlens",
    ...whole,
    required: rows
      .filter(({ key, fallback }) => !key.includes(".") && fallback === "must be given")
      .map(({ key }) => key),
    properties: {
      ...whole.properties,
      trunk: { ...described("trunk"), ...objectOf("trunk.") },
      heads: { ...described("heads"), type: "object", additionalProperties: objectOf("heads.<name>.") },
      stages: {
        ...described("stages"),
        anyOf: [
          { type: "array", minItems: 1, items: { $ref: "#/$defs/stage" } },
          { type: "object", patternProperties: { "^[0-9]+$": { $ref: "#/$defs/stage" } }, additionalProperties: false },
        ],
      },
      augment: { ...described("augment"), ...objectOf("augment.") },
      teacher: { ...described("teacher"), ...objectOf("teacher."), required: ["weights"] },
      images: { ...described("images"), ...objectOf("images.") },
      fold: { ...described("fold"), ...objectOf("fold.") },
    },
    $defs: { stage: objectOf("stages[].") },
  };
}

/** @returns {Row[]} every row of the tables of keys. */
function rowsOf(/** @type {string} */ page) {
  const cells = [...page.matchAll(/^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|([^|]*)\|([^|]*)\|$/gm)];
  return cells.map((match) => {
    const [key, type, fallback, range, meaning] = match.slice(1).map((cell) => cell.trim());
    return { key, type, fallback, range, meaning };
  });
}

/** What the heading of a key's section says of it. */
function headingOf(/** @type {string} */ page, /** @type {string} */ key) {
  const heading = new RegExp(`^## \`${key}[^\`]*\`: (.*)$`, "m").exec(page)?.[1];
  if (!heading) throw new Error(`docs/configuration.md: no section of \`${key}\`.`);
  return plain(heading);
}

/** @returns {object} */
function schemaOfValue(/** @type {Row} */ row) {
  const { key, type, fallback, range } = row;
  if (/^(object|list of objects)$/.test(type)) return {}; // its keys are added by its place
  if (!TYPES[type])
    throw new Error(`docs/configuration.md: \`${key}\` has the type "${type}", which no schema is known of.`);
  const literal = /^`([^`]+)`$/.exec(fallback)?.[1];
  const hasLiteral = literal !== undefined && /^("|\d|true$|false$)/.test(literal);
  return {
    description: descriptionOf(row, { hasLiteral }),
    ...TYPES[type],
    ...limitsOf(row),
    ...(range.startsWith("`") && { enum: [...range.matchAll(/`([^`]+)`/g)].map(([, name]) => name) }),
    ...(hasLiteral && { default: JSON.parse(literal) }),
  };
}

/** @returns {object} */
function limitsOf(/** @type {Row} */ { range }) {
  const [, above, low, below, high] = /^(above )?([\d.]+) to (below )?([\d.]+)$/.exec(range) ?? [];
  if (low === undefined) return {};
  return {
    [above ? "exclusiveMinimum" : "minimum"]: Number(low),
    [below ? "exclusiveMaximum" : "maximum"]: Number(high),
  };
}

/** The meaning, with the default where that takes words. @param {Row} row @param {{ hasLiteral: boolean }} options */
function descriptionOf({ meaning, fallback }, { hasLiteral }) {
  const isTold = hasLiteral || fallback === "must be given" || fallback === "none";
  return plain(isTold ? meaning : `${meaning}. Default: ${fallback}`);
}

/** Markdown as a sentence of plain text. */
function plain(/** @type {string} */ markdown) {
  const text = markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
  return `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}
