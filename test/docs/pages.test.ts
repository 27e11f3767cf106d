/** The pages as a whole: what they name exists, links lead somewhere, and the drawing is that of the table. */

import { existsSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { MASKING_NAMES, SALIENCY_NAMES } from "../../src/explain/methods.js";
import { layersDrawing } from "./layers-drawing.js";
import { codes, firstColumn, ROOT, readPage } from "./page.js";

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "data/README.md"],
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

const CODE = ["src", "test", "bench", "examples", "scripts"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
);

/** GitHub's anchors: small letters, no punctuation, hyphens for spaces. */
const anchorsOf = (page: string) =>
  page
    .split("\n")
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, "")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

describe.each(PAGES)("%s", (path) => {
  const page = readPage(path);

  test("names only files of the repository that exist", () => {
    const named = codes(page.replace(/^```[\s\S]*?^```$/gm, "")).filter((name) =>
      /^(src|test|docs|bench|examples|scripts|data\/sample)\/[\w./-]+$|^[\w/-]+\.(ts|js|py)$/.test(name),
    );
    // In a list of neighbours the folder is said once.
    const isThere = (name: string) => existsSync(join(ROOT, name)) || CODE.some((file) => file.endsWith(`/${name}`));
    expect(named.filter((name) => !isThere(name))).toEqual([]);
  });

  test("links only to files and sections that exist", () => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1])
      .filter((link) => !/^https?:/.test(link));
    const dead = links.filter((link) => {
      const [file, anchor] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (target.startsWith("..") || !existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(readPage(target)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  test("speaks of no document outside the repository", () => {
    expect(page).not.toMatch(/\b(DESIGN|STYLE|HOUSE|FACTS)\b|\bshared\/|\bissue \d+/);
  });
});

test("docs/architecture.md draws the table of layers", () => {
  expect(readPage("docs/architecture.md")).toContain(`\`\`\`mermaid\n${layersDrawing()}\n\`\`\``);
});

test("docs/architecture.md says of every folder and entry of src what it knows", () => {
  const named = firstColumn(readPage("docs/architecture.md"), "Layers").map((name) => name.replace("src/", ""));
  expect(named.sort()).toEqual(readdirSync(join(ROOT, "src")).sort());
});

test("docs/architecture.md shows, of what was tried, files that exist and those that were new", () => {
  const touched = [...readPage("docs/architecture.md").matchAll(/^(\S+)\s+\|\s+\d+ [+-]+$/gm)].map((match) => match[1]);
  expect(touched.length).toBeGreaterThan(15);
  expect(touched.filter((file) => !existsSync(join(ROOT, file))).sort()).toEqual([
    "src/explain/graph/saliency/x-grad-cam.ts",
    "src/heads/count-reading.ts",
    "src/heads/count.ts",
    "src/trunk/resnet.ts",
  ]);
});

test("docs/explanations.md has every saliency method and every masking, and no other", () => {
  const page = readPage("docs/explanations.md");
  expect(
    firstColumn(page, "Saliency methods")
      .filter((name) => name !== "--saliency")
      .sort(),
  ).toEqual([...SALIENCY_NAMES].sort());
  const maskings = page.split("\n## ").find((part) => part.startsWith("Maskings")) ?? "";
  const rows = maskings
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => codes(line)[0]);
  expect(rows.filter((name) => name !== "--masking").sort()).toEqual([...MASKING_NAMES].sort());
});
