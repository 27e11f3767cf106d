/**
 * Lettering that needs no installed font: every glyph is a few pen strokes, drawn here, written as SVG paths.
 *
 * A bare machine or container has no fonts, and SVG text then renders as nothing or as boxes. The letters are our own:
 * units of 1/14 of the capital height, baseline at y = 0, up is negative, pen at the middle of the line.
 */

/** Width of a glyph from its first to its last pen position, and its strokes. */
type Glyph = readonly [width: number, path: string];

const BOWL_LEFT = "M0 -5a4 5 0 1 1 8 0a4 5 0 1 1 -8 0";
const DIGIT_BOWL = "a4 4.4 0 1 1 8 0a4 4.4 0 1 1 -8 0";
const ROUND_O = "M0 -7a5.8 7 0 1 1 11.6 0a5.8 7 0 1 1 -11.6 0";

const GLYPHS: Readonly<Record<string, Glyph>> = {
  " ": [2.6, ""],
  "!": [0, "M0 -14V-4.6M0 -.3h.01"],
  '"': [3.4, "M0 -14V-10M3.4 -14V-10"],
  "#": [9, "M3.2 -14L1.8 0M7.4 -14L6 0M.4 -9.6H9M0 -4.6H8.6"],
  $: [8, "M7.6 -10.4Q6.8 -12.2 4 -12.2Q.6 -12.2 .6 -9.6Q.6 -7.4 4 -6.8Q8 -6.2 8 -3.6Q8 -1 4 -1Q1 -1 0 -3M4 -14.4V1.2"],
  "%": [12, "M0 -11a2.5 3 0 1 1 5 0a2.5 3 0 1 1 -5 0M7 -3a2.5 3 0 1 1 5 0a2.5 3 0 1 1 -5 0M10.6 -14L1.4 0"],
  "&": [
    10,
    "M10 0L2.2 -9.4Q.8 -11.4 2 -12.8Q3.2 -14 5 -13.6Q7.4 -12.6 6.2 -10.2Q5.4 -8.8 2.6 -7.2Q0 -5.8 0 -3.6Q0 0 4 0Q7.4 0 9.4 -6",
  ],
  "'": [0, "M0 -14V-10"],
  "(": [3.2, "M3.2 -15Q0 -11.4 0 -6.2Q0 -1 3.2 2.6"],
  ")": [3.2, "M0 -15Q3.2 -11.4 3.2 -6.2Q3.2 -1 0 2.6"],
  "*": [6, "M3 -14V-7.6M.2 -12.4L5.8 -9.2M5.8 -12.4L.2 -9.2"],
  "+": [8, "M4 -10.4V-2.4M0 -6.4H8"],
  ",": [1, "M.9 -.8L0 2.6"],
  "-": [5, "M0 -5.4H5"],
  ".": [0, "M0 -.3h.01"],
  "/": [6, "M6 -15L0 2"],
  "0": [8, "M0 -7a4 7 0 1 1 8 0a4 7 0 1 1 -8 0"],
  "1": [8, "M1.4 -11L5 -14V0M1.6 0H8"],
  "2": [8, "M.4 -10.6Q.8 -14 4.1 -14Q7.6 -14 7.6 -10.6Q7.6 -8.4 5.4 -6L0 0H8"],
  "3": [8, "M.5 -12.4Q1.7 -14 4 -14Q7.5 -14 7.5 -10.7Q7.5 -7.4 3.6 -7.4Q8 -7.4 8 -3.8Q8 0 4 0Q1 0 0 -2.2"],
  "4": [8.4, "M6.2 0V-14L0 -3.8H8.4"],
  "5": [8, "M7.2 -14H1.4L.8 -7.6Q2.2 -9 4 -9Q8 -9 8 -4.5Q8 0 3.9 0Q1 0 0 -2"],
  "6": [8, `M6.2 -14Q0 -10.6 0 -4.4${DIGIT_BOWL}`],
  "7": [8, "M0 -14H8L2.8 0"],
  "8": [8, "M.6 -10.6a3.4 3.4 0 1 1 6.8 0a3.4 3.4 0 1 1 -6.8 0M0 -3.6a4 3.6 0 1 1 8 0a4 3.6 0 1 1 -8 0"],
  "9": [8, "M1.8 0Q8 -3.4 8 -9.6a4 4.4 0 1 0 -8 0a4 4.4 0 1 0 8 0"],
  ":": [0, "M0 -9h.01M0 -.3h.01"],
  ";": [1, "M.9 -9h.01M.9 -.8L0 2.6"],
  "<": [7.4, "M7.4 -10.6L0 -6.4L7.4 -2.2"],
  "=": [8, "M0 -8.4H8M0 -4.4H8"],
  ">": [7.4, "M0 -10.6L7.4 -6.4L0 -2.2"],
  "?": [6.8, "M0 -11.4Q.6 -14 3.4 -14Q6.8 -14 6.8 -11Q6.8 -9.2 5 -8Q3.2 -6.8 3.2 -4.6M3.2 -.3h.01"],
  "@": [13, "M9.4 -8.6A3 3.4 0 1 0 9.4 -4.4M9.6 -9.4V-4.6Q9.8 -3 11.2 -3.2Q13 -3.6 13 -7A6.5 7 0 1 0 9.8 -.6"],
  A: [10.4, "M0 0L5.2 -14L10.4 0M1.9 -4.8H8.5"],
  B: [9, "M0 -7.3H5.2Q9 -7.3 9 -3.7Q9 0 5.2 0H0V-14H4.8Q8.2 -14 8.2 -10.6Q8.2 -7.3 4.8 -7.3"],
  C: [9.9, "M9.9 -11.2A5.5 7 0 1 0 9.9 -2.8"],
  D: [9.8, "M0 0V-14H3.8Q9.8 -14 9.8 -7Q9.8 0 3.8 0Z"],
  E: [7.8, "M7.8 -14H0V0H7.8M0 -7.2H7"],
  F: [7.6, "M7.6 -14H0V0M0 -7.2H6.8"],
  G: [10.6, "M9.9 -11.2A5.5 7 0 1 0 10.6 -4.4V-6.6H6.4"],
  H: [9.4, "M0 -14V0M9.4 -14V0M0 -7.2H9.4"],
  I: [0, "M0 -14V0"],
  J: [6, "M6 -14V-4Q6 0 3 0Q.5 0 0 -2.5"],
  K: [9, "M0 -14V0M8.6 -14L0 -5M3.2 -8.3L9 0"],
  L: [7.2, "M0 -14V0H7.2"],
  M: [11.6, "M0 0V-14L5.8 -3.6L11.6 -14V0"],
  N: [9.4, "M0 0V-14L9.4 0V-14"],
  O: [11.6, ROUND_O],
  P: [8.8, "M0 0V-14H4.8Q8.8 -14 8.8 -10.1Q8.8 -6.2 4.8 -6.2H0"],
  Q: [11.6, `${ROUND_O}M7.4 -3.4L11.8 1`],
  R: [9, "M0 0V-14H4.8Q8.6 -14 8.6 -10.2Q8.6 -6.4 4.8 -6.4H0M4.6 -6.4L9 0"],
  S: [9, "M8.5 -11.7Q7.4 -14 4.6 -14Q.6 -14 .6 -10.6Q.6 -7.9 4.6 -7.2Q9 -6.5 9 -3.5Q9 0 4.6 0Q1.2 0 0 -2.6"],
  T: [9.6, "M0 -14H9.6M4.8 -14V0"],
  U: [9.4, "M0 -14V-4.8Q0 0 4.7 0Q9.4 0 9.4 -4.8V-14"],
  V: [10, "M0 -14L5 0L10 -14"],
  W: [14.6, "M0 -14L3.7 0L7.3 -13L10.9 0L14.6 -14"],
  X: [9, "M0 -14L9 0M9 -14L0 0"],
  Y: [9.6, "M0 -14L4.8 -6.5L9.6 -14M4.8 -6.5V0"],
  Z: [9, "M.2 -14H9L0 0H9"],
  "[": [3, "M3 -15H0V2.4H3"],
  "\\": [6, "M0 -15L6 2"],
  "]": [3, "M0 -15H3V2.4H0"],
  "^": [6.4, "M0 -9.8L3.2 -14L6.4 -9.8"],
  _: [8, "M0 2H8"],
  "`": [2.4, "M0 -14L2.4 -11.6"],
  a: [8, "M8 -10V0M8 -5a4 5 0 1 0 -8 0a4 5 0 1 0 8 0"],
  b: [8, `M0 -14V0${BOWL_LEFT}`],
  c: [7, "M7 -8.4A4 5 0 1 0 7 -1.6"],
  d: [8, "M8 -14V0M8 -5a4 5 0 1 0 -8 0a4 5 0 1 0 8 0"],
  e: [8, "M0 -5.2H8A4 5 0 1 0 7 -1.6"],
  f: [5.2, "M5.2 -13.9Q1.9 -14.6 1.9 -11V0M0 -9.6H4.8"],
  g: [8, "M8 -5a4 5 0 1 0 -8 0a4 5 0 1 0 8 0M8 -10V.6Q8 4.6 4 4.6Q1.4 4.6 .4 3.2"],
  h: [7.4, "M0 -14V0M0 -5.8Q.2 -10 4 -10Q7.4 -10 7.4 -6V0"],
  i: [0, "M0 -10V0M0 -13.6h.01"],
  j: [1.8, "M1.8 -10V2Q1.8 5 -.4 4.6M1.8 -13.6h.01"],
  k: [7, "M0 -14V0M6.6 -10L0 -3.8M2.6 -6.2L7 0"],
  l: [1.8, "M0 -14V-2.4Q0 0 1.8 0"],
  m: [12, "M0 -10V0M0 -6.2Q.2 -10 3.2 -10Q6 -10 6 -6.4V0M6 -6.2Q6.2 -10 9.2 -10Q12 -10 12 -6.4V0"],
  n: [7.4, "M0 -10V0M0 -5.8Q.2 -10 4 -10Q7.4 -10 7.4 -6V0"],
  o: [8, BOWL_LEFT],
  p: [8, `M0 -10V4.6${BOWL_LEFT}`],
  q: [8, "M8 -10V4.6M8 -5a4 5 0 1 0 -8 0a4 5 0 1 0 8 0"],
  r: [4.6, "M0 -10V0M0 -5.6Q.2 -10 4.6 -10"],
  s: [6.8, "M6.4 -8.4Q5.6 -10 3.4 -10Q.4 -10 .4 -7.6Q.4 -5.7 3.4 -5.2Q6.8 -4.7 6.8 -2.5Q6.8 0 3.4 0Q.9 0 0 -1.7"],
  t: [5, "M1.9 -13V-2.6Q1.9 0 5 -.1M0 -10H4.8"],
  u: [7.4, "M0 -10V-4Q0 0 3.4 0Q7.2 0 7.4 -4.2M7.4 -10V0"],
  v: [7.6, "M0 -10L3.8 0L7.6 -10"],
  w: [11.6, "M0 -10L2.9 0L5.8 -9.4L8.7 0L11.6 -10"],
  x: [7, "M0 -10L7 0M7 -10L0 0"],
  y: [7.6, "M0 -10L3.8 0M7.6 -10L3.2 2.2Q2.3 4.7 .2 4.6"],
  z: [6.8, "M.1 -10H6.8L0 0H6.8"],
  "{": [3.8, "M3.8 -15Q1.6 -15 1.6 -12V-8.6Q1.6 -6.4 0 -6.2Q1.6 -6 1.6 -3.8V-.4Q1.6 2.6 3.8 2.6"],
  "|": [0, "M0 -15V2.6"],
  "}": [3.8, "M0 -15Q2.2 -15 2.2 -12V-8.6Q2.2 -6.4 3.8 -6.2Q2.2 -6 2.2 -3.8V-.4Q2.2 2.6 0 2.6"],
  "~": [8, "M0 -5Q1.8 -8 4 -6.2Q6.2 -4.4 8 -7.4"],
  "…": [9, "M0 -.3h.01M4.5 -.3h.01M9 -.3h.01"],
  "·": [0, "M0 -6h.01"],
  "×": [6.4, "M0 -9.4L6.4 -3M6.4 -9.4L0 -3"],
  "–": [8, "M0 -5.4H8"],
  "—": [12, "M0 -5.4H12"],
  "→": [11, "M0 -6H11M7.4 -9.6L11 -6L7.4 -2.4"],
  "≥": [7.4, "M0 -12L7.4 -8.2L0 -4.4M0 -.6H7.4"],
  "≤": [7.4, "M7.4 -12L0 -8.2L7.4 -4.4M0 -.6H7.4"],
  µ: [7.4, "M0 -10V4.4M0 -4Q0 0 3.4 0Q7.2 0 7.4 -4.2M7.4 -10V0"],
  ß: [7.8, "M0 0V-10.4Q0 -14 3.6 -14Q7 -14 7 -11.2Q7 -8.8 4.2 -7.8Q7.8 -7 7.8 -3.6Q7.8 0 4 0Q3 0 2.4 -.3"],
  ø: [8, `${BOWL_LEFT}M7 -10.4L1 .4`],
  Ø: [11.6, `${ROUND_O}M9.6 -14.4L2 .4`],
  ı: [0, "M0 -10V0"],
};

/** Marks above or below a letter, around x = 0, for a letter whose top is at y = -10. */
const MARKS: Readonly<Record<string, string>> = {
  "\u0300": "M-2.2 -14.4L.4 -12.2",
  "\u0301": "M2.2 -14.4L-.4 -12.2",
  "\u0302": "M-2.4 -12.2L0 -14.4L2.4 -12.2",
  "\u0303": "M-2.8 -12.6Q-1.4 -14.6 0 -13.4Q1.4 -12.2 2.8 -14",
  "\u0304": "M-2.6 -13.2H2.6",
  "\u0308": "M-2 -13.4h.01M2 -13.4h.01",
  "\u030a": "M-1.6 -13.6a1.6 1.6 0 1 1 3.2 0a1.6 1.6 0 1 1 -3.2 0",
  "\u030c": "M-2.4 -14.4L0 -12.2L2.4 -14.4",
  "\u0327": "M0 .4Q1.6 1.6 .6 3Q-.2 3.8 -1.4 3.4",
};

/** What stands for a character that the font does not have. */
const UNKNOWN: Glyph = [7, "M0 -12H7V0H0Z"];
const CAPITAL_HEIGHT = 14;
const GAP = 3.3;

/** The strokes of a line of text, one path a glyph, with where each starts; characters are taken apart into marks. */
function layout(text: string): { strokes: { x: number; y: number; path: string }[]; width: number } {
  const strokes: { x: number; y: number; path: string }[] = [];
  let pen = 0;
  let last = { x: 0, width: 0, isTall: false };
  for (const character of text.normalize("NFD")) {
    const mark = MARKS[character];
    if (mark) {
      const isBelow = character === "\u0327";
      strokes.push({ x: last.x + last.width / 2, y: last.isTall && !isBelow ? -4.2 : 0, path: mark });
      continue;
    }
    const [width, path] = GLYPHS[character] ?? UNKNOWN;
    if (path) strokes.push({ x: pen, y: 0, path });
    last = { x: pen, width, isTall: character >= "A" && character <= "Z" };
    pen += width + GAP;
  }
  return { strokes, width: Math.max(0, pen - GAP) };
}

/** Width in pixels of one line, from the first pen position to the last. */
export function textWidth(text: string, { size }: { size: number }): number {
  return (layout(text).width * size) / CAPITAL_HEIGHT;
}

/** Shortens to at most `width` pixels, an ellipsis where something was left out. */
export function fitText(text: string, { size, width }: { size: number; width: number }): string {
  if (textWidth(text, { size }) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join("").trimEnd()}…`, { size }) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
}

/**
 * One line of text as an SVG group.
 *
 * @param size height of the capitals in pixels.
 * @param x left end, middle or right end of the line, by `anchor`; `y` is the baseline.
 * @param weight thickness of the pen relative to the size: 0.13 reads as regular, 0.19 as bold.
 */
export function strokeText(
  text: string,
  {
    x,
    y,
    size,
    colour,
    weight = 0.13,
    anchor = "start",
  }: {
    x: number;
    y: number;
    size: number;
    colour: string;
    weight?: number;
    anchor?: "start" | "middle" | "end";
  },
): string {
  const { strokes, width } = layout(text);
  const scale = size / CAPITAL_HEIGHT;
  const left = x - width * scale * { start: 0, middle: 0.5, end: 1 }[anchor];
  const paths = strokes.map((s) => `<path transform="translate(${round(s.x)} ${s.y})" d="${s.path}"/>`).join("");
  return (
    `<g transform="translate(${round(left)} ${round(y)}) scale(${round(scale)})" fill="none" stroke="${colour}" ` +
    `stroke-width="${round(weight * CAPITAL_HEIGHT)}" stroke-linecap="round" stroke-linejoin="round">${paths}</g>`
  );
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
