/** Tables of labels, of boxes, and of one column a class. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAnnotations } from "../../../src/dataset/formats/tools.js";
import { expectAccepted, expectRefusal } from "../../helpers/malformed.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const pictures = Object.fromEntries([1, 2, 3].map((n) => [`images/${n}.png`, greyPng(20, 10)]));

async function read(text: string, name = "labels.csv") {
  const set = await readAnnotations(writeFiles({ [name]: text, ...pictures }));
  const images: Record<string, unknown[]> = {};
  for (const { name: image, isAnnotated, annotations } of set.images) {
    const { objects } = await annotations();
    const marks = objects.map(({ category, shape, isIgnored }) => {
      const box = shape.kind === "box" ? ` ${[shape.x, shape.y, shape.width, shape.height]}` : "";
      return `${isIgnored ? "?" : ""}${category}${box}`;
    });
    images[image] = [isAnnotated, ...marks];
  }
  return { ...set, images: set.images, marks: images };
}

describe("labels", () => {
  test.each([
    ["commas", "image,label\n1.png,cat\n2.png,dog\n"],
    ["semicolons", "image;label\n1.png;cat\n2.png;dog\n"],
    ["tabulators", "image\tlabel\n1.png\tcat\n2.png\tdog\n"],
    ["bars", "filename|class\n1.png|cat\n2.png|dog\n"],
    ["a byte-order mark and carriage returns", "\uFEFFimage,label\r\n1.png,cat\r\n2.png,dog\r\n"],
    ["quotation marks", '"image","label"\n"images/1.png","cat"\n"images/2.png","dog"\n'],
    ["no header", "1.png,cat\n2.png,dog\n"],
    ["the label first", "cat,1.png\ndog,2.png\n"],
    ["names without ending", "image_id,label\n1,cat\n2,dog\n"],
    ["a column of any name", "Image Name,breed\n1.png,cat\n2.png,dog\n"],
    ["an empty line", "image,label\n1.png,cat\n\n2.png,dog\n"],
  ])("with %s", async (_, text) => {
    const { tool, marks } = await read(text);
    expect(tool).toBe("csv");
    expect(marks).toEqual({ "images/1.png": [true, "cat"], "images/2.png": [true, "dog"] });
  });

  test("several of an image, in rows or with bars between them; none is not annotated", async () => {
    const { marks } = await read("image,label\n1.png,cat\n1.png,wet\n2.png,cat|dog\n3.png,\n");
    expect(marks).toEqual({
      "images/1.png": [true, "cat", "wet"],
      "images/2.png": [true, "cat", "dog"],
      "images/3.png": [false],
    });
  });

  test("a .tsv, whose name and columns tell the split and the groups", async () => {
    const { images, left } = await read("image\tlabel\tpatient_id\tnote\n1.png\tcat\tp7\thm\n", "val.tsv");
    expect(images[0]).toMatchObject({ split: "val", groups: { patient_id: "p7" } });
    expect(left).toEqual(['column "note": its meaning is not known']);
    const { images: own } = await read("image,label,split\n1.png,cat,train\n2.png,cat,test\n");
    expect(own.map(({ split }) => split)).toEqual(["train", "test"]);
  });

  test("an image that is absent has the path where it should be", async () => {
    const folder = writeFiles({ "a.csv": "image,label\nx/9.png,cat\n" });
    expect((await readAnnotations(folder)).images[0].path).toBe(join(folder, "x/9.png"));
  });
});

describe("what was guessed is said", () => {
  test.each([
    ["image;label\n1.png;cat\n", /csv: separated by semicolons, with a header; read as image "image", class "label"$/],
    [
      "1.png,2,1,6,4,cat\n",
      /commas, without header; read as image column 1, class column 6, box column 2, column 3, column 4, column 5 in pixels$/,
    ],
    [
      "image\tcat\tdog\n1.png\t1\t0\n",
      /by tabulators, with a header; read as image "image", a class each "cat", "dog"$/,
    ],
  ])("%j", async (text, note) => {
    expect((await read(text)).notes).toEqual([expect.stringMatching(note)]);
  });
});

describe("one column a class", () => {
  test("1 is there, 0 is not, and nothing or -1 is not known", async () => {
    const { categories, marks } = await read("image,cat,dog\n1.png,1.0,0.0\n2.png,0,1\n3.png,-1,\n");
    expect(categories).toEqual(["cat", "dog"]);
    expect(marks).toEqual({
      "images/1.png": [true, "cat"],
      "images/2.png": [true, "dog"],
      "images/3.png": [true, "?cat", "?dog"],
    });
  });

  test("a single one beside the image, and words", async () => {
    expect((await read("image,cracked\n1.png,true\n2.png,false\n")).marks).toEqual({
      "images/1.png": [true, "cracked"],
      "images/2.png": [true],
    });
  });
});

describe("boxes", () => {
  const header = "filename,width,height,class,xmin,ymin,xmax,ymax";

  test("in pixels, several an image, with its size", async () => {
    const { images, marks } = await read(`${header}\n1.png,40,20,cat,2,1,6,4\n1.png,40,20,dog,0,0,40,20\n`);
    // 6 - 2 = 4 wide, 4 - 1 = 3 high.
    expect(marks).toEqual({ "images/1.png": [true, "cat 2,1,4,3", "dog 0,0,40,20"] });
    expect(await images[0].annotations()).toMatchObject({ width: 40, height: 20 });
  });

  test("without header, in the order image, four numbers, class; a row of nothing says that there is nothing", async () => {
    const { marks } = await read("1.png,2,1,6,4,cat\n2.png,,,,,\n");
    expect(marks).toEqual({ "images/1.png": [true, "cat 2,1,4,3"], "images/2.png": [true] });
  });

  test("as shares of the image", async () => {
    const { images } = await read("ImageID,LabelName,XMin,XMax,YMin,YMax\n1,cat,0.25,0.75,0,1\n");
    expect(await images[0].annotations()).toEqual({
      width: 1,
      height: 1,
      objects: [{ category: "cat", shape: { kind: "box", x: 0.25, y: 0, width: 0.5, height: 1 } }],
    });
  });
});

describe("what is malformed is one line with file, line and cure", () => {
  const boxes = "image,xmin,ymin,xmax,ymax,class\n1.png,1,1,3,3,cat\n";
  const cases: [string, string | Uint8Array, RegExp][] = [
    ["empty", "", /a\.csv: is empty/],
    ["UTF-16", Buffer.from("image,label", "utf16le"), /a\.csv: is UTF-16/],
    ["not UTF-8", Buffer.from([0x69, 0xff, 0x2c, 0x61]), /a\.csv: is not UTF-8/],
    ["one column", "image\n1.png\n", /a\.csv:1: has one column alone/],
    ["a header alone", "image,label\n", /a\.csv: has a header and no row/],
    ["an open quotation mark", 'image,label\n1.png,"cat\n2.png,dog\n', /a\.csv:\d+: .*[Qq]uot.* Correct the quotation/],
    ["a quotation mark inside", 'image,label\n1.png,c"at"\n', /a\.csv:2: .*[Qq]uote/],
    ["too few cells", "image,label\n1.png,cat\n2.png\n", /a\.csv:3: has 1 cells, the first row has 2/],
    ["too many cells", "image,label\n1.png,cat,dog\n", /a\.csv:2: has 3 cells, the first row has 2/],
    ["a column twice", "image,label,label\n1.png,a,b\n", /a\.csv:1: two columns are called "label"/],
    ["no image", "photo,label\nx,cat\n", /a\.csv:1: no column is called "image" or "filename" \(photo, label\)/],
    ["an empty name", "image,label\n,cat\n", /a\.csv:2: names no image/],
    ["no label", "image,alpha,beta\n1.png,2,3\n", /a\.csv:1: no column is called "label"/],
    ["three edges", "image,xmin,ymin,xmax,class\n1.png,1,1,3,cat\n", /a\.csv:1: of the columns xmin.* it has 3/],
    ["no header and five columns", "1.png,1,2,3,cat\n", /a\.csv:1: has no header, and 5 columns/],
    ["a word in a box", boxes.replace("1,1", "1,one"), /a\.csv:2: has "one" in its box/],
    ["half a box", `${boxes}2.png,1,,3,3,cat\n`, /a\.csv:3: has "" in its box/],
    ["corners in the wrong order", `${boxes}2.png,5,5,3,3,cat\n`, /a\.csv:3: has the box 5, 5, 3, 3/],
    ["a box without a class", `${boxes}2.png,1,1,3,3,\n`, /a\.csv:3: has a box without a class/],
    ["a class without a box", `${boxes}2.png,,,,,cat\n`, /a\.csv:3: has the class "cat" without a box/],
    ["a table of nulls", Buffer.alloc(40), /a\.csv: is UTF-16/],
    ["a line break", "\n", /a\.csv:1: has one column alone/],
    ["a workbook", "PK\u0003\u0004,x\ny,z\n", /a\.csv:1: no column is called "image"/],
    ["a page", "<html>,<b>\n</html>,x\n", /a\.csv:1: no column is called "image" or "filename" \(<html>, <b>\)/],
    ["another delimiter below", "image,label\n1.png;cat\n", /a\.csv:2: has 1 cells, the first row has 2/],
    ["a line after a quoted break", 'image,label\n1.png,"a\nb"\n2.png\n', /a\.csv:4: has 1 cells/],
    ["NaN", boxes.replace("1,1", "NaN,1"), /a\.csv:2: has "NaN" in its box/],
    ["an endless number", boxes.replace("1,1", "1e999,1"), /a\.csv:2: has "1e999" in its box/],
    ["a huge number", boxes.replace("3,3", "1e300,3"), /a\.csv:2: has "1e300" in its box/],
    ["a decimal comma", boxes.replaceAll(",", ";").replace("1;1", "1,5;1"), /a\.csv:2: has "1,5" in its box/],
    ["an absent image", "image,label\n9.png,cat\n", /the image "9\.png" is absent .*--images/],
    [
      "a path out of the table's folder",
      "image,label\n../../etc/hostname,cat\n1.png,dog\n",
      /files-\w+\/etc\/hostname\)/,
    ],
    ["an absolute path", "image,label\n/etc/hostname,cat\n1.png,dog\n", /files-\w+\/etc\/hostname\)/],
    [
      "two sizes",
      "image,width,height,label\n1.png,20,10,a\n1.png,40,20,b\n",
      /a\.csv:3: has the size "40", line 2 .* "20"/,
    ],
    ["a negative size", "image,width,height,label\n1.png,-20,-10,a\n", /a\.csv:2: says that the image has -20 x -10/],
    ["a huge size", "image,width,height,label\n1.png,200000,100000,a\n", /made at 200000 x 100000, more than an image/],
    ["another shape than the image", "image,width,height,label\n1.png,20,20,a\n", /made at 20 x 20\. Take/],
    ["two patients", "image,label,patient\n1.png,a,p1\n1.png,b,p2\n", /a\.csv:3: has the patient "p2", line 2/],
    [
      "two splits",
      "image,label,split\n1.png,a,train\n1.png,b,test\n",
      /a\.csv:3: has the split "test", line 2 .*"train"/,
    ],
    ["a size of words", "image,width,height,label\n1.png,w,3,cat\n", /a\.csv:2: says that the image has w x 3/],
  ];
  test.each(cases)("%s", (_, text, message) => expectRefusal({ "a.csv": text, ...pictures }, { from: "csv", message }));

  test.each<[string, string, object, RegExp[]]>([
    ["a quoted line break", 'image,label\n1.png,"c\nat"\n', { label: "c\nat" }, []],
    ["carriage returns alone", "image,label\r1.png,cat\r", { label: "cat" }, []],
    ["a comma at each end", "image,label,\n1.png,cat,\n", { label: "cat" }, [/left out: column ""/]],
    ["a numbered first column", ",image,label\n0,1.png,cat\n", { label: "cat" }, [/left out: column ""/]],
    ["a row twice", "image,label\n1.png,cat\n1.png,cat\n", { label: "cat" }, []],
    ["names that programs use", "image,__proto__,constructor\n1.png,1,0\n", { label: "__proto__" }, []],
    [
      "a split of another name",
      "image,label,split\n1.png,cat,fold3\n",
      { label: "cat" },
      [/"fold3"; their images are drawn/],
    ],
    [
      "a box across the edge",
      boxes.replace("1,1", "-5,-5"),
      { aspects: { cat: { boxes: [[0, 0, 0.3, 0.15]] } } },
      [/1 boxes reached/],
    ],
    [
      "a box outside",
      boxes.replace("1,1,3,3", "90,90,99,99"),
      { aspects: { cat: { boxes: [] } } },
      [/1 marks without/],
    ],
  ])("%s is no fault", async (_, text, sample, notes) => {
    const { samples, report } = await expectAccepted({ "a.csv": text, ...pictures }, { from: "csv" });
    expect(samples["images/1.png"]).toMatchObject(sample);
    expect(report.notes.slice(1)).toEqual(notes.map((note) => expect.stringMatching(note)));
  });

  test("no table, and two tables of one image", async () => {
    await expectRefusal(pictures, { from: "csv", message: /holds no \.csv or \.tsv/ });
    const twice = { "a.csv": "image,label\n1.png,a\n", "b.csv": "image,label\n1.png,b\n" };
    await expectRefusal({ ...twice, ...pictures }, { from: "csv", message: /b\.csv: holds images\/1\.png, and so/ });
  });
});

describe("the unit of boxes", () => {
  const HEAD = "image,xmin,ymin,xmax,ymax,class\n";
  test.each([
    ["shares", "1.png,0.1,0.2,0.5,0.75,a\n2.png,0,0,1,1,a\n", "shares of the image"],
    ["shares that reach out a little", "1.png,-0.02,0.2,1.02,0.75,a\n", "shares of the image"],
    ["pixels", "1.png,0,0,1,1,a\n2.png,2.5,2,4,6,a\n", "pixels"],
  ])("%s", async (_, rows, unit) => {
    const folder = writeFiles({ "t.csv": HEAD + rows, "1.png": greyPng(8, 8), "2.png": greyPng(8, 8) });
    const { notes } = await readAnnotations(folder, {});
    expect(notes?.join()).toMatch(new RegExp(`box "xmin", "ymin", "xmax", "ymax" in ${unit}$`));
  });

  test.each([
    [
      "the first pixel or the whole image",
      "1.png,0,0,1,1,a\n",
      /t\.csv:2: no box has a number but 0 and 1, .*\. Write/,
    ],
    [
      "both",
      "1.png,2,2,4,6,a\n2.png,0.1,0.2,0.5,0.75,a\n",
      /t\.csv:3: has a box in shares of the image, but line 2 one in pixels\. Write all boxes in pixels, or all in shares/,
    ],
  ])("is refused where it cannot be told: %s", async (_, rows, message) => {
    const folder = writeFiles({ "t.csv": HEAD + rows, "1.png": greyPng(8, 8), "2.png": greyPng(8, 8) });
    await expect(readAnnotations(folder, {})).rejects.toThrow(message);
  });
});
