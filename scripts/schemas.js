// Writes schemas/configuration.schema.json from docs/configuration.md: `npm run schemas`, after a change of that page.
// The schemas of a dataset are written by hand. test/docs/schemas.test.ts holds all three to the code.
import { readFileSync, writeFileSync } from "node:fs";
import { configurationSchema } from "./schemas/configuration-schema.js";

const root = new URL("../", import.meta.url);
const page = readFileSync(new URL("docs/configuration.md", root), "utf8");
const schema = configurationSchema(page);
writeFileSync(new URL("schemas/configuration.schema.json", root), `${JSON.stringify(schema, null, 2)}\n`);
