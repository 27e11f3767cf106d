/** What a Keras topology says beyond the weights: input size, and the epsilon of each batch norm. */

interface KerasLayer {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Height of the first image input, where the file fixes one. */
export function topologyInputSize(topology: unknown): number | undefined {
  for (const { config } of kerasLayers(topology)) {
    const shape = config.batch_input_shape ?? config.batch_shape ?? config.batchInputShape;
    if (Array.isArray(shape) && shape.length === 4 && shape[3] === 3 && typeof shape[1] === "number") return shape[1];
  }
  return undefined;
}

/** Epsilons of batch-norm layers by Keras name. */
export function topologyEpsilons(topology: unknown): ReadonlyMap<string, number> {
  const epsilons = new Map<string, number>();
  for (const { className, config } of kerasLayers(topology)) {
    if (!className.startsWith("BatchNormalization")) continue;
    if (typeof config.name === "string" && typeof config.epsilon === "number")
      epsilons.set(config.name, config.epsilon);
  }
  return epsilons;
}

/** Every layer in order, however deep the models are nested: no recursion, which a deep file would overflow. */
function* kerasLayers(topology: unknown): Generator<KerasLayer> {
  const waiting = [topology];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null) continue;
    const { class_name: className, config } = node as { class_name?: unknown; config?: unknown };
    if (typeof className === "string" && typeof config === "object" && config !== null)
      yield { className, config: config as Record<string, unknown> };
    for (const child of Object.values(node).reverse()) waiting.push(child);
  }
}
