/** What an ONNX file from elsewhere may not hold: ways to other files, and graphs inside its graph. */

import { InputError, type InputErrorClass } from "./errors.js";
import { shown } from "./message-text.js";
import { type Field, fieldsOf, textOf } from "./protobuf-fields.js";

export interface OnnxCheck {
  /** Names the file in errors. */
  readonly file: string;
  readonly ErrorClass?: InputErrorClass;
  /** What the user can do, a sentence. */
  readonly cure?: string;
  /** Whether a constant of the graph may lie in this file; none may by default. Other tensors never do. */
  readonly isExternal?: (location: string) => boolean;
}

/** Field numbers of onnx.proto (github.com/onnx/onnx). */
const MODEL = { irVersion: 1, graph: 7, trainingInfo: 20, functions: 25 };
const GRAPH = { node: 1, initializer: 5, sparseInitializer: 15 };
const NODE = { name: 3, operator: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, tensor: 5, graph: 6, tensors: 10, graphs: 11, sparse: 22, sparses: 23 };
const SPARSE = { values: 1, indices: 2 };
const TENSOR = { name: 8, external: 13, location: 14 };

const CONTROL_FLOW = new Set(["If", "Loop", "Scan", "SequenceMap"]);
/** Operators of others may read what they like: `EPContext` opens a file. */
const DOMAINS = new Set(["", "ai.onnx", "ai.onnx.ml"]);

/**
 * Reads every field that ONNX Runtime reads. Subgraphs, functions and training graphs are refused, so every tensor is
 * an initializer, or in an attribute of a node of the one graph.
 *
 * @throws ErrorClass where the bytes are no ONNX model, a tensor lies in another file, or an operator is not allowed.
 */
export function checkOnnxGraph(bytes: Uint8Array, check: OnnxCheck): void {
  const { file, ErrorClass = InputError, cure = "Export it again." } = check;
  const refuse: Refuse = (what, options) => {
    throw new ErrorClass(`${file}: ${what}. ${cure}`, options);
  };
  let parts: readonly Field[];
  try {
    parts = graphParts(bytes, refuse);
    for (const part of parts) checkPart(part, check, refuse);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    refuse("is cut off or damaged, or is no ONNX model", { cause });
  }
}

type Refuse = (what: string, options?: ErrorOptions) => never;

/** The fields of the graph, or of the graphs that a parser would merge into one. */
function graphParts(bytes: Uint8Array, refuse: Refuse): Field[] {
  if (isOrtFormat(bytes)) refuse("is in ONNX Runtime's own format");
  const parts: Field[] = [];
  let hasGraph = false;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === MODEL.functions) refuse("holds functions of its own");
    if (number === MODEL.trainingInfo) refuse("holds a graph for training");
    if (number !== MODEL.graph) continue;
    hasGraph = true;
    for (const field of fieldsOf(value)) parts.push(field);
  }
  if (!hasGraph) refuse("is no ONNX model: it has no graph");
  return parts;
}

function checkPart({ number, value }: Field, { isExternal }: OnnxCheck, refuse: Refuse): void {
  if (number === GRAPH.node) checkNode(value, refuse);
  if (number === GRAPH.initializer) checkTensor(value, "constant", refuse, isExternal);
  if (number === GRAPH.sparseInitializer) checkSparse(value, "sparse constant", refuse);
}

function checkNode(node: Uint8Array, refuse: Refuse): void {
  const fields = [...fieldsOf(node)];
  // Of a field that stands twice, a parser keeps the last.
  const lastText = (number: number) => textOf(fields.findLast((field) => field.number === number)?.value ?? EMPTY);
  const [operator, domain] = [lastText(NODE.operator), lastText(NODE.domain)];
  const name = `node ${shown(lastText(NODE.name))} (${shown(operator).slice(1, -1)})`;
  if (CONTROL_FLOW.has(operator)) refuse(`${name} is control flow, which is not read`);
  if (!DOMAINS.has(domain)) refuse(`${name} is an operator of ${shown(domain)}, not of the ONNX standard`);
  for (const { number, value } of fields) {
    if (number === NODE.attribute) checkAttribute(value, name, refuse);
  }
}

function checkAttribute(attribute: Uint8Array, owner: string, refuse: Refuse): void {
  for (const { number, value } of fieldsOf(attribute)) {
    if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs) refuse(`${owner} holds a graph of its own`);
    if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) checkTensor(value, `${owner}: tensor`, refuse);
    if (number === ATTRIBUTE.sparse || number === ATTRIBUTE.sparses) checkSparse(value, `${owner}: tensor`, refuse);
  }
}

function checkSparse(sparse: Uint8Array, what: string, refuse: Refuse): void {
  for (const { number, value } of fieldsOf(sparse)) {
    if (number === SPARSE.values || number === SPARSE.indices) checkTensor(value, what, refuse);
  }
}

function checkTensor(tensor: Uint8Array, what: string, refuse: Refuse, isExternal?: OnnxCheck["isExternal"]): void {
  const fields = [...fieldsOf(tensor)];
  const external = fields.filter(({ number }) => number === TENSOR.external);
  const isElsewhere = external.length > 0 || fields.some(({ number, value }) => number === TENSOR.location && value[0]);
  if (!isElsewhere) return;
  const name = shown(textOf(fields.findLast(({ number }) => number === TENSOR.name)?.value ?? EMPTY));
  const locations = external.map(({ value }) => readPair(value)).filter(([key]) => key === "location");
  const [[, location] = ["", ""]] = locations;
  // A name with an asterisk is none of a file: ONNX Runtime takes one as an address in memory.
  const isAllowed = locations.length === 1 && !location.includes("*") && isExternal?.(location);
  if (!isAllowed) refuse(`${what} ${name} lies in another file, ${shown(location)}, which is not read`);
}

/** ONNX Runtime tells its own format, which is no protobuf and can name files too, by these four bytes. */
export function isOrtFormat(model: Uint8Array): boolean {
  return textOf(model.subarray(4, 8)) === "ORTM";
}

/** StringStringEntryProto. */
export function readPair(entry: Uint8Array): [key: string, value: string] {
  const pair = { 1: "", 2: "" };
  for (const { number, value } of fieldsOf(entry)) {
    if (number === 1 || number === 2) pair[number] = textOf(value);
  }
  return [pair[1], pair[2]];
}

const EMPTY = new Uint8Array();
