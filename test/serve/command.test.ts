/** `aspectlens serve` as a process: it listens, opens its bundle anew on SIGHUP, and ends with what runs finished. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { tinyModel } from "../bundle/tiny-model.js";
import { aspectlens } from "../helpers/command.js";

let folder: string;
let png: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-serve-"));
  await exportBundle(tinyModel(), join(folder, "tiny.aspect"), { name: "tiny" });
  png = await sharp({ create: { width: 64, height: 64, channels: 3, background: "teal" } })
    .png()
    .toBuffer();
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test("listens, reloads on SIGHUP, and on SIGTERM finishes what runs and ends", async () => {
  let answers: Promise<number[]> | undefined;
  let said = "";
  const ended = await aspectlens(["serve", "tiny.aspect", "--port", "0", "--json"], {
    cwd: folder,
    onStderr: (text) => {
      said = text;
    },
    onStart: (child) =>
      child.stdout?.once("data", (text: Buffer) => {
        const { url, models } = JSON.parse(`${text}`);
        expect(models).toEqual(["tiny"]);
        const ask = async () =>
          (
            await fetch(`${url}/v1/explain`, {
              method: "POST",
              headers: { "content-type": "image/png" },
              body: new Uint8Array(png),
            })
          ).status;
        answers = (async () => {
          const first = await ask();
          child.kill("SIGHUP");
          while (!said.includes("reloaded")) await new Promise((resolve) => setTimeout(resolve, 20));
          const running = Promise.all([ask(), ask(), ask()]);
          while (!(await (await fetch(`${url}/metrics`)).text()).includes("aspectlens_in_flight 3"))
            if ((await Promise.race([running, undefined])) !== undefined) break;
          child.kill("SIGTERM");
          return [first, ...(await running)];
        })();
      }),
  });
  expect(await answers).toEqual([200, 200, 200, 200]);
  expect(ended.code).toBe(0);
}, 60_000);

test.each([
  [["nothing.aspect"], /nothing\.aspect: no such file/],
  [["tiny.aspect", "tiny.aspect"], /has the name "tiny", as tiny\.aspect has\. Export one of them with another --name/],
  [["tiny.aspect", "--port", "x"], /--port x: expected a whole number from 0 to 65535/],
  [["tiny.aspect", "--token", "short"], /--token: fewer than 8 characters/],
  [["tiny.aspect", "--token", "long enough", "--token-file", "x"], /cannot be used together/],
  [["tiny.aspect", "--host", "192.0.2.1", "--port", "8080"], /--port 8080: cannot listen on 192\.0\.2\.1/],
])("%j is one line, and exit code 2", async (args, message) => {
  await writeFile(join(folder, "token"), "x");
  const { code, stderr } = await aspectlens(["serve", ...args], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr.trim().split("\n").at(-1)).toMatch(message);
});
