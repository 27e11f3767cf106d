/** A bundle as a program elsewhere meets it, unpacked into a folder; and whether what that computes agrees. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { GOLDENS } from "../../../src/bundle/description.js";
import { deviation, severity } from "../../../src/bundle/deviation.js";
import { exportBundle } from "../../../src/bundle/export-bundle.js";
import { decodeGolden, type Golden } from "../../../src/bundle/golden.js";
import { decodeSafetensors, encodeSafetensors } from "../../../src/core/safetensors.js";
import { openRuntime } from "../../../src/engine/session.js";
import type { TrainedModel } from "../../../src/model/trained-model.js";
import { tinyModel } from "../tiny-model.js";

/** Exports a tiny model and unpacks it into `folder`. @returns its goldens by file name. */
export async function unpackTinyBundle(
  folder: string,
  trained: TrainedModel = tinyModel({ seed: 2 }),
): Promise<ReadonlyMap<string, Golden>> {
  const path = join(folder, "tiny.aspect");
  const samples = [Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7) % 256)];
  const runtime = openRuntime({ threads: 1 });
  try {
    await exportBundle(easilyConvinced(trained), path, { runtime, samples, kernel: "cubic" });
  } finally {
    await runtime.dispose();
  }
  const files = Object.entries(unzipSync(await readFile(path)));
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const goldens = files.filter(([name]) => name.startsWith(GOLDENS));
  return decodeGoldens(goldens.map(([name, bytes]) => [basename(name), bytes]));
}

/**
 * Random heads are nowhere sure; with low thresholds they have regions, without which an overlap is zero throughout.
 */
export function easilyConvinced(trained: TrainedModel): TrainedModel {
  const heads = trained.spec.heads.map((head) => (head.kind === "classifier" ? head : { ...head, threshold: 0.1 }));
  return { ...trained, spec: { ...trained.spec, heads } };
}

/** Makes one kernel of the head `necrosis`, which both graphs read, half as large again. */
export async function alterNecrosis(folder: string): Promise<void> {
  const path = join(folder, "weights.safetensors");
  const weights = decodeSafetensors(await readFile(path), path);
  const kernel = weights["head/necrosis/depthwise/kernel"].data;
  for (const index of kernel.keys()) kernel[index] *= 1.5;
  await writeFile(path, encodeSafetensors(weights));
}

/** @param files safetensors by file name. */
export function decodeGoldens(
  files: Iterable<readonly [name: string, bytes: Uint8Array]>,
): ReadonlyMap<string, Golden> {
  return new Map(Array.from(files, ([name, bytes]) => [name, decodeGolden(bytes, { name, source: name })]));
}

/**
 * Compares every output of both graphs, by the tolerances of `verify`.
 *
 * @returns how many outputs were compared, and `<golden> <graph>/<output>: why` of each that is off, missing or too
 *   many.
 */
export function compareGoldens(
  actual: ReadonlyMap<string, Golden>,
  expected: ReadonlyMap<string, Golden>,
): { readonly count: number; readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  let count = 0;
  for (const name of new Set([...expected.keys(), ...actual.keys()])) {
    for (const graph of ["predict", "explain"] as const) {
      const own = actual.get(name)?.[graph] ?? {};
      const due = expected.get(name)?.[graph] ?? {};
      for (const output of new Set([...Object.keys(due), ...Object.keys(own)])) {
        count++;
        const where = `${name} ${graph}/${output}`;
        if (!due[output]) wrong.push(`${where}: too many`);
        else {
          const off = deviation(output, own[output], due[output]); // of what is missing, infinite
          const isClose = severity(off) <= 1;
          if (!isClose) wrong.push(`${where}: ${off.measure} error ${off.error}, allowed ${off.tolerance}`);
        }
      }
    }
  }
  return { count, wrong };
}
