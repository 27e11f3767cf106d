import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { aspectlens, MAIN } from "../helpers/command.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

let folder: string;
let dataset: string;
const at = (...names: string[]) => join(folder, ...names);
const run = (...args: string[]) => aspectlens(args, { cwd: folder });
const oneLine = (stderr: string) => stderr.trim().split("\n").at(-1) ?? "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "walk-"));
  dataset = await writeTinyDataset();
  const config = {
    dataset,
    out: "run",
    batchSize: 4,
    trunk: { inputSize: 32, weights: "random" },
    stages: [{ train: "all", epochs: 8 }],
  };
  writeFileSync(at("config.json"), JSON.stringify(config));
});

describe("the walk from data to explanation", () => {
  test("data check counts every state and finds no fault", async () => {
    const { code, stdout } = await run("data", "check", dataset, "--json");
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report.errorCount).toBe(0);
    expect(report.heads.bright.states.train.unlabelled).toBe(4); // images 0, 3, 6, 9
  });

  test("train is interrupted with exit code 130, resumes, and leaves the run folder of the design", async () => {
    let isSignalled = false;
    const interrupted = await aspectlens(["train", "config.json"], {
      cwd: folder,
      onStderr: (text, child) => {
        if (text.includes("epoch 1 ") && !isSignalled) child.kill("SIGINT");
        isSignalled ||= text.includes("epoch 1 "); // a second one would end it without saving
      },
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toMatch(/Go on with: aspectlens train run\/config\.json --resume/);
    const again = await run("train", "config.json");
    expect(again.code).toBe(2);
    expect(oneLine(again.stderr)).toMatch(/^aspectlens: run: holds a training run already\. Go on with --resume/);
    const { code, stdout } = await run("train", "config.json", "--resume", "--json");
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ run: "run", best: "run/best", metrics: { split: "validation" } });
    expect(told.scales).toEqual(JSON.parse(readFileSync(at("run", "best/model.json"), "utf8")).scales);
    const before = readFileSync(at("run", "best/model.json"));
    expect((await run("train", "config.json", "--resume")).stdout).toContain(
      "was finished already; the best model is in",
    );
    expect(readFileSync(at("run", "best/model.json"))).toEqual(before);
    const files = [
      "config.json",
      "dataset.json",
      "metrics.jsonl",
      "run.html",
      "checkpoint/state.safetensors",
      "best/model.json",
    ];
    for (const file of files) expect(existsSync(at("run", file)), file).toBe(true);
    expect(readFileSync(at("run/metrics.jsonl"), "utf8").trim().split("\n")).toHaveLength(8);
    expect(JSON.parse(readFileSync(at("run/config.json"), "utf8")).augment).toEqual({
      flip: true,
      turn: "none",
      crop: 0, // stroma is labelled by amount alone
      margin: 0.2,
      blur: 0,
      noise: 0,
      colour: 0.2,
    });
  });

  test("export writes one file, verify replays it, evaluate gives the same numbers for run and bundle", async () => {
    expect((await run("export", "run", "model.aspect")).code).toBe(0);
    const verified = await run("verify", "model.aspect", "--json");
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ isWhole: true, goldenCount: 4 });
    const [ofRun, ofBundle] = await Promise.all(
      ["run", "model.aspect"].map((model) => run("evaluate", model, dataset, "--json")),
    );
    expect(ofRun.code).toBe(0);
    expect(JSON.parse(ofRun.stdout)).toMatchObject({ format: "aspectlens-metrics/1", split: "test" });
    expect(ofBundle.stdout).toBe(ofRun.stdout);
  });

  test("calibrate writes the same model with scales of its own, and nothing over what is another's", async () => {
    const { code, stdout } = await run(
      ...["calibrate", "model.aspect", dataset, "--out", "again.aspect", "--saliency", "hires-cam", "--json"],
    );
    expect(code).toBe(0);
    const { scales, imageCount } = JSON.parse(stdout);
    expect(imageCount).toBeGreaterThan(0);
    expect(Object.keys(scales).sort()).toEqual(["evidence", "hires-cam"]);
    expect((await run("verify", "again.aspect")).code).toBe(0);
    writeFileSync(at("notes.aspect"), "mine");
    const refused = await run("calibrate", "model.aspect", dataset, "--out", "notes.aspect");
    expect(refused.code).toBe(2);
    expect(oneLine(refused.stderr)).toMatch(/notes\.aspect: exists and is not a bundle/);
    expect(readFileSync(at("notes.aspect"), "utf8")).toBe("mine");
  });

  test("explain writes JSON, picture and masks beside each other, and prints one explanation a line under --json", async () => {
    const images = ["images/014.png", "images/016.png"].map((name) => join(dataset, name));
    const { code, stdout } = await run("explain", "model.aspect", ...images, "--json", "--out", "why");
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.format)).toEqual(["aspectlens-explanation/2", "aspectlens-explanation/2"]);
    expect(JSON.parse(readFileSync(at("why/014.json"), "utf8"))).toEqual(lines[0]);
    for (const { mask } of lines[0].aspects) if (mask) expect(existsSync(at("why", mask))).toBe(true);
    for (const { scale, headline, elsewhere, aspects } of lines) {
      expect(scale.kind).toBe("probability");
      expect(headline.text.length).toBeGreaterThan(10);
      if (elsewhere === null) continue;
      const shares = aspects.map(({ share }: { share: number }) => share);
      expect(shares.reduce((sum: number, share: number) => sum + share, elsewhere)).toBeCloseTo(1, 6);
    }
    const picture = await sharp(at("why/014.overlay.jpg")).metadata();
    expect(picture.width).toBeGreaterThan(1000);
    expect(readdirSync(at("why")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a target is a class, or two for the margin between them; another name is refused with the known ones", async () => {
    const image = join(dataset, "images/014.png");
    const margin = await run("explain", "model.aspect", image, "--json", "--target", "with:without");
    expect(JSON.parse(margin.stdout).target).toEqual({ kind: "margin", class: "with", other: "without" });
    const named = await run("explain", "model.aspect", image, "--json", "--target", "without");
    expect(JSON.parse(named.stdout).target).toEqual({ kind: "log-odds", class: "without" });
    const wrong = await run("explain", "model.aspect", image, "--target", "wiht");
    expect(wrong.code).toBe(2);
    expect(oneLine(wrong.stderr)).toMatch(/target "wiht": expected a class.*without, with/);
  });

  test("all classes, intervals and a sheet of all methods; what does not go together is refused", async () => {
    const image = join(dataset, "images/014.png");
    const all = await run("explain", "model.aspect", image, "--all-classes", "--interval", "--json", "--out", "all");
    expect(all.code).toBe(0);
    const lines = all.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ target }) => target.class)).toEqual(["without", "with"]);
    for (const { target, aspects } of lines) {
      expect(JSON.parse(readFileSync(at(`all/014.${target.class}.json`), "utf8")).target).toEqual(target);
      for (const { relevance, relevanceInterval } of aspects) {
        if (relevance === null) expect(relevanceInterval).toBeNull();
        else if (relevanceInterval) expect(relevanceInterval[0]).toBeLessThanOrEqual(relevanceInterval[1]);
      }
    }
    const compared = await run("explain", "model.aspect", image, "--compare", "--out", "all");
    expect(compared.code).toBe(0);
    expect((await sharp(at("all/014.compare.png")).metadata()).height).toBeGreaterThan(1500);
    const both = await run("explain", "model.aspect", image, "--all-classes", "--target", "with");
    expect(both.code).toBe(2);
    expect(oneLine(both.stderr)).toMatch(/--all-classes and --target cannot be used together/);
    const method = await run("explain", "model.aspect", image, "--compare", "--saliency", "cam");
    expect(method.code).toBe(2);
    expect(oneLine(method.stderr)).toMatch(/--compare and --saliency cannot be used together/);
  });

  test("another method, tap or target is traced from the bundle; pairs that do not exist are refused with those that do", async () => {
    const image = join(dataset, "images/014.png");
    const explain = (...options: string[]) =>
      run("explain", "model.aspect", image, "--json", "--out", "other", ...options);
    const layer = await explain("--saliency", "hires-cam", "--tap", "conv_pw_3");
    expect(layer.code, layer.stderr).toBe(0);
    // At a layer that the heads do not read, nothing says what a score means.
    const uncalibrated = { scale: { kind: "uncalibrated" }, elsewhere: null };
    expect(JSON.parse(layer.stdout)).toMatchObject({ saliency: "hires-cam", masking: "multiply", ...uncalibrated });
    expect(oneLine(layer.stderr)).toMatch(/scores are not calibrated for this method, target or model/);
    const pixels = await explain(
      "--saliency",
      "grad-cam",
      "--masking",
      "threshold",
      "--tap",
      "input",
      "--mapping",
      "grey",
    );
    expect(JSON.parse(pixels.stdout)).toMatchObject({ saliency: "grad-cam", masking: "threshold" });
    const unit = await explain("--target", "unit:conv_pw_11/3");
    expect(JSON.parse(unit.stdout).target).toEqual({ kind: "unit", layer: "conv_pw_11", channel: 3 });
    const pair = await explain("--saliency", "layer-cam", "--masking", "both");
    expect(pair.code).toBe(2);
    expect(oneLine(pair.stderr)).toMatch(/"layer-cam" has no filter weights\. Take one of multiply, threshold/);
    // Masks and boxes are read from a finer layer too.
    const coarse = await explain("--tap", "conv_pw_11");
    expect(coarse.code).toBe(2);
    expect(oneLine(coarse.stderr)).toMatch(/layer "conv_pw_5" cannot be computed from "conv_pw_11" alone/);
    const late = await explain("--tap", "conv_pw_13");
    expect(late.code).toBe(2);
    expect(oneLine(late.stderr)).toMatch(/cannot be computed from "conv_pw_13" alone/);
  });

  test("faithfulness says in one line why a model that has learned too little cannot be comparison, and writes nothing", async () => {
    const { code, stderr } = await run("faithfulness", "model.aspect", dataset, "--draws", "1", "--out", "faith");
    expect(code).toBe(2);
    expect(oneLine(stderr)).toMatch(/in none of the images with a known cause do the heads see it.*right on/);
    expect(existsSync(at("faith"))).toBe(false);
  });

  test("faithfulness refuses at once what it could only refuse later: the folder, the aspects, a dataset without causes", async () => {
    const refused = async (message: RegExp, ...args: string[]) => {
      const { code, stderr } = await run("faithfulness", "model.aspect", ...args);
      expect(code).toBe(2);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(stderr).toMatch(message);
    };
    await refused(/--out config\.json: is a file/, dataset, "--out", "config.json");
    await refused(/--out config\.json\/why: .*config\.json is a file/, dataset, "--out", "config.json/why");
    await refused(/--out: is empty/, dataset, "--out", "");
    mkdirSync(at("page"));
    writeFileSync(at("page/index.html"), "mine");
    await refused(/page.index\.html: exists and was not made by aspectlens/, dataset, "--out", "page");
    expect(readFileSync(at("page/index.html"), "utf8")).toBe("mine");
    await refused(/--threads.*at most 256/, dataset, "--threads", "9999999");
    await refused(/saliency "cam": needs the classifier's pooling/, dataset, "--saliency", "cam");
    await refused(
      /--unranked: the model has no aspect "foo"\. It has: square, bar, bright, red\./,
      dataset,
      "--unranked",
      "bar",
      "foo",
    );
    const other = await writeTinyDataset();
    const { causes: _, ...rest } = JSON.parse(readFileSync(join(other, "dataset.json"), "utf8"));
    writeFileSync(join(other, "dataset.json"), JSON.stringify(rest));
    const unlabelled = readFileSync(join(other, "samples.jsonl"), "utf8").trim().split("\n");
    const bare = unlabelled.map((line) => JSON.stringify({ ...JSON.parse(line), aspects: {} }));
    writeFileSync(join(other, "samples.jsonl"), bare.join("\n"));
    await refused(/no test image is labelled with a cause.*Name causes in dataset\.json/, other);
    const lines = readFileSync(join(dataset, "samples.jsonl"), "utf8").split("\n");
    const named = await writeTinyDataset();
    for (const line of lines.filter(Boolean)) {
      const { image } = JSON.parse(line);
      renameSync(join(named, image), join(named, image.replace("images/", "images/x")));
    }
    writeFileSync(join(named, "samples.jsonl"), lines.join("\n").replaceAll("images/", "images/x"));
    await refused(/--twin .*: none of its test images is one of/, dataset, "--twin", "model.aspect", named);
  });

  test("evaluate refuses a dataset of another task, and a class that the model does not know, each in one line", async () => {
    const other = await writeTinyDataset();
    const manifest = JSON.parse(readFileSync(join(other, "dataset.json"), "utf8"));
    const lines = readFileSync(join(other, "samples.jsonl"), "utf8");
    writeFileSync(
      join(other, "dataset.json"),
      JSON.stringify({ ...manifest, classes: ["without", "new"], causes: {} }),
    );
    writeFileSync(join(other, "samples.jsonl"), lines.replaceAll('"label":"with"', '"label":"new"'));
    const newClass = await run("evaluate", "model.aspect", other);
    expect(newClass.code).toBe(2);
    expect(oneLine(newClass.stderr)).toMatch(/"new" in split "test" is none of the model's classes \(without, with\)/);
    const { classes: _, causes: __, ...rest } = manifest;
    writeFileSync(join(other, "dataset.json"), JSON.stringify({ ...rest, task: "regression" }));
    writeFileSync(join(other, "samples.jsonl"), lines.replaceAll(/"label":"\w+"/g, '"value":1'));
    const newTask = await run("evaluate", "model.aspect", other);
    expect(newTask.code).toBe(2);
    expect(oneLine(newTask.stderr)).toMatch(/its task is "regression", the model's is "single"/);
  });

  test("files that cannot be written end with one line and 2, also while other images are being explained", async () => {
    const images = Array.from({ length: 4 }, (_, index) => join(dataset, `images/0${14 + index}.png`));
    const { code, stderr } = await run("explain", "model.aspect", ...images, "--out", "config.json/inside");
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/--out config\.json.inside: .*config\.json is a file\. Name a folder\./);
  });

  test("a second Ctrl-C ends the process at once, by the signal", async () => {
    let count = 0;
    const started = performance.now();
    const { code, stderr } = await aspectlens(["train", "config.json", "--set", "out=twice"], {
      cwd: folder,
      onStderr: (text, child) => {
        if (count === 0 && text.includes("stage 1")) setTimeout(() => child.kill("SIGINT"), 300);
        if (count === 0 && text.includes("stage 1")) count++;
        if (count === 1 && text.includes("again to stop")) child.kill("SIGINT");
      },
    });
    // Either the second signal ended it (no code of its own), or it had saved before that came.
    expect([null, 130]).toContain(code);
    expect(stderr).not.toMatch(/terminate called/);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test("images that cannot be read get a line each; the others are explained all the same", async () => {
    mkdirSync(at("odd/folder"), { recursive: true });
    writeFileSync(at("odd/empty.png"), "");
    writeFileSync(at("odd/drawing.svg"), "<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>");
    copyFileSync(join(dataset, "images/014.png"), at("odd/good.png"));
    const whole = await sharp(join(dataset, "images/014.png")).resize(300).jpeg().toBuffer();
    writeFileSync(at("odd/cut.jpg"), whole.subarray(0, whole.length / 2));
    const names = ["empty.png", "cut.jpg", "folder", "absent.png", "drawing.svg"];
    const { code, stderr } = await run(
      "explain",
      "model.aspect",
      ...names.map((name) => `odd/${name}`),
      "odd/good.png",
      "--out",
      "odd-out",
    );
    expect(code).toBe(2);
    for (const name of names)
      expect(
        stderr.split("\n").filter((line) => line.includes(`odd/${name}`)),
        name,
      ).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(readdirSync(at("odd-out")).filter((file) => file.endsWith(".json"))).toEqual(["good.json"]);
  });

  test("nothing is written over images, masks and labels beside them: refused before any work, every file unchanged", async () => {
    mkdirSync(at("labelled"));
    copyFileSync(join(dataset, "images/014.png"), at("labelled/cell.png"));
    copyFileSync(join(dataset, "images/015.png"), at("labelled/cell.square.png"));
    writeFileSync(at("labelled/cell.json"), "{}");
    const before = readdirSync(at("labelled")).map((name) => readFileSync(at("labelled", name)));
    for (const options of [[], ["--target", "with"]]) {
      const { code, stdout, stderr } = await run(
        "explain",
        "model.aspect",
        "labelled",
        "--out",
        "labelled",
        ...options,
      );
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^aspectlens: labelled.cell\.\w+(\.png)?: (is one of the inputs|exists)[^\n]*\n$/);
    }
    expect(readdirSync(at("labelled")).map((name) => readFileSync(at("labelled", name)))).toEqual(before);
  });

  test("an image from a pipe is explained, with a picture, between others", async () => {
    const image = (name: string) => `"${join(dataset, "images", name)}"`;
    const script = `cat ${image("016.png")} | "${process.execPath}" "${MAIN}" explain model.aspect ${image("014.png")} /dev/stdin --out piped`;
    const { status, stdout } = spawnSync("sh", ["-c", script], { cwd: folder, encoding: "utf8" });
    expect(status).toBe(0);
    expect(stdout).toContain("/dev/stdin: with");
    for (const file of ["014.json", "stdin.json", "stdin.overlay.jpg"])
      expect(existsSync(at("piped", file))).toBe(true);
  });

  test("--no-pictures writes the JSON alone, which names no masks, and removes the pictures of an earlier call", async () => {
    const image = join(dataset, "images/014.png");
    await run("explain", "model.aspect", image, "--out", "numbers");
    const before = JSON.parse(readFileSync(at("numbers/014.json"), "utf8"));
    const { code, stdout } = await run("explain", "model.aspect", image, "--out", "numbers", "--no-pictures", "--json");
    expect(code).toBe(0);
    expect(readdirSync(at("numbers")).filter((name) => !name.startsWith("."))).toEqual(["014.json"]);
    const written = JSON.parse(readFileSync(at("numbers/014.json"), "utf8"));
    expect(written).toEqual(JSON.parse(stdout));
    const unnamed = (aspect: object) => ({ ...aspect, ...("mask" in aspect && { mask: null, survivalMap: null }) });
    expect(written).toEqual({ ...before, aspects: before.aspects.map(unnamed) });
    for (const [option, ...more] of [["--compare"], ["--mask-size", "model"]]) {
      const clash = await run("explain", "model.aspect", image, "--no-pictures", option, ...more);
      expect([clash.code, clash.stdout]).toEqual([2, ""]);
      expect(clash.stderr).toMatch(/^aspectlens: --\S+ and --\S+ cannot be used together\. [^\n]*\n$/);
    }
  });

  test("what is drawn in other threads, of many images, has the same bytes and comes in the same order", async () => {
    mkdirSync(at("copies"), { recursive: true });
    const names = Array.from({ length: 40 }, (_, index) => `copies/${String(index).padStart(2, "0")}.png`);
    for (const name of names) copyFileSync(join(dataset, "images/014.png"), at(name));
    const { code, stdout } = await run("explain", "model.aspect", "copies", "--json", "--out", "drawn");
    expect(code).toBe(0);
    const images = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).image);
    expect(images).toEqual(names);
    const [first, ...others] = names.map((name) =>
      readFileSync(at(name.replace("copies", "drawn").replace(".png", ".overlay.jpg"))),
    );
    for (const other of others) expect(Buffer.compare(other, first)).toBe(0);
  });

  test("a folder of many gets a line each and a summary", async () => {
    const { code, stdout } = await run("explain", "model.aspect", join(dataset, "images"), "--out", "many");
    expect(code).toBe(0);
    const count = readdirSync(join(dataset, "images")).length;
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, count).every((line) => /\.png: with/.test(line))).toBe(true);
    expect(lines[count]).toBe(`${count} images explained, 0 skipped`);
  });

  test("a bundle with one byte changed, or cut off, is refused in one line and nothing is written", async () => {
    const bytes = readFileSync(at("model.aspect"));
    const changed = Buffer.from(bytes);
    changed[Math.floor(bytes.length / 2)] ^= 1;
    writeFileSync(at("changed.aspect"), changed);
    writeFileSync(at("cut.aspect"), bytes.subarray(0, bytes.length - 100));
    for (const bundle of ["changed.aspect", "cut.aspect"]) {
      const { code, stderr } = await run("verify", bundle);
      expect(code, bundle).toBe(2);
      expect(stderr.trim().split("\n"), bundle).toHaveLength(1);
      expect(stderr).toContain(bundle);
    }
    const explained = await run("explain", "cut.aspect", join(dataset, "images/014.png"), "--out", "never");
    expect(explained.code).toBe(2);
    expect(existsSync(at("never"))).toBe(false);
  });
});

describe("usage", () => {
  test("--help lists what works, with examples, and ends with 0", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    for (const name of [
      "demo",
      "data",
      "train",
      "evaluate",
      "explain",
      "calibrate",
      "faithfulness",
      "export",
      "verify",
    ])
      expect(stdout).toContain(`  ${name} `);
    const help = await run("explain", "--help");
    expect(help.stdout).toContain("aspectlens explain tissue.aspect");
  });

  test.each([
    [["nonsense"], /unknown command/],
    [["explain", "model.aspect"], /missing required argument/],
    [["train", "absent.json"], /absent\.json: cannot be read/],
    [["train", "config.json", "--set", "batchsize=3"], /unknown key "batchsize"/],
    [["evaluate", "absent", "."], /absent: there is no such run folder or bundle/],
    [["data", "check", "."], /dataset\.json/],
    [["data", "synth", "x", "--count", "-3"], /--count/],
    [["export", "run", "model.zip"], /ends in \.aspect/],
    [["explain", "model.aspect", "x.png", "--out", ""], /--out: is empty\. Name a folder\./],
    [["explain", "model.aspect", "x.png", "--compare", "--out", ""], /--out: is empty\. Name a folder\./],
    [["demo", "--out", ""], /--out: is empty\. Name a folder\./],
  ])("%j ends with 2 and one plain line", async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
