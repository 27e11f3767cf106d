/** Areas of one image as masks: one indexed PNG where no two aspects share a pixel, else one for each that does. */

import { encode } from "fast-png";
import { DatasetError } from "../../core/errors.js";
import type { AspectRecord } from "../record.js";
import type { Shape } from "./annotated-set.js";
import { type MaskPixels, readMaskPixels } from "./colours.js";
import { boundsOf, drawShape, type Frame } from "./spans.js";

export interface Area {
  /** The aspect. */
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly ignored: readonly Shape[];
}

/** A mask to be written. */
export interface MaskFile {
  /** Relative, as the records name it. */
  readonly path: string;
  /** Encodes it. */
  bytes(): Uint8Array;
}

/** Empty: no pixel is marked; unlabelled: none is known. */
export type AreaState = "labelled" | "empty" | "unlabelled";

interface DrawnMasks {
  readonly files: readonly MaskFile[];
  /** What the image's record says of each aspect. */
  readonly records: Readonly<Record<string, AspectRecord>>;
  /** By aspect, as `data check` counts it. */
  readonly states: Readonly<Record<string, AreaState>>;
  readonly smallCount: number;
  readonly outsideCount: number;
}

const IN = 1;
const VOID = 255;
/** Leaves 0 for the background and 255 for what is void. */
const MOST_ASPECTS = 254;

/**
 * @param stem of the masks' paths, such as `masks/0001`.
 * @throws DatasetError, ImageError naming a mask that does not fit.
 */
export async function drawMasks(
  areas: readonly Area[],
  { frame, stem, image }: { frame: Frame; stem: string; image: string },
): Promise<DrawnMasks> {
  const read = reader();
  const files: MaskFile[] = [];
  const records: Record<string, AspectRecord> = {};
  const states: Record<string, AreaState> = {};
  const shared = new Uint8Array(frame.width * frame.height);
  let [sharing, smallCount, outsideCount] = [0, 0, 0];
  for (const area of areas) {
    const { pixels, small, outside } = await drawArea(area, { frame, image, read });
    smallCount += small;
    outsideCount += outside;
    const hasVoid = pixels.includes(VOID);
    const isMarked = pixels.includes(IN);
    states[area.name] = isMarked ? "labelled" : pixels.includes(0) ? "empty" : "unlabelled";
    if (!isMarked && !hasVoid) records[area.name] = { mask: null };
    else if (!hasVoid && sharing < MOST_ASPECTS && !overlaps(shared, pixels)) {
      sharing++;
      for (let at = 0; at < pixels.length; at++) if (pixels[at]) shared[at] = sharing;
      records[area.name] = { mask: `${stem}.png`, values: [sharing] };
    } else {
      const path = `${stem}.${area.name}.png`;
      files.push({ path, bytes: () => toPng(pixels, frame) });
      records[area.name] = { mask: path, values: [IN], ...(hasVoid && { ignore: [VOID] }) };
    }
  }
  if (sharing > 0) files.push({ path: `${stem}.png`, bytes: () => toPng(shared, frame) });
  return { files, records, states, smallCount, outsideCount };
}

/** Share of the known pixels that is in, 0..1; `undefined` where none is known. */
export async function areaShare(area: Area, options: { frame: Frame; image: string }): Promise<number | undefined> {
  const { pixels } = await drawArea(area, { ...options, read: reader() });
  let [marked, known] = [0, 0];
  for (const pixel of pixels) {
    if (pixel === IN) marked++;
    if (pixel !== VOID) known++;
  }
  return known === 0 ? undefined : marked / known;
}

interface Drawing {
  readonly frame: Frame;
  /** Named in messages. */
  readonly image: string;
  readonly read: (path: string) => Promise<MaskPixels>;
}

/** Several marks often lie in one file. */
function reader(): Drawing["read"] {
  const known = new Map<string, Promise<MaskPixels>>();
  return (path) => {
    const reading = known.get(path) ?? readMaskPixels(path);
    known.set(path, reading);
    return reading;
  };
}

/** What is marked goes before what is void. */
async function drawArea(
  { shapes, ignored }: Area,
  drawing: Drawing,
): Promise<{ pixels: Uint8Array; small: number; outside: number }> {
  const { frame } = drawing;
  const pixels = new Uint8Array(frame.width * frame.height);
  for (const shape of ignored) await paint(shape, { ...drawing, pixels, value: VOID });
  const counts = { drawn: 0, small: 0, outside: 0 };
  for (const shape of shapes) counts[await paint(shape, { ...drawing, pixels, value: IN })]++;
  return { pixels, small: counts.small, outside: counts.outside };
}

/** Of a shape that covers no pixel's centre and whose middle is in the image, the one pixel there is painted: `small`. */
async function paint(
  shape: Shape,
  drawing: Drawing & { readonly pixels: Uint8Array; readonly value: number },
): Promise<"drawn" | "small" | "outside"> {
  const { pixels, value, frame } = drawing;
  if (shape.kind === "image") return "drawn";
  if (shape.kind === "mask-file") {
    await paintFile(shape, drawing);
    return "drawn";
  }
  let isSeen = false;
  drawShape(shape, frame, (row, from, to) => {
    isSeen = true;
    pixels.fill(value, row * frame.width + from, row * frame.width + to);
  });
  if (isSeen) return "drawn";
  const bounds = boundsOf(shape);
  if (!bounds) return "outside";
  const column = Math.floor(((bounds[0] + bounds[2]) / 2) * frame.scaleX);
  const row = Math.floor(((bounds[1] + bounds[3]) / 2) * frame.scaleY);
  if (column < 0 || row < 0 || column >= frame.width || row >= frame.height) return "outside";
  pixels[row * frame.width + column] = value;
  return "small";
}

async function paintFile(
  { path, values, ignore = [] }: Extract<Shape, { kind: "mask-file" }>,
  { pixels, value, frame, image, read }: Drawing & { readonly pixels: Uint8Array; readonly value: number },
): Promise<void> {
  const mask = await read(path);
  if (mask.width * frame.height !== mask.height * frame.width)
    throw new DatasetError(
      `${path}: ${mask.width} x ${mask.height} pixels; ${image} has ${frame.width} x ${frame.height}.`,
      { cure: "Masks need the shape of their image.", file: path },
    );
  const [wanted, unknown] = [new Set(values), new Set(ignore)];
  const [scaleX, scaleY] = [mask.width / frame.width, mask.height / frame.height];
  for (let row = 0; row < frame.height; row++) {
    const source = Math.floor((row + 0.5) * scaleY) * mask.width;
    for (let column = 0; column < frame.width; column++) {
      const found = mask.values[source + Math.floor((column + 0.5) * scaleX)];
      const at = row * frame.width + column;
      if (wanted.has(found)) pixels[at] = value;
      else if (unknown.has(found) && pixels[at] === 0) pixels[at] = VOID;
    }
  }
}

function overlaps(shared: Uint8Array, pixels: Uint8Array): boolean {
  for (let at = 0; at < pixels.length; at++) if (pixels[at] && shared[at]) return true;
  return false;
}

function toPng(data: Uint8Array, { width, height }: Frame): Uint8Array {
  return encode({ width, height, data, channels: 1, depth: 8, palette: PALETTE });
}

/** Colours that tell neighbours apart: hues a golden angle apart; void is white. */
const PALETTE: [number, number, number][] = Array.from({ length: 256 }, (_, index) => {
  if (index === 0) return [0, 0, 0];
  if (index === VOID) return [255, 255, 255];
  const channel = (shift: number) => {
    const angle = ((index * 137.508 + shift) % 360) / 60;
    return Math.round(55 + 200 * Math.min(1, Math.max(0, Math.abs(angle - 3) - 1)));
  };
  return [channel(0), channel(240), channel(120)];
});
