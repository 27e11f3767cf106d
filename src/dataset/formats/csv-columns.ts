/** What the columns of a table of annotations mean, by their names, else by what is in them. */

import { DatasetError } from "../../core/errors.js";
import { type CsvTable, isImageName, isNumeric } from "./csv-table.js";

/** Positions of columns. */
export interface CsvColumns {
  readonly image: number;
  /** The name of a class; `|` between several. */
  readonly label?: number;
  readonly box?: readonly [xMin: number, yMin: number, xMax: number, yMax: number];
  readonly size?: readonly [width: number, height: number];
  readonly split?: number;
  readonly groups: ReadonlyMap<string, number>;
  /** One column a class, 1 where the image has it. */
  readonly oneHot: ReadonlyMap<string, number>;
  /** Names of columns that mean nothing here. */
  readonly unread: readonly string[];
}

/** Names without punctuation, in small letters. */
const NAMES = {
  image: words("image imagepath imagename imagefile imageid img imgpath imgname filename file filepath path name id"),
  label: words("label labels class classes classname category categories labelname target findinglabels diagnosis dx"),
  xMin: words("xmin x1 left x0 bboxx1 bboxxmin"),
  yMin: words("ymin y1 top y0 bboxy1 bboxymin"),
  xMax: words("xmax x2 right bboxx2 bboxxmax"),
  yMax: words("ymax y2 bottom bboxy2 bboxymax"),
  width: words("width imagewidth imgwidth"),
  height: words("height imageheight imgheight"),
  split: words("split subset partition set usage"),
};
const GROUP = words(
  "group groupid patient patientid subject subjectid case caseid site siteid slide slideid scanner hospital lesionid",
);
/** 1, 0; nothing and -1 are not known. */
const ONE_HOT = /^(0(\.0*)?|1(\.0*)?|-1(\.0*)?|true|false|)$/i;

/** @throws DatasetError where the image's column, or all others, cannot be told. */
export function findColumns(table: CsvTable): CsvColumns {
  return table.header ? byName(table, table.header) : byContent(table);
}

function byName(table: CsvTable, header: readonly string[]): CsvColumns {
  const plain = header.map((name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ""));
  const find = (names: readonly string[]) => {
    const name = names.find((candidate) => plain.includes(candidate));
    return name === undefined ? undefined : plain.indexOf(name);
  };
  const image = find(NAMES.image);
  if (image === undefined) throw refuse(table, `no column is called "image" or "filename" (${header.join(", ")})`);
  const edges = [NAMES.xMin, NAMES.yMin, NAMES.xMax, NAMES.yMax].map(find);
  const known = edges.filter((edge) => edge !== undefined);
  const box = known.length === 4 ? ([known[0], known[1], known[2], known[3]] as const) : undefined;
  if (known.length > 0 && !box)
    throw refuse(table, `of the columns xmin, ymin, xmax, ymax it has ${known.length} (${header.join(", ")})`);
  const [width, height] = [find(NAMES.width), find(NAMES.height)];
  const groups = new Map(header.flatMap((name, at) => (GROUP.includes(plain[at]) ? [[name, at] as const] : [])));
  const split = find(NAMES.split);
  const taken = new Set([image, split, width, height, ...known, ...groups.values()]);
  const free = header.flatMap((name, at) => (taken.has(at) ? [] : [{ name, at }]));
  const named = find(NAMES.label);
  const label = named ?? (free.length === 1 && !isOneHot(table, free[0].at) ? free[0].at : undefined);
  const others = free.filter(({ at }) => at !== label);
  const oneHot = label === undefined && !box ? others.filter(({ name, at }) => name !== "" && isOneHot(table, at)) : [];
  if (label === undefined && oneHot.length === 0)
    throw refuse(table, `no column is called "label" or "class", and none holds 0 and 1 (${header.join(", ")})`);
  return {
    image,
    ...{ label, box, split, groups },
    ...(width !== undefined && height !== undefined && { size: [width, height] as const }),
    oneHot: new Map(oneHot.map(({ name, at }) => [name, at])),
    unread: others.filter((column) => !oneHot.includes(column)).map(({ name }) => name),
  };
}

/** Without a header: image and label, or image, four numbers and label. */
function byContent(table: CsvTable): CsvColumns {
  const { cells } = table.rows.find((row) => row.cells.every((cell) => cell !== "")) ?? table.rows[0];
  const image = cells.findIndex(isImageName);
  const texts = cells.flatMap((cell, at) => (at === image || isNumeric(cell) ? [] : [at]));
  const numbers = cells.flatMap((cell, at) => (at !== image && isNumeric(cell) ? [at] : []));
  const none = { groups: new Map<string, number>(), oneHot: new Map<string, number>(), unread: [] };
  if (image >= 0 && cells.length === 2) return { image, label: 1 - image, ...none };
  if (image >= 0 && cells.length === 6 && texts.length === 1 && numbers.length === 4)
    return { image, label: texts[0], box: [numbers[0], numbers[1], numbers[2], numbers[3]], ...none };
  throw refuse(table, `has no header, and ${cells.length} columns whose meaning cannot be told`);
}

function isOneHot({ rows }: CsvTable, at: number): boolean {
  return rows.every(({ cells }) => ONE_HOT.test(cells[at]));
}

function refuse({ file }: CsvTable, what: string): DatasetError {
  return new DatasetError(`${file}:1: ${what}.`, {
    cure: "Give it a header: image,label or image,xmin,ymin,xmax,ymax,class, or image and one column a class.",
    file,
    line: 1,
  });
}

function words(text: string): readonly string[] {
  return text.split(" ");
}
