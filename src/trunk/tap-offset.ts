/**
 * Where the cells of a layer lie on the image: TensorFlow pads strided convolutions below and right, which moves them.
 */

import { sidesOf } from "../core/size.js";
import { architectureOf } from "./architecture-of.js";
import { placesOf } from "./networks/places.js";
import { tapsOf } from "./taps.js";
import type { TrunkSpec } from "./trunk-spec.js";

/**
 * How far the centres of a layer's receptive fields lie to the right of (and below) the centres of equal cells, as a
 * share of the image's height: 0.055 for stride 16 at 128 pixels in a MobileNet, 0 in a VGG. Maps are drawn moved by it.
 *
 * Centres follow the recurrence of Araujo et al. 2019 (Distill, "Computing Receptive Fields of CNNs").
 */
export function tapOffset(spec: TrunkSpec, name: string): number {
  if (spec.network) return offsetOf(placesOf(spec.network.operations).get(name), spec);
  const architecture = architectureOf(spec);
  const taps = new Map(tapsOf(architecture, spec.inputSize).map((tap) => [tap.name, tap]));
  const sizeOf = (layer: string) => sidesOf(taps.get(layer)?.size ?? spec.inputSize).height;
  /** By layer, centre of its first cell and the step from cell to cell, pixels. */
  const places = new Map([["input", { centre: 0.5, step: 1 }]]);
  for (const { name: layer, op, inputs, kernel, stride } of architecture.layers) {
    const before = places.get(inputs[0]) ?? { centre: 0.5, step: 1 };
    if (op === "add") places.set(layer, before);
    else {
      const padded = (sizeOf(layer) - 1) * stride + kernel - sizeOf(inputs[0]);
      const ahead = architecture.padding === "symmetric" ? (kernel - 1) / 2 : Math.floor(Math.max(0, padded) / 2);
      const padding = op === "maxPool" ? 0 : ahead;
      const centre = before.centre + ((kernel - 1) / 2 - padding) * before.step;
      places.set(layer, { centre, step: before.step * stride });
    }
    if (layer === name) break;
  }
  return offsetOf(places.get(name), spec);
}

function offsetOf({ centre, step } = { centre: 0.5, step: 1 }, { inputSize }: TrunkSpec): number {
  // Imported networks pad and stride alike along both axes, as good as always; of a rectangle it is of the height.
  return (centre - step / 2) / sidesOf(inputSize).height;
}
