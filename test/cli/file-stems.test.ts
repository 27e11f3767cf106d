import { expect, test } from "vitest";
import { uniqueStems } from "../../src/cli/file-stems.js";
import { explanationFiles } from "../../src/core/result-file-names.js";
import type { Target } from "../../src/explain/target.js";

test("stems are the images' names, told apart where file systems may not", () => {
  const images = ["a/x.png", "b/x.jpg", "c/X.png", "d/caf\u00e9.png", "e/cafe\u0301.png", "x.2.png"];
  const stem = uniqueStems(images);
  expect(images.map((image) => stem(image))).toEqual(["x", "x-2", "X-3", "caf\u00e9", "cafe\u0301-2", "x.2"]);
});

test("several classes stand behind the name, without what a file system may not like", () => {
  const targets: Target[] = [
    { kind: "log-odds", class: "a/b c" },
    { kind: "log-odds", class: "良性" },
  ];
  const stem = uniqueStems(["x.png"], { targets });
  expect(targets.map((target) => stem("x.png", target))).toEqual(["x.a-b-c", "x.良性"]);
});

test("no file gets a name of more than 255 bytes, and long ones that begin alike stay apart", () => {
  const pixelAspects = ["壊".repeat(40), "short"];
  const images = ["写真".repeat(40), `${"写真".repeat(39)}写写`, "a".repeat(250), "short"].map(
    (name) => `in/${name}.png`,
  );
  const stem = uniqueStems(images, { pixelAspects });
  const files = images.flatMap((image) => explanationFiles(stem(image), pixelAspects));
  expect(Math.max(...files.map((name) => Buffer.byteLength(name)))).toBeLessThanOrEqual(255);
  expect(new Set(files).size).toBe(files.length);
  expect(stem("in/short.png")).toBe("short");
  expect(stem(images[0])).toMatch(/^写真.*-[0-9a-f]{8}$/);
});
