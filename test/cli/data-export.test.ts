/** `data export` as a user runs it. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { smallDataset } from "../helpers/small-dataset.js";

const newFolder = () => mkdtempSync(join(tmpdir(), "export-"));

describe("data export", () => {
  test("writes, prints the states of each category and what cannot be said, and comes back by data import", async () => {
    const [cwd, dataset] = [newFolder(), smallDataset()];
    const { code, stdout } = await aspectlens(["data", "export", dataset, "tasks", "--to", "label-studio"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("tasks (label-studio): 2 training, 1 validation, 2 test images");
    expect(stdout).toMatch(/crack +2 +1 +2\n/);
    expect(stdout).toContain("note: label-studio cannot say regions that are neither (2 left out)");
    const back = ["data", "import", "tasks", "again", "--mapping", "tasks/mapping.yaml", "--json"];
    const imported = await aspectlens(back, { cwd });
    expect(imported.code).toBe(0);
    expect(JSON.parse(imported.stdout)).toMatchObject({
      samples: { train: 2, validation: 1, test: 2 },
      heads: {
        class: { labelled: 4, empty: 0, unlabelled: 1 },
        crack: { labelled: 2, empty: 1, unlabelled: 2 },
        bolt: { labelled: 2, empty: 2, unlabelled: 1 },
        wet: { labelled: 2, empty: 1, unlabelled: 2 },
      },
    });
  });

  test("--json prints one object, and --link links", async () => {
    const cwd = newFolder();
    const { stdout } = await aspectlens(["data", "export", smallDataset(), "o", "--to", "yolo", "--link", "--json"], {
      cwd,
    });
    expect(JSON.parse(stdout)).toMatchObject({ directory: "o", to: "yolo", samples: { train: 2 } });
    const [image] = readdirSync(join(cwd, "o/images/val"), { withFileTypes: true });
    expect(image.isSymbolicLink()).toBe(true);
  });

  test.each([
    ["no form", ["x", "y"], /required option '--to <tool>'/],
    ["another form", ["x", "y", "--to", "voc"], /Allowed choices are coco, yolo, label-studio/],
    ["no dataset", ["x", "y", "--to", "coco"], /dataset\.json: cannot be read/],
  ])("%s ends with 2 and one line", async (_, args, message) => {
    const cwd = newFolder();
    const { code, stderr } = await aspectlens(["data", "export", ...args], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(join(cwd, "y"))).toBe(false);
  });

  test("a folder that holds something else is left alone", async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, "mine.txt"), "mine");
    const { code, stderr } = await aspectlens(["data", "export", smallDataset(), ".", "--to", "coco"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("would be overwritten. Name a new folder");
    expect(readFileSync(join(cwd, "mine.txt"), "utf8")).toBe("mine");
  });
});
