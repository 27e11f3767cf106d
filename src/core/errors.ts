/** Every kind of failure that a caller can tell apart, one class a cause. */

/** What an `InputError` says to programs, besides its message. */
export interface InputErrorOptions {
  /** What to do about it: one or more sentences, which end the message. */
  readonly cure?: string;
  /** Path of the file that is at fault. */
  readonly file?: string;
  /** Line of that file, from 1. */
  readonly line?: number;
  readonly cause?: unknown;
}

/** A class of input errors, for functions that throw the one that their caller names. */
export type InputErrorClass = new (message: string, options?: InputErrorOptions) => InputError;

/**
 * Bad input of any kind: a file, a line, an option. One line that names the place, what is wrong, and the cure.
 * The command line prints it without a stack and exits with 2.
 */
export class InputError extends Error {
  override name = "InputError";
  /** Path of the file that is at fault, where one is. */
  declare readonly file?: string;
  /** Line of that file, from 1, where it is one line's fault. */
  declare readonly line?: number;
  /** What to do about it; the message ends with it. */
  declare readonly cure?: string;

  /** @param what the place and what is wrong; the message is this and the cure. */
  constructor(what: string, { cause, ...fields }: InputErrorOptions = {}) {
    super(fields.cure ? `${what} ${fields.cure}` : what, cause === undefined ? undefined : { cause });
    for (const [key, value] of Object.entries(fields)) if (value) Object.assign(this, { [key]: value });
  }

  /** @internal The message without the cure. */
  get what(): string {
    return this.cure ? this.message.slice(0, -this.cure.length - 1) : this.message;
  }
}

/**
 * Runs what reads a file, and says of an input error that comes out of it which file is at fault, and which line of it,
 * where the error does not say so itself.
 */
export function inFile<Result>(place: { readonly file: string; readonly line?: number }, read: () => Result): Result {
  return locating((error) => {
    if (error instanceof InputError && error.file === undefined) Object.assign(error, place);
  }, read);
}

/** Runs the work, now or as a promise; `locate` may add to an error that comes out of it, which is thrown on. */
export function locating<Result>(locate: (error: unknown) => void, work: () => Result): Result {
  const located = (error: unknown): never => {
    locate(error);
    throw error;
  };
  try {
    const result = work();
    // A promise of the same type: what it gives is not changed.
    return result instanceof Promise ? (result.catch(located) as Result) : result;
  } catch (error) {
    return located(error);
  }
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

/** A job queue whose server stays away. */
export class QueueError extends Error {
  override name = "QueueError";
}

/** The user interrupted the work; what was done is saved. The command line exits with 130. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}
