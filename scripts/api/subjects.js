/**
 * A plugin of typedoc: the subjects of an entry file become categories with their example, in the file's order. A
 * subject is a plain comment above its exports; of a docstring typedoc would take the text for the first export's own.
 */

import { readFileSync } from "node:fs";
import { Comment, CommentTag, Converter, ReflectionKind } from "typedoc";
import ts from "typescript";

/** By the name of its module. @type {Readonly<Record<string, string>>} */
const ENTRIES = { aspectlens: "src/index.ts", "aspectlens/explainer": "src/explainer.ts" };

/** @typedef {{ title: string, text: string, example?: string, names: Set<string> }} Subject */

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.getReflectionsByKind(ReflectionKind.Module)) {
      const source = ENTRIES[entry.name];
      if (!source || !entry.isDeclaration()) continue;
      for (const subject of subjectsOf(source)) {
        tag(entry, "@categoryDescription", textOf(subject));
        for (const child of entry.children ?? [])
          if (subject.names.has(child.name))
            for (const commented of child.signatures ?? [child]) tag(commented, "@category", subject.title);
      }
    }
  });
  app.converter.on(Converter.EVENT_END, ({ project }) => {
    for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
      if (parameter.name === "__namedParameters") parameter.name = "options"; // destructured, and no `@param` names it
    for (const entry of project.getReflectionsByKind(ReflectionKind.Module)) {
      const source = ENTRIES[entry.name];
      if (!source || !entry.isDeclaration()) continue;
      if (!entry.categories) app.logger.error(`${source}: no subject was found in it`);
      const titles = subjectsOf(source).map(({ title }) => title);
      entry.categories?.sort((a, b) => titles.indexOf(a.title) - titles.indexOf(b.title));
    }
  });
}

/**
 * @param {import("typedoc").Reflection} reflection
 * @param {`@${string}`} name
 * @param {string} text
 */
function tag(reflection, name, text) {
  reflection.comment ??= new Comment();
  reflection.comment.blockTags.push(new CommentTag(name, [{ kind: "text", text }]));
}

/** @param {Subject} subject */
function textOf({ title, text, example }) {
  const code = example ? `\n\n\`\`\`ts\n${readFileSync(example, "utf8")}\`\`\`` : "";
  return `${title}\n${text}${code}`;
}

/**
 * @param {string} path of an entry file.
 * @returns {Subject[]}
 */
function subjectsOf(path) {
  const source = readFileSync(path, "utf8");
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  /** @type {Subject[]} */
  const subjects = [];
  for (const statement of file.statements) {
    const comments = ts.getLeadingCommentRanges(source, statement.getFullStart()) ?? [];
    const last = comments.findLast(({ pos }) => source.startsWith("/*\n", pos));
    const lines = last
      ? source
          .slice(last.pos + 2, last.end - 2)
          .split("\n")
          .map((line) => line.replace(/^\s*\* ?/, "").trim())
          .filter((line) => line !== "")
      : [];
    if (lines.length > 0) {
      const example = lines.find((line) => line.startsWith("@example "))?.slice("@example ".length);
      const words = lines.filter((line) => !line.startsWith("@")).join(" ");
      const end = words.indexOf(". ");
      subjects.push({ title: words.slice(0, end), text: words.slice(end + 2), example, names: new Set() });
    }
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause))
      continue;
    for (const { name } of statement.exportClause.elements) subjects.at(-1)?.names.add(name.text);
  }
  return subjects;
}
