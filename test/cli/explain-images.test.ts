import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Explainer, Outcome } from "../../src/bundle/explainer.js";
import { explainImages } from "../../src/cli/explain-images.js";
import { prepareResults } from "../../src/cli/results.js";
import { skipper } from "../../src/cli/skipped-images.js";
import { ImageError } from "../../src/core/errors.js";
import type { ModelSpec } from "../../src/model/model-spec.js";
import { explained, ranked, tissue, unexplained } from "../pictures/fixtures.js";

let [stdout, stderr] = ["", ""];
let out: string;
const spec = { heads: [] } as unknown as ModelSpec;
const picture = tissue({ width: 400, height: 300 });

beforeEach(() => {
  [stdout, stderr] = ["", ""];
  out = join(mkdtempSync(join(tmpdir(), "aspectlens-many-")), "out");
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** Explains every third image by nothing, and cannot read those that are called bad. */
function stub(): Explainer {
  const explainAll: Explainer["explainAll"] = async function* (images): AsyncGenerator<Outcome> {
    let count = 0;
    for await (const image of images) {
      const name = image as string;
      const isThird = count++ % 3 === 2;
      const said = name.includes("ranked") ? ranked : isThird ? unexplained : explained;
      if (name.includes("bad"))
        yield { image, error: new ImageError(`${name}: cannot be decoded whole. Save it again.`) };
      else {
        const one = {
          ...said,
          explanation: { ...said.explanation, image: name },
          width: 40,
          height: 30,
          picture,
        };
        yield { image, explained: one };
      }
    }
  };
  return { explainAll } as Explainer;
}

async function run(images: readonly string[], options = {}): Promise<string> {
  const skipped = skipper(images.length);
  const results = await prepareResults(images, { out, spec });
  await explainImages(stub(), images, { results, skipped, ...options }, new AbortController().signal);
  try {
    skipped.end();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

test("up to five explanations are shown as tables", async () => {
  await run(["a.png", "b.png"]);
  expect(stdout.match(/relevance {2}/g)).toHaveLength(2);
  expect(stdout).not.toMatch(/images explained/);
  expect(readdirSync(out)).toEqual(expect.arrayContaining(["a.json", "b.overlay.jpg"]));
});

test("more get a line each, then a summary; what was skipped has its line as it happens, and the error counts it", async () => {
  const error = await run(["a.png", "b.png", "c.png", "bad.png", "d.png", "e.png", "f.png"]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(6 + 3 + 1);
  for (const [index, name] of ["a", "b", "c", "d", "e", "f"].entries()) expect(lines[index]).toMatch(`${name}.png: `);
  expect(lines[6]).toBe("6 images explained, 1 skipped");
  expect(lines[7]).toMatch(/^ {2}because of: mitosis in 4, necrosis in 4$/);
  expect(lines[8]).toBe("  no known aspect explains this: 2");
  expect(stderr).toBe("aspectlens: bad.png: cannot be decoded whole. Save it again.\n");
  expect(error).toBe("1 of 7 images skipped, for the reasons above.");
});

test("what has no scale is counted as such, not as unexplained", async () => {
  await run(["a.png", "b.png", "ranked-1.png", "d.png", "e.png", "ranked-2.png"]);
  expect(stdout.trimEnd().split("\n").slice(6, 9)).toEqual([
    "6 images explained, 0 skipped",
    "  because of: mitosis in 4, necrosis in 4",
    "  not calibrated, scores only rank: 2",
  ]);
});

test("--json prints one explanation a line and nothing else, however many", async () => {
  await run(["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"], { json: true });
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).format);
  expect(lines).toEqual(Array.from({ length: 6 }, () => "aspectlens-explanation/2"));
});

test("a single image that is skipped is the error itself, with no line before it", async () => {
  expect(await run(["bad.png"])).toBe("bad.png: cannot be decoded whole. Save it again.");
  expect(stderr + stdout).toBe("");
});
