import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { annotateImage } from "../../src/annotate/annotate-image.js";
import { explained } from "../pictures/fixtures.js";
import { everyKind, twoImages } from "./files.js";

const hasExiftool = spawnSync("exiftool", ["-ver"]).status === 0;
const { explanation } = explained;
const annotate = (bytes: Uint8Array) => annotateImage(bytes, explanation, { name: "x", model: "tissue" });

let folder: string;
let files: Record<string, Buffer>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "exiftool-"));
  files = await everyKind();
});

/** What exiftool reads of all files in a folder: by name of the file, and by group and name. */
function read(place: string): Record<string, Record<string, unknown>> {
  const options = ["-json", "-G1", "-struct", "-a", "-validate", "-all"];
  const said: Record<string, unknown>[] = JSON.parse(
    execFileSync("exiftool", [...options, join(folder, place)]).toString(),
  );
  return Object.fromEntries(said.map((one) => [basename(String(one.SourceFile)), one]));
}

function withExiftool(name: string, work: () => void): void {
  test(name, { timeout: 120_000 }, (context) => {
    if (!hasExiftool) context.skip("exiftool is absent: WHETHER OTHER PROGRAMS READ OUR XMP IS NOT TESTED");
    work();
  });
}

withExiftool(
  "exiftool reads flags, numbers and keywords from every kind of file, and finds it as valid as it was",
  () => {
    for (const place of ["before", "after"]) mkdirSync(join(folder, place));
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(folder, "before", name), bytes);
      writeFileSync(join(folder, "after", name), annotate(bytes));
    }
    const [allBefore, allAfter] = [read("before"), read("after")];
    for (const name of Object.keys(files)) {
      const [before, after] = [allBefore[name], allAfter[name]];
      expect(after["ExifTool:Validate"], name).toEqual(before["ExifTool:Validate"]);
      expect(after["ExifTool:Warning"], name).toEqual(before["ExifTool:Warning"]);
      expect(after, name).toMatchObject({
        "XMP-aspectlens:Answer": "malignant",
        "XMP-aspectlens:AnswerScore": 0.97,
        "XMP-aspectlens:Relevant": ["mitosis", "necrosis"],
        "XMP-aspectlens:Present": ["nucleus", "mitosis", "necrosis"],
      });
      const aspects = after["XMP-aspectlens:Aspects"] as Record<string, unknown>[];
      expect(aspects[1], name).toEqual({
        ...{ Name: "mitosis", Kind: "boxes", Present: true, Relevant: true, Presence: 0.9, Relevance: 0.81 },
        ...{ Score: 0.041, Share: 0.31, Strength: "strong", Instances: 2 },
      });
      expect(aspects[3], name).toMatchObject({ Name: "vessel", Present: false, Relevant: false });
      const subject = after["XMP-dc:Subject"] as string[];
      const his = (before["XMP-dc:Subject"] ?? []) as string[];
      expect(subject.slice(0, his.length), name).toEqual(his);
      expect(subject, name).toEqual(expect.arrayContaining(["answer: malignant", "relevant: necrosis"]));
      // All that was said before is said still; sizes and places in the file, and the kind of WebP, are others.
      for (const [key, value] of Object.entries(before))
        if (
          !/^(?:System|SourceFile|MPImage|MPF0|ExifTool)|^(?:XMP-dc:Subject|File:FileType|RIFF:WebP_Flags)$/.test(key)
        )
          expect(after[key], `${name}: ${key}`).toEqual(value);
    }
  },
);

withExiftool("the second image of a file with two comes out of it whole", () => {
  writeFileSync(join(folder, "pair.jpg"), annotate(twoImages(files["plain.jpg"], files["exif.jpg"])));
  const second = execFileSync("exiftool", ["-b", "-MPImage2", join(folder, "pair.jpg")], { encoding: "buffer" });
  expect(Buffer.compare(second, files["exif.jpg"])).toBe(0);
});

withExiftool(
  "what exiftool has written anew is found again: his keyword stays, ours are replaced, nothing is twice",
  () => {
    const names = ["plain.jpg", "plain.png", "exif.webp", "little.tif"];
    mkdirSync(join(folder, "again"));
    const paths = names.map((name) => join(folder, "again", name));
    for (const name of names) writeFileSync(join(folder, "again", name), annotate(files[name]));
    const written = spawnSync("exiftool", [
      "-overwrite_original",
      "-XMP-dc:Subject+=his",
      "-XMP-xmp:Rating=3",
      ...paths,
    ]);
    expect(written.stderr.toString()).toBe("");
    const benign = { ...explanation, prediction: { class: "benign", score: 0.6, scores: {} }, aspects: [] };
    for (const path of paths)
      writeFileSync(path, annotateImage(readFileSync(path), benign, { name: path, model: "tissue" }));
    const said = read("again");
    for (const name of names) {
      expect(said[name]["XMP-dc:Subject"], name).toEqual(["his", "answer: benign"]);
      expect(said[name]["XMP-aspectlens:Answer"], name).toBe("benign");
      expect(said[name]["XMP-aspectlens:Aspects"], name).toBeUndefined();
      expect(said[name]["XMP-xmp:Rating"], name).toBe(3);
    }
  },
);
