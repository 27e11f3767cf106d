/** What an import decides and says: groups, labels that are known in part, images that are left out, splits. */

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkDataset } from "../../../src/dataset/check.js";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const range = (count: number) => Array.from({ length: count }, (_, at) => at);
const pictures = (count: number) =>
  Object.fromEntries(range(count).map((n) => [`${n}.png`, greyPng(8, 8, [n + 1, 200])]));

interface Line {
  readonly image: string;
  readonly split: string;
  readonly label?: string;
  readonly labels?: readonly string[];
  readonly groups?: Readonly<Record<string, string>>;
}

async function imported(
  files: Record<string, string | Uint8Array>,
  { mapping, skipBad }: { mapping?: string; skipBad?: boolean } = {},
) {
  const source = writeFiles(files);
  const folder = join(mkdtempSync(join(tmpdir(), "notes-")), "set");
  const options = { skipBad, ...(mapping !== undefined && { mapping: { text: mapping, file: "m.yaml" } }) };
  const dry = await importAnnotations([source], folder, { ...options, dryRun: true });
  const report = await importAnnotations([source], folder, options);
  expect(dry).toEqual(report);
  const lines = readFileSync(join(folder, "samples.jsonl"), "utf8").trim().split("\n");
  return { report, folder, lines: lines.map((line): Line => JSON.parse(line)) };
}

describe("groups of the export", () => {
  const CLASS = "class: { from: tags, classes: { ill: [ill], ok: [ok] } }\n";
  const table = (more = "") =>
    `image,label,patient${more && ",split"}\n` +
    range(30)
      .map((n) => `${n}.png,${n % 2 ? "ill" : "ok"},p${Math.floor(n / 3)}${more && `,${n % 3 ? "train" : "test"}`}\n`)
      .join("");
  const across = (lines: readonly Line[]) =>
    range(10).filter((n) => {
      const own = lines.filter(({ groups }) => Object.values(groups ?? {}).includes(`p${n}`));
      return new Set(own.map(({ split }) => split)).size > 1;
    });

  test.each([
    ["by default", undefined, false],
    ["named", `${CLASS}splits: { by: [patient] }`, false],
    ["declared", `${CLASS}groups: { patient: { attribute: patient } }`, false],
    ["under another name", `${CLASS}groups: { who: { attribute: patient } }\nsplits: { by: [who] }`, false],
    ["none", `${CLASS}splits: { by: [] }`, true],
  ])("no split divides them: %s", async (_, mapping, isDivided) => {
    const { lines, report } = await imported({ ...pictures(30), "a.csv": table() }, { mapping });
    expect(across(lines).length > 0).toBe(isDivided);
    expect(report.notes[0]).toMatch(/class "label", a group each "patient"$/);
    expect(report.notes.some((note) => note.startsWith("no split divides a group of"))).toBe(!isDivided);
    if (mapping === undefined) expect(report.mapping).toMatch(/# The export gives groups: "patient"\./);
  });

  const halves = table().replace(/,p(\d)/g, (_, n) => `,p${Number(n) < 5 ? 0 : 1}`);

  test.each([
    ["one", table().replace(/,p\d+/g, ",p")],
    ["two", halves],
    ["two, and none for one image,", halves.replace(/,p0/, ",")],
  ])("of %s value count for nothing, or a split would be empty", async (_, csv) => {
    const { report } = await imported({ ...pictures(30), "a.csv": csv });
    expect(report.samples).toEqual({ train: 22, validation: 4, test: 4 });
    expect(report.notes).toContain('groups of too few values to be kept whole, which are in several splits: "patient"');
  });

  test("splits of the export that divide one are changed, and too few leave a split empty: both is said", async () => {
    const { lines, report } = await imported({ ...pictures(30), "a.csv": table("split") });
    expect(across(lines)).toEqual([]);
    expect(report.notes).toContainEqual(expect.stringMatching(/another split than the export .*: 10$/));
    expect(report.notes).not.toContainEqual(expect.stringMatching(/there are too few groups/)); // it has no validation
    const mapping = `${CLASS}splits: { by: [patient] }`;
    const { report: half } = await imported({ ...pictures(30), "a.csv": halves }, { mapping });
    expect(half.notes).toContainEqual(
      expect.stringMatching(/^no validation and no test image: there are too few groups/),
    );
  });
});

describe("labels that are known in part", () => {
  const PARTLY = /^images without a class, since only a part of their labels is known .*: 2$/;

  test("a blank column beside a 1 or a 0 leaves the image without a list", async () => {
    const rows = ["1,1", "1,", "0,", ",", "0,0", "0,1"];
    const { lines, report } = await imported({
      ...pictures(6),
      "a.csv": `image,rust,dent\n${rows.map((row, n) => `${n}.png,${row}\n`).join("")}`,
    });
    const labels = Object.fromEntries(lines.map(({ image, labels }) => [image.slice(7, 8), labels]));
    expect(labels).toEqual({ 0: ["rust", "dent"], 4: [], 5: ["dent"] });
    expect(report.heads.class).toEqual({ labelled: 2, empty: 1, unlabelled: 3 });
    expect(report.notes).toContainEqual(expect.stringMatching(PARTLY));
  });

  test("crowds alone beside another category too; their masks are empty for import and check, without complaint", async () => {
    const part = (image_id: number, category_id: number, iscrowd: number) => {
      const area = iscrowd ? { size: [8, 8], counts: [0, 16, 48] } : [[4, 4, 8, 4, 8, 8, 4, 8]];
      return { image_id, category_id, iscrowd, bbox: [4, 4, 4, 4], segmentation: area };
    };
    const annotations = [
      ...range(6).map((n) => part(n, 1, 0)),
      ...range(4).map((n) => part(n + 3, 2, 0)),
      ...[0, 1].map((n) => part(n, 2, 1)),
    ].map((one, id) => ({ id: id + 1, ...one }));
    const { folder, report } = await imported({
      ...pictures(12),
      "instances.json": JSON.stringify({
        images: range(12).map((id) => ({ id, file_name: `${id}.png`, width: 8, height: 8 })),
        categories: [
          { id: 1, name: "hot" },
          { id: 2, name: "crack" },
        ],
        annotations,
      }),
    });
    // Images 0 and 1 are hot and may be cracked; 2 to 6 are one or both; 7 to 11 nothing.
    expect(report.heads).toEqual({
      class: { labelled: 5, empty: 5, unlabelled: 2 },
      hot: { labelled: 6, empty: 6, unlabelled: 0 },
      crack: { labelled: 4, empty: 8, unlabelled: 0 },
    });
    expect(report.notes).toContainEqual(expect.stringMatching(PARTLY));
    expect(report.reasons[0]).toContain("A class that follows from the marks always comes with the aspect");
    const { heads, faults } = await checkDataset(folder);
    for (const [name, counts] of Object.entries(report.heads)) {
      const splits = Object.values(heads[name].states);
      const sum = (key: keyof typeof counts) => splits.reduce((total, states) => total + states[key], 0);
      expect([name, sum("labelled"), sum("empty"), sum("unlabelled")]).toEqual([name, ...Object.values(counts)]);
    }
    expect(faults.filter(({ message }) => message.includes("no pixel"))).toEqual([]);
  });
});

describe("images that cannot be read", () => {
  const bad = Object.fromEntries(range(7).map((n) => [`b/x${n}.png`, "no image"]));
  const good = Object.fromEntries(
    Object.entries(pictures(4)).map(([name, bytes]) => [`${"ab"[+name[0] % 2]}/${name}`, bytes]),
  );

  test("are named with their reasons, and in no count", async () => {
    const { report } = await imported({ ...good, ...bad }, { skipBad: true });
    const [note] = report.notes;
    expect(note).toMatch(/^7 images are left out: .*b\/x0\.png: .*b\/x4\.png: .*; and 2 more$/);
    expect(note).not.toContain("x5.png");
    expect(report.sources).toMatchObject([{ images: 4 }]);
    expect(report.categories.map(({ name, images }) => [name, images])).toEqual([
      ["a", 2],
      ["b", 2],
    ]);
  });

  test("else the first ends the import, which says how to go on", async () => {
    await expect(imported({ ...good, ...bad })).rejects.toThrow(
      /b\/x0\.png: .* Or leave such images out with --skip-bad\.$/,
    );
    await expect(imported({ "a/x.png": "no image", "b/x.png": "no image" }, { skipBad: true })).rejects.toThrow(
      /no image could be read \(.*x\.png/,
    );
  });
});

test("categories that differ in spaces alone are named, and so are classes that a split lacks", async () => {
  const label = (n: number) => (n < 2 ? "broken" : n % 2 ? "dog" : "dog ");
  const { report } = await imported({
    ...pictures(30),
    "labels.json": JSON.stringify({
      images: range(30).map((id) => ({ id, file_name: `${id}.png`, width: 8, height: 8 })),
      categories: ["broken", "dog", "dog "].map((name, id) => ({ id, name })),
      annotations: range(30).map((n) => ({
        ...{ id: n, image_id: n, category_id: ["broken", "dog", "dog "].indexOf(label(n)) },
      })),
    }),
  });
  expect(report.notes).toEqual([
    'categories that differ in spaces alone: "dog", "dog "; if they are one, join them in the mapping',
    'classes that no validation image has: "broken"',
    'classes that no test image has: "broken"',
  ]);
});

test("an aspect may be called as a member of every object is", async () => {
  const box = (image_id: number, category_id: number) => {
    return { id: 10 * image_id + category_id, image_id, category_id, bbox: [4, 4, 4, 4] };
  };
  const { report } = await imported({
    ...pictures(12),
    "instances.json": JSON.stringify({
      images: range(12).map((id) => ({ id, file_name: `${id}.png`, width: 8, height: 8 })),
      categories: [
        { id: 1, name: "constructor" },
        { id: 2, name: "toString" },
      ],
      annotations: [...range(6).map((n) => box(n, 1)), ...range(4).map((n) => box(n + 4, 2))],
    }),
  });
  expect(report.heads).toMatchObject({
    constructor: { labelled: 6, empty: 6, unlabelled: 0 },
    toString: { labelled: 4, empty: 8, unlabelled: 0 },
  });
});
