/** DuckDB inside this process: opened when it is needed, closed to the network, its errors as ours. */

import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { InputError } from "../core/errors.js";
import { refused } from "../core/files.js";

/** What a query gives, by column; whole numbers are numbers. */
export type ReportRow = Readonly<Record<string, unknown>>;

/** An open database in memory. Whoever opened it closes it. */
export interface Duck {
  /** Runs a statement that gives nothing. `at` is the file that it writes, for messages. */
  run(sql: string, values?: readonly DuckDBValue[], at?: string): Promise<void>;
  rows(sql: string, values?: readonly DuckDBValue[]): Promise<ReportRow[]>;
  /** From here on only these files can be read, and nothing else of this machine or of another one. */
  shut(files: readonly string[]): Promise<void>;
  /** The kinds of the statements in a text. */
  statements(sql: string): Promise<string[]>;
  close(): void;
}

/** Nothing is fetched: what is needed is linked in. */
const CLOSED = {
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
  allow_community_extensions: "false",
};

/**
 * @param options.threads of the queries.
 * @param options.memory that they may take before they write to `scratch`, as "1GB".
 * @param options.scratch folder for what does not fit; without one such a query fails.
 */
export async function openDuck({
  threads = 1,
  memory = "1GB",
  scratch,
}: {
  threads?: number;
  memory?: string;
  scratch?: string;
} = {}): Promise<Duck> {
  const { DuckDBInstance, StatementType } = await import("@duckdb/node-api");
  const database = await DuckDBInstance.create(":memory:", {
    ...CLOSED,
    ...{ threads: String(threads), memory_limit: memory, temp_directory: scratch ?? "" },
  });
  const connection: DuckDBConnection = await database.connect();
  const run: Duck["run"] = async (sql, values, at) => {
    await connection.run(sql, values && [...values]).catch((cause: unknown) => {
      throw at === undefined ? cause : ofFile(at, cause);
    });
  };
  return {
    run,
    async rows(sql, values) {
      const reader = await connection.runAndReadAll(sql, values && [...values]);
      return reader.getRowObjectsJS().map((row) => plain(row) as ReportRow);
    },
    async shut(files) {
      await run(`SET allowed_paths = [${files.map(quoted).join(", ")}]`);
      await run("SET enable_external_access = false");
      await run("SET lock_configuration = true");
    },
    async statements(sql) {
      const extracted = await connection.extractStatements(sql);
      const kinds: string[] = [];
      for (let index = 0; index < extracted.count; index++)
        kinds.push(StatementType[(await extracted.prepare(index)).statementType]);
      return kinds;
    },
    close() {
      connection.closeSync();
      database.closeSync();
    },
  };
}

/** A text as a literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What the system says in DuckDB's messages. */
const MET: readonly (readonly [words: RegExp, code: string])[] = [
  [/No space left/, "ENOSPC"],
  [/[Qq]uota/, "EDQUOT"],
  [/Read-only file system/, "EROFS"],
  [/Permission denied/, "EACCES"],
  [/File too large/, "EFBIG"],
  [/Input\/output error/, "EIO"],
];

/** A file that cannot be written, or was damaged: for the user to mend. */
function ofFile(file: string, cause: unknown): unknown {
  const { message } = cause as Error;
  const [, code] = MET.find(([words]) => words.test(message)) ?? [];
  if (code !== undefined) return refused(file, Object.assign(new Error(message, { cause }), { code }));
  return cause;
}

/** @throws InputError where a file of ours is none any more, naming the cure. */
export function damaged(file: string, cause: unknown): InputError {
  return new InputError(`${file}: is damaged (${(cause as Error).message.split("\n")[0]}).`, {
    ...{ cure: "Remove it, and run the report again.", cause, file },
  });
}

/** Whole numbers come as BigInt, maps as lists of entries. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}
