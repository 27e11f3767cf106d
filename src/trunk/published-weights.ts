/** Where the weights of a trunk can be downloaded, and on what terms. */

/** One set of weights at a public address. */
export interface PublishedWeights {
  readonly source: "keras" | "tfjs" | "tfhub";
  readonly alpha: number;
  /** Of the images that they were trained on, pixels. */
  readonly inputSize: number;
  /** Below the address of the source. */
  readonly path: string;
  readonly licence: string;
}

export const MOBILENET_LICENCE = "Apache-2.0";

/** TF-Hub's graph-models of a MobileNet for 224 pixels; `@tensorflow-models/mobilenet` loads the same. */
export function tfhubMobilenets(
  name: "mobilenet_v1" | "mobilenet_v2",
  { alphas, version }: { alphas: readonly number[]; version: number },
): PublishedWeights[] {
  return alphas.map((alpha) => {
    const width = String(100 * alpha).padStart(3, "0");
    const path = `${name}_${width}_224/classification/${version}/model.json?tfjs-format=file`;
    return { source: "tfhub", alpha, inputSize: 224, path, licence: MOBILENET_LICENCE };
  });
}

/** Widths as published names have them: `1.0`, `0.35`. */
export function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
