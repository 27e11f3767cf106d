/** An XMP packet as a tree of elements that know where they stand in its text, so that all else can stay byte for byte. */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { firstLine } from "../../core/message-text.js";

/** A stretch of the packet's text. */
export interface Span {
  readonly start: number;
  /** Of the first character behind it. */
  readonly end: number;
}

/** A name as its namespace has it, whatever the prefix. */
interface Named {
  /** `""` where it is in none. */
  readonly namespace: string;
  readonly local: string;
}

export interface XmpAttribute extends Named {
  readonly value: string;
  /** With the white space before it. */
  readonly span: Span;
}

export interface XmpElement extends Named {
  readonly prefix: string;
  readonly span: Span;
  /** Between its tags; `null` where it is one tag that closes itself. */
  readonly inner: Span | null;
  readonly attributes: readonly XmpAttribute[];
  readonly children: readonly XmpElement[];
  /** Of it alone, entities replaced. */
  readonly text: string;
}

export const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";

const parser = new XMLParser({
  preserveOrder: true,
  captureMetaData: true,
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});
// Typed as the class of symbols, which it is one of.
const PLACE = XMLParser.getMetaDataSymbol() as unknown as symbol;
const TEXT = "#text";

/** Why a packet cannot be changed; its message continues a sentence about the packet. */
export class PacketFault extends Error {
  override name = "PacketFault";
}

/** @returns the roots. @throws PacketFault where it is no well-formed XML, or has a document type, which could hold entities. */
export function parseXmp(text: string): XmpElement[] {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new PacketFault("has a document type");
  let nodes: unknown;
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw new PacketFault(`is not XML (${valid.err.msg.replace(/\.$/, "")})`);
    nodes = parser.parse(text);
  } catch (cause) {
    if (cause instanceof PacketFault) throw cause;
    throw new PacketFault(`is not XML (${firstLine(cause)})`, { cause });
  }
  return toElements(nodes, { text, namespaces: new Map([["xml", XML_NAMESPACE]]) });
}

/** The one `rdf:RDF`, which may lie in an `x:xmpmeta`. @throws PacketFault where there is none. */
export function rdfOf(roots: readonly XmpElement[]): XmpElement {
  const found = [...roots, ...roots.flatMap(({ children }) => children)].filter((element) => isRdf(element, "RDF"));
  if (found.length !== 1) throw new PacketFault(`has ${found.length === 0 ? "no" : "more than one"} rdf:RDF`);
  return found[0];
}

export function isRdf({ namespace, local }: Named, name: string): boolean {
  return namespace === RDF && local === name;
}

interface Surroundings {
  readonly text: string;
  /** URI by prefix. */
  readonly namespaces: ReadonlyMap<string, string>;
}

/** The parser's own form: lists of objects with one key, the element's name. */
function toElements(nodes: unknown, around: Surroundings): XmpElement[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: Record<string | symbol, unknown>) => {
    const name = Object.keys(node)[0];
    return name === undefined || name === TEXT ? [] : toElement(name, { node, ...around });
  });
}

function toElement(
  name: string,
  { node, text, namespaces }: Surroundings & { node: Record<string | symbol, unknown> },
): XmpElement {
  const { startIndex: start, endIndex: end } = (node[PLACE] ?? {}) as { startIndex?: number; endIndex?: number };
  if (start === undefined || end === undefined || text[start] !== "<" || text[end - 1] !== ">")
    throw new PacketFault("cannot be followed tag by tag");
  const tag = tagAt(text, start);
  const written = attributesOf(tag, start);
  const own = new Map(namespaces);
  for (const { name: key, value } of written) {
    if (key === "xmlns") own.set("", value);
    else if (key.startsWith("xmlns:")) own.set(key.slice("xmlns:".length), value);
  }
  const { prefix, local } = split(name);
  const isClosed = tag.endsWith("/>");
  return {
    ...{ prefix, local, namespace: namespaceOf(prefix, own), span: { start, end } },
    inner: isClosed ? null : { start: start + tag.length, end: text.lastIndexOf("</", end - 1) },
    attributes: written.map(({ name: key, value, span }) => {
      const parts = split(key);
      const isDeclaration = key === "xmlns" || parts.prefix === "xmlns";
      // An attribute without a prefix is in no namespace.
      const namespace = isDeclaration ? "xmlns" : parts.prefix === "" ? "" : namespaceOf(parts.prefix, own);
      return { namespace, local: parts.local, value, span };
    }),
    children: toElements(node[name], { text, namespaces: own }),
    text: textOf(node[name]),
  };
}

/** Of a prefix that nobody has declared, something that is no namespace. */
function namespaceOf(prefix: string, declared: ReadonlyMap<string, string>): string {
  return declared.get(prefix) ?? (prefix === "" ? "" : `undeclared ${prefix}`);
}

function split(name: string): { prefix: string; local: string } {
  const colon = name.indexOf(":");
  return colon < 0 ? { prefix: "", local: name } : { prefix: name.slice(0, colon), local: name.slice(colon + 1) };
}

/** From `<` to the `>` that is in no quotation. */
function tagAt(text: string, start: number): string {
  let quote = "";
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ">") return text.slice(start, at + 1);
  }
  throw new PacketFault("cannot be followed tag by tag");
}

function attributesOf(tag: string, offset: number): { name: string; value: string; span: Span }[] {
  return [...tag.matchAll(/\s+([^\s=/>"']+)\s*=\s*("[^"]*"|'[^']*')/g)].map(
    ({ 0: all, 1: name, 2: quoted, index }) => ({
      name,
      value: unescaped(quoted.slice(1, -1)),
      span: { start: offset + index, end: offset + index + all.length },
    }),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function textOf(nodes: unknown): string {
  return Array.isArray(nodes) ? nodes.map((node) => node[TEXT] ?? "").join("") : "";
}
