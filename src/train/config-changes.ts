/** What of a configuration is not as the run's folder has it. */

import { join } from "node:path";
import { shown } from "../core/message-text.js";
import { configDifferences } from "./compare-runs.js";
import type { TrainConfig } from "./config.js";
import { readObject } from "./read-run.js";

/** Changes that are told. */
const MOST = 3;

/** In brackets, as the end of a sentence; empty where nothing differs. */
export async function changesSince(config: TrainConfig): Promise<string> {
  const written = await readObject(join(config.out, "config.json"));
  const changes = written ? configDifferences({ config: written }, { config }) : [];
  const told = changes.slice(0, MOST).map(({ key, a, b }) => `${key} was ${shown(a)}, is ${shown(b)}`);
  if (changes.length > MOST) told.push("and more");
  return told.length === 0 ? "" : ` (${told.join("; ")})`;
}
