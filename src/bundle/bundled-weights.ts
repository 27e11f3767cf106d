/**
 * `weights.safetensors`: every number of a model once, for the graphs and for whoever wants to run or train it
 * elsewhere.
 */

import { BundleError } from "../core/errors.js";
import { referenceName, referenceTap } from "../core/graph-ports.js";
import { shown } from "../core/message-text.js";
import { type NdArray, type NdArrays, ndArray, withAxes } from "../core/nd-array.js";
import { notFinite } from "../core/not-finite.js";
import { ownValue } from "../core/own-value.js";
import { decodeSafetensors, encodeSafetensors } from "../core/safetensors.js";
import { sha256 } from "./file-hash.js";
import { type Extent, largeConstants } from "./onnx-weights.js";

/** How each parameter's axes are ordered in the file, where not as in the model: `[3, 2, 0, 1]` is OIHW for HWIO. */
export type Layouts = Readonly<Record<string, readonly number[]>>;

export interface BundledWeights {
  readonly bytes: Uint8Array;
  readonly layouts: Layouts;
  /** Where the numbers of a graph's constant stand. */
  readonly place: (raw: Uint8Array) => Extent;
}

/** How ONNX orders what TensorFlow.js holds as HWIO, HWIM and [in, out]. */
const LAYOUTS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  2: [[1, 0]],
  4: [
    [3, 2, 0, 1],
    [2, 3, 0, 1],
  ],
};

const CONSTANT = "constant/";

/**
 * Parameters by name, references as `reference/<tap>`, and the graphs' other constants as `constant/<n>`. A parameter
 * whose numbers a graph holds in another order is stored in that order, so that both share them.
 */
export function encodeWeights(
  { parameters, references }: { parameters: NdArrays; references: NdArrays },
  { graphs }: { graphs: readonly Uint8Array[] },
): BundledWeights {
  const constants = new Map(graphs.flatMap(largeConstants).map((raw) => [sha256(raw), raw]));
  const sizes = new Set([...constants.values()].map((raw) => raw.length));
  const arrays: Record<string, NdArray> = {};
  const layouts: Record<string, readonly number[]> = {};
  const nameOf = new Map<string, string>();
  const store = (name: string, array: NdArray) => {
    arrays[name] = array;
    if (array.data instanceof Float32Array) nameOf.set(sha256(bytesOf(array)), name);
  };
  for (const [name, parameter] of Object.entries(parameters)) {
    const order = sizes.has(parameter.data.byteLength)
      ? [identityOf(parameter), ...(LAYOUTS[parameter.shape.length] ?? [])].find((candidate) =>
          constants.has(sha256(bytesOf(withAxes(parameter, candidate)))),
        )
      : undefined;
    if (order) layouts[name] = order;
    store(name, order ? withAxes(parameter, order) : parameter);
  }
  for (const [tap, table] of Object.entries(references)) store(referenceName(tap), table);
  for (const [key, raw] of constants) {
    if (nameOf.has(key)) continue;
    const copy = new Uint8Array(raw); // Buffer.slice would not copy
    const name = `${CONSTANT}${Object.keys(arrays).length}`;
    arrays[name] = ndArray([copy.length / 4], new Float32Array(copy.buffer));
    nameOf.set(key, name);
  }
  const bytes = encodeSafetensors(arrays);
  const extents = extentsOf(bytes);
  const place = (raw: Uint8Array) => extents[nameOf.get(sha256(raw)) ?? ""];
  return { bytes, layouts: withoutIdentities(layouts), place };
}

/**
 * @param source named in errors.
 * @throws InputError where the file cannot be read, BundleError where a layout does not fit its parameter.
 */
export function decodeWeights(
  bytes: Uint8Array,
  { layouts, source }: { layouts: Layouts; source: string },
): { parameters: NdArrays; references: NdArrays } {
  const parameters: Record<string, NdArray> = Object.create(null);
  const references: Record<string, NdArray> = Object.create(null);
  const arrays = decodeSafetensors(bytes, source);
  const wrong = notFinite(arrays);
  if (wrong !== undefined)
    throw new BundleError(`${source}: ${shown(wrong)} holds NaN or Infinity.`, {
      cure: "Train the model again, or export another.",
    });
  for (const [name, array] of Object.entries(arrays)) {
    const tap = referenceTap(name);
    if (tap !== undefined) references[tap] = array;
    else if (!name.startsWith(CONSTANT))
      parameters[name] = restored(array, ownValue(layouts, name), `${source}: ${name}`);
  }
  return { parameters, references };
}

function restored(array: NdArray, order: readonly number[] | undefined, where: string): NdArray {
  if (!order) return array;
  const isOrder = order.length === array.shape.length && array.shape.every((_, axis) => order.includes(axis));
  if (!isOrder)
    throw new BundleError(`${where}: its layout [${order.join(", ")}] does not fit.`, { cure: "Export it again." });
  return withAxes(
    array,
    array.shape.map((_, axis) => order.indexOf(axis)),
  );
}

function identityOf({ shape }: NdArray): number[] {
  return shape.map((_, axis) => axis);
}

function withoutIdentities(layouts: Layouts): Layouts {
  const moved = Object.entries(layouts).filter(([, order]) => order.some((axis, place) => axis !== place));
  return Object.fromEntries(moved);
}

/** Of each array in the bytes of a safetensors file, from the file's start. */
function extentsOf(bytes: Uint8Array): Record<string, Extent> {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(
    Buffer.from(bytes.subarray(8, 8 + length)).toString("utf8"),
  );
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          data_offsets: [begin, end],
        },
      ]) => [name, { offset: 8 + length + begin, length: end - begin }],
    ),
  );
}

function bytesOf({ data }: NdArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
