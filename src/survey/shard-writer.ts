/** Writes the rows of a shard as one Parquet file, whole or not at all, and never a second time. */

import { open, rm } from "node:fs/promises";
import { refused, temporaryName } from "../core/files.js";
import { linkOnce } from "../core/link-once.js";
import { openDuck, quoted } from "./duck.js";
import { COLUMNS, type ImageRow } from "./image-row.js";

/** Opened once for many shards; whoever opened it closes it. */
export interface ShardWriter {
  /**
   * @param about stands in the file, so that it can be told whose it is.
   * @throws InputError naming the file where it cannot be written; nothing is left of it then.
   */
  write(file: string, rows: readonly ImageRow[], about: Readonly<Record<string, string>>): Promise<void>;
  close(): void;
}

export async function openShardWriter(): Promise<ShardWriter> {
  const duck = await openDuck({ threads: 1 });
  const type = quoted(JSON.stringify([COLUMNS]));
  return {
    async write(file, rows, about) {
      const temporary = temporaryName(file);
      const facts = Object.entries(about).map(([key, value]) => `${key}: ${quoted(value)}`);
      try {
        await duck.run(
          `CREATE OR REPLACE TEMP TABLE shard AS SELECT unnest(from_json($1::JSON, ${type})) AS row`,
          [JSON.stringify(rows)],
          file,
        );
        await duck.run(
          `COPY (SELECT unnest(row) FROM shard) TO ${quoted(temporary)}
           (FORMAT parquet, COMPRESSION zstd, KV_METADATA {${facts.join(", ")}})`,
          undefined,
          file,
        );
        await flush(temporary);
        await linkOnce(temporary, file);
      } catch (cause) {
        throw refused(file, cause);
      } finally {
        await rm(temporary, { force: true }).catch(() => {});
      }
    },
    close: () => duck.close(),
  };
}

/** To the disk, so that after a power cut a linked file is a whole one. */
async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.sync().finally(() => file.close());
}
