/** What a head is: from the features of one or more taps to one answer before the sigmoid. */

import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { Annotation, ClassAnnotation } from "../core/annotation.js";
import type { ParameterSpec } from "../core/parameters.js";
import type { Size } from "../core/size.js";
import type { Dropout } from "../ops/dropout.js";
import type { HeadSpec } from "./head-spec.js";

/** What a head must know of its surroundings. */
export interface HeadContext {
  readonly inputSize: Size;
  /** In the order of `spec.taps`. */
  readonly taps: readonly {
    readonly name: string;
    readonly stride: number;
    readonly channels: number;
    readonly size: Size;
  }[];
}

/** What the expert says to one head about one sample; `undefined` is unlabelled. */
export type Label = Annotation | ClassAnnotation | undefined;

/** A head as pure functions: its answer, its labels as arrays, and its loss. */
export interface Head<Spec extends HeadSpec = HeadSpec> {
  readonly spec: Spec;
  readonly parameters: readonly ParameterSpec[];
  /** Shape of `forward`'s result without the batch: `[classes]`, `[height, width, 1]`, `[h, w, 5]` or `[1]`. */
  readonly outputShape: readonly number[];
  /**
   * @param parameters by name, `head/<name>/...`.
   * @param features one `[batch, height, width, channels]` a tap, in the order of `spec.taps`.
   * @param options.dropout in training only, and of the classifier only: which of its pooled features are dropped.
   * @param options.spreadsMaximum in explanations only: the gradient of a maximum over places reaches all of them, each
   *   by its share of it.
   * @returns the answer before the sigmoid or softmax, `[batch, ...outputShape]`; the caller disposes it.
   */
  forward(
    parameters: Readonly<Record<string, Tensor>>,
    features: readonly Tensor4D[],
    options?: { readonly dropout?: Dropout; readonly spreadsMaximum?: boolean },
  ): Tensor;
  /** Shapes of the arrays that `encode` makes and `loss` reads, without the batch; `labelled` (`[]`) is always one. */
  readonly labelShapes: Readonly<Record<string, readonly number[]>>;
  /** Arrays for `loss` from a batch of labels, each `[batch, ...labelShapes[name]]`. Plain arrays, no tensors. */
  encode(labels: readonly Label[]): Record<string, Float32Array>;
  /**
   * Sum over the labelled samples / max(1, labelled in the batch); unlabelled ones give exactly zero gradient.
   *
   * @param labels what `encode` made, as tensors.
   */
  loss(logits: Tensor, labels: Readonly<Record<string, Tensor>>): Scalar;
}
