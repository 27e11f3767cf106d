import { describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { orientationTest, THUMBNAIL } from "../../src/dataset/orientation.js";

const stream = random(4, "orientation");

/** Noise, brighter above by `sky`, with edges along rows from stripes of this strength. */
function image({ sky = 0, stripes = 0 }: { sky?: number; stripes?: number } = {}): Uint8Array {
  return Uint8Array.from({ length: 3 * THUMBNAIL ** 2 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / THUMBNAIL), Math.floor(i / 3) % THUMBNAIL];
    return 128 + 10 * stream.normal() + (y < THUMBNAIL / 2 ? sky : 0) + (x % 4 < 2 ? stripes : 0);
  });
}

function tested(make: () => Uint8Array) {
  const { addImage, result } = orientationTest();
  for (let index = 0; index < 64; index++) addImage(make());
  return result();
}

describe("what tells up from down", () => {
  test("is nothing in noise", () => {
    const { images, upDown, rowsColumns } = tested(() => image());
    expect(images).toBe(64);
    expect(Math.max(upDown, rowsColumns)).toBeLessThan(3);
  });

  test("is a bright sky, and stripes tell rows from columns alone", () => {
    expect(tested(() => image({ sky: 5 })).upDown).toBeGreaterThan(10);
    const striped = tested(() => image({ stripes: 20 }));
    expect(striped.upDown).toBeLessThan(3);
    expect(striped.rowsColumns).toBeGreaterThan(10);
  });

  test("is where things lie, and their shape tells rows from columns", () => {
    const { addBoxes, result } = orientationTest();
    for (let index = 0; index < 64; index++) {
      const [y, x] = [stream.uniform(0, 0.4), stream.uniform(0, 0.8)];
      addBoxes([[y, x, y + 0.1, x + 0.2]]);
    }
    expect(result().upDown).toBeGreaterThan(10);
    expect(result().rowsColumns).toBeGreaterThan(10);
  });
});
