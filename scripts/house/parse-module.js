/** What a file imports, exports and defines, as TypeScript's parser sees it. */

import { posix } from "node:path";
import ts from "typescript";

/** @typedef {import("./tree.js").File} File */
/** @typedef {"import" | "type" | "import()" | "worker"} ArrowKind */
/** @typedef {{ from: string, to: string, kind: ArrowKind }} Arrow */
/** @typedef {{ name: string, file: string, lines: number }} Definition */
/** @typedef {{ arrows: Arrow[], exports: string[], functions: Definition[], importLines: Set<number> }} Module */

/**
 * Every way in which one file of the tree names another:
 * `import` and `export … from`; `type`: `import type`, `typeof import("…")`, and `import("…")` in JSDoc;
 * `import()`; `worker`: `new URL("./file.js", import.meta.url)`.
 *
 * @param {File} file
 * @param {ReadonlySet<string>} paths all files of the tree.
 * @returns {Module} exported names are those that the file defines, not those that it passes on; lines count from 0.
 */
export function parseModule({ path, text }, paths) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  /** @type {Module} */
  const found = { arrows: [], exports: [], functions: [], importLines: new Set() };
  const lineOf = (/** @type {number} */ position) => source.getLineAndCharacterOfPosition(position).line;
  const add = (/** @type {ts.Node | undefined} */ name, /** @type {ArrowKind} */ kind) => {
    const to = name && ts.isStringLiteralLike(name) ? resolve(path, name.text, paths) : undefined;
    const isKnown = found.arrows.some((arrow) => arrow.to === to && arrow.kind === kind);
    if (to !== undefined && to !== path && !isKnown) found.arrows.push({ from: path, to, kind });
  };
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isImportDeclaration(node)) {
      const isType = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      add(node.moduleSpecifier, isType ? "type" : "import");
      for (let line = lineOf(node.getStart()); line <= lineOf(node.end); line++) found.importLines.add(line);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly ? "type" : "import");
    } else if (ts.isImportTypeNode(node)) {
      if (ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, "type");
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], "import()");
    } else if (ts.isNewExpression(node) && node.arguments?.[1]?.getText() === "import.meta.url") {
      add(node.arguments?.[0], "worker");
    }
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
      found.functions.push({ name: nameOf(node), file: path, lines });
    }
    for (const child of node.getChildren()) visit(child); // comments too, which forEachChild leaves out
  };
  visit(source);
  found.exports = source.statements.flatMap(exportedNames);
  return found;
}

/**
 * @param {string} from
 * @param {string} name as in the import: `./nd-array.js`.
 * @param {ReadonlySet<string>} paths
 * @returns {string | undefined} the file, if it is one of the tree's.
 */
function resolve(from, name, paths) {
  if (!name.startsWith(".")) return undefined;
  const path = posix.join(posix.dirname(from), name);
  return [path.replace(/\.js$/, ".ts"), path].find((candidate) => paths.has(candidate));
}

/** @param {ts.Statement} statement @returns {string[]} */
function exportedNames(statement) {
  if (ts.isExportDeclaration(statement) && !statement.moduleSpecifier) {
    const named = statement.exportClause;
    return named && ts.isNamedExports(named) ? named.elements.map((element) => element.name.text) : [];
  }
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  return "name" in statement && statement.name ? [/** @type {ts.Identifier} */ (statement.name).text] : [];
}

/** @param {ts.BindingName} name @returns {string[]} */
function boundNames(name) {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** @param {ts.SignatureDeclaration} node @returns {string} a nameless function's is that of what it is given to. */
function nameOf(node) {
  const named = [node, node.parent].find((candidate) => "name" in candidate && candidate.name);
  return named ? /** @type {{ name: ts.Node }} */ (/** @type {unknown} */ (named)).name.getText() : "(nameless)";
}
