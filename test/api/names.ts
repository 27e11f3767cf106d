/** What the package's entries export, as a user's compiler sees it, and which names its signatures mention. */

import { dirname, resolve } from "node:path";
import ts from "typescript";

const DIST = resolve(import.meta.dirname, "../../dist");

/** The declarations of an entry of the built package: `index`, `explainer`. */
export function readEntry(entry: string) {
  const path = resolve(DIST, `${entry}.d.ts`);
  const options = { noLib: true, types: [], target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext };
  const program = ts.createProgram([path], options, ownFilesAlone(options));
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(path);
  const entrySymbol = file && checker.getSymbolAtLocation(file);
  if (!entrySymbol) throw new Error(`${path}: exports nothing. Run: npm run build`);
  const origin = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const symbols = new Map(checker.getExportsOfModule(entrySymbol).map((symbol) => [symbol.name, origin(symbol)]));
  return { symbols, unusable: () => unexported(new Set(symbols.values()), { checker, origin }) };
}

/** Reads no declarations of other packages: their names are not ours. */
function ownFilesAlone(options: ts.CompilerOptions): ts.CompilerHost {
  const resolveModuleNames = (names: string[], from: string) =>
    names.map((name) =>
      name.startsWith(".") ? { resolvedFileName: resolve(dirname(from), name.replace(/\.js$/, ".d.ts")) } : undefined,
    );
  return { ...ts.createCompilerHost(options), resolveModuleNames };
}

/** `mentioning name -> mentioned name` of each type of ours that an exported declaration mentions and that is not exported. */
function unexported(
  exported: ReadonlySet<ts.Symbol>,
  { checker, origin }: { checker: ts.TypeChecker; origin: (symbol: ts.Symbol) => ts.Symbol },
): string[] {
  const found = new Set<string>();
  const isOurs = (symbol: ts.Symbol) =>
    symbol.declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(DIST)) &&
    !(symbol.flags & (ts.SymbolFlags.TypeParameter | ts.SymbolFlags.Property | ts.SymbolFlags.Method));
  const nameOf = (node: ts.Node) => {
    if (ts.isTypeReferenceNode(node)) return node.typeName;
    if (ts.isExpressionWithTypeArguments(node)) return node.expression;
    return ts.isImportTypeNode(node) ? node.qualifier : undefined;
  };
  for (const symbol of exported) {
    const visit = (node: ts.Node): void => {
      const name = nameOf(node);
      const mentioned = name && checker.getSymbolAtLocation(name);
      if (mentioned && isOurs(origin(mentioned)) && !exported.has(origin(mentioned)))
        found.add(`${symbol.name} -> ${mentioned.name}`);
      ts.forEachChild(node, visit);
    };
    for (const declaration of symbol.declarations ?? []) visit(declaration);
  }
  return [...found].sort();
}
