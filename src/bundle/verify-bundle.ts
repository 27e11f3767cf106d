/** Whether a bundle is whole and still gives what it gave when it was written. */

import { BundleError, inFile } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { ownValue } from "../core/own-value.js";
import { type Runtime, withRuntime } from "../engine/session.js";
import { checkImageReading, FILES } from "./description.js";
import { type Deviation, deviation, severity } from "./deviation.js";
import { type Golden, goldenInputs } from "./golden.js";
import { inputsOf } from "./graph-interface.js";
import { openGraph } from "./graph-session.js";

import {
  type Bundle,
  goldenNames,
  readBundle,
  readBundledModel,
  readBundleFile,
  readGolden,
  readWeighedGraph,
} from "./read-bundle.js";

/** An output of one golden. */
export interface GoldenDeviation extends Deviation {
  readonly golden: string;
  readonly graph: "explain" | "predict";
}

/** What `verifyBundle` compared. */
export interface Verification {
  /** Files whose checksum was compared. */
  readonly fileCount: number;
  readonly goldenCount: number;
  readonly outputCount: number;
  /** The output that came nearest to its tolerance; null where there are no goldens. */
  readonly worst: GoldenDeviation | null;
}

/** What `verifyBundle` runs the goldens with, and when it stops. */
export interface VerifyOptions {
  /** Runs the goldens; by default one that is opened for it. */
  readonly runtime?: Runtime;
  /** Stops between two goldens. */
  readonly signal?: AbortSignal;
}

/**
 * Compares every checksum, then replays the goldens through both graphs.
 *
 * @throws BundleError naming the damaged file, the preprocessing that this version does not do, or the output that is
 *   furthest from what it must be.
 */
export function verifyBundle(path: string, { runtime, signal }: VerifyOptions = {}): Promise<Verification> {
  return inFile({ file: path }, () => withRuntime(runtime, (runtime) => verify(path, runtime, signal)));
}

async function verify(path: string, runtime: Runtime, signal?: AbortSignal): Promise<Verification> {
  const bundle = await readBundle(path);
  checkImageReading(bundle.description, path);
  const files = Object.keys(bundle.description.files);
  for (const file of files) await readBundleFile(bundle, file);
  await readBundledModel(bundle); // its parameters and references are numbers
  const names = goldenNames(bundle);
  if (names.length > LIMITS.goldens)
    throw new BundleError(`${path}: has ${names.length} goldens, more than the ${LIMITS.goldens} allowed.`, {
      cure: "Export it again.",
    });
  const deviations: GoldenDeviation[] = [];
  let work = 0;
  for (const graph of ["predict", "explain"] as const) {
    const { model, share } = await readWeighedGraph(bundle, graph);
    work += share * names.length;
    if (work > LIMITS.goldenRuns)
      throw new BundleError(`${path}: its ${names.length} goldens take more computing than is allowed.`, {
        cure: "Export it again.",
      });
    const session = await openGraph(runtime, model, { file: path, name: FILES[graph] });
    try {
      // One at a time: together they may be larger than all else.
      for (const name of names) {
        signal?.throwIfAborted();
        const golden = await readGolden(bundle, name);
        checkGolden(golden, { bundle, graph, source: `${path}: ${name}` });
        const actual = await session.run(goldenInputs(golden, graph));
        const missing = Object.keys(actual).find((output) => !golden[graph][output]);
        if (missing !== undefined)
          throw new BundleError(`${path}: ${name}: has no ${graph}/${missing}.`, { cure: "Export the bundle again." });
        for (const [output, expected] of Object.entries(golden[graph])) {
          deviations.push({ golden: golden.name, graph, ...deviation(output, actual[output], expected) });
        }
      }
    } finally {
      await session.dispose();
    }
  }
  const [worst = null] = deviations.sort((a, b) => severity(b) - severity(a));
  if (worst && severity(worst) > 1) throw new BundleError(disagreement(path, worst));
  return { fileCount: files.length + 1, goldenCount: names.length, outputCount: deviations.length, worst };
}

/** @throws BundleError where its inputs are not those of the graph. */
function checkGolden(
  golden: Golden,
  { bundle, graph, source }: { bundle: Bundle; graph: "explain" | "predict"; source: string },
): void {
  for (const [input, shape] of inputsOf(bundle.description, graph)) {
    const given = ownValue(goldenInputs(golden, graph), input);
    if (!given) throw new BundleError(`${source}: has no input/${input}.`, { cure: "Export the bundle again." });
    if (given.data instanceof Float32Array && given.shape.join() === shape.join()) continue;
    throw new BundleError(
      `${source}: input/${input} has the shape [${given.shape.join(", ")}] instead of [${shape.join(", ")}], ` +
        "or another type.",
      { cure: "Export the bundle again." },
    );
  }
}

function disagreement(path: string, { golden, graph, output, measure, error, tolerance }: GoldenDeviation): string {
  return (
    `${path}: ${FILES[graph]} does not give what it must: the worst output is "${output}" of golden "${golden}", ` +
    `${measure} error ${error.toExponential(1)}, allowed ${tolerance.toExponential(1)}. Export the bundle again.`
  );
}
