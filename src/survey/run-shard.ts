/** One shard of a report: its images explained by an open bundle, and written as one file. */

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Explainer } from "../bundle/explainer.js";
import { InputError } from "../core/errors.js";
import { exists } from "../core/files.js";
import { LIMITS } from "../core/limits.js";
import { explainedRow, failedRow, type ImageRow } from "./image-row.js";
import { type ReportPlan, readShardImages } from "./plan.js";
import type { PlannedImage } from "./planned-images.js";
import { fileOf } from "./planned-path.js";
import { shardFile } from "./report-folder.js";
import type { ShardWriter } from "./shard-writer.js";

/** What a shard is made with. */
export interface ShardOptions {
  readonly explainer: Pick<Explainer, "explainAll">;
  readonly writer: ShardWriter;
  /** Where the images' paths start; the plan's own root where it is absent. */
  readonly root?: string;
  /** Asked before the file is written, so that nothing of another bundle gets in. @throws where it was replaced. */
  readonly checkBundle: () => Promise<void>;
  /** Called after each image. */
  readonly onImage?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Explains the images of a shard and writes its file; a file that is there already stays. Images that cannot be read
 * become rows with their error.
 *
 * @param folder of the report.
 * @param number of the shard, from 0.
 * @throws the reason of `signal`, with nothing written; InputError where the file cannot be written.
 */
export async function runShard(
  folder: string,
  plan: ReportPlan,
  number: number,
  { explainer, writer, root = plan.images.root, checkBundle, onImage, signal }: ShardOptions,
): Promise<void> {
  const file = shardFile(folder, number);
  if (await exists(file)) return;
  const { first, images } = await readShardImages(folder, plan, number);
  const waiting: { planned: PlannedImage; image: number; path: string; sha256: Promise<string | null> }[] = [];
  const rows: ImageRow[] = [];
  async function* paths() {
    for (const [index, planned] of images.entries()) {
      signal?.throwIfAborted();
      const image = first + index;
      const path = pathOf(planned, { plan, root });
      if (path instanceof InputError) {
        const error = path.message.replaceAll(resolve(root, planned.path), planned.path);
        rows.push(failedRow(planned, { image, sha256: null, error }));
        onImage?.();
        continue;
      }
      waiting.push({ planned, image, path, sha256: hashOf(path) });
      yield path;
    }
  }
  for await (const outcome of explainer.explainAll(paths(), { signal })) {
    signal?.throwIfAborted();
    const next = waiting.shift();
    if (!next) throw new RangeError("more explanations than images");
    const { planned, image } = next;
    const sha256 = await next.sha256;
    if ("error" in outcome) {
      // Named as the plan does: a report tells nothing of where its images lie.
      const error = outcome.error.message.replaceAll(next.path, planned.path);
      rows.push(failedRow(planned, { image, sha256, error }));
    } else rows.push(explainedRow(planned, { image, sha256, explained: outcome.explained }));
    onImage?.();
  }
  rows.sort((a, b) => a.image - b.image);
  await checkBundle();
  await writer.write(file, rows, { plan: planKey(plan), shard: String(number) });
}

/** What the files of one plan have in common. */
export function planKey({ bundle, images, shardSize }: ReportPlan): string {
  return createHash("sha256").update([bundle.sha256, images.sha256, shardSize].join()).digest("hex");
}

function pathOf(planned: PlannedImage, at: { plan: ReportPlan; root: string }): string | InputError {
  try {
    return fileOf(planned, at);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Of a file; nothing of a pipe, and where it cannot be read, which the explainer says. */
async function hashOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > LIMITS.imageFileBytes) return null;
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch {
    return null;
  }
}
