import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenNames, readBundle, readBundledModel, readBundleFile, readGolden } from "../../src/bundle/read-bundle.js";
import { writeBundle } from "../../src/bundle/write-bundle.js";
import { isSafeName, readZipDirectory } from "../../src/bundle/zip.js";
import { BundleError } from "../../src/core/errors.js";
import { golden, modelOf, redescribed, repacked, stubBundle, stubModel } from "./stub.js";

let folder: string;
const bundle = stubBundle();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function saved(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "x.aspect");
  await writeFile(path, bytes);
  return path;
}

/** Every file's bytes, checked; what a careful reader of the whole bundle sees. */
async function readAll(bytes: Uint8Array): Promise<string[]> {
  const opened = await readBundle(await saved(bytes));
  const files = Object.keys(opened.description.files);
  const contents = await Promise.all(files.map((name) => readBundleFile(opened, name)));
  return [JSON.stringify(opened.description), ...contents.map((content) => Buffer.from(content).toString("latin1"))];
}

async function failure(bytes: Uint8Array): Promise<string> {
  const error = await readAll(bytes).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(BundleError);
  const { message } = error as BundleError;
  expect(message).toMatch(/^\S+x\.aspect: .*\.$/); // one line that begins with the file
  expect(message).not.toContain("\n");
  return message;
}

describe("a bundle", () => {
  test("gives back the model that was written", async () => {
    const opened = await readBundle(await saved(bundle));
    expect(await readBundledModel(opened)).toEqual(stubModel);
    expect(opened.description.preprocessing).toMatchObject({ size: 32, kernel: "cubic" });
    expect(goldenNames(opened)).toEqual(["goldens/1.safetensors"]);
    expect(await readGolden(opened, "goldens/1.safetensors")).toEqual(golden);
    const licence = Buffer.from(await readBundleFile(opened, "LICENSE")).toString();
    expect(licence).toContain("belongs to whoever trained it");
  });

  test("has the same bytes each time, and no date", () => {
    expect(Buffer.compare(bundle, stubBundle())).toBe(0);
    expect(Buffer.from(bundle).readUInt16LE(12)).toBe(0x21); // 1 January 1980 in the first local header
  });

  test("holds weights that both graphs share once", () => {
    const files = unzipSync(bundle);
    expect(files["explain.onnx"].length).toBeLessThan(300); // 3,072 bytes of kernel went to the weights file
    expect(files["weights.safetensors"].length).toBeLessThan(3072 + 64 + 48 + 400);
  });

  test("says in the model card what was not evaluated, and nothing that was not measured", () => {
    const card = Buffer.from(unzipSync(bundle)["MODEL_CARD.md"]).toString();
    expect(card).toContain("Not evaluated.");
    expect(card).toContain("not calibrated");
    expect(card).not.toMatch(/accuracy|undefined|NaN/);
  });

  test("is refused with any byte outside its files' contents changed, whatever the byte is for", async () => {
    // Contents are hashed; headers, directory and end record are not, so each of their bytes is tried.
    const directory = [...(await readZipDirectory(await saved(bundle))).values()];
    const isContent = new Uint8Array(bundle.length);
    for (const { offset, name, storedBytes } of directory) {
      const start = offset + 30 + name.length;
      isContent.fill(1, start, start + storedBytes);
    }
    const unnoticed: number[] = [];
    let tried = 0;
    for (let at = 0; at < bundle.length; at++) {
      if (isContent[at]) continue;
      const changed = bundle.slice();
      changed[at] ^= 1;
      tried++;
      if (
        await readAll(changed).then(
          () => true,
          () => false,
        )
      )
        unnoticed.push(at);
    }
    expect(tried).toBeGreaterThan(500);
    expect(unnoticed).toEqual([]);
  });

  test("is written whole or not at all", async () => {
    const path = join(folder, "kept", "y.aspect");
    const options = { predict: modelOf({}), explain: modelOf({}), goldens: [], kernel: "cubic" };
    await writeBundle(path, stubModel, options);
    const before = await readFile(path);
    const heads = stubModel.spec.heads.map((head) => ({ ...head, name: `../${head.name}` }));
    const bad = { ...stubModel, spec: { ...stubModel.spec, heads } };
    await expect(writeBundle(path, bad, options)).rejects.toThrow(/without slashes/);
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(join(folder, "kept"))).toEqual(["y.aspect"]);
    expect((await stat(path)).size).toBe(before.length);
  });

  test("that another program has zipped again is read all the same", async () => {
    expect(await readAll(repacked(bundle, {}))).toEqual(await readAll(bundle));
  });
});

describe("a damaged bundle", () => {
  test("with one byte changed inside any file is refused by that file's name", async () => {
    const directory = await readZipDirectory(await saved(bundle));
    for (const { name, offset, storedBytes } of directory.values()) {
      const start = offset + 30 + Buffer.byteLength(name);
      for (const at of [start, start + (storedBytes >> 1), start + storedBytes - 1]) {
        const changed = bundle.slice();
        changed[at] ^= 1;
        expect(await failure(changed)).toContain(name);
      }
    }
  });

  test("cut off anywhere is refused", async () => {
    for (const share of [0, 0.3, 0.9, 0.999]) {
      const message = await failure(bundle.slice(0, Math.floor(share * bundle.length)));
      expect(message).toMatch(/not a whole bundle/);
    }
  });

  test("that is no zip, no file, or not there is refused", async () => {
    expect(await failure(Buffer.from("hello".repeat(100)))).toMatch(/not a whole bundle/);
    await expect(readBundle(folder)).rejects.toThrow(/is no file/);
    await expect(readBundle(join(folder, "none.aspect"))).rejects.toThrow(/no such file/);
  });

  test("with a file missing or one too many is refused by its name", async () => {
    for (const name of Object.keys(unzipSync(bundle))) {
      expect(await failure(repacked(bundle, { [name]: undefined }))).toContain(`${name} is missing`);
    }
    expect(await failure(repacked(bundle, { "extra.js": Buffer.from("1") }))).toContain("extra.js is not listed");
  });

  test("with a name that leads outside is refused before anything is read", async () => {
    for (const name of ["../evil.txt", "/etc/evil", "a/../../evil", "C:\\evil", "a\\evil", "./evil"]) {
      const message = await failure(
        zipSync({ [name]: Buffer.from("1"), ...unzipSync(bundle) }, { mtime: "2026-01-01" }),
      );
      expect(message).toContain("could land outside");
      expect(message).toContain(JSON.stringify(name));
    }
    expect(isSafeName("goldens/1.safetensors")).toBe(true);
  });

  test("with a name twice is refused", async () => {
    const zip = Buffer.from(zipSync({ "a.txt": Buffer.from("1"), "b.txt": Buffer.from("2") }, { level: 0 }));
    expect(await failure(Buffer.from(zip.toString("latin1").replaceAll("b.txt", "a.txt"), "latin1"))).toContain(
      "twice",
    );
  });

  test("that would unpack to more than it lists is refused without unpacking it", async () => {
    const bomb = repacked(bundle, { LICENSE: new Uint8Array(5_000_000) });
    expect(await failure(bomb)).toMatch(/LICENSE has 5000000 bytes instead of 175/);
    // The same with headers that lie about the size.
    const lying = Buffer.from(bomb);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(5_000_000);
    for (let at = lying.indexOf(size); at >= 0; at = lying.indexOf(size, at + 1)) lying.writeUInt32LE(175, at);
    expect(await failure(lying)).toMatch(/LICENSE is damaged: it cannot be unpacked/);
  });

  test("of another version, or with a description that lacks something, says so", async () => {
    const other = redescribed(bundle, (description) => {
      description.format = "aspectlens-bundle/1";
    });
    expect(await failure(other)).toMatch(/format "aspectlens-bundle\/1", expected "aspectlens-bundle\/2"/);
    for (const key of ["model", "scales", "files", "preprocessing", "layouts"]) {
      const lacking = redescribed(bundle, (description) => {
        delete description[key];
      });
      expect(await failure(lacking)).toContain(`"${key}" is missing`);
      const wrong = redescribed(bundle, (description) => {
        description[key] = 7;
      });
      expect(await failure(wrong)).toContain(key);
    }
    const unknown = redescribed(bundle, (description) => {
      description.scale = 1;
    });
    expect(await failure(unknown)).toContain('Did you mean "scales"?');
    expect(await failure(repacked(bundle, { "bundle.json": Buffer.from("{") }))).toContain("is not JSON");
  });
});
