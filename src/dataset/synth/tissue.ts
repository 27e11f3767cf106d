/** Synthetic tissue: the objects in an image, their looks, and the ground truth that follows. */

import type { Box } from "../../core/box.js";
import type { Random } from "../../core/random.js";
import type { AspectDeclaration } from "../manifest.js";
import { boxesOf, type Canvas, canvas, draw, type Paint, visibleArea } from "./canvas.js";
import { blob, ellipse, rectangle, star, tube } from "./shapes.js";
import { expose, ground, imageStream, type RgbColour, valueNoise } from "./texture.js";

/** The kinds of objects, and the pixel value of each in the indexed mask. */
export const THINGS = { nucleus: 1, necrosis: 2, mitosis: 3, lymphocyte: 4, vessel: 5, "scanner-tag": 6 } as const;
export type ThingName = keyof typeof THINGS;
/** Aspects that may cause the class; the scanner tag only correlates with it. */
export const POSSIBLE_CAUSES = ["mitosis", "necrosis", "nucleus", "lymphocyte", "vessel"] as const;
/** An aspect of synthetic tissue that may decide the class. */
export type Cause = (typeof POSSIBLE_CAUSES)[number];

export const ASPECTS: readonly AspectDeclaration[] = [
  { name: "nucleus", kind: "segmentation" },
  { name: "necrosis", kind: "segmentation" },
  { name: "mitosis", kind: "boxes" },
  { name: "lymphocyte", kind: "boxes" },
  { name: "vessel", kind: "presence" },
  { name: "scanner-tag", kind: "presence" },
  { name: "cellularity", kind: "amount" },
];

/** What synthetic tissue looks like, and what decides its class. */
export interface TissueOptions {
  readonly seed: number;
  /** Side, pixels; objects scale with it, but (at `scale` 1) are never smaller than 10 pixels. */
  readonly size: number;
  /** Size of the objects beside the usual one, in an image of the same size and with as many of them. */
  readonly scale: number;
  /** Standard deviation of the pixel noise as a share of 255. */
  readonly noise: number;
  /** The class is malignant where one of these is present, else benign. */
  readonly causes: readonly Cause[];
  /** Probability of the tag in malignant images, and of its absence in benign ones; at 0.5 they are independent. */
  readonly tagCorrelation: number;
  /**
   * `usual`: a scanner tag comes without vessels and lymphocytes; `unusual`: it comes with both. Anything may come together
   * where it is absent.
   */
  readonly combination?: "usual" | "unusual";
}

/** What an unusual image shows beside a tag, and no usual one does. */
const NOT_BESIDE_TAG = ["vessel", "lymphocyte"] as const;

export interface Tissue {
  /** `[size, size, 3]` RGB. */
  readonly image: Uint8Array;
  /** `[size * size]`, values of `THINGS`, 0 for the background; exactly the visible pixels. */
  readonly mask: Uint8Array;
  /** Tight boxes around each visible object. */
  readonly boxes: Readonly<Record<ThingName, readonly Box[]>>;
  /** 0..1: the share of the image that nuclei cover, scaled so that an eighth or more is 1. */
  readonly cellularity: number;
  readonly isMalignant: boolean;
  /** The causes that are present; empty for a benign image. */
  readonly causes: readonly Cause[];
}

/** How often each object is in an image, if it is not a cause. */
const FREQUENCY: Readonly<Record<Cause, number>> = {
  nucleus: 0.7,
  lymphocyte: 0.5,
  vessel: 0.5,
  necrosis: 0.4,
  mitosis: 0.4,
};
const TRIES = 60;
/** Least width and height of what is seen of an object, pixels. */
const LEAST_SIDE = 10;
const DENSE = 1 / 8;

/** One image with its ground truth; the same for the same seed and index. */
export function drawTissue(index: number, options: TissueOptions): Tissue {
  if (options.combination !== "unusual") return drawScene(index, "scene", options);
  // Where there was no room for one of its things, it is drawn anew.
  for (let attempt = 1; ; attempt++) {
    const drawn = drawScene(index, `scene ${attempt}`, options);
    const isWhole = ["scanner-tag", ...NOT_BESIDE_TAG].every((name) => drawn.boxes[name as ThingName].length > 0);
    if (isWhole || attempt >= TRIES) return drawn;
  }
}

function drawScene(index: number, scene: string, options: TissueOptions): Tissue {
  const { seed, size, scale, noise, causes, tagCorrelation, combination } = options;
  const stream = imageStream(seed, index, scene);
  const isWanted = wantedThings(causes, stream);
  const on = canvas(size, ground(size, imageStream(seed, index, "ground")), { smallest: LEAST_SIDE * scale });
  const malignant = causes.some((cause) => isWanted[cause]);
  const unit: Unit = { pixels: (size / 128) * scale, least: scale };
  const has = (aspect: ThingName) => on.things.some((thing) => thing.aspect === aspect);
  const isTagged = stream.next() < (malignant ? tagCorrelation : 1 - tagCorrelation) || combination === "unusual";
  if (isTagged) place(on, () => scannerTag(size, unit, stream));
  if (isTagged && combination) for (const name of NOT_BESIDE_TAG) isWanted[name] = combination === "unusual";
  if (isWanted.vessel) place(on, () => vessel(size, unit, stream));
  if (isWanted.necrosis) place(on, () => necrosis(size, unit, stream));
  if (isWanted.nucleus) repeat(2 + stream.integer(7), () => place(on, () => nucleus(size, unit, stream)));
  if (isWanted.lymphocyte) repeat(1 + stream.integer(6), () => place(on, () => lymphocyte(size, unit, stream)));
  if (isWanted.mitosis) repeat(1 + stream.integer(3), () => place(on, () => mitosis(size, unit, stream)));
  // Objects for which there was no room are absent: the ground truth is what was drawn.
  const present = causes.filter(has);
  const names = Object.keys(THINGS) as ThingName[];
  return {
    image: expose(on.rgb, noise, imageStream(seed, index, "noise")),
    mask: toValues(on),
    boxes: Object.fromEntries(names.map((name) => [name, boxesOf(on, name)])) as Record<ThingName, Box[]>,
    cellularity: Math.min(1, visibleArea(on, "nucleus") / (size * scale) ** 2 / DENSE),
    isMalignant: present.length > 0,
    causes: present,
  };
}

/** The indexed mask: the value of the topmost object at each pixel. */
function toValues({ owner, things }: Canvas): Uint8Array {
  const values = [0, ...things.map((thing) => THINGS[thing.aspect as ThingName])]; // all of them are things
  const mask = new Uint8Array(owner.length);
  for (let pixel = 0; pixel < mask.length; pixel++) mask[pixel] = values[owner[pixel]];
  return mask;
}

/** Probability of each cause with which half of the images are malignant: 1 - (1 - p)^n = 1/2. */
function wantedThings(causes: readonly Cause[], stream: Random): Record<Cause, boolean> {
  const causal = 1 - 0.5 ** (1 / causes.length);
  const isWanted = (name: Cause) => stream.next() < (causes.includes(name) ? causal : FREQUENCY[name]);
  return Object.fromEntries(POSSIBLE_CAUSES.map((name) => [name, isWanted(name)])) as Record<Cause, boolean>;
}

function place(on: Canvas, make: () => Paint): void {
  for (let attempt = 0; attempt < TRIES; attempt++) if (draw(on, make())) return;
}

function repeat(count: number, action: () => void): void {
  for (let i = 0; i < count; i++) action();
}

interface Unit {
  /** What a length given in pixels, for an image of 128, is here. */
  readonly pixels: number;
  /** By this the least sizes, in pixels of any image, are multiplied. */
  readonly least: number;
}

/** Scales a radius given for 128 pixels; never so small that the object gets smaller than ten pixels. */
function scaled(radius: number, { pixels, least }: Unit): number {
  return Math.max(5.6 * least, radius * pixels);
}

function somewhere(size: number, margin: number, stream: Random): { x: number; y: number } {
  return { x: stream.uniform(margin, size - margin), y: stream.uniform(margin, size - margin) };
}

/** Violet, with a darker rim and coarse chromatin. */
function nucleus(size: number, unit: Unit, stream: Random): Paint {
  const a = scaled(stream.uniform(8.5, 12), unit);
  const b = scaled(stream.uniform(6.2, 8), unit);
  const shape = ellipse(somewhere(size, a + 1, stream), { a, b, angle: stream.uniform(0, Math.PI) });
  const grain = valueNoise(2.5 * unit.pixels, stream);
  const tone = stream.uniform(-10, 10);
  const colour = (x: number, y: number, depth: number): RgbColour => {
    const rim = depth < 1.5 * unit.pixels ? -26 : 0;
    const chromatin = 14 * grain(x, y);
    return [142 + tone + rim + chromatin, 104 + tone + rim + chromatin, 184 + tone + 0.6 * (rim + chromatin)];
  };
  return { aspect: "nucleus", shape, leastVisible: 0.7, colour };
}

/** Small, round, deep blue. */
function lymphocyte(size: number, unit: Unit, stream: Random): Paint {
  const radius = scaled(stream.uniform(5.6, 7.2), unit);
  const shape = ellipse(somewhere(size, radius + 1, stream), { a: radius, b: radius, angle: 0 });
  const grain = valueNoise(2 * unit.pixels, stream);
  const colour = (x: number, y: number): RgbColour => {
    const speck = 9 * grain(x, y);
    return [44 + speck, 52 + speck, 138 + speck];
  };
  return { aspect: "lymphocyte", shape, leastVisible: 0.85, colour };
}

/** Dark, ragged, with arms. */
function mitosis(size: number, unit: Unit, stream: Random): Paint {
  const radius = Math.max(8 * unit.least, stream.uniform(8.5, 11) * unit.pixels);
  const shape = star(somewhere(size, radius + 1, stream), { radius, arms: 5 + stream.integer(3) }, stream);
  const grain = valueNoise(2 * unit.pixels, stream);
  const colour = (x: number, y: number): RgbColour => {
    const speck = 8 * grain(x, y);
    return [66 + speck, 12 + speck, 34 + speck];
  };
  return { aspect: "mitosis", shape, leastVisible: 0.85, colour };
}

/** A large, pale yellow, granular field. */
function necrosis(size: number, unit: Unit, stream: Random): Paint {
  const radius = stream.uniform(15, 24) * unit.pixels;
  const shape = blob(somewhere(size, radius * 1.25, stream), { radius }, stream);
  const debris = valueNoise(3 * unit.pixels, stream);
  const cloud = valueNoise(9 * unit.pixels, stream);
  const colour = (x: number, y: number): RgbColour => {
    const grain = 12 * debris(x, y) + 8 * cloud(x, y);
    return [240 + 0.5 * grain, 224 + grain, 152 + 1.5 * grain];
  };
  return { aspect: "necrosis", shape, leastVisible: 0.6, colour };
}

/** A bent red tube with a pale lumen. */
function vessel(size: number, unit: Unit, stream: Random): Paint {
  const radius = scaled(stream.uniform(5.6, 8), unit);
  const middle = somewhere(size, size * 0.35, stream);
  const length = stream.uniform(0.5, 0.75) * size;
  const angle = stream.uniform(0, Math.PI);
  const bend = stream.uniform(0.08, 0.2) * length * (stream.next() < 0.5 ? -1 : 1);
  const waves = stream.uniform(0.5, 1.1);
  const steps = 16;
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const along = (i / steps - 0.5) * length;
    const across = bend * Math.sin(2 * Math.PI * waves * (i / steps));
    const margin = (value: number) => Math.min(size - radius - 1, Math.max(radius + 1, value));
    return {
      x: margin(middle.x + along * Math.cos(angle) - across * Math.sin(angle)),
      y: margin(middle.y + along * Math.sin(angle) + across * Math.cos(angle)),
    };
  });
  const grain = valueNoise(4 * unit.pixels, stream);
  const colour = (x: number, y: number, depth: number): RgbColour => {
    const speck = 9 * grain(x, y);
    // The wall is the outer six tenths of the radius.
    return depth > 0.6 * radius ? [246 + speck, 206 + speck, 204 + speck] : [198 + speck, 48 + speck, 58 + speck];
  };
  return { aspect: "vessel", shape: tube(points, { radius }), leastVisible: 0.6, colour };
}

/** A dark label with light bars in a corner, like those that scanners add. */
function scannerTag(size: number, unit: Unit, stream: Random): Paint {
  const width = Math.max(16 * unit.least, Math.round(stream.uniform(20, 28) * unit.pixels));
  const height = Math.max(10 * unit.least, Math.round(stream.uniform(11, 15) * unit.pixels));
  const gap = Math.round(stream.uniform(2, 6) * unit.pixels);
  const left = stream.next() < 0.5 ? gap : size - gap - width;
  const top = stream.next() < 0.5 ? gap : size - gap - height;
  const shape = rectangle({ x: left + width / 2, y: top + height / 2 }, { width, height });
  const pattern = valueNoise(1.5 * unit.pixels, stream);
  const colour = (x: number, _y: number, depth: number): RgbColour => {
    const isBar = depth > 3 * unit.pixels && pattern(x, 0) > 0.1;
    return isBar ? [176, 180, 186] : [34, 38, 42];
  };
  return { aspect: "scanner-tag", shape, leastVisible: 1, colour };
}
