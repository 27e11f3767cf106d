import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";
import { drawn, modelOf } from "../trunk/networks/run-network.js";
import { writeOnnx } from "../trunk/write-onnx.js";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-import-"));
const path = join(folder, "small.onnx");
writeFileSync(
  path,
  writeOnnx(
    modelOf(
      [
        { operator: "Conv", inputs: ["image", "k"], output: "c", attributes: { strides: [4, 4] } },
        { operator: "Relu", inputs: ["c"], output: "r" },
        { operator: "GlobalAveragePool", inputs: ["r"], output: "mean" },
        { operator: "Flatten", inputs: ["mean"], output: "flat" },
        { operator: "Gemm", inputs: ["flat", "w"], output: "logits" },
        { operator: "Softmax", inputs: ["logits"], output: "out" },
      ],
      { k: drawn([8, 3, 3, 3]), w: drawn([8, 2]) },
      { size: [64, 64] },
    ),
  ),
);
const classes = join(folder, "labels.txt");
writeFileSync(classes, "without\nwith\n");

test("from a network in a file to explanations, in three commands", { timeout: 120_000 }, async () => {
  const data = await writeTinyDataset({ train: 4, validation: 2, test: 2 });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await aspectlens(args, { cwd: folder });
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const said = await run(
    "import",
    path,
    "--scaling",
    "imagenet",
    "--classes",
    classes,
    "--fit",
    "crop=0.9",
    "--out",
    "base",
  );
  expect(said).toMatch(/2 classes, explained at c; its softmax is left out, so that logits are explained/);
  expect(said).toMatch(/compared with ONNX Runtime on 2 images: differs by \d/);
  const config = { dataset: data, out: join(folder, "more"), stages: [{ train: "heads", epochs: 1 }] };
  writeFileSync(join(folder, "aspects.json"), JSON.stringify(config));
  await run("train", "aspects.json", "--add-heads", "base");
  await run("export", "more", "more.aspect");
  expect(await run("verify", "more.aspect")).toMatch(/complete/);
  const table = await run("explain", "more.aspect", join(data, "images"), "--saliency", "grad-cam", "--out", "why");
  const [json] = readdirSync(join(folder, "why")).filter((name) => name.endsWith(".json"));
  const { crop } = JSON.parse(readFileSync(join(folder, "why", json), "utf8"));
  expect(crop).toMatchObject({ left: expect.any(Number), width: expect.any(Number) });
  expect(table).toMatch(/10 images explained|8 images explained/);
});

test("--fit stretch, said, is what it is unsaid", { timeout: 60_000 }, async () => {
  const said = ["import", path, "--scaling", "tf", "--fit", "stretch", "--out", "stretched"];
  expect((await aspectlens(said, { cwd: folder })).code).toBe(0);
  const { spec } = JSON.parse(readFileSync(join(folder, "stretched/best/model.json"), "utf8"));
  expect(spec.trunk.network).not.toHaveProperty("centerCrop");
});

test("what does not fit is one line, exit code 2, and leaves nothing", async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["--scaling", "caffe2"], /--scaling caffe2: expected tf, unit, caffe, imagenet, none, or MEAN\/DEVIATION/],
    [["--scaling", "0.5/0"], /--scaling 0\.5\/0/],
    [["--scaling", "tf", "--classes", join(folder, "none.txt")], /none\.txt: cannot be read/],
    [["--scaling", "tf", "--source", "nowhere"], /cannot be explained at nowhere\. Its layers: c\./],
    [["--scaling", "tf", "--fit", "crop=1.5"], /--fit crop=1\.5: expected stretch, crop, or crop= a share/],
    [["--scaling", "tf", "--input-size", "64x"], /--input-size 64x: .*For example 224, or 224x320: height x width/],
    [["--scaling", "tf", "--input-size", "64x96"], /is for images of 64 x 64, not of 64x96/],
    [["--scaling", "tf", "--check", join(folder, "none.npz")], /none\.npz: does not exist/],
    [["--scaling", "tf", "--images", join(folder, "no images")], /no images/],
    [[], /--scaling/],
  ];
  for (const [args, said] of wrong) {
    const { code, stderr } = await aspectlens(["import", path, "--out", "refused", ...args], { cwd: folder });
    expect([code, stderr.trim().split("\n")], stderr).toEqual([2, [expect.stringMatching(said)]]);
  }
  expect(existsSync(join(folder, "refused"))).toBe(false);
});
