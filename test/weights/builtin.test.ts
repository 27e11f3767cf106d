import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { BUILTIN_INPUT_SIZE } from "../../src/train/config.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import { BUILTIN } from "../../src/trunk/trunks.js";

const WEIGHTS = fileURLToPath(new URL("../../weights", import.meta.url));
const folders = readdirSync(WEIGHTS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const names = folders.map(({ name }) => name).filter((name) => !name.startsWith("."));

test("the trunks that a configuration finds by name and width are those that the package brings", () => {
  expect(BUILTIN.map(({ name, alpha }) => `${name}-${alpha}`).sort()).toEqual(names.sort());
});

describe.each(names)("weights/%s", (name) => {
  test("each file is the one that was measured", () => {
    const lines = readFileSync(join(WEIGHTS, name, "SHA256SUMS"), "utf8")
      .trim()
      .split("\n");
    expect(lines.length).toBe(3);
    for (const line of lines) {
      const [sum, file] = line.split("  ");
      const hash = createHash("sha256").update(readFileSync(join(WEIGHTS, name, file)));
      expect(hash.digest("hex"), file).toBe(sum);
    }
  });

  test("they are of the trunk that the folder's name says", async () => {
    const {
      name: trunk,
      alpha,
      inputSize,
    } = await inspectWeights(await readWeights(join(WEIGHTS, name, "trunk.safetensors")));
    expect(`${trunk}-${alpha}`).toBe(name);
    expect(inputSize).toBe(BUILTIN_INPUT_SIZE); // what data check measures masks by
  });
});
