/** The counts of `scripts/house.js` on a tree so small that they are counted by hand. */

import { describe, expect, test } from "vitest";
import { countHouse } from "../../scripts/house/count-house.js";
import { housePage } from "../../scripts/house/house-page.js";

const SIX = ["one();", "two();", "three();", "four();", "five();", "six();"];

const FILES = {
  "index.ts": 'export { first } from "./room/first.js";\n',
  // A circle that only import() closes.
  "room/first.ts": 'import { second } from "./second.js";\nexport const first = () => second;\n',
  "room/second.ts": 'export const second = () => import("./first.js");\nexport const shared = 1;\n',
  // One that types close: typeof import() one way, import type the other.
  "other/third.ts": 'export type Third = typeof import("./fourth.js");\nexport function shared() {}\n',
  "other/fourth.ts": 'import type { Third } from "./third.js";\nexport const fourth: Third | null = null;\n',
  // A worker, which asks for its starter; and comments in JavaScript.
  "other/start.ts": 'export const url = new URL("./worker.js", import.meta.url);\n',
  "other/worker.js":
    '/** @type {import("./inner/first.js").Long} */\nexport const worker = null;\nimport "./start.js";\n',
  "other/inner/first.ts": `export type Long = 1;\n// ${"x".repeat(130)}\n${SIX.join("\n")}\n`,
  "room/again.ts": `import "./second.js";\n\n  ${SIX.join("\n\n  ")}\nexport function long() {${"\n".repeat(60)}}\n`,
};

const house = countHouse(Object.entries(FILES).map(([path, text]) => ({ path, text })));

describe("the counted house", () => {
  test("finds circles through import() and workers, and those through types apart", () => {
    expect(house.circles.atRuntime.map((circle) => circle.toSorted())).toEqual([
      ["room/first.ts", "room/second.ts"],
      ["other/start.ts", "other/worker.js"],
    ]);
    expect(house.circles.throughTypes.map((circle) => circle.toSorted())).toEqual([
      ["other/fourth.ts", "other/third.ts"],
    ]);
  });

  test("counts files, entries and arrows of each room", () => {
    expect(house.rooms).toEqual([
      { room: ".", files: 1, entries: 3, arrows: 1 }, // index.ts -> room
      { room: "other", files: 4, entries: 5, arrows: 5 }, // two circles, worker.js -> inner
      { room: "other/inner", files: 1, entries: 1, arrows: 0 },
      { room: "room", files: 3, entries: 3, arrows: 3 }, // a circle, again -> second
    ]);
    expect(house.arrows).toEqual({
      betweenRooms: 2,
      pairsOfRooms: [". -> room", "other -> other/inner"],
      insideRooms: 7,
    });
  });

  test("names what occurs twice, but not what is passed on", () => {
    expect(house.fileNamesTwice).toEqual([{ name: "first", files: ["room/first.ts", "other/inner/first.ts"] }]);
    expect(house.exportsTwice).toEqual([{ name: "shared", files: ["room/second.ts", "other/third.ts"] }]);
  });

  test("finds repeated lines whatever their indentation and the empty lines between them", () => {
    expect(house.repeated).toEqual({
      lines: 12,
      clusters: [
        [
          { file: "other/inner/first.ts", line: 3, length: 6 },
          { file: "room/again.ts", line: 3, length: 6 },
        ],
      ],
    });
  });

  test("measures files, lines and functions", () => {
    expect(house.files.longest[0]).toEqual({ file: "room/again.ts", lines: 74 }); // 2 + 11 + 61
    expect(house.longLines).toEqual(["other/inner/first.ts:2"]);
    expect(house.longFunctions).toEqual([{ name: "long", file: "room/again.ts", lines: 61 }]);
  });

  test("sets two trees side by side", () => {
    const before = countHouse([{ path: "index.ts", text: "export {};\n" }]);
    const page = housePage([
      { title: "before", house: before },
      { title: "after", house },
    ]);
    expect(page).toContain("|  | before | after |");
    expect(page).toContain("| import circles | 0 | 2 |");
    expect(page).toContain("| `src/room` |  | 3 / 3 / 3 |");
  });
});
