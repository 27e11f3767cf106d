/** XML as annotation tools write it: a tree of elements whose texts stay texts, each with its line. */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { DatasetError } from "../../core/errors.js";
import { isUtf16 } from "../../core/json.js";
import { firstLine } from "../../core/message-text.js";
import { readWhole } from "../../core/read-whole.js";

/** One element. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The elements in it, in order. */
  readonly children: readonly XmlElement[];
  /** Trimmed, with entities replaced. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** An export of some hundred thousand marks; more is cut into tasks by the tools themselves. */
const LARGEST_XML = 400_000_000;

const parser = new XMLParser({
  preserveOrder: true,
  captureMetaData: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});
// Typed as the class of symbols, which it is one of.
const PLACE = XMLParser.getMetaDataSymbol() as unknown as symbol;
const ATTRIBUTES = ":@";
const TEXT = "#text";

/** @returns the root. @throws DatasetError where it is no XML, with the line. */
export async function readXml(file: string): Promise<XmlElement> {
  const bytes = await readWhole(file, { limit: LARGEST_XML, ErrorClass: DatasetError });
  return parseXml(bytes, file);
}

/** @param file named in messages. @throws DatasetError */
export function parseXml(bytes: Uint8Array, file: string): XmlElement {
  const refuse = (why: string, line?: number, cause?: unknown) =>
    new DatasetError(`${file}${line === undefined ? "" : `:${line}`}: is not XML (${why}).`, {
      cure: "Export it again.",
      file,
      line,
      cause,
    });
  if (isUtf16(bytes)) throw new DatasetError(`${file}: is UTF-16.`, { cure: "Save it as UTF-8.", file });
  const text = decodeXml(bytes, file);
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw refuse(valid.err.msg.replace(/\.$/, ""), valid.err.line);
  let nodes: unknown;
  try {
    nodes = parser.parse(text);
  } catch (cause) {
    throw refuse(firstLine(cause), undefined, cause);
  }
  const roots = toElements(nodes, lineCounter(text));
  if (roots.length !== 1) throw refuse(`it has ${roots.length} roots`, roots[1]?.line);
  return roots[0];
}

/** In the encoding that the declaration names; UTF-8 where it names none. */
function decodeXml(bytes: Uint8Array, file: string): string {
  const start = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  const encoding = /^[^<]*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DatasetError(`${file}: is not text in ${encoding}.`, { cure: "Save it as UTF-8.", cause, file });
  }
}

/** The first element of that name in another, if any. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((candidate) => candidate.name === name);
}

export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((candidate) => candidate.name === name);
}

/** The parser's own form: lists of objects with one key, the element's name, beside `:@` for the attributes. */
function toElements(nodes: unknown, lineAt: (offset: number) => number): XmlElement[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: Record<string | symbol, unknown>) => {
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES);
    if (name === undefined || name === TEXT) return [];
    const inner = node[name];
    const place = node[PLACE] as { startIndex?: number } | undefined;
    const line = lineAt(place?.startIndex ?? 0);
    return {
      name,
      attributes: (node[ATTRIBUTES] ?? {}) as Record<string, string>,
      children: toElements(inner, lineAt),
      text: textOf(inner),
      line,
    };
  });
}

function textOf(nodes: unknown): string {
  if (!Array.isArray(nodes)) return "";
  return nodes
    .map((node) => node[TEXT] ?? "")
    .join("")
    .trim();
}

/** Offsets come in ascending order, since a parent begins before its children. */
function lineCounter(text: string): (offset: number) => number {
  let [at, line] = [0, 1];
  return (offset) => {
    for (let next = text.indexOf("\n", at); next >= 0 && next < offset; next = text.indexOf("\n", at)) {
      line++;
      at = next + 1;
    }
    return line;
  };
}
