/** Reads tables: image and label, image and box and class, or image and one column a class. */

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import type { AnnotatedImage, AnnotatedObject, AnnotationReader } from "./annotated-set.js";
import { type CsvColumns, findColumns } from "./csv-columns.js";
import { areShares } from "./csv-shares.js";
import { type CsvTable, isNumeric, readCsv } from "./csv-table.js";
import { findPlaces, type ImagePlaces, placeBelow, splitIn, stem, toName } from "./places.js";

const TOOL = "csv";

export const CSV: AnnotationReader = {
  tool: TOOL,
  recognizes: async (source) => (await tablesIn(source)).length > 0,
  read: async (source, { images: given }) => {
    const files = await tablesIn(source);
    if (files.length === 0)
      throw new DatasetError(`${source}: holds no .csv or .tsv.`, { cure: "Name the table, or its folder." });
    const folder = given ?? ((await isFolder(source)) ? source : dirname(source));
    const places = await findPlaces(folder);
    const images = new Map<string, AnnotatedImage>();
    const categories = new Set<string>();
    const left: string[] = [];
    const notes: string[] = [];
    for (const file of files) {
      const table = await readCsv(file);
      const columns = findColumns(table);
      const isShare = columns.box !== undefined && areShares(table, columns.box);
      notes.push(`${file}: ${describe(table, columns, isShare)}`);
      for (const name of columns.oneHot.keys()) categories.add(name);
      for (const name of columns.unread) left.push(`column "${name}": its meaning is not known`);
      for (const image of imagesOf(table, { columns, isShare, folder, places })) {
        if (images.has(image.path))
          throw new DatasetError(`${file}: holds ${image.name}, and so does another table.`, {
            cure: "Name one table; each is a source of its own.",
            file,
          });
        images.set(image.path, image);
      }
    }
    return { tool: TOOL, source, categories: [...categories], images: [...images.values()], left, notes };
  },
};

/** What was guessed. */
function describe(table: CsvTable, { image, label, box, groups, oneHot }: CsvColumns, isShare: boolean): string {
  const { delimiter, header } = table;
  const words = { ",": "commas", ";": "semicolons", "\t": "tabulators", "|": "bars" }[delimiter];
  const column = (at: number) => columnName(table, at);
  const parts = [
    `image ${column(image)}`,
    ...(label === undefined ? [] : [`class ${column(label)}`]),
    ...(box ? [`box ${box.map(column).join(", ")} in ${isShare ? "shares of the image" : "pixels"}`] : []),
    ...(groups.size > 0 ? [`a group each ${[...groups.values()].map(column).join(", ")}`] : []),
    ...(oneHot.size > 0 ? [`a class each ${[...oneHot.values()].map(column).join(", ")}`] : []),
  ];
  return `separated by ${words}, with${header ? " a" : "out"} header; read as ${parts.join(", ")}`;
}

function columnName({ header }: CsvTable, at: number): string {
  return header ? `"${header[at]}"` : `column ${at + 1}`;
}

type Row = CsvTable["rows"][number];

function imagesOf(
  table: CsvTable,
  { columns, isShare, folder, places }: { columns: CsvColumns; isShare: boolean; folder: string; places: ImagePlaces },
): AnnotatedImage[] {
  const { file, rows } = table;
  // A table of its own for each split is often called after it.
  const ofFile = splitIn(stem(basename(file)))?.word;
  const within = `${table.header ? "the column " : ""}${columnName(table, columns.image)}`;
  const byPath = new Map<string, Row[]>();
  for (const row of rows) {
    const name = row.cells[columns.image];
    const where = `${file}:${row.line}`;
    if (name === "") throw fault(where, "names no image");
    const path = places.find(name, { near: dirname(file), split: ofFile, where, within }) ?? placeBelow(folder, name);
    const own = byPath.get(path);
    if (own) own.push(row);
    else byPath.set(path, [row]);
  }
  return [...byPath].map(([path, own]) => {
    const split = agreed(own, { column: columns.split, what: "split", file }) || ofFile;
    const groups = [...columns.groups].flatMap(([name, column]) => {
      const value = agreed(own, { column, what: name, file });
      return value ? [[name, value] as const] : [];
    });
    return {
      path,
      name: toName(folder, path),
      ...(split && { split }),
      ...(groups.length > 0 && { groups: Object.fromEntries(groups) }),
      isAnnotated: own.some((row) => isLabelled(row, columns)),
      annotations: async () => ({
        ...(isShare ? { width: 1, height: 1 } : sizeOf(own, { columns, file })),
        objects: own.flatMap((row) => objectsOf(row, { columns, file })),
        ...absentIn(own, columns),
      }),
    };
  });
}

/** With boxes, a row without one says that there is nothing; without, a row without a label says nothing. */
function isLabelled({ cells }: Row, { label, box }: CsvColumns): boolean {
  return label === undefined || box !== undefined || cells[label] !== "";
}

function objectsOf(row: Row, { columns, file }: { columns: CsvColumns; file: string }): AnnotatedObject[] {
  const { label, box, oneHot } = columns;
  const { cells, line } = row;
  const where = `${file}:${line}`;
  if (label === undefined)
    return [...oneHot].flatMap(([category, column]) => {
      const isUnknown = cells[column] === "" || Number(cells[column]) === -1;
      if (!isUnknown && Number(cells[column]) !== 1 && cells[column].toLowerCase() !== "true") return [];
      return { category, shape: { kind: "image" as const }, ...(isUnknown && { isIgnored: true }) };
    });
  const names = cells[label].split("|").flatMap((name) => name.trim() || []);
  const edges = box?.map((column) => cells[column]);
  if (!edges || edges.every((edge) => edge === "")) {
    if (edges && names.length > 0) throw fault(where, `has the class "${cells[label]}" without a box`);
    return names.map((category) => ({ category, shape: { kind: "image" } }));
  }
  const wrong = edges.find((edge) => !isNumeric(edge));
  if (wrong !== undefined) throw fault(where, `has "${wrong}" in its box, no number`);
  const [x, y, right, bottom] = edges.map(Number);
  if (right <= x || bottom <= y) throw fault(where, `has the box ${edges.join(", ")}, which has no area`);
  if (names.length === 0) throw fault(where, "has a box without a class");
  return names.map((category) => ({ category, shape: { kind: "box", x, y, width: right - x, height: bottom - y } }));
}

/** Classes with a column of their own that is 0 in every row of the image. */
function absentIn(rows: readonly Row[], { oneHot }: CsvColumns): { absent?: string[] } {
  const isZero = (cell: string) => (cell !== "" && Number(cell) === 0) || cell.toLowerCase() === "false";
  const absent = [...oneHot].filter(([, column]) => rows.every(({ cells }) => isZero(cells[column])));
  return absent.length > 0 ? { absent: absent.map(([category]) => category) } : {};
}

function sizeOf(
  rows: readonly Row[],
  { columns: { size }, file }: { columns: CsvColumns; file: string },
): { width?: number; height?: number } {
  const [{ cells, line }] = rows;
  if (!size || size.some((column) => cells[column] === "")) return {};
  const [width, height] = size.map((column) => Number(agreed(rows, { column, what: "size", file })));
  if (Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0) return { width, height };
  throw fault(`${file}:${line}`, `says that the image has ${cells[size[0]]} x ${cells[size[1]]} pixels`);
}

/** What all rows of an image say. @throws DatasetError where they differ. */
function agreed(
  rows: readonly Row[],
  { column, what, file }: { column: number | undefined; what: string; file: string },
): string {
  if (column === undefined) return "";
  const [first, ...others] = rows;
  const other = others.find(({ cells }) => cells[column] !== first.cells[column]);
  if (other === undefined) return first.cells[column];
  throw fault(
    `${file}:${other.line}`,
    `has the ${what} "${other.cells[column]}", line ${first.line} of the same image "${first.cells[column]}"`,
  );
}

function fault(where: string, what: string): DatasetError {
  return new DatasetError(`${where}: ${what}.`, { cure: "Correct the line." });
}

async function tablesIn(source: string): Promise<string[]> {
  const isTable = (name: string) => /\.(csv|tsv)$/i.test(name);
  if (!(await isFolder(source))) return isTable(source) ? [source] : [];
  return (await readdir(source))
    .filter(isTable)
    .sort()
    .map((name) => join(source, name));
}
