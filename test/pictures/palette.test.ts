import { expect, test } from "vitest";
import { aspectColour, toHex } from "../../src/pictures/palette.js";

test("21 aspects have 21 colours, then they begin again", () => {
  const colours = Array.from({ length: 22 }, (_, index) => toHex(aspectColour(index)));
  expect(new Set(colours.slice(0, 21)).size).toBe(21);
  expect(colours[21]).toBe(colours[0]);
  // Orange, half as far from black, half as far from white.
  expect([colours[0], colours[7], colours[14]]).toEqual(["#e69f00", "#7d5c0e", "#f3cf80"]);
});
