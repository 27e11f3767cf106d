/** What an import says of a malformed export, and that it leaves nothing behind. */

import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { InputError } from "../../src/core/errors.js";
import { type ImportReport, importAnnotations } from "../../src/dataset/formats/import.js";
import { writeFiles } from "./write-files.js";

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Imports an export whose files are given, and expects one line that fits and an empty folder. */
export async function expectRefusal(files: Files, { from, message }: { from: string; message: RegExp }): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), "refused-"));
  const error = await importAnnotations([writeFiles(files)], join(parent, "set"), { from }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  // The command line ends with 2 for these, and for no others.
  expect(error).toBeInstanceOf(InputError);
  expect(error?.message).toMatch(message);
  expect(error?.message).not.toContain("\n");
  // The cure is a sentence of its own.
  expect(error?.message).toMatch(/\. [A-Z][^.]*.*\.$|: ffmpeg .*$/);
  expect(readdirSync(parent)).toEqual([]);
}

/** Imports what only looks malformed. @returns the report, and the samples by the name of their image. */
export async function expectAccepted(
  files: Files,
  { from }: { from: string },
): Promise<{ report: ImportReport; samples: Readonly<Record<string, unknown>> }> {
  const folder = join(mkdtempSync(join(tmpdir(), "accepted-")), "set");
  const report = await importAnnotations([writeFiles(files)], folder, { from });
  // Sets of two or three images lack classes in some split.
  const notes = report.notes.filter((note) => !note.startsWith("classes that no "));
  const lines = readFileSync(join(folder, "samples.jsonl"), "utf8").trim().split("\n");
  const samples = lines.map((line) => JSON.parse(line)).map(({ image, ...rest }) => [image, rest] as const);
  return { report: { ...report, notes }, samples: Object.fromEntries(samples) };
}

/** The same with every run of a mask as a list, so that it can be compared. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (item instanceof Uint32Array ? [...item] : item)));
}
