import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { openResultFolder } from "../../src/core/result-folder.js";
import { findImages } from "../../src/dataset/find-images.js";

let folder: string;
const at = (name: string) => join(folder, name);
const put = (...names: string[]) => {
  for (const name of names) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), "x");
  }
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aspectlens-find-"));
});

test("files stand in the order given, whatever they are called, absent ones and pipes too", async () => {
  put("b.png", "a", "c[1].png");
  const words = ["b.png", "a", "none.png", "c[1].png"].map(at);
  expect(await findImages([...words, "/dev/stdin"])).toEqual({ images: [...words, "/dev/stdin"], failures: [] });
});

test("a folder is searched with all in it, sorted, by endings of either case; hidden files and other kinds are no images", async () => {
  put("b.png", "a.JPG", "sub/deep/c.bmp", "sub/d.heic", ".hidden.png", ".git/e.png", "notes.txt", "labels.json");
  const { images, failures } = await findImages([folder]);
  expect(images).toEqual(["a.JPG", "b.png", "sub/d.heic", "sub/deep/c.bmp"].map(at).sort());
  expect(failures).toEqual([]);
});

test("what explain has written is no image of a folder; what a user puts beside it is", async () => {
  put("a.png", "out/mine.png");
  await (await openResultFolder(at("out"))).write("a", { "a.overlay.jpg": "1", "a.json": "2" });
  expect((await findImages([folder])).images).toEqual([at("a.png"), at("out/mine.png")]);
});

test("links to files are images, a link to a folder above does not lead round, and one beside gives nothing twice", async () => {
  put("real/a.png");
  symlinkSync("a.png", at("real/b.png"));
  symlinkSync("..", at("real/up"));
  symlinkSync("real", at("again"));
  expect((await findImages([folder])).images).toHaveLength(2);
  expect((await findImages([at("real")])).images).toEqual([at("real/a.png"), at("real/b.png")]);
});

test("patterns that the shell left alone: one star, many folders, sets; what was named already is not named again", async () => {
  put("a.png", "b.jpg", "sub/c.png", "sub/deep/d.png");
  const images = async (...words: string[]) =>
    (await findImages(words.map(at))).images.map((path) => path.slice(folder.length + 1));
  expect(await images("*.png")).toEqual(["a.png"]);
  expect(await images("**/*.png")).toEqual(["a.png", "sub/c.png", "sub/deep/d.png"]);
  expect(await images("*.{png,jpg}")).toEqual(["a.png", "b.jpg"]);
  expect(await images("sub/c.png", "**/*.png")).toEqual(["sub/c.png", "a.png", "sub/deep/d.png"]);
});

test("a folder without images, and a pattern that nothing fits, are told each by its name; the others stay", async () => {
  put("a.png", "empty/notes.txt");
  const { images, failures } = await findImages([at("empty"), at("a.png"), at("*.gif")]);
  expect(images).toEqual([at("a.png")]);
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringMatching(/empty: is a folder without images \(png, .*heif\)\. Check the path\.$/),
    expect.stringMatching(/\*\.gif: no file matches\. Check the path\.$/),
  ]);
});
