/** What an import says of paths, and names that differ in their form of Unicode alone. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { asTyped } from "../../../src/dataset/formats/as-typed.js";
import { importAnnotations } from "../../../src/dataset/formats/import.js";
import { greyPng, writeFiles } from "../../helpers/write-files.js";

const POINT =
  "<annotation><size><width>8</width><height>8</height></size><object><name>a</name><bndbox><xmin>3</xmin>" +
  "<ymin>3</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object><object><name>b</name><bndbox><xmin>1</xmin>" +
  "<ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>";

describe("paths", () => {
  test("in notes begin with the source as it was typed", async () => {
    const folder = writeFiles({ "JPEGImages/1.png": greyPng(8, 8), "Annotations/1.xml": POINT });
    const typed = relative(process.cwd(), folder);
    const { notes } = await importAnnotations([typed], "none", { dryRun: true });
    expect(notes).toContain(`left out: box without extent (${typed}/Annotations/1.xml:1)`);
  });

  test.each([
    ["a folder", "sets/one", "sets/one/x/1.xml:3"],
    ["a folder with a slash behind", "sets/one/", "sets/one/x/1.xml:3"],
    ["a file beside", "sets/one.csv", "sets/one/x/1.xml:3"],
    ["the current folder", ".", "sets/one/x/1.xml:3"],
    ["a folder above", "../", join("..", relative(resolve(".."), resolve("sets/one/x/1.xml:3")))],
    ["an absolute folder", resolve("sets"), resolve("sets/one/x/1.xml:3")],
    ["another", "other/deep", resolve("sets/one/x/1.xml:3")],
  ])("%s", (_, typed, said) => {
    expect(asTyped(`box (${resolve("sets/one/x/1.xml:3")})`, [typed])).toBe(`box (${said})`);
  });

  test("no other path is changed in its middle", () => {
    const text = `mnt${resolve("sets/one.xml")}`;
    expect(asTyped(text, ["sets"])).toBe(text);
  });
});

describe("names in two forms of Unicode", () => {
  const [composed, apart] = ["caf\u00e9", "cafe\u0301"];
  const source = () =>
    writeFiles({
      "t.csv": `image,label\n1.png,${composed}\n2.png,${apart}\n3.png,dog\n`,
      ...Object.fromEntries([1, 2, 3].map((name) => [`${name}.png`, greyPng(8, 8)])),
    });

  test("are one class, which a note says", async () => {
    const folder = join(writeFiles({}), "set");
    const { categories, notes } = await importAnnotations([source()], folder);
    expect(categories.map(({ name, images }) => [name, images])).toEqual([
      [composed, 2],
      ["dog", 1],
    ]);
    expect(notes).toContain(`"${composed}": written with separate accents; taken as one name (NFC)`);
    expect(JSON.parse(readFileSync(join(folder, "dataset.json"), "utf8")).classes).toEqual([composed, "dog"]);
  });

  test("a mapping may write them in either", async () => {
    const text = `class: { from: tags, classes: { ${apart}: [${apart}], other: [dog] } }`;
    const { heads } = await importAnnotations([source()], "none", { dryRun: true, mapping: { text, file: "m" } });
    expect(heads.class.labelled).toBe(3);
  });

  test("of folders too", async () => {
    const folder = writeFiles({});
    for (const name of [composed, apart, "dog"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, `${name.length}.png`), greyPng(8, 8));
    }
    const { categories } = await importAnnotations([folder], "none", { from: "folders", dryRun: true });
    expect(categories.map(({ name, images }) => [name, images])).toEqual([
      [composed, 2],
      ["dog", 1],
    ]);
  });
});
