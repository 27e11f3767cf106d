/** Every kind of failure that a caller can tell apart, one class a cause. */

/**
 * Bad input of any kind: a file, a line, an option. One line that names the place, what is wrong, and the cure.
 * The command line prints it without a stack and exits with 2.
 */
export class InputError extends Error {
  override name = "InputError";
}

/** A configuration with an unknown key or a value out of range. */
export class ConfigError extends InputError {
  override name = "ConfigError";
}

/** A dataset whose manifest or samples cannot be used as they are. */
export class DatasetError extends InputError {
  override name = "DatasetError";
}

/** An image or mask that cannot be decoded, or is too large, or has the wrong size. */
export class ImageError extends InputError {
  override name = "ImageError";
}

/** Weights that do not fit the trunk: wrong shapes, missing layers, unreadable shards. */
export class WeightsError extends InputError {
  override name = "WeightsError";
}

/** A file that cannot be downloaded: no network, a refusal, a broken transfer, or something else than the file. */
export class DownloadError extends InputError {
  override name = "DownloadError";
}

/** A downloaded file that is whole, but not the one that was expected. */
export class ChecksumError extends DownloadError {
  override name = "ChecksumError";
}

/** A bundle that is damaged, incomplete, of another version, or unsafe to unpack. */
export class BundleError extends InputError {
  override name = "BundleError";
}

/** An engine that is asked for and not installed. */
export class MissingEngineError extends InputError {
  override name = "MissingEngineError";
}

/** Tensors of a shape that the callee cannot use. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** A function that cannot be traced into one static graph; names the operation and the line that called it. */
export class TraceError extends Error {
  override name = "TraceError";
}

/** An engine that failed to build or run a graph. */
export class EngineError extends Error {
  override name = "EngineError";
}

/** A graph that ONNX Runtime refuses, or in which it fails; where the graph came with a file, that file is at fault. */
export class GraphError extends EngineError {
  override name = "GraphError";
}

/** The user interrupted the work; what was done is saved. The command line exits with 130. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}
