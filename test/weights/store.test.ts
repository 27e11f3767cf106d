import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { writeTrunkFile } from "../../src/trunk/formats/trunk-file.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import { CATALOGUE, catalogued } from "../../src/weights/catalogue.js";
import { listStored, locateWeights, readStored, storeFolder, storePath } from "../../src/weights/store.js";

const trunk = createTrunk({ name: "mobilenet-v1", alpha: 0.1, inputSize: 64 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-store-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function keep(name: string) {
  const metadata = { trunk: trunk.spec, origin: "a test", licence: "CC0-1.0" };
  await writeTrunkFile(storePath(name, folder), { parameters: randomWeights(trunk, { seed: 1 }), metadata });
}

describe("where weights lie", () => {
  test("the folder is the user's choice, else in the cache", () => {
    expect(storeFolder({ ASPECTLENS_WEIGHTS: "/w" })).toBe("/w");
    expect(storeFolder({ XDG_CACHE_HOME: "/c" })).toBe(join("/c", "aspectlens", "weights"));
    expect(storeFolder({ XDG_CACHE_HOME: "" })).toMatch(/\.cache.aspectlens.weights$/);
  });

  test("what was kept is listed behind the package's own, and says what it is", async () => {
    await keep("mine");
    await mkdir(join(folder, ".downloads"));
    const stored = await listStored(folder);
    expect(stored.filter(({ name }) => !name.startsWith("builtin:")).map(({ name }) => name)).toEqual(["mine"]);
    expect(await readStored(stored[stored.length - 1])).toMatchObject({
      trunk: trunk.spec,
      origin: "a test",
      licence: "CC0-1.0",
    });
  });

  test("a path that exists goes before a name, a file URL is a path", async () => {
    await keep("mine");
    expect(await locateWeights("mine", folder)).toBe(storePath("mine", folder));
    expect(await locateWeights(folder, folder)).toBe(folder);
    expect(await locateWeights("file:///nowhere", folder)).toBe("file:///nowhere");
    await keep("src"); // a folder of that name is here too, but no weights are in it
    expect(await locateWeights("src", folder)).toBe(storePath("src", folder));
    expect(await locateWeights("test", folder)).toBe("test");
  });

  test("what is nowhere is said with what is here, and how a known name comes in", async () => {
    await keep("mine");
    const refusal = (text: string) =>
      locateWeights(text, folder).then(String, (error: unknown) =>
        error instanceof WeightsError ? error.message : String(error),
      );
    expect(await refusal("yours")).toMatch(
      /^weights "yours": no such file or folder.*Stored are: .*mine\. Give a path/,
    );
    expect(await refusal("keras-vgg16")).toMatch(/First run: aspectlens weights pull keras-vgg16\.$/);
    expect(await refusal("builtin:other")).toMatch(/^weights "builtin:other": not in the package.*or "random"\.$/);
    expect(await refusal("./a b/c")).not.toMatch(/weights pull/);
  });

  test("a name must not lead out of the store, nor mean something else to a configuration or a file system", () => {
    for (const name of ["..", "../x", "a/b", "", ".downloads", "random", "CON", "a."])
      expect(() => storePath(name, folder)).toThrow(WeightsError);
  });
});

describe("the catalogue", () => {
  test("names and addresses are unique, names can be kept, addresses are of the form", () => {
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
    expect(new Set(CATALOGUE.map(({ address }) => address)).size).toBe(CATALOGUE.length);
    for (const { name, address, form, trunk } of CATALOGUE) {
      expect(() => storePath(name, folder)).not.toThrow();
      expect(
        new URL(address).pathname.endsWith(form === "h5" ? "_no_top.h5" : "/model.json") ||
          trunk.name.startsWith("vgg"),
      ).toBe(true);
      expect(() => createTrunk(trunk)).not.toThrow();
    }
  });

  test.each([
    ["keras-mobilenet-v1-0.25-128", "mobilenet/mobilenet_2_5_128_tf_no_top.h5"],
    ["keras-mobilenet-v2-1.0-224", "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"],
    ["keras-mobilenet-v2-0.35-96", "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"],
    ["keras-vgg16", "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"],
    ["tfjs-mobilenet-v1-0.25-224", "tfjs-models/tfjs/mobilenet_v1_0.25_224/model.json"],
    ["tfhub-mobilenet-v1-0.5-224", "imagenet/mobilenet_v1_050_224/classification/1/model.json?tfjs-format=file"],
    ["tfhub-mobilenet-v2-1.0-224", "imagenet/mobilenet_v2_100_224/classification/2/model.json?tfjs-format=file"],
  ])("%s is where its publisher has it", (name, ending) => {
    expect(catalogued(name).address.endsWith(ending)).toBe(true);
  });

  test("a name that is none is said with what comes near", () => {
    expect(() => catalogued("mobilenet-v1-0.5")).toThrow(/Did you mean keras-mobilenet-v1-0\.5-128/);
  });
});

test("a file that is cut off, or of another kind of safetensors, is refused by name", async () => {
  const path = storePath("broken", folder);
  await keep("broken");
  await writeFile(path, "1234567");
  await expect(readStored({ name: "broken", path })).rejects.toThrow(/broken.*not a readable safetensors file/);
});
