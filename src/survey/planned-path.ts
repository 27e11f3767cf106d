/** Where the file of a planned image lies. */

import { resolve } from "node:path";
import { locate } from "../dataset/paths.js";
import type { ReportPlan } from "./plan.js";
import type { PlannedImage } from "./planned-images.js";

/**
 * @param options.root where paths start.
 * @throws ImageError where a link leads out of a dataset that does not allow that.
 */
export function fileOf(
  { path }: Pick<PlannedImage, "path">,
  { plan, root }: { plan: ReportPlan; root: string },
): string {
  const { allowLinks } = plan.images;
  return allowLinks ? resolve(root, path) : locate({ directory: root, manifest: { allowLinks } }, path);
}
