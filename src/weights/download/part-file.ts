/** A partial download: `<to>.part`, its running checksum, and its source in `<to>.part.json`. */

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DownloadError, InputError } from "../../core/errors.js";
import { makeFolder, writeJson } from "../../core/files.js";

/** The source of the bytes, with the validators that the server gave. */
export interface PartSource {
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Bytes of the whole file, if the server gives it. */
  readonly bytes?: number;
}

/** Has one owner at a time, who calls `close`. */
export class PartFile {
  readonly path: string;
  readonly #to: string;
  readonly #handle: FileHandle;
  #hash = createHash("sha256");
  #done = 0;
  #source: PartSource | undefined;
  #isPatched = false;
  #isOpen = true;
  /** Whether the file has no bytes of an earlier call, so that it may be removed. */
  #isOurs: boolean;

  private constructor(to: string, handle: FileHandle, isOurs: boolean) {
    this.#to = to;
    this.path = `${to}.part`;
    this.#handle = handle;
    this.#isOurs = isOurs;
  }

  /**
   * Opens the part file of `to`. Bytes that an earlier call left of the same address count as done; they are hashed
   * here, before a connection is open that would have to wait.
   *
   * @throws DownloadError naming the file, if it cannot be written.
   */
  static async open(to: string, url: string): Promise<PartFile> {
    const path = `${to}.part`;
    const handle = await onDisk(path, async () => {
      await makeFolder(dirname(to));
      return open(path, constants.O_RDWR | constants.O_CREAT);
    });
    try {
      const { size } = await handle.stat();
      const part = new PartFile(to, handle, size === 0);
      const source = size > 0 ? await readSource(`${path}.json`) : undefined;
      if (source?.url === url) await part.#take(source);
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Number of bytes that are written and hashed. */
  get done(): number {
    return this.#done;
  }

  get source(): PartSource | undefined {
    return this.#source;
  }

  /** Whether the bytes come from more than one response, so that a wrong checksum may result from joining them. */
  get isPatched(): boolean {
    return this.#isPatched;
  }

  /** Restarts with bytes from `source`. The file is emptied first, so that a crash never mixes two sources. */
  async restart(source: PartSource): Promise<void> {
    await this.empty();
    await writeJson(`${this.path}.json`, source);
    this.#source = source;
  }

  async empty(): Promise<void> {
    await onDisk(this.path, () => this.#handle.truncate(0));
    this.#hash = createHash("sha256");
    this.#done = 0;
    this.#source = undefined;
    this.#isPatched = false;
    this.#isOurs = true;
  }

  /** Marks that the next bytes come from another response. */
  patch(): void {
    this.#isPatched = true;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await onDisk(this.path, async () => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#done + at);
        at += bytesWritten;
      }
    });
    this.#hash.update(bytes);
    this.#done += bytes.length;
  }

  /** SHA-256 of the bytes so far, in lower-case hexadecimal digits. */
  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Flushes the file to disk, then gives it its final name. */
  async commit(): Promise<void> {
    await onDisk(this.#to, async () => {
      await this.#handle.truncate(this.#done);
      await this.#handle.datasync();
      await this.#handle.close();
      this.#isOpen = false;
      await rename(this.path, this.#to);
    });
    await rm(`${this.path}.json`, { force: true });
  }

  /** Closes the file. Bytes stay for a later call; an empty file is removed. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
    if (this.#done > 0 || !this.#isOurs) return;
    await rm(this.path, { force: true });
    await rm(`${this.path}.json`, { force: true });
  }

  async #take(source: PartSource): Promise<void> {
    for await (const chunk of this.#handle.createReadStream({ start: 0, autoClose: false })) {
      this.#hash.update(chunk);
      this.#done += chunk.length;
    }
    this.#source = source;
  }
}

/** A description that a crash left half written counts as absent, and the download restarts. */
async function readSource(path: string): Promise<PartSource | undefined> {
  try {
    const source = JSON.parse(await readFile(path, "utf8")) as Partial<Record<keyof PartSource, unknown>> | null;
    const { url, etag, lastModified, bytes } = source ?? {};
    if (typeof url !== "string") return undefined;
    return {
      url,
      etag: typeof etag === "string" ? etag : undefined,
      lastModified: typeof lastModified === "string" ? lastModified : undefined,
      bytes: typeof bytes === "number" ? bytes : undefined,
    };
  } catch {
    return undefined;
  }
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const failure = cause instanceof InputError ? cause.cause : cause; // the system's error, not that of `makeFolder`
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new DownloadError(`${path}: cannot be written: ${why}.`, {
      cure: "Choose another place, or make this one writable.",
      cause,
    });
  }
}
