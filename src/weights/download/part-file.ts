/** A download in the making: `<to>.part`, its running checksum, and in `<to>.part.json` what its bytes were read from. */

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DownloadError, InputError } from "../../core/errors.js";
import { makeFolder, writeJson } from "../../core/files.js";

/** What the bytes were read from; the validators as the server gave them. */
export interface PartSource {
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Of the whole file, where the server says. */
  readonly bytes?: number;
}

/** One owner at a time; it calls `close`. */
export class PartFile {
  readonly path: string;
  readonly #to: string;
  readonly #handle: FileHandle;
  #hash = createHash("sha256");
  #done = 0;
  #source: PartSource | undefined;
  #isPatched = false;
  #isOpen = true;
  /** Whether nothing of an earlier call is in the file: then it may be removed. */
  #isOurs: boolean;

  private constructor(to: string, handle: FileHandle, isOurs: boolean) {
    this.#to = to;
    this.path = `${to}.part`;
    this.#handle = handle;
    this.#isOurs = isOurs;
  }

  /**
   * Opens the part of the file `to`; what an earlier call left of the same address counts as done, and is hashed here,
   * before a connection is open that would wait for it.
   *
   * @throws DownloadError naming the file, where it cannot be written.
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

  /** Bytes that are there and hashed. */
  get done(): number {
    return this.#done;
  }

  get source(): PartSource | undefined {
    return this.#source;
  }

  /** Whether the bytes come from more than one response, so that a wrong checksum may be the seam's fault. */
  get isPatched(): boolean {
    return this.#isPatched;
  }

  /** Forgets what is there; from now on the bytes come from `source`. The file is emptied first: a crash never mixes two. */
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

  /** Says that what is appended next comes from another response. */
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

  /** Of what is there now, in lower-case hexadecimal digits. */
  sha256(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Gives the file its final name; it is on the disk before it has it. */
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

  /** What has come stays for a later call; where nothing has, nothing is left behind. */
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

/** What a crash may have left half written counts as absent: the download then starts anew. */
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
    const failure = cause instanceof InputError ? cause.cause : cause; // what the system said, not `makeFolder`
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new DownloadError(`${path}: cannot be written: ${why}.`, {
      cure: "Choose another place, or make this one writable.",
      cause,
    });
  }
}
