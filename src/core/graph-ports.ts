/**
 * The names of the inputs and outputs (ports) of `predict.onnx` and `explain.onnx`, and of their constants.
 *
 * `<tap>` is a layer of the trunk, `<aspect>` an aspect head. The four fixed names are also read as properties of plain
 * objects: `inputs.image`, `outputs.scores`.
 */

/** Inputs of both graphs (`image`) and of `explain.onnx` alone (`target`). */
export const INPUTS = { image: "image", target: "target" } as const;

/** `image/<network>`: the image of a network that aspect heads have to themselves. */
export function imagePort(network: string): string {
  return `${INPUTS.image}/${network}`;
}

/** Outputs of the classifier. */
export const CLASSIFIER_OUTPUTS = { logits: "logits", scores: "scores" } as const;

/** Outputs of one aspect head, before the sigmoid, on the features as they are, masked, and on the reference. */
export const HEAD_ANSWERS = ["unmasked", "masked", "reference"] as const;
/** Of a head on a network of its own also on mapped features that nothing masked. */
export type HeadAnswer = (typeof HEAD_ANSWERS)[number] | "mapped";

/** What a head answers in `explain.onnx`. */
export function headAnswers({ network }: { readonly network?: string }): readonly HeadAnswer[] {
  return network === undefined ? HEAD_ANSWERS : [...HEAD_ANSWERS, "mapped"];
}

/** `<aspect>/unmasked`, `<aspect>/masked`, `<aspect>/reference` or `<aspect>/mapped`. */
export function answerPort(aspect: string, answer: HeadAnswer): string {
  return `${aspect}/${answer}`;
}

/** What an aspect's evidence and the answer's have in common at each place of a layer. */
export function overlapPort(aspect: string, tap: string): string {
  return `${aspect}/overlap/${tap}`;
}

/**
 * Outputs of one layer: the method's map, its filter weights, the answer's evidence, and what each two aspects share.
 */
export type TapOutput = "saliency" | "filterWeights" | "evidence" | "pairs";

/** `saliency/<tap>`, `filterWeights/<tap>`, `evidence/<tap>` or `pairs/<tap>`. */
export function tapPort(output: TapOutput, tap: string): string {
  return `${output}/${tap}`;
}

/** The layer that a name says the output of; `undefined` for a name of another form. */
export function portTap(output: TapOutput, name: string): string | undefined {
  const prefix = tapPort(output, "");
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/**
 * Whether an output is an answer that no mask has touched: logits, scores, and what heads say unmasked and on the
 * reference.
 */
export function isUnmaskedAnswer(name: string): boolean {
  return !name.includes("/") || /\/(unmasked|reference|mapped)$/.test(name);
}

/** Whether an output is the answer's evidence, or an aspect's overlap with it. */
export function isEvidencePort(name: string): boolean {
  return /^evidence\/|\/overlap\//.test(name);
}

/** `<aspect>/masked/<masking>`, for measuring: one head's answer under one of several maskings. */
export function maskingPort(aspect: string, masking: string): string {
  return `${answerPort(aspect, "masked")}/${masking}`;
}

/** The aspect of `<aspect>/masked`. */
export function maskedAspect(name: string): string | undefined {
  const suffix = answerPort("", "masked");
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
}

const REFERENCE = "reference/";

/** `reference/<tap>`: the constant, also in files of weights, that holds a layer's reference representations. */
export function referenceName(tap: string): string {
  return REFERENCE + tap;
}

/** The layer of `reference/<tap>`; `undefined` for another constant. */
export function referenceTap(name: string): string | undefined {
  return name.startsWith(REFERENCE) ? name.slice(REFERENCE.length) : undefined;
}
