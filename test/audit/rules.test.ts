/** What rules may say, and the one line about what they may not. */

import { expect, test } from "vitest";
import { parseRules, withKnownNames } from "../../src/audit/rules.js";

const parse = (...rules: unknown[]) => parseRules({ rules }, "audit.json");
const known = { classes: ["benign", "malignant"], aspects: ["mitosis", "scanner-tag"], groups: ["site", "split"] };

test("rules name themselves in words", () => {
  const names = parse(
    { class: "malignant", never: "scanner-tag", atMost: 0.02 },
    { class: "malignant", always: "mitosis", atLeast: 0.8, where: "present" },
    { elsewhere: "mostly", atMost: 0.3, by: "site" },
    { outliers: true, atMost: 0.01, against: "reports/last" },
    { class: "benign", change: "mitosis", atMost: 0.1, against: "reports/last" },
    { name: "no tags", never: "scanner-tag", atMost: 0 },
  ).map(({ name }) => name);
  expect(names).toEqual([
    "malignant: scanner-tag is relevant in at most 2 %",
    "malignant: mitosis is relevant in at least 80 % of the images that show it",
    "any answer: most of the reason lies elsewhere in at most 30 %",
    "any answer: at most 1 % are unusual beside reports/last",
    "benign: mitosis is relevant as often as in reports/last, up to 10 %",
    "no tags",
  ]);
});

test.each([
  [[], /^audit\.json: expected an object, got a list\.$/],
  [{}, /rules: expected a list of 1 to 10000 rules, got undefined/],
  [{ rules: [] }, /expected a list of 1 to/],
  [{ rule: [] }, /unknown key "rule"\. Did you mean "rules"\?/],
  [{ rules: [{ nevr: "x", atMost: 0.1 }] }, /rules\[0\]: unknown key "nevr"\. Did you mean "never"\?/],
  [{ rules: [{ atMost: 0.1 }] }, /rules\[0\]: counts nothing\. Give one of never, always/],
  [{ rules: [{ never: "x", always: "y" }] }, /rules\[0\]: has never and always\./],
  [{ rules: [{ never: "x", atLeast: 0.1 }] }, /"atLeast" does not go with "never"\. What does: never, atMost/],
  [{ rules: [{ never: "x" }] }, /rules\[0\]\.atMost: expected a share from 0 and below 1, got undefined/],
  [{ rules: [{ never: "x", atMost: 1 }] }, /expected a share from 0 and below 1, got 1/],
  [{ rules: [{ always: "x", atLeast: 0 }] }, /expected a share above 0 to 1, got 0/],
  [{ rules: [{ never: "x", atMost: "2 %" }] }, /got "2 %"/],
  [{ rules: [{ never: " ", atMost: 0.1 }] }, /rules\[0\]\.never: expected a name, got " "/],
  [{ rules: [{ never: "x", atMost: 0.1, where: "absent" }] }, /\.where: expected "present", got "absent"/],
  [{ rules: [{ elsewhere: true, atMost: 0.1 }] }, /\.elsewhere: expected one of wholly, mostly, got true/],
  [{ rules: [{ outliers: 3, atMost: 0.1 }] }, /\.outliers: expected true, got 3/],
  [{ rules: [{ change: "x", atMost: 0.1 }] }, /names no other report\. Name its folder as "against"/],
  [{ rules: [{ change: "x", atMost: 0, against: "r" }] }, /expected a share above 0 and below 1, got 0/],
])("%j is refused in one line", (value, message) => {
  expect(() => parseRules(value, "audit.json")).toThrow(message);
});

test.each([
  [
    { never: "scaner-tag", atMost: 0 },
    'audit.json: rules[0].never: there is no aspect "scaner-tag". Did you mean "scanner-tag"? Known: mitosis, scanner-tag.',
  ],
  [
    { class: "maligant", never: "mitosis", atMost: 0 },
    'audit.json: rules[0].class: there is no class "maligant". Did you mean "malignant"? Known: benign, malignant.',
  ],
  [
    { never: "mitosis", atMost: 0, by: "sit" },
    'audit.json: rules[0].by: there is no group "sit". Did you mean "site"? Known: site, split.',
  ],
])("%j names what is meant", (rule, message) => {
  expect(() => withKnownNames(parse(rule), known)).toThrow(expect.objectContaining({ message }));
});

test("an accented letter is one name however it is typed", () => {
  const [rule] = withKnownNames(parse({ never: "gru\u0308n", atMost: 0 }), { ...known, aspects: ["gr\u00fcn"] });
  expect(rule.aspect).toBe("gr\u00fcn");
});
