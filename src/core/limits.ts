/**
 * How much a file may ask for before it is refused; `docs/limits.md` says the same to users, and a test holds the two
 * together.
 */

export const LIMITS = {
  /** Pixels of one image or mask, before it is decoded. */
  imagePixels: 100_000_000,
  /** Bytes of the pixels of one mask, all channels, before they become one value a pixel. */
  maskBytes: 400_000_000,
  /** Bytes of one image or mask file. */
  imageFileBytes: 700_000_000,
  /**
   * Bytes that decoders of one image hold at once, estimated from its header; also all images together that are decoded
   * at a time.
   */
  decodingBytes: 600_000_000,
  /** Bytes that a pipe named on the command line may give. */
  pipeBytes: 200_000_000,
  /** Seconds without a byte after which such a pipe is given up. */
  pipeSeconds: 30,
  /** Bytes of one weights file, which is read whole: VGG-19 with its classifier and the state of an optimizer. */
  weightsFileBytes: 2_000_000_000,
  /** Bytes of one array in a weights file. */
  weightsArrayBytes: 1_000_000_000,
  /**
   * Bytes that all arrays read from an HDF5 file may take, for each byte of the file: gzip shortens weights by a tenth,
   * pruned ones more.
   */
  weightsExpansion: 10,
  /** Links that are followed in an HDF5 file, and groups inside groups. */
  h5Links: 20_000,
  h5Depth: 32,
  /** Sides of the images that a weights file may say it was made for. */
  weightsInputSize: 4096,
  /**
   * Pixels, all images of a batch together, and multiplications, of what an import computes with the original to
   * compare.
   */
  comparedPixels: 600_000,
  comparedOperations: 4_000_000_000,
  /** Nodes of an `.onnx`; a trunk has some hundreds. */
  onnxNodes: 3_000,
  /** Fields of one message in an `.onnx`. */
  protobufFields: 500_000,
  /** Bytes of the XMP in an image that is annotated, unpacked. */
  xmpBytes: 10_000_000,
  /** Bytes of a `dataset.json` or a configuration. */
  jsonFileBytes: 20_000_000,
  /** Bytes of the list of files in a folder of results. */
  resultListBytes: 100_000_000,
  /** Lists and objects inside one another in JSON. */
  jsonDepth: 200,
  /** Heads of a bundle's model. */
  bundleHeads: 256,
  /** Bytes that the packed files of a bundle may unpack to, all together, */
  unpackedBytes: 300_000_000,
  /** and further ones for each byte that they take in it: answers that are the same everywhere pack well. */
  unpackedRatio: 20,
  /** Nodes, constants, inputs and outputs of a bundle's graph. */
  graphParts: 20_000,
  /** Bytes that a bundle's graph may hold at once while it runs, */
  graphBytes: 500_000_000,
  /** and further ones for each byte of its constants: large models make large features. */
  graphBytesPerWeightByte: 20,
  /** Multiplications (or what takes as long) of one run of a bundle's graph, some seconds, */
  graphOperations: 100_000_000_000,
  /** and further ones for each byte of its constants. */
  graphOperationsPerWeightByte: 10_000,
  /** Goldens of a bundle, */
  goldens: 100,
  /** and the computing of all of them on both graphs, in runs of the largest graph allowed. */
  goldenRuns: 2,
  /** Constants of a graph, in sizes of the weights file that they lie in. */
  graphConstants: 4,
} as const;
