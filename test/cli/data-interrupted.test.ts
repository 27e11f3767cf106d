/** `data import` and `data export`, interrupted and killed in the middle. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aspectlens, type CommandResult } from "../helpers/command.js";
import { greyPng, writeFiles } from "../helpers/write-files.js";

const COUNT = 300;
let work: string;
let source: string;

/** Images with a polygon each, so that masks are drawn. */
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "interrupted-"));
  const numbers = Array.from({ length: COUNT }, (_, at) => at);
  source = writeFiles({
    ...Object.fromEntries(numbers.map((at) => [`images/${at}.png`, greyPng(96, 96, [at % 256])])),
    "instances.json": JSON.stringify({
      categories: [
        { id: 1, name: "odd" },
        { id: 2, name: "even" },
      ],
      images: numbers.map((id) => ({ id, file_name: `${id}.png`, width: 96, height: 96 })),
      annotations: numbers.map((id) => ({
        ...{ id, image_id: id, category_id: 2 - (id % 2), bbox: [8, 8, 80, 80] },
        segmentation: [[8, 8, 88, 8, 88, 88, 8, 88]],
      })),
    }),
  });
  expect((await run(["import", source, "set"])).code).toBe(0);
});
afterAll(() => expect(hidden()).toEqual([]));

const run = (args: readonly string[]) => aspectlens(["data", ...args], { cwd: work });
/** Temporary folders. */
const hidden = () => readdirSync(work).filter((name) => name.startsWith("."));
const filesOf = (folder: string) =>
  readdirSync(join(work, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const contentOf = (folder: string) =>
  Object.fromEntries(filesOf(folder).map((file) => [file, readFileSync(file).toString("base64")]));

/** Sends the signal when some images of the new folder are written. */
async function stopped(args: readonly string[], signal: NodeJS.Signals): Promise<CommandResult & { wasSent: boolean }> {
  let wasSent = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  const result = await aspectlens(["data", ...args], {
    cwd: work,
    onStart: (child) => {
      timer = setInterval(() => {
        const [name] = hidden();
        const images = name === undefined ? undefined : join(work, name, "images");
        if (wasSent || images === undefined || !existsSync(images) || readdirSync(images).length < 20) return;
        wasSent = child.kill(signal);
      }, 1);
    },
  });
  clearInterval(timer);
  return { ...result, wasSent };
}

describe.each([
  ["import", () => ["import", source]],
  ["export", () => ["export", "set"]],
] as const)("data %s", (command, words) => {
  const args = (out: string) => [...words(), out, ...(command === "export" ? ["--to", "coco"] : [])];

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends it with 130 and leaves nothing", async (signal) => {
    const out = `${command}-${signal}`;
    const { code, stderr, wasSent } = await stopped(args(out), signal);
    expect({ code, wasSent }).toEqual({ code: 130, wasSent: true });
    expect(stderr).toMatch(/interrupted; nothing was written/);
    expect(existsSync(join(work, out))).toBe(false);
    expect(hidden()).toEqual([]);
  });

  test("after SIGKILL nothing is taken for whole, and the same command again ends whole", async () => {
    const out = `${command}-killed`;
    const { code, wasSent } = await stopped(args(out), "SIGKILL");
    expect({ code, wasSent }).toEqual({ code: null, wasSent: true });
    expect(existsSync(join(work, out))).toBe(false);
    const [left] = hidden();
    expect(existsSync(join(work, left, "dataset.json"))).toBe(false);
    expect((await run(["check", left])).code).toBe(2);
    expect((await run(args(out))).code).toBe(0);
    expect(hidden()).toEqual([]);
    expect(filesOf(`${out}/images`)).toHaveLength(COUNT);
  });

  test.each(["SIGINT", "SIGKILL"] as const)(
    "%s while an earlier one is replaced leaves that as it was",
    async (signal) => {
      const out = `${command}-again-${signal}`;
      expect((await run(args(out))).code).toBe(0);
      writeFileSync(join(work, "notes.txt"), "mine");
      const before = contentOf(out);
      expect((await stopped(args(out), signal)).wasSent).toBe(true);
      expect(contentOf(out)).toEqual(before);
      expect((await run(args(out))).code).toBe(0);
      expect(hidden()).toEqual([]);
      expect(Object.keys(contentOf(out))).toEqual(Object.keys(before));
      expect(readFileSync(join(work, "notes.txt"), "utf8")).toBe("mine");
    },
  );
});

test("an import killed between the old folder and the new one gets the old one back, with its mapping", async () => {
  expect((await run(["import", source, "swap"])).code).toBe(0);
  const mapping = join(work, "swap", "mapping.yaml");
  writeFileSync(mapping, `${readFileSync(mapping, "utf8")}# mine\n`);
  const killed = await stopped(["import", source, "swap", "--mapping", "swap/mapping.yaml"], "SIGKILL");
  expect(killed.wasSent).toBe(true);
  const [left] = hidden();
  renameSync(join(work, "swap"), join(work, `${left}.old`));
  expect((await run(["import", source, "swap", "--mapping", "swap/mapping.yaml"])).code).toBe(0);
  expect(readFileSync(mapping, "utf8")).toMatch(/# mine\n$/);
  expect(hidden()).toEqual([]);
});

test("a mapping that the user changed is not overwritten by a proposal", async () => {
  expect((await run(["import", source, "kept"])).code).toBe(0);
  const mapping = join(work, "kept", "mapping.yaml");
  expect((await run(["import", source, "kept"])).code).toBe(0);
  writeFileSync(mapping, `${readFileSync(mapping, "utf8")}# mine\n`);
  const { code, stderr } = await run(["import", source, "kept"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /kept\/mapping\.yaml: was changed, and would be overwritten\. Import with --mapping kept\/mapping/,
  );
  expect(readFileSync(mapping, "utf8")).toMatch(/# mine\n$/);
  expect((await run(["import", source, "kept", "--mapping", "kept/mapping.yaml"])).code).toBe(0);
  expect(readFileSync(mapping, "utf8")).toMatch(/# mine\n$/);
});
