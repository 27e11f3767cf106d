/** docs/reports.md shows the queries that the page shows, and test/survey/report.test.ts runs. */

import { expect, test } from "vitest";
import { EXAMPLE_QUERIES } from "../../src/survey/example-queries.js";
import { readPage } from "./page.js";

test("the queries of the page are those of the program", () => {
  const page = readPage("docs/reports.md");
  const shown = [...page.matchAll(/\*\*(.+)\*\*\n\n```sql\n([\s\S]+?)\n```/g)].map(([, question, sql]) => ({
    question,
    sql,
  }));
  expect(shown).toEqual(EXAMPLE_QUERIES);
});
