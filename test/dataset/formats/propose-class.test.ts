/** What is proposed as class where a category is in every image. */

import { describe, expect, test } from "vitest";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { parseMapping } from "../../../src/dataset/formats/read-mapping.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

/** One image a row, of the classes in it; `header` and rows of 0 and 1, or of labels and boxes. */
const table = (header: string, rows: readonly string[]) =>
  writeFiles({
    "t.csv": [`image,${header}`, ...rows.map((row, at) => `${at}.png,${row}`)].join("\n"),
    ...Object.fromEntries(rows.map((_, at) => [`${at}.png`, greyPng(8, 8)])),
  });

async function proposed(source: string) {
  const { mapping, reasons } = await importAnnotations([source], "none", { dryRun: true });
  const { classes, drop } = parseMapping(mapping, "m").mapping;
  return { task: classes?.task, from: classes?.from, classes: classes?.classes.map(({ name }) => name), drop, reasons };
}

const times = (count: number, row: string) => Array.from({ length: count }, () => row);
const BOX = "xmin,ymin,xmax,ymax,class";

describe("a category in every image is no class", () => {
  test("of tags the others are; one that is left is there or not", async () => {
    const two = await proposed(table("scanned,ill,old", ["1,1,0", "1,0,1", "1,1,0", "1,0,1"]));
    expect(two).toMatchObject({ task: "single", from: "tags", classes: ["ill", "old"], drop: ["scanned"] });
    expect(two.reasons[0]).toContain('No class is "scanned": every annotated image has it.');
    const one = await proposed(table("scanned,ill", ["1,1", "1,0", "1,1", "1,0"]));
    expect(one).toMatchObject({ task: "single", from: "tags", classes: ["ill", "no ill"], drop: ["scanned"] });
    const several = await proposed(table("scanned,ill,old", ["1,1,1", "1,0,1", "1,1,0", "1,0,0"]));
    expect(several).toMatchObject({ task: "multi", classes: ["ill", "old"], drop: ["scanned"] });
  });

  test("of marks the next even category is, however rare", async () => {
    const rows = [...times(39, "1,1,4,4,cell"), '1,1,4,4,"cell|mitosis"'];
    const { reasons, ...rest } = await proposed(table(BOX, rows));
    expect(rest).toEqual({ task: "single", from: "marks", classes: ["mitosis", "no mitosis"], drop: [] });
    expect(reasons[0]).toMatch(/"mitosis" \(1 of 40 do.*No class is "cell": every annotated image has it\./);
  });

  test("an attribute of which each image has one value is the next", async () => {
    const file = (grade: string) =>
      "<annotation><size><width>8</width><height>8</height></size><object><name>cell</name>" +
      `<grade>${grade}</grade><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>`;
    const grades = ["low", "high", "high", "low"];
    const files = grades.map((grade, at) => [
      [`${at}.png`, greyPng(8, 8)],
      [`${at}.xml`, file(grade)],
    ]);
    const { reasons, ...rest } = await proposed(writeFiles(Object.fromEntries(files.flat())));
    expect(rest).toEqual({ task: "single", from: "attribute", classes: ["high", "low"], drop: [] });
    expect(reasons[0]).toMatch(/the attribute "grade".*No class is "cell"/);
  });

  test("where nothing else is there the import ends and says so, unless there are few images", async () => {
    await expect(proposed(table(BOX, times(10, "1,1,4,4,cell")))).rejects.toThrow(
      /nothing in it tells a class: each annotated image has "cell", and none is without\. Say in a mapping file/,
    );
    const few = await proposed(table(BOX, times(9, "1,1,4,4,cell")));
    expect(few.reasons[0]).toContain('every annotated one has "cell". A classifier learns nothing of that');
  });
});
