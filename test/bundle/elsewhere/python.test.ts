import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe } from "vitest";
import { replayContract } from "./contract.js";

const python = process.env.PYTHON || "python3";
const hasRuntime = spawnSync(python, ["-c", "import numpy, onnxruntime"]).status === 0;
if (!hasRuntime) console.warn(`skipped: ${python} has not both numpy and onnxruntime; name one that has in $PYTHON`);

describe.skipIf(!hasRuntime)("ONNX Runtime in Python", () => {
  replayContract(async (folder) => {
    const out = await mkdtemp(join(tmpdir(), "aspectlens-"));
    try {
      await promisify(execFile)(python, [join(import.meta.dirname, "replay.py"), folder, out]);
      const names = await readdir(out);
      return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(out, name))] as const)));
    } finally {
      await rm(out, { recursive: true });
    }
  });
});
