import sharp from "sharp";
import { expect, test } from "vitest";
import { annotateImage } from "../../src/annotate/annotate-image.js";
import { ImageError } from "../../src/core/errors.js";
import { random } from "../../src/core/random.js";
import { explained } from "../pictures/fixtures.js";
import { everyKind } from "./files.js";

/** Mutants of each kind; 100 of them by default, so that the suite stays short. */
const COUNT = Number(process.env.ASPECTLENS_FUZZ ?? 100);
const { explanation } = explained;

/** Cut off, changed in up to four bytes, or with a few bytes more or less; mostly near the beginning, where lengths are. */
function mutant(bytes: Buffer, seed: number): Buffer {
  const stream = random(seed, "mutant", bytes.length);
  const place = () => stream.integer(stream.next() < 0.7 ? Math.min(bytes.length, 600) : bytes.length);
  const kind = stream.next();
  if (kind < 0.2) return bytes.subarray(0, stream.integer(bytes.length));
  if (kind < 0.3) return Buffer.concat([bytes.subarray(0, place()), bytes.subarray(place())]);
  const changed = Buffer.from(bytes);
  for (let count = 1 + stream.integer(4); count > 0; count--) {
    const at = place();
    changed[at] =
      stream.next() < 0.5 ? changed[at] ^ (1 << stream.integer(8)) : [0, 0xff, 0x7f, 0x80][stream.integer(4)];
  }
  return changed;
}

async function decoded(bytes: Uint8Array): Promise<Buffer | undefined> {
  try {
    return await sharp(bytes, { failOn: "error", limitInputPixels: 4_000_000 }).raw().toBuffer();
  } catch {
    return undefined;
  }
}

test(`damaged files are refused in one line, or annotated and decoded to the same pixels (${COUNT} of each kind)`, async () => {
  const counts = { refused: 0, annotated: 0, decoded: 0 };
  for (const [name, bytes] of Object.entries(await everyKind())) {
    for (let seed = 0; seed < COUNT; seed++) {
      const file = mutant(bytes, seed);
      const where = `${name}, mutant ${seed}`;
      let written: Uint8Array;
      try {
        written = annotateImage(file, explanation, { name, model: "m" });
      } catch (error) {
        expect(error, where).toBeInstanceOf(ImageError);
        expect((error as Error).message, where).toMatch(new RegExp(`^${name}: [^\n]+$`));
        counts.refused++;
        continue;
      }
      counts.annotated++;
      const pixels = await decoded(file);
      if (!pixels) continue;
      const after = await decoded(written);
      // A broken second page fails or not, from call to call.
      if (!after && !(await decoded(file))) continue;
      counts.decoded++;
      expect(after && Buffer.compare(after, pixels), where).toBe(0);
      // A second time it says the same already.
      const again = annotateImage(written, explanation, { name, model: "m" });
      expect(Buffer.compare(Buffer.from(again), Buffer.from(written)), `${where}, again`).toBe(0);
    }
  }
  console.log(JSON.stringify(counts));
  expect(counts.refused).toBeGreaterThan(COUNT);
  expect(counts.decoded).toBeGreaterThan(COUNT);
}, 600_000);
