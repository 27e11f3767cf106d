/** Label Studio: one JSON of tasks, with the labelling configuration that its controls come from. */

import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeBrush } from "./brush-rle.js";
import type { ExportFormat, MarkNames } from "./export-writer.js";
import type { ExportedMark, ExportedSample } from "./exported-sample.js";

/** The control whose choices are not in the image; what is neither marked nor chosen there is not known. */
export const ABSENT_CONTROL = "absent";

export const LABEL_STUDIO_EXPORT: ExportFormat = {
  tool: "label-studio",
  saysAbsent: true,
  cannotSay: { void: "regions that are neither" },
  imagePath: ({ name }) => `images/${name}`,
  open: async (folder, names) => {
    await writeFile(join(folder, "label_config.xml"), labelConfig(names));
    const file = await open(join(folder, "tasks.json"), "w");
    await file.write("[");
    let count = 0;
    return {
      add: async (sample, path) => {
        const task = taskOf(sample, { id: ++count, path, names });
        await file.write(`${count === 1 ? "" : ","}\n${JSON.stringify(task)}`);
      },
      finish: async () => {
        await file.write("\n]\n");
        await file.close();
      },
    };
  },
};

function taskOf(sample: ExportedSample, { id, path, names }: { id: number; path: string; names: MarkNames }): object {
  const { split, groups } = sample;
  const result = resultsOf(sample, { id, names }).map(({ result }) => result);
  return {
    ...{ id, data: { image: localFile(path) } },
    meta: { split, ...(Object.keys(groups).length > 0 && { groups }) },
    annotations: result.length === 0 ? [] : [{ id, was_cancelled: false, ground_truth: false, result }],
    predictions: [],
  };
}

/** As a local storage serves it whose root is the folder of the tasks. */
export function localFile(path: string): string {
  return `/data/local-files/?d=${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** What is said of one image, as results of the controls that `labelConfig` names; those of a mark with that mark. */
export function resultsOf<Mark extends ExportedMark>(
  {
    width,
    height,
    tags,
    marks,
    absent,
  }: Pick<ExportedSample, "width" | "height" | "tags" | "absent"> & { readonly marks: readonly Mark[] },
  { id, names }: { id: number; names: MarkNames },
): { readonly result: object; readonly mark?: Mark }[] {
  const base = { to_name: "image", original_width: width, original_height: height, image_rotation: 0 };
  const classes = new Set(names.classes.values());
  const choices: [string, string[]][] = [
    ["class", tags.filter((tag) => classes.has(tag))],
    ["present", tags.filter((tag) => !classes.has(tag))],
    [ABSENT_CONTROL, [...absent]],
  ];
  return [
    ...marks
      .filter(({ isIgnored }) => !isIgnored)
      .map((mark, at) => ({
        result: { id: `${id}-${at + 1}`, ...base, ...regionOf(mark, { width, height }) },
        mark,
      })),
    ...choices
      .filter(([, chosen]) => chosen.length > 0)
      .map(([control, chosen]) => ({
        result: {
          ...{ id: `${id}-${control}`, from_name: control, to_name: "image", type: "choices" },
          value: { choices: chosen },
        },
      })),
  ];
}

function regionOf(mark: ExportedMark, size: { width: number; height: number }): object {
  const { category } = mark;
  if (mark.kind === "mask") {
    const value = { format: "rle", rle: [...encodeBrush(mark.pixels)], brushlabels: [category] };
    return { from_name: "mask", type: "brushlabels", value };
  }
  const percent = (length: number, whole: number) => (100 * length) / whole;
  const value = {
    x: percent(mark.x, size.width),
    y: percent(mark.y, size.height),
    width: percent(mark.width, size.width),
    height: percent(mark.height, size.height),
    ...{ rotation: 0, rectanglelabels: [category] },
  };
  return { from_name: "box", type: "rectanglelabels", value };
}

/** The controls, as Label Studio's XML. */
export function labelConfig({ classes, tags, boxes, masks, isMulti }: MarkNames): string {
  const own = [...classes.values()];
  const present = tags.filter((tag) => !own.includes(tag));
  const absent = [...(isMulti ? own : []), ...present, ...boxes, ...masks];
  const control = (open: string, close: string, item: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          `  <${open} toName="image">`,
          ...names.map((name) => `    <${item} value="${escaped(name)}"/>`),
          `  </${close}>`,
        ];
  return [
    "<View>",
    '  <Image name="image" value="$image"/>',
    ...control('RectangleLabels name="box"', "RectangleLabels", "Label", boxes),
    ...control('BrushLabels name="mask"', "BrushLabels", "Label", masks),
    ...control(`Choices name="class" choice="${isMulti ? "multiple" : "single"}"`, "Choices", "Choice", own),
    ...control('Choices name="present" choice="multiple"', "Choices", "Choice", present),
    ...control(`Choices name="${ABSENT_CONTROL}" choice="multiple"`, "Choices", "Choice", absent),
    "</View>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
