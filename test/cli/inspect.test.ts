import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { drawn, modelOf } from "../trunk/networks/run-network.js";
import { writeOnnx } from "../trunk/write-onnx.js";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-inspect-"));
const path = join(folder, "small.onnx");
writeFileSync(
  path,
  writeOnnx(
    modelOf(
      [
        { operator: "Conv", name: "/features/features.0/Conv", inputs: ["image", "k"], output: "c" },
        { operator: "Relu", name: "/features/features.1/Relu", inputs: ["c"], output: "r" },
        { operator: "GlobalAveragePool", inputs: ["r"], output: "mean" },
        { operator: "Flatten", inputs: ["mean"], output: "flat" },
        { operator: "Gemm", name: "/classifier/Gemm", inputs: ["flat", "w"], output: "out" },
      ],
      { k: drawn([4, 3, 3, 3]), w: drawn([4, 2]) },
    ),
  ),
);

test("lists the layers that a network can be explained at", async () => {
  const { code, stdout } = await aspectlens(["inspect", path], {});
  expect(code).toBe(0);
  expect(stdout.split("\n").map((line) => line.trimEnd())).toEqual([
    `${path}: image 6 x 6, 0.00 M parameters, 4 rows; output out [2]`,
    "layer       stride  size   channels  values",
    "features.0  1       4 x 4  4         activation  default source",
    "explained at features.0 by default; pixels: the file does not say how they are scaled",
    "",
  ]);
});

test("says height and width of what is no square, and takes them where the file leaves them open", async () => {
  const open = join(folder, "open.onnx");
  const { input, ...model } = modelOf(
    [
      { operator: "Conv", inputs: ["image", "k"], output: "c" },
      { operator: "GlobalAveragePool", inputs: ["c"], output: "mean" },
      { operator: "Conv", inputs: ["mean", "w"], output: "out" },
    ],
    { k: drawn([4, 3, 3, 3]), w: drawn([2, 4, 1, 1]) },
  );
  writeFileSync(open, writeOnnx({ ...model, input: { ...input, shape: [1, 3, undefined, undefined] } }));
  const { code, stdout, stderr } = await aspectlens(["inspect", open, "--input-size", "32x48"], {});
  expect([code, stderr]).toEqual([0, ""]);
  const [first, head, layer] = stdout.split("\n").map((line) => line.trimEnd());
  expect(first).toContain("image 32 high x 48 wide,");
  expect(head).toMatch(/^layer +stride +height x width +channels +values/);
  expect(layer).toMatch(/^c +1 +30 x 46 +4 +sum/);
});

test("as JSON, with every row where asked", async () => {
  const { stdout } = await aspectlens(["inspect", path, "--all", "--json"], {});
  const { format, source, rows, outputs, layers } = JSON.parse(stdout);
  expect({ format, source, outputs }).toEqual({
    format: "aspectlens-network/1",
    source: "features.0",
    outputs: { out: [1, 2] },
  });
  expect(layers).toHaveLength(1);
  expect(rows.map(({ op }: { op: string }) => op)).toEqual(["convolution", "mean", "reshape", "dense"]);
});

test("what cannot be read is one line, with exit code 2", async () => {
  const text = join(folder, "text.onnx");
  writeFileSync(text, "no model");
  for (const args of [
    ["inspect", text],
    ["inspect", path, "--input-size", "7"],
    ["inspect", join(folder, "none")],
  ]) {
    const { code, stderr } = await aspectlens(args, {});
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  }
});
