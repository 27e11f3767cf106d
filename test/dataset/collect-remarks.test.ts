import { join } from "node:path";
import { expect, test } from "vitest";
import { checkDataset } from "../../src/dataset/check.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { tooSmallForTraining } from "../../src/dataset/too-small.js";
import { fromRaw, pngBytes, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const ASPECTS = ["cat", "dog"].map((name) => ({ name, kind: "segmentation" }));

/** A set of one image of 4 x 4 for each line; what `checkDataset` says of its masks, boxes and sizes. */
async function remarksOf(
  name: string,
  lines: readonly object[],
  { files = {}, aspects = ASPECTS as readonly object[], inputSize = 0 } = {},
) {
  const picture = async (shade: number) =>
    fromRaw(
      rgb(4, 4, () => [shade, 0, 0]),
      4,
      4,
    )
      .png()
      .toBuffer();
  const images = await Promise.all(lines.map(async (_, i) => [`${i}.png`, await picture(i)] as const));
  const directory = await writeDataset(join(folder, name), {
    manifest: { classes: ["a", "b"], aspects },
    lines: lines.map((given, i) => ({ image: `${i}.png`, split: "train", label: i % 2 ? "a" : "b", aspects: given })),
    files: { ...Object.fromEntries(images), ...files },
  });
  const { faults, heads, warningCount } = await checkDataset(directory, inputSize ? { inputSize } : {});
  const said = faults
    .filter(({ message }) => !/split "|labelled in no|empty in every|is never used/.test(message))
    .map(
      ({ severity, line, message }) =>
        `${severity} ${line ?? "-"} ${message.replaceAll(directory, "").replace(/^.*?: /, "")}`,
    );
  return { said, heads, warningCount };
}

const four = (row: readonly number[]) => Array.from({ length: 4 }, () => row);

test("a graded mask is noted, and what looks like labels is named", async () => {
  const { said, warningCount } = await remarksOf(
    "graded",
    [{ cat: { mask: "g.png" } }, { cat: { mask: "l.png" } }, { dog: { mask: "g.png" } }],
    { files: { "g.png": pngBytes(four([0, 100, 128, 255])), "l.png": pngBytes(four([0, 1, 2, 7])) } },
  );
  expect(said).toEqual([
    'note 1 /g.png: is graded (0, 100, 128, 255); pixels of 128 (half of full scale) or more count as aspect "cat". The same holds for 1 more (aspects "cat", "dog").',
    'warning 2 /l.png: holds the values 0, 1, 2, 7, and all but 0 count as aspect "cat". Name those that mean it, as in "values": [1].',
  ]);
  expect(warningCount).toBe(3); // two splits are empty besides; a note is no warning
});

test("colours: two aspects on one file, a white background, several labels", async () => {
  const png = (colour: (x: number) => readonly number[]) =>
    fromRaw(rgb(4, 4, colour), 4, 4)
      .png()
      .toBuffer();
  const { said } = await remarksOf(
    "colours",
    [{ cat: { mask: "w.png" } }, { cat: { mask: "t.png" }, dog: { mask: "t.png" } }],
    {
      files: {
        "w.png": await png((x) => (x < 2 ? [128, 0, 0] : [255, 255, 255])),
        "t.png": await png(
          (x) =>
            [
              [0, 0, 0],
              [176, 0, 0],
              [0, 176, 0],
              [0, 0, 0],
            ][x],
        ),
      },
    },
  );
  expect(said).toEqual([
    expect.stringMatching(/^warning 1 \/w\.png: none of its colours is black; the brighter ones count as aspect "cat"/),
    expect.stringMatching(/^warning 2 \/t\.png: holds 3 colours; all but the darkest count as aspect "cat".*1 more/),
    expect.stringMatching(/^warning 2 \/t\.png: is the mask of "cat" and "dog" without "values"/),
  ]);
});

test("a JPEG in colours is said to be one, and nothing else", async () => {
  const jpeg = await fromRaw(
    rgb(4, 4, (x) => (x < 2 ? [1, 1, 1] : [255, 250, 250])),
    4,
    4,
  )
    .jpeg()
    .toBuffer();
  const { said } = await remarksOf("jpeg", [{ cat: { mask: "m.jpg" } }], { files: { "m.jpg": jpeg } });
  expect(said).toEqual([
    "warning 1 /m.jpg: a JPEG, whose compression changes values at every edge. Save masks as PNG.",
  ]);
});

test("absent values make one warning for all, and count as empty", async () => {
  const files = { "o.png": pngBytes(four([0, 0, 2, 2])), "i.png": pngBytes(four([0, 0, 1, 2])) };
  const lines = ["i", "o", "o", "i"].map((name) => ({
    cat: { mask: `${name}.png`, values: [1] },
    dog: { mask: `${name}.png`, values: [1] },
  }));
  const { said, heads } = await remarksOf("absent", lines, { files });
  expect(said).toEqual([
    'warning 2 /o.png: no pixel of aspect "cat" (the file holds 0, 2, "values" picks 1); it counts as empty. Write "mask": null if the aspect is absent. The same holds for 3 more (aspects "cat", "dog").',
  ]);
  expect(heads.cat.states.train).toEqual({ labelled: 2, empty: 2, unlabelled: 0 });
});

test("what the input size cannot show is counted by aspect, masks and boxes", async () => {
  const one = pngBytes([
    [0, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  const two = pngBytes([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 1, 1],
    [0, 0, 0, 0],
  ]);
  const lines = [
    { cat: { mask: "1.png.png" }, dog: { boxes: [[0, 0, 0.5, 0.4]] } },
    { cat: { mask: "2.png.png" }, dog: { boxes: [[0, 0, 0.5, 0.5]] } },
    { cat: { mask: null }, dog: { boxes: [] } },
  ];
  const options = { files: { "1.png.png": one, "2.png.png": two } };
  // At 2 px a pixel is 2 x 2 of the mask's: one of four is too little, two of four are half.
  const { said } = await remarksOf("small", lines, { ...options, inputSize: 2 });
  expect(said).toEqual([
    expect.stringMatching(
      /^warning - aspect "dog" is too small to be seen at 2 px in 1 of the 2 images that hold it\./,
    ),
    expect.stringMatching(
      /^warning - aspect "cat" is too small to be seen at 2 px in 1 of the 2 images that hold it\./,
    ),
  ]);
  expect((await remarksOf("enough", lines, { ...options, inputSize: 4 })).said).toEqual([]);
});

test("boxes that have an area as centre and size only are told once, beside the errors", async () => {
  const boxes = [
    [0.5, 0.5, 0.2, 0.2],
    [0.6, 0.6, 0.3, 0.1],
    [0.7, 0.4, 0.2, 0.2],
    [0.2, 0.2, 0.3, 0.3], // has an area either way
  ];
  const aspects = [{ name: "cat", kind: "boxes" }];
  const of = (name: string, list: readonly (readonly number[])[]) =>
    remarksOf(
      name,
      list.map((box) => ({ cat: { boxes: [box] } })),
      { aspects },
    );
  const { said } = await of("centred", boxes);
  expect(said.filter((text) => text.startsWith("error"))).toHaveLength(3);
  expect(said.at(-1)).toMatch(
    /^warning - the boxes of 3 of 4 images have no area as \[yMin, xMin, yMax, xMax\] but would as \[cx, cy, w, h\], and those of 1 more could be meant so too/,
  );
  const corners = Array.from({ length: 20 }, (_, i) => [0.01 * i, 0.1, 0.5, 0.5]);
  const slips = await of("slips", [...corners, ...boxes.slice(0, 3)]);
  expect(slips.said.filter((text) => !text.startsWith("error"))).toEqual([]);
});

test("before a training the same is said of some of its images, evenly spread, and of the heads that learn", async () => {
  const dot = (row: number) => pngBytes(Array.from({ length: 4 }, (_, y) => [y === row ? 1 : 0, 0, 0, 0]));
  const aspect = (i: number) => ({ cat: { mask: i % 2 ? "a.png" : "b.png" }, dog: { boxes: [[0, 0, 0.1, 0.1]] } });
  const directory = await writeDataset(join(folder, "before"), {
    manifest: { aspects: [ASPECTS[0], { name: "dog", kind: "boxes" }] },
    lines: Array.from({ length: 128 }, (_, i) => ({
      image: "x.png",
      split: "train",
      aspects: aspect(Math.floor(i / 2)),
    })),
    files: { "a.png": dot(1), "b.png": pngBytes(four([1, 1, 0, 0])) },
  });
  const dataset = await openDataset(directory);
  const said = await tooSmallForTraining(dataset, { inputSize: 2, aspects: ["cat"] });
  expect(said).toEqual([
    expect.stringMatching(
      /^aspect "cat" is too small to be seen at 2 px in 32 of the 64 images that hold it\. .* Of 64 training images; "aspectlens data check --input-size 2" counts all\.$/,
    ),
  ]);
});
