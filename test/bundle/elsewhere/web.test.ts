import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findBrowser, replayInBrowser } from "./browser.js";
import { replayContract } from "./contract.js";

const browser = findBrowser() ?? "";
if (!browser) console.warn("skipped: no Chromium is here that runs; name one in $CHROMIUM");

describe.skipIf(!browser)("ONNX Runtime Web in a browser", () => {
  replayContract((folder) => replayInBrowser(folder, { browser }));

  test("is heard where it fails", async () => {
    const empty = await mkdtemp(join(tmpdir(), "aspectlens-"));
    const replayed = replayInBrowser(empty, { browser });
    await expect(replayed).rejects.toThrow("the page failed: Error: /bundle/weights.safetensors: status 404");
    await rmdir(empty);
  });
});
