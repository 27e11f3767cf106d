/** What a trunk is made of: a table of layers in order of computation, and how they read an image, as plain data. */

/** One row. Its output is what follows batch norm and activation. */
export interface Layer {
  readonly name: string;
  /** Convolutions pad as the architecture says, pooling not at all. */
  readonly op: "conv" | "depthwise" | "add" | "maxPool";
  /** Names of earlier layers, or `"input"`; two for `add`, else one. */
  readonly inputs: readonly string[];
  readonly stride: number;
  /** Height and width of the window. */
  readonly kernel: number;
  /** Of the output. */
  readonly channels: number;
  readonly activation: "relu" | "relu6" | "none";
}

export interface Architecture {
  /** In order of computation. */
  readonly layers: readonly Layer[];
  /**
   * `unit`: x / 127.5 - 1. `caffe`: BGR minus the mean of ImageNet. `imagenet`: (x / 255 - mean) / deviation, as
   * torchvision.
   */
  readonly scaling: "unit" | "caffe" | "imagenet";
  /** `same` as TensorFlow: below and right of a strided convolution's image. `symmetric` as PyTorch: all around it. */
  readonly padding: "same" | "symmetric";
  readonly hasBatchNorm: boolean;
  /** Default source layer. */
  readonly source: string;
}
