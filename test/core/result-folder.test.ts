import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { listedFiles, openResultFolder } from "../../src/core/result-folder.js";

let root: string;
let out: string;
const at = (name: string) => join(out, name);
const text = (name: string) => readFile(at(name), "utf8");
const names = async () => (await readdir(out)).filter((name) => name !== ".aspectlens-files").sort();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "aspectlens-results-"));
  out = join(root, "out");
});

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
}

describe("a set", () => {
  test("is written, found again by a later call, and replaced whole: what the new one lacks is removed", async () => {
    const paths = await (await openResultFolder(out)).write("x", { "x.png": "1", "x.old.png": "2", "x.json": "3" });
    expect(paths).toEqual(["x.png", "x.old.png", "x.json"].map(at));
    await (await openResultFolder(out)).write("y", { "y.json": "4" });
    await (await openResultFolder(out)).write("x", { "x.png": "5", "x.new.png": "6", "x.json": "7" });
    expect(await names()).toEqual(["x.json", "x.new.png", "x.png", "y.json"]);
    expect(await text("x.png")).toBe("5");
    expect([...(await listedFiles(out))]).toEqual(expect.arrayContaining(["x.json", "x.new.png", "x.png", "y.json"]));
  });

  test("that a killed process left half-written, its list cut short, is still ours", async () => {
    await (await openResultFolder(out)).write("x", { "x.json": "1" });
    const list = await readFile(at(".aspectlens-files"), "utf8");
    await writeFile(at(".aspectlens-files"), `${list}{"file":"x.js`);
    await (await openResultFolder(out)).write("x", { "x.json": "2" });
    await (await openResultFolder(out)).write("x", { "x.json": "3" });
    expect(await text("x.json")).toBe("3");
    // Listed, and killed before the file itself was replaced.
    const entry = { file: "x.json", set: "x", sha256: "0".repeat(64) };
    await writeFile(at(".aspectlens-files"), `${JSON.stringify(entry)}\n`, { flag: "a" });
    await (await openResultFolder(out)).write("x", { "x.json": "4" });
    expect(await text("x.json")).toBe("4");
  });

  test("keeps what a user changed: a stale file of it stays, one that would be replaced refuses the set", async () => {
    await (await openResultFolder(out)).write("x", { "x.a.png": "1", "x.b.png": "2", "x.json": "3" });
    await writeFile(at("x.a.png"), "drawn over");
    await (await openResultFolder(out)).write("x", { "x.json": "4" });
    expect(await names()).toEqual(["x.a.png", "x.json"]);
    expect(await text("x.a.png")).toBe("drawn over");
    await writeFile(at("x.json"), "noted");
    expect(await refusal((await openResultFolder(out)).write("x", { "x.json": "5" }))).toBe(
      `${at("x.json")}: was changed since aspectlens made it; it would be overwritten. Choose another folder, or remove it.`,
    );
    expect(await text("x.json")).toBe("noted");
  });

  test("written again and again keeps a list of bounded length", async () => {
    for (let round = 0; round < 300; round++)
      await (await openResultFolder(out)).write("x", { "x.json": String(round) });
    expect((await readFile(at(".aspectlens-files"), "utf8")).split("\n").length).toBeLessThan(250);
    expect(await text("x.json")).toBe("299");
  });
});

describe("what is another's", () => {
  test("file, link, folder or input is refused before the work and when it comes meanwhile; nothing is changed", async () => {
    await mkdir(out);
    await writeFile(at("cell.json"), "labels");
    await symlink("cell.json", at("cell.overlay.jpg"));
    await mkdir(at("cell.mask.png"));
    const folder = await openResultFolder(out);
    for (const name of ["cell.json", "cell.overlay.jpg", "cell.mask.png"]) {
      const said = `${at(name)}: exists and was not made by aspectlens; it would be overwritten. Choose another folder, or remove it.`;
      expect(await refusal(folder.check(["free.json", name]))).toBe(said);
      expect(await refusal(folder.write("cell", { "cell.free.png": "1", [name]: "2" }))).toBe(said);
    }
    expect(await names()).toEqual(["cell.json", "cell.mask.png", "cell.overlay.jpg"]);
    expect(await text("cell.json")).toBe("labels");
  });

  test("an input is known by whatever name, also where we made it", async () => {
    await (await openResultFolder(out)).write("x", { "x.mask.png": "1", "x.json": "2" });
    await link(at("x.mask.png"), join(root, "hard.png"));
    await symlink(out, join(root, "linked"));
    for (const [input, folder] of [
      [at("x.mask.png"), out],
      [join(root, "hard.png"), out],
      [at("x.mask.png"), join(root, "linked")],
    ]) {
      const opened = await openResultFolder(folder, { inputs: [input] });
      expect(await refusal(opened.check(["x.mask.png"]))).toMatch(
        /x\.mask\.png: is one of the inputs; it would be overwritten/,
      );
    }
  });

  test("a list that is a link or another's file is not written to", async () => {
    await mkdir(out);
    await writeFile(join(root, "precious"), "mine");
    await symlink(join(root, "precious"), at(".aspectlens-files"));
    expect(await refusal(openResultFolder(out))).toMatch(/is no list of files that aspectlens made/);
    await rm(at(".aspectlens-files"));
    const folder = await openResultFolder(out);
    await symlink(join(root, "precious"), at(".aspectlens-files"));
    expect(await refusal(folder.write("x", { "x.json": "1" }))).toMatch(/is no list of files that aspectlens made/);
    expect(await readFile(join(root, "precious"), "utf8")).toBe("mine");
    await rm(at(".aspectlens-files"));
    await writeFile(at(".aspectlens-files"), "notes of mine\n");
    expect(await refusal(openResultFolder(out))).toMatch(/is no list of files that aspectlens made/);
  });
});

test("a folder that is removed meanwhile is made again", async () => {
  const folder = await openResultFolder(out);
  await folder.write("x", { "x.json": "1" });
  await rm(out, { recursive: true });
  await folder.write("y", { "y.json": "2" });
  await (await openResultFolder(out)).write("y", { "y.json": "3" });
  expect(await names()).toEqual(["y.json"]);
});

test("a list that names files outside its folder is not believed, and they stay", async () => {
  const sha256 = createHash("sha256").update("precious").digest("hex");
  await mkdir(join(out, "sub"), { recursive: true });
  for (const file of ["../victim.txt", "sub/../../victim.txt", "sub//victim.txt", ".."]) {
    await writeFile(join(root, "victim.txt"), "precious");
    await writeFile(at("sub/victim.txt"), "precious");
    const lines = [{ format: "aspectlens-files/1" }, { file, set: "x", sha256 }];
    await writeFile(at(".aspectlens-files"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(await refusal(openResultFolder(out))).toContain("is no list of files that aspectlens made");
    expect(await readFile(join(root, "victim.txt"), "utf8")).toBe("precious");
  }
});

test("what another process wrote meanwhile is known as ours", async () => {
  const [first, second] = [await openResultFolder(out), await openResultFolder(out)];
  await first.write("x", { "x.json": "1" });
  await second.write("x", { "x.json": "2" });
  await first.write("x", { "x.json": "3" });
  expect(await text("x.json")).toBe("3");
});

describe("names that lead into folders", () => {
  test("are written there, known as ours by the one list, and not through links", async () => {
    const folder = await openResultFolder(out);
    await folder.write("a", { "images/a/x.png": "1" });
    await (await openResultFolder(out)).write("a", { "images/a/x.png": "2" });
    expect(await text("images/a/x.png")).toBe("2");
    expect(await listedFiles(join(out, "images/a"))).toEqual(new Set());
    await writeFile(at("images/a/x.png"), "mine");
    expect(await refusal((await openResultFolder(out)).check(["images/a/x.png"]))).toMatch(/was changed since/);
    await mkdir(join(root, "other"));
    await symlink(join(root, "other"), at("images/b"));
    expect(await refusal((await openResultFolder(out)).write("b", { "images/b/x.png": "1" }))).toMatch(
      /images\/b: is a link, no folder/,
    );
    expect(await readdir(join(root, "other"))).toEqual([]);
  });

  test("that lead out of it are refused", async () => {
    const folder = await openResultFolder(out);
    for (const name of ["../x", "a/../../x", "a//x", "/x", "a\\x"])
      expect(await refusal(folder.write("x", { [name]: "1" })), name).toMatch(/no file of that name is written/);
  });

  test("a file that lies there already takes its name, and is ours", async () => {
    await mkdir(out);
    await writeFile(at("begun"), "long");
    await (await openResultFolder(out)).write("x", { "x.json": { from: at("begun") } });
    expect(await names()).toEqual(["x.json"]);
    await (await openResultFolder(out)).write("x", { "x.json": "short" });
    expect(await text("x.json")).toBe("short");
  });
});
