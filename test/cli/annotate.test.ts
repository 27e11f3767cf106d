import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { FOREIGN_PACKET, tiff } from "../annotate/files.js";
import { aspectlens } from "../helpers/command.js";
import { tinyWorld } from "../helpers/tiny-world.js";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const run = (...args: string[]) => aspectlens(["annotate", "model.aspect", ...args], { cwd: folder });
const lastLine = (stderr: string) => stderr.trim().split("\n").at(-1) ?? "";
const pixels = (file: string) => sharp(readFileSync(file), { failOn: "error" }).raw().toBuffer();
const xmp = async (file: string) => (await sharp(readFileSync(file)).metadata()).xmp?.toString() ?? "";

/** A folder with images in folders, of every format, and some that cannot be annotated. */
async function makeImages(name: string): Promise<void> {
  mkdirSync(at(name, "a", "b c"), { recursive: true });
  const image = () => sharp(at("image.png")).resize(60, 40, { fit: "fill" });
  copyFileSync(at("image.png"), at(name, "one.png"));
  await image()
    .jpeg()
    .withXmp(FOREIGN_PACKET)
    .toFile(at(name, "a", "two.jpg"));
  await image()
    .webp()
    .toFile(at(name, "a", "b c", "three.webp"));
  writeFileSync(at(name, "a", "b c", "four.TIF"), tiff({ isLittle: false, pages: 2 }));
}

/** Three that are refused, each for a reason of its own. */
async function addRefused(name: string): Promise<void> {
  await sharp(at("image.png")).gif().toFile(at(name, "five.gif"));
  await sharp(at("image.png"))
    .tiff({ bigtiff: true })
    .toFile(at(name, "a", "six.tif"));
  writeFileSync(at(name, "seven.jpg"), readFileSync(at(name, "a", "two.jpg")).subarray(0, 300));
}

beforeAll(async () => {
  folder = (await tinyWorld()).folder;
}, 180_000);

describe("annotate --out", () => {
  test("copies keep folders, pixels and the user's metadata; what cannot be annotated is listed, exit code 1", async () => {
    await makeImages("in");
    await addRefused("in");
    const before = readFileSync(at("in/a/two.jpg"));
    const { code, stdout, stderr } = await run("in", "--out", "out", "--json");
    expect(code, stderr).toBe(1);
    const said = JSON.parse(stdout);
    expect(said).toMatchObject({ annotated: 4, unchanged: 0, files: { coco: "out/coco.json" } });
    expect(said.skipped.map(({ image }: { image: string }) => image).sort()).toEqual([
      "in/a/six.tif",
      "in/five.gif",
      "in/seven.jpg",
    ]);
    for (const { image, reason } of said.skipped) expect(reason.startsWith(`${image}: `), reason).toBe(true);
    expect(lastLine(stderr)).toBe("aspectlens: 3 of 7 images not annotated, for the reasons above.");
    expect(readdirSync(at("out/images"), { recursive: true }).sort()).toEqual(
      ["a", "a/b c", "a/b c/four.TIF", "a/b c/three.webp", "a/two.jpg", "one.png"].sort(),
    );
    for (const name of ["one.png", "a/two.jpg", "a/b c/three.webp", "a/b c/four.TIF"]) {
      expect(Buffer.compare(await pixels(at("out/images", name)), await pixels(at("in", name))), name).toBe(0);
      expect(await xmp(at("out/images", name)), name).toContain("<aspectlens:Model>model</aspectlens:Model>");
    }
    expect(await xmp(at("out/images/a/two.jpg"))).toContain("<rdf:li>holiday</rdf:li>");
    expect(Buffer.compare(readFileSync(at("in/a/two.jpg")), before)).toBe(0);
  });

  test("COCO and Label Studio files name the copies, which are there, with sizes and answers", async () => {
    const coco = JSON.parse(readFileSync(at("out/coco.json"), "utf8"));
    expect(coco.images).toHaveLength(4);
    for (const { file_name, width, height, attributes } of coco.images) {
      const { width: own, height: high } = await sharp(at("out", file_name)).metadata();
      expect([width, height], file_name).toEqual([own, high]);
      expect(await xmp(at("out", file_name))).toContain(`<aspectlens:Answer>${attributes.answer}</aspectlens:Answer>`);
    }
    const tasks = JSON.parse(readFileSync(at("out/label-studio.json"), "utf8"));
    expect(tasks.map(({ data }: { data: { image: string } }) => data.image)).toContain(
      "/data/local-files/?d=images/a/b%20c/three.webp",
    );
    for (const { predictions } of tasks) expect(predictions[0]).toMatchObject({ model_version: "model" });
    expect(readFileSync(at("out/label-studio.xml"), "utf8")).toMatch(/^<View>/);
  });

  test("a second run replaces its own files, one of somebody else's is left alone, nothing is done then", async () => {
    const before = readFileSync(at("out/images/one.png"));
    expect((await run("in", "--out", "out")).code).toBe(1);
    expect(Buffer.compare(readFileSync(at("out/images/one.png")), before)).toBe(0);
    mkdirSync(at("mine/images"), { recursive: true });
    writeFileSync(at("mine/images/one.png"), "mine");
    const refused = await run("in", "--out", "mine");
    expect(refused.code).toBe(2);
    expect(lastLine(refused.stderr)).toMatch(
      /^aspectlens: mine\/images\/one\.png: exists and was not made by aspectlens/,
    );
    expect(readFileSync(at("mine/images/one.png"), "utf8")).toBe("mine");
    expect(readdirSync(at("mine"))).toEqual(["images"]);
    mkdirSync(at("linked"));
    symlinkSync(at("in"), at("linked/images"));
    const through = await run("in", "--out", "linked");
    expect(through.code).toBe(2);
    expect(lastLine(through.stderr)).toMatch(/^aspectlens: linked\/images: is a link, no folder/);
  });

  test("copies inside of the folder are not annotated again; the folder itself is refused, and so is no place at all", async () => {
    await makeImages("nested");
    expect((await run("nested", "--out", "nested/out")).code).toBe(0);
    const { stdout } = await run("nested", "--out", "nested/out", "--json");
    expect(JSON.parse(stdout).annotated).toBe(4);
    for (const args of [
      ["nested", "--out", "nested"],
      ["nested/a", "--out", "nested"],
    ])
      expect(lastLine((await run(...args)).stderr)).toMatch(
        /^aspectlens: --out nested: is, or holds, the folder of the images/,
      );
    const nowhere = await run("nested");
    expect([nowhere.code, lastLine(nowhere.stderr)]).toEqual([
      2,
      "aspectlens: annotate: where do the annotated images go? Name a folder with --out, or change the images where they are: --in-place.",
    ]);
  });
});

describe("annotate --in-place", () => {
  test("keeps times and rights, and a second run finds nothing to change", async () => {
    await makeImages("place");
    chmodSync(at("place/one.png"), 0o640);
    utimesSync(at("place/one.png"), 1_000_000_000, 1_100_000_000.5);
    const before = await pixels(at("place/one.png"));
    const first = await run("place", "--in-place", "--json");
    expect(JSON.parse(first.stdout)).toMatchObject({ annotated: 4, unchanged: 0, skipped: [], files: {} });
    const { mode, mtimeMs } = statSync(at("place/one.png"));
    expect([mode & 0o777, mtimeMs]).toEqual([0o640, 1_100_000_000_500]);
    expect(Buffer.compare(await pixels(at("place/one.png")), before)).toBe(0);
    const inode = statSync(at("place/one.png")).ino;
    const again = await run("place", "--in-place", "--json", "--out", "tables");
    expect(JSON.parse(again.stdout)).toMatchObject({ annotated: 4, unchanged: 4 });
    expect(statSync(at("place/one.png")).ino).toBe(inode);
    const names = JSON.parse(readFileSync(at("tables/coco.json"), "utf8")).images.map(
      (image: { file_name: string }) => image.file_name,
    );
    expect(names).toContain("a/b c/three.webp");
    expect(existsSync(at("tables/images"))).toBe(false);
  });

  test("links, files with several names, write-protected ones and those behind a link to a folder stay as they are", async () => {
    mkdirSync(at("links"));
    mkdirSync(at("elsewhere"));
    for (const name of [
      "links/real.png",
      "links/hard.png",
      "links/protected.png",
      "elsewhere/far.png",
      "elsewhere/target.png",
    ])
      copyFileSync(at("image.png"), at(name));
    linkSync(at("links/hard.png"), at("elsewhere/other-name.png"));
    symlinkSync(at("elsewhere/target.png"), at("links/soft.png"));
    symlinkSync(at("elsewhere"), at("links/away"));
    chmodSync(at("links/protected.png"), 0o444);
    const { code, stdout } = await run("links", "--in-place", "--json");
    expect(code).toBe(1);
    const reasons = Object.fromEntries(
      JSON.parse(stdout).skipped.map(({ image, reason }: { image: string; reason: string }) => [image, reason]),
    );
    expect(reasons["links/hard.png"]).toMatch(/has 2 names \(hard links\)/);
    expect(reasons["links/soft.png"]).toMatch(/is a link, and only files are changed in place/);
    expect(reasons["links/protected.png"]).toMatch(/is write-protected/);
    expect(reasons["links/away/far.png"]).toMatch(/lies outside of links, behind a link/);
    expect(JSON.parse(stdout).annotated).toBe(1);
    const original = readFileSync(at("image.png"));
    for (const name of ["links/hard.png", "links/protected.png", "elsewhere/far.png", "elsewhere/target.png"])
      expect(Buffer.compare(readFileSync(at(name)), original), name).toBe(0);
    expect(lstatSync(at("links/soft.png")).isSymbolicLink()).toBe(true);
  });

  test("killed at any moment, every image is whole, and the next run removes what was left", {
    timeout: 300_000,
  }, async () => {
    mkdirSync(at("killed"));
    const names = Array.from({ length: 60 }, (_, index) => `${index}.png`);
    for (const name of names) copyFileSync(at("image.png"), at("killed", name));
    const expected = await pixels(at("image.png"));
    const stream = random(3, "kill");
    let some = 0;
    for (let round = 0; round < 6; round++) {
      let timer: NodeJS.Timeout | undefined;
      await aspectlens(["annotate", "model.aspect", "killed", "--in-place"], {
        cwd: folder,
        onStart: (child) => {
          const isBegun = () =>
            names.some((name) => statSync(at("killed", name)).size !== statSync(at("image.png")).size);
          const wait = () => {
            if (isBegun()) timer = setTimeout(() => child.kill("SIGKILL"), stream.integer(30));
            else timer = setTimeout(wait, 2);
          };
          wait();
        },
      }).finally(() => clearTimeout(timer));
      for (const name of names) expect(Buffer.compare(await pixels(at("killed", name)), expected), name).toBe(0);
      const done = names.filter((name) => statSync(at("killed", name)).size !== statSync(at("image.png")).size).length;
      if (done > 0 && done < names.length) some++;
      for (const name of names) copyFileSync(at("image.png"), at("killed", name));
    }
    expect(some).toBeGreaterThan(0);
    expect((await run("killed", "--in-place")).code).toBe(0);
    expect(readdirSync(at("killed")).sort()).toEqual([...names].sort());
  });
});

test("the help shows examples", () => {
  const { stdout } = spawnSync(process.execPath, ["dist/cli/main.js", "annotate", "--help"], { encoding: "utf8" });
  expect(stdout).toContain("aspectlens annotate tissue.aspect slides --out annotated");
});
