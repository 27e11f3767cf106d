/** Two reports open side by side, for rules that compare them. */

import { join } from "node:path";
import { InputError } from "../core/errors.js";
import { openDuck, quoted } from "../survey/duck.js";
import { REPORT_FILES } from "../survey/report-folder.js";
import { HERE, THERE } from "./selection.js";
import type { Ask } from "./tally.js";

/** Runs the work with the tables of both; the queries are ours, and name nothing else. */
export async function withBoth<Result>(
  folders: { readonly here: string; readonly there: string },
  { threads }: { threads: number },
  work: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  const duck = await openDuck({ threads });
  try {
    for (const [folder, views] of [
      [folders.here, HERE],
      [folders.there, THERE],
    ] as const)
      for (const table of ["images", "aspects"] as const)
        await duck.run(
          `CREATE VIEW ${views[table]} AS SELECT * FROM read_parquet(${quoted(join(folder, REPORT_FILES[table]))})`,
        );
    return await work((sql) => duck.rows(sql));
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`${folders.there}: cannot be compared (${(cause as Error).message.split("\n")[0]}).`, {
      cure: "Make both reports again, by the same version.",
      cause,
    });
  } finally {
    duck.close();
  }
}
