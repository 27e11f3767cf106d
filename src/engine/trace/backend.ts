/** The TensorFlow.js backend that records: it keeps a traced tensor for each data id, and runs kernels on those. */

import { engine, KernelBackend, registerBackend, registerKernel, type TensorInfo } from "@tensorflow/tfjs";
import { TraceError } from "../../core/errors.js";
import { createGraph, type Graph } from "./graph.js";
import type { Kernel } from "./kernel.js";
import { kernels } from "./kernels.js";
import { constant, constantValues, type DType, numbers, type TracedTensor } from "./traced-tensor.js";

export const BACKEND = "onnx-trace";

type BackendValues = ReturnType<KernelBackend["readSync"]>;

class TraceBackend extends KernelBackend {
  graph: Graph = createGraph();
  private readonly tensors = new Map<object, { tensor: TracedTensor; references: number }>();
  /** Constants made of tensors that other backends hold; those keep their data. */
  private captured = new Map<object, TracedTensor>();

  /** Discards all tensors and starts a graph. */
  begin({ block = 0 }: { block?: number } = {}): void {
    this.graph = createGraph({ block });
    this.tensors.clear();
    this.captured = new Map();
  }

  add(tensor: TracedTensor): TensorInfo {
    const dataId = {};
    this.tensors.set(dataId, { tensor, references: 1 });
    return { dataId, shape: [...tensor.shape], dtype: tensor.dtype };
  }

  /** @throws TraceError where the tensor is a variable that training would change. */
  get(info: TensorInfo): TracedTensor {
    const own = this.tensors.get(info.dataId) ?? null;
    if (own) return own.tensor;
    const known = this.captured.get(info.dataId);
    if (known) return known;
    const variable = Object.values(engine().registeredVariables).find((one) => one.dataId === info.dataId);
    if (variable?.trainable) {
      throw new TraceError(
        `reads the trainable variable "${variable.name}", ` +
          `whose value would be frozen into the graph. Pass it as an input.`,
      );
    }
    const tensor = fromValues(engine().readSync(info.dataId), info.shape, info.dtype);
    this.captured.set(info.dataId, tensor);
    return tensor;
  }

  override write(values: BackendValues, shape: number[], dtype: TensorInfo["dtype"]): object {
    return this.add(fromValues(values, shape, dtype)).dataId;
  }

  override move(
    dataId: object,
    values: BackendValues,
    shape: number[],
    dtype: TensorInfo["dtype"],
    references: number,
  ): void {
    this.tensors.set(dataId, { tensor: fromValues(values, shape, dtype), references });
  }

  override readSync(dataId: object): BackendValues {
    const entry = this.tensors.get(dataId);
    const values = entry ? constantValues(this.graph, entry.tensor) : null;
    if (values) return values;
    throw new TraceError(
      "dataSync (arraySync, data): a tensor has no numbers to read while its function is traced. " +
        "Use tensor operations only, or return the tensor as an output and read it there.",
    );
  }

  override async read(dataId: object): Promise<BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: object, isForced = false): boolean {
    const entry = this.tensors.get(dataId);
    if (!entry) return true;
    entry.references--;
    if (!isForced && entry.references > 0) return false;
    this.tensors.delete(dataId);
    return true;
  }

  override refCount(dataId: object): number {
    return this.tensors.get(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    const entry = this.tensors.get(dataId);
    if (entry) entry.references++;
  }

  override numDataIds(): number {
    return this.tensors.size;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override dispose(): void {
    this.begin();
  }
}

let shared: TraceBackend | null = null;

/** The recording backend of this process, registered with its kernels on the first call. */
export function traceBackend(): TraceBackend {
  if (shared) return shared;
  const backend = new TraceBackend();
  shared = backend;
  registerBackend(BACKEND, () => backend, 0);
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => run(backend, kernelName, kernel, inputs, attrs),
    });
  }
  return backend;
}

function run(
  backend: TraceBackend,
  kernelName: string,
  kernel: Kernel,
  inputs: Readonly<Record<string, TensorInfo | undefined>>,
  attributes: unknown,
): TensorInfo | TensorInfo[] {
  const { graph } = backend;
  graph.operation = kernelName;
  try {
    const given = Object.entries(inputs).map(([key, info]) => [key, info && backend.get(info)] as const);
    // A kernel reads the inputs and attributes that TensorFlow.js documents for its name.
    const result = kernel(graph, Object.fromEntries(given) as never, attributes as never);
    return Array.isArray(result) ? result.map((tensor) => backend.add(tensor)) : backend.add(result);
  } catch (error) {
    throw error instanceof TraceError ? new TraceError(`${kernelName}: ${error.message}`, { cause: error }) : error;
  }
}

function fromValues(values: BackendValues, shape: readonly number[], dtype: TensorInfo["dtype"]): TracedTensor {
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
    throw new TraceError(`a ${dtype} tensor; only float32, int32 and bool can be traced. Convert it outside.`);
  }
  // Numbers of these dtypes arrive as numbers, whatever the union says; copied, since the caller may change them.
  return constant(shape, dtype, numbers(dtype satisfies DType, values as ArrayLike<number>));
}
