/** What a trunk is: named layers in order, each a function of earlier ones, evaluated on demand. */

import type { Tensor4D } from "@tensorflow/tfjs";
import type { ParameterSpec } from "../core/parameters.js";
import type { Size } from "../core/size.js";
import type { Rectifier } from "./rectifier.js";
import type { TrunkSpec } from "./trunk-spec.js";

/**
 * A layer as others see it: its output after batch norm and activation. `"input"` is a tap too (stride 1, 3 channels).
 */
export interface Tap {
  readonly name: string;
  readonly stride: number;
  readonly channels: number;
  /** Height and width of its output. */
  readonly size: Size;
  /** True where no activation follows (MobileNet v2's projections): evidence there is signed. */
  readonly isLinear: boolean;
}

/** How batch normalisation that is not folded behaves. */
export type BatchNorm =
  /** With the stored moving statistics, as a scale in the graph. */
  | { readonly mode: "moving" }
  /**
   * With the statistics of the batch. After the run `update` receives the new moving statistics of each layer, which it
   * then owns, by parameter name; inside `tf.grads` it must return them from there or `tf.keep` them.
   */
  | {
      readonly mode: "batch";
      readonly momentum: number;
      /** Receives the new moving mean or variance of a layer. */
      readonly update: (name: string, value: import("@tensorflow/tfjs").Tensor) => void;
    };

/** Parameters as tensors, by name. Whoever made them owns them. */
export type Parameters = Readonly<Record<string, import("@tensorflow/tfjs").Tensor>>;

/** A convolutional network without its classifier, as a function of named parameters. */
export interface Trunk {
  readonly spec: TrunkSpec;
  /** In order of computation, the input first. */
  readonly taps: readonly Tap[];
  /** Name of the last layer, which the classifier reads. */
  readonly output: string;
  /** The default source layer: stride 16, late enough to carry the answer, early enough to see small things. */
  readonly source: string;
  /** With batch normalisation where the network has it. */
  readonly parameters: readonly ParameterSpec[];
  /** The same with batch normalisation folded: a kernel and a bias for each layer. */
  readonly foldedParameters: readonly ParameterSpec[];
  /** Names of the layers from `first` on, in order: what learns when training starts at a layer. */
  layersFrom(first: string): readonly string[];
  /**
   * True where `to` can be computed from the features of `from` alone: it is `from`, or no path leads around `from`.
   */
  leadsTo(from: string, to: string): boolean;
  /**
   * Evaluates just what `want` needs, starting from `values` (the image under `"input"`, RGB 0..255, or any features).
   * A layer whose `bias` parameter is present is folded; else its batch-norm parameters are read.
   *
   * @param options.rectifier how gradients go back through activations; what is computed forward is the same.
   * @returns the wanted outputs by name, `[batch, height, width, channels]`; the caller disposes them.
   * @throws ShapeError where a layer is unknown, a value has the wrong shape, or nothing given leads to a wanted layer.
   * @throws WeightsError where a parameter is absent.
   */
  run(
    parameters: Parameters,
    values: Readonly<Record<string, Tensor4D>>,
    want: readonly string[],
    options?: { batchNorm?: BatchNorm; rectifier?: Rectifier },
  ): Record<string, Tensor4D>;
}
