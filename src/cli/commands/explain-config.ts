/** `aspectlens train --explain-config`: each setting that a training would have, and why; trains nothing. */

import { isRecord } from "../../core/json-values.js";
import { formatTable } from "../../core/text-table.js";
import type { RawConfig } from "../../train/config.js";
import { planTraining } from "../../workflows/train-plan.js";
import { printJson, printLine } from "../output.js";

/** @param options.addHeads a finished run that heads would be added to. */
export async function explainConfig(
  raw: RawConfig,
  { addHeads, json = false }: { addHeads?: string; json?: boolean },
): Promise<void> {
  const { config, reasons, fingerprint, ...plan } = await planTraining(raw, { addHeadsTo: addHeads });
  const notes = [...plan.notes, ...(fingerprint.remark === undefined ? [] : [fingerprint.remark])];
  if (json) return printJson({ config, reasons, fingerprint, notes });
  const given = new Set(flat(raw).map(([key]) => key));
  const rows = flat(config).map(([key, value]) => {
    const why = given.has(key) ? "given" : (reasons[key] ?? "");
    return [key, value, why];
  });
  for (const line of formatTable([["key", "value", "why"], ...rows], { numbers: "left" })) printLine(line);
  printLine();
  for (const note of notes) printLine(`note: ${note}`);
  printLine("Without a reason: the default of docs/configuration.md. Every key can be set.");
}

/** Keys of an object with the values in it, as `--set` names them. */
function flat(value: unknown, prefix = ""): [key: string, text: string][] {
  const isList = Array.isArray(value) && value.every((entry) => typeof entry !== "object");
  if (!isRecord(value) && (isList || !Array.isArray(value)))
    return [[prefix, isList ? (value as unknown[]).join(", ") : String(value)]];
  return Object.entries(value as object).flatMap(([key, entry]) =>
    flat(entry, prefix === "" ? key : `${prefix}.${key}`),
  );
}
