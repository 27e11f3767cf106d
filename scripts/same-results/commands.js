/** The command lines that both builds run, in order; each works on what those before it made. */

/** @typedef {{ model: string, args: string[] }} Command `model`: whose row of the table it counts for. */

const ONE_THREAD = ["--threads", "1"];
const IMAGES = ["images/00[0-2]*.png", "images/015*.png"];
const FEW = ["images/015[0-3].png"];

const SALIENCIES = [
  ...["evidence", "grad-cam", "cam", "grad-cam++", "score-cam", "hires-cam", "layer-cam", "gradient-x-activation"],
  ...["integrated-gradients", "guided-backpropagation", "deconvnet", "guided-grad-cam"],
];
const MASKINGS = ["filter-weights", "filter-weights-signed", "multiply", "both", "threshold", "threshold-absolute"];

/** @type {Readonly<Record<string, string[][]>>} what each model is asked beside the default. */
const QUESTIONS = {
  single: [
    ["--target", "benign"],
    ["--target", "malignant:benign"],
    ["--target", "logit:malignant"],
    ["--target", "aspect:nucleus"],
    ["--target", "image:vessel"],
    ["--target", "unit:conv_pw_5/3"],
    ["--all-classes"],
    ["--interval"],
    ["--compare"],
    ["--tap", "input"],
    ["--tap", "input", "--mapping", "grey"],
    ["--tap", "conv_pw_3", "--mask-size", "model"],
    ...SALIENCIES.map((method) => ["--saliency", method]),
    ...MASKINGS.map((masking) => ["--masking", masking]),
    ["--saliency", "hires-cam", "--masking", "multiply", "--tap", "input"],
  ],
  multi: [
    ["--target", "dying"],
    ["--target", "aspect:lymphocyte"],
    ["--all-classes"],
    ["--interval"],
    ["--compare"],
    ["--saliency", "grad-cam++", "--masking", "threshold"],
    ["--saliency", "integrated-gradients"],
  ],
  regression: [
    ["--target", "aspect:nucleus"],
    ["--all-classes"],
    ["--interval"],
    ["--compare"],
    ["--saliency", "layer-cam", "--masking", "both"],
  ],
};

/** @param {string} model @returns {string[][]} */
function ofModel(model) {
  const [run, bundle] = [`runs/${model}`, `${model}.aspect`];
  const images = (/** @type {string[]} */ names) => names.map((name) => `${model}/${name}`);
  return [
    ["data", "check", model, "--json"],
    ["train", `${model}.json`, ...ONE_THREAD, "--json"],
    ["evaluate", run, model, ...ONE_THREAD, "--out", `${run}/test.json`, "--json"],
    ["export", run, bundle, "--json"],
    ["verify", bundle, "--json"],
    ["evaluate", bundle, model, ...ONE_THREAD, "--split", "validation", "--json"],
    ["explain", bundle, ...images(IMAGES), ...ONE_THREAD, "--out", `explained/${model}`, "--json"],
    ...QUESTIONS[model].map((question, index) => [
      ...["explain", bundle, ...images(FEW), ...question, ...ONE_THREAD],
      ...["--out", `explained/${model}-${index}`, "--json"],
    ]),
    [
      ...["faithfulness", bundle, model, "--draws", "2", "--saliency", "grad-cam", ...ONE_THREAD],
      ...["--out", `faithfulness/${model}`, "--json"],
    ],
  ];
}

/** What else works, and what must be refused. @type {string[][]} */
const OTHERS = [
  ["--version"],
  ["--help"],
  ["explain", "--help"],
  ["train", "more.json", "--add-heads", "runs/single", ...ONE_THREAD, "--json"],
  ["train", "single.json", "--resume", "--json"],
  ["train", "runs/single/config.json", "--finish", "--json"],
  ["weights", "import", "WEIGHTS/mobilenet-v1-0.25", "--name", "imported", "--json"],
  ["weights", "import", "WEIGHTS/mobilenet-v1-0.25", "--name", "imported", "--json"],
  ["weights", "list", "--json"],
  [],
  ["nonsense"],
  ["train"],
  ["train", "gone.json", "--json"],
  ["train", "not.json", "--json"],
  ["train", "unknown-key.json", "--json"],
  ["train", "single.json", "--set", "batchSize=0", "--json"],
  ["train", "single.json", "--set", "dataset=gone", "--json"],
  ["train", "single.json", "--set", "trunk.name=resnet", "--json"],
  ["train", "single.json", "--threads", "0"],
  ["train", "single.json", "--device", "abacus"],
  ["train", "single.json", "--set", "out=runs/resumed", "--resume", "--json"],
  ["evaluate", "runs/gone", "single", "--json"],
  ["evaluate", "runs/single", "multi", "--json"],
  ["evaluate", "runs/single", "single", "--split", "holdout"],
  ["export", "runs/gone", "x.aspect", "--json"],
  ["export", "runs/single", "x.zip", "--json"],
  ["export", "runs/single", "foreign.aspect", "--licence", "gone.txt", "--json"],
  ["verify", "gone.aspect", "--json"],
  ["verify", "foreign.aspect", "--json"],
  ["verify", "cut.aspect", "--json"],
  ["verify", "flipped.aspect", "--json"],
  ["explain", "single.aspect", "--json"],
  ["explain", "single.aspect", "gone.png", "--json"],
  ["explain", "single.aspect", "not.png", "single/images/0150.png", ...ONE_THREAD, "--out", "explained/some", "--json"],
  ["explain", "single.aspect", "single/images/0150.png", "--target", "gone", "--json"],
  ["explain", "single.aspect", "single/images/0150.png", "--target", "unit:gone/1", "--json"],
  ["explain", "single.aspect", "single/images/0150.png", "--tap", "gone", "--json"],
  ["explain", "single.aspect", "single/images/0150.png", "--mapping", "grey", "--json"],
  ["explain", "single.aspect", "single/images/0150.png", "--saliency", "gone"],
  ["explain", "single.aspect", "single/images/0150.png", "--saliency", "deconvnet", "--masking", "both", "--json"],
  ["explain", "flipped.aspect", "single/images/0150.png", "--json"],
  ["faithfulness", "single.aspect", "single", "--draws", "-1"],
  ["faithfulness", "single.aspect", "gone", "--json"],
  ["weights", "pull", "gone", "--json"],
  ["weights", "import", "not.json", "--json"],
  ["data", "check", "broken", "--json"],
  ["data", "check", "gone", "--json"],
  ["data", "synth", "single", "--count", "4", "--json"],
];

/** Draws the set that all others are made of. @type {Command} */
export const SYNTH = {
  model: "tissue",
  args: ["data", "synth", "tissue", "--count", "160", "--size", "64", "--json"],
};

/** @param {readonly string[]} models @returns {Command[]} */
export function modelCommands(models) {
  return models.flatMap((model) => ofModel(model).map((args) => ({ model, args })));
}

/** @type {readonly Command[]} */
export const OTHER_COMMANDS = OTHERS.map((args) => ({ model: "others", args }));
