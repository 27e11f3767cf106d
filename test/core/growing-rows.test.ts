import { expect, test } from "vitest";
import { growingRows } from "../../src/core/growing-rows.js";

test("rows keep their numbers while the array grows", () => {
  const rows = growingRows((length) => new Uint32Array(length), 3);
  const wanted = Array.from({ length: 1000 }, (_, at) => [at, 2 ** 31 + at, 7 * at]);
  for (const row of wanted) rows.add(Uint32Array.from(row));
  for (const [at, row] of wanted.entries()) {
    expect([...rows.row(at)]).toEqual(row);
    expect(rows.value(at, 1)).toBe(row[1]);
  }
});
