import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { chooseFonts } from "../../src/cli/text-fonts.js";
import type { ModelSpec } from "../../src/model/model-spec.js";

const specOf = (aspect: string, classes: readonly string[]) =>
  ({
    heads: [
      { kind: "classifier", name: "label", classes },
      { kind: "presence", name: aspect },
    ],
  }) as unknown as ModelSpec;

test("fonts are searched only where a name needs them, and never against the user's setting", () => {
  const chosen = (spec: ModelSpec, environment: NodeJS.ProcessEnv = {}) => {
    chooseFonts(spec, environment);
    return environment.FONTCONFIG_FILE;
  };
  const file = chosen(specOf("некроз", ["gutartig ≥ 2", "bösartig"]));
  expect(existsSync(file ?? "")).toBe(true);
  expect(chosen(specOf("核分裂像", ["a", "b"]))).toBeUndefined();
  expect(chosen(specOf("necrosis", ["良性", "b"]))).toBeUndefined();
  expect(chosen(specOf("necrosis", ["a"]), { FONTCONFIG_FILE: "mine.conf" })).toBe("mine.conf");
  expect(chosen(specOf("necrosis", ["a"]), { FONTCONFIG_PATH: "/mine" })).toBeUndefined();
});
