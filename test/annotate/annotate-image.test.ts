import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { annotateImage } from "../../src/annotate/annotate-image.js";
import { ImageError } from "../../src/core/errors.js";
import { explained } from "../pictures/fixtures.js";
import {
  chunk,
  everyKind,
  FOREIGN_PACKET,
  mpfSegment,
  picture,
  riff,
  riffChunk,
  SIDE,
  segment,
  tiff,
  twoImages,
  withChunks,
  withSegments,
  xmpChunk,
  xmpSegment,
} from "./files.js";

const { explanation } = explained;
const annotate = (bytes: Uint8Array, name = "x") =>
  Buffer.from(annotateImage(bytes, explanation, { name, model: "tissue" }));
const refusal = (bytes: Uint8Array): string => {
  try {
    annotate(bytes, "x");
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    return (error as Error).message;
  }
  return "annotated";
};

let files: Record<string, Buffer>;
beforeAll(async () => {
  files = await everyKind();
});

/** Pieces of a file in order, without what annotating may change: XMP, and the heads that tell of it. */
function pieces(bytes: Buffer): string[] {
  const found: string[] = [];
  const add = (piece: Uint8Array, as = "") => found.push(as + Buffer.from(piece).toString("latin1"));
  if (bytes.toString("latin1", 0, 2) === "\xff\xd8") {
    let at = 2;
    for (; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2)) {
      const piece = bytes.subarray(at, at + 2 + bytes.readUInt16BE(at + 2));
      const name = piece.toString("latin1", 4, 12);
      if (!name.startsWith("http://n") && !name.startsWith("MPF\0")) add(piece);
    }
    add(bytes.subarray(at));
  } else if (bytes.toString("latin1", 1, 4) === "PNG") {
    for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
      const piece = bytes.subarray(at, at + 12 + bytes.readUInt32BE(at));
      if (!piece.includes("XML:com.adobe.xmp")) add(piece);
    }
  } else {
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
    for (let at = 12; at < bytes.length; ) {
      const size = bytes.readUInt32LE(at + 4);
      const type = bytes.toString("latin1", at, at + 4);
      if (type !== "VP8X" && type !== "XMP ") add(bytes.subarray(at + 8, at + 8 + size), type);
      at += 8 + size + (size % 2);
    }
  }
  return found;
}

describe("every kind of file", () => {
  test("keeps image data and other metadata byte for byte, decodes to the same pixels, and says what was written", async () => {
    for (const [name, bytes] of Object.entries(files)) {
      const after = annotate(bytes, name);
      if (!name.endsWith(".tif")) expect(pieces(after), name).toEqual(pieces(bytes));
      const [old, now] = [await sharp(bytes).metadata(), await sharp(after).metadata()];
      for (const key of ["exif", "icc", "format", "width", "height", "space", "pages", "hasAlpha", "comments"] as const)
        expect(now[key], `${name}: ${key}`).toEqual(old[key]);
      const pixels = await Promise.all(
        [bytes, after].map((file) => sharp(file, { failOn: "warning" }).raw().toBuffer()),
      );
      expect(Buffer.compare(...(pixels as [Buffer, Buffer])), name).toBe(0);
      expect(now.xmp?.toString(), name).toContain("<aspectlens:Answer>malignant</aspectlens:Answer>");
      if (old.xmp) expect(now.xmp?.toString(), name).toContain('my:note="a &gt; b, &quot;c&quot;"');
      expect(Buffer.compare(annotate(after), after), `${name}, again`).toBe(0);
    }
  });

  test("is not changed itself", () => {
    for (const bytes of Object.values(files)) {
      const before = Buffer.from(bytes);
      annotate(bytes);
      expect(Buffer.compare(bytes, before)).toBe(0);
    }
  });
});

describe("JPEG", () => {
  test("the packet stands behind JFIF and Exif, and an old one keeps its place", () => {
    const names = (bytes: Buffer) => {
      const found: string[] = [];
      for (let at = 2; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2))
        found.push(bytes[at + 1] < 0xe0 ? "table" : bytes.toString("latin1", at + 4, at + 8));
      return found.filter((name) => name !== "table");
    };
    expect(names(annotate(files["plain.jpg"]))).toEqual(["JFIF", "http"]);
    expect(names(annotate(files["no-app0.jpg"]))).toEqual(["http"]);
    expect(names(annotate(files["exif.jpg"]))).toEqual(["JFIF", "Exif", "http", "ICC_"]);
    const behind = withSegments(files["exif.jpg"], [xmpSegment()], 3);
    expect(names(behind)).toEqual(["JFIF", "Exif", "ICC_", "http"]);
    expect(names(annotate(behind))).toEqual(["JFIF", "Exif", "ICC_", "http"]);
  });

  test.each([
    ["before the index", [] as Buffer[], 0],
    ["before the index, where an old packet is replaced", [xmpSegment()], 0],
    ["behind the index", [], 2],
  ])("the index of further images leads to them, and tells the first one's size: packet %s", (_, before, behind) => {
    const first = behind === 0 ? files["plain.jpg"] : withSegments(files["plain.jpg"], [xmpSegment()], 1);
    const second = files["exif.jpg"];
    const after = annotate(twoImages(first, second, before));
    const index = after.indexOf("MPF\0") + 4;
    expect(after.readUInt32LE(index + 50 + 4)).toBe(after.length - second.length);
    const place = index + after.readUInt32LE(index + 50 + 24);
    expect(Buffer.compare(after.subarray(place, place + after.readUInt32LE(index + 50 + 20)), second)).toBe(0);
  });

  test("an index that leads nowhere already stays as it is; one that cannot be read is refused", () => {
    const stale = withSegments(files["plain.jpg"], [mpfSegment({ size: 5, place: 77, secondSize: 9 })]);
    expect(annotate(stale).includes(mpfSegment({ size: 5, place: 77, secondSize: 9 }))).toBe(true);
    const odd = withSegments(files["plain.jpg"], [segment(0xe2, "MPF\0II*\0\xff\xff\xff\xff")]);
    expect(refusal(odd)).toBe("x: its index of further images (MPF) cannot be read. Save it again.");
  });

  test("padding makes room where the packet would be too long; where that is not enough, it is refused with the sizes", () => {
    const long = (padding: number, name: string) =>
      FOREIGN_PACKET.replace(" ".repeat(200), " ".repeat(padding)).replace(
        "my:note=",
        `my:${name}="${"n".repeat(40_000)}" my:note=`,
      );
    const padded = annotate(withSegments(files["plain.jpg"], [xmpSegment(long(24_000, "more"))], 1));
    expect(padded.includes("aspectlens:Answer")).toBe(true);
    expect(padded.includes("n".repeat(40_000))).toBe(true);
    const full = long(0, "more").replace("nnn", "n".repeat(24_000));
    expect(refusal(withSegments(files["plain.jpg"], [xmpSegment(full)], 1))).toMatch(
      /^x: its XMP packet would have 6\d{4} bytes, and a JPEG holds 65504\.$/,
    );
  });

  test("a second packet that continues the first stays; one with keywords in it is refused", () => {
    const digest = "0123456789ABCDEF0123456789ABCDEF";
    const main = FOREIGN_PACKET.replace(
      "my:note=",
      `xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${digest}" my:note=`,
    );
    const piece = (inner: string) => {
      const text = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description ${inner}/></rdf:RDF></x:xmpmeta>`;
      const numbers = Buffer.alloc(8);
      numbers.writeUInt32BE(text.length);
      return segment(
        0xe1,
        Buffer.concat([Buffer.from(`http://ns.adobe.com/xmp/extension/\0${digest}`), numbers, Buffer.from(text)]),
      );
    };
    const other = piece('xmlns:my="urn:mine" my:big="1"');
    const after = annotate(withSegments(files["plain.jpg"], [xmpSegment(main), other], 1));
    expect(after.includes(other)).toBe(true);
    const keywords = piece('xmlns:dc="http://purl.org/dc/elements/1.1/" dc:subject="a"');
    expect(refusal(withSegments(files["plain.jpg"], [xmpSegment(main), keywords], 1))).toMatch(
      /second packet \(extended XMP\)/,
    );
  });
});

describe("TIFF", () => {
  test.each([
    [true, 1],
    [false, 3],
  ])(
    "little %s, %i pages: nothing moves, the first page's directory is written anew with one more entry",
    (isLittle, pages) => {
      const bytes = tiff({ isLittle, pages });
      const after = annotate(bytes);
      expect(Buffer.compare(after.subarray(8, bytes.length), bytes.subarray(8))).toBe(0);
      const read = (at: number, size: number) => (isLittle ? after.readUIntLE(at, size) : after.readUIntBE(at, size));
      const directory = read(4, 4);
      expect(directory).toBe(bytes.length);
      const tags = Array.from({ length: read(directory, 2) }, (_, index) => read(directory + 2 + 12 * index, 2));
      expect(tags).toEqual([256, 257, 258, 259, 262, 273, 277, 278, 279, 700, 33432]);
      const old = isLittle ? bytes.readUInt32LE(4) : bytes.readUInt32BE(4);
      const next = (at: number, count: number) => read(at + 2 + 12 * count, 4);
      expect(next(directory, 11)).toBe(next(old, 10));
      expect(next(directory, 11) > 0).toBe(pages > 1);
    },
  );

  test("an old packet's entry leads to the new one, and the file does not grow from run to run", () => {
    const bytes = tiff({ packet: FOREIGN_PACKET });
    const after = annotate(bytes);
    const changed = [...bytes.keys()].filter((at) => bytes[at] !== after[at]);
    const entry = bytes.indexOf(Buffer.from([700 & 255, 700 >> 8, 1, 0]));
    expect(changed.every((at) => at >= entry + 4 && at < entry + 12)).toBe(true);
    const benign = { ...explanation, headline: { ...explanation.headline, text: "short" } };
    const later = annotateImage(after, benign, { name: "x", model: "tissue" });
    expect(later.length).toBe(after.length - explanation.headline.text.length + "short".length);
  });

  test("a tag 700 that leads to pixels cuts nothing off", () => {
    const black = Buffer.concat([tiff(), Buffer.alloc(SIDE * SIDE)]);
    const start = black.length - SIDE * SIDE;
    const entry = (index: number) => black.readUInt32LE(4) + 2 + index * 12;
    // The strip is moved to the zeros at the end, and what was tag 33432 becomes tag 700 and leads there too.
    black.writeUInt32LE(start, entry(5) + 8);
    black.writeUInt16LE(700, entry(9));
    black.writeUInt16LE(1, entry(9) + 2);
    black.writeUInt32LE(SIDE * SIDE, entry(9) + 4);
    black.writeUInt32LE(start, entry(9) + 8);
    const after = annotate(black);
    expect(Buffer.compare(after.subarray(start, black.length), Buffer.alloc(SIDE * SIDE))).toBe(0);
  });

  test("a file that is cut off is refused: what is added would stand where its next page was", () => {
    const bytes = tiff({ pages: 3 });
    const second = bytes.readUInt32LE(bytes.readUInt32LE(4) + 2 + 10 * 12);
    expect(refusal(bytes.subarray(0, second + 30))).toBe(
      "x: is damaged: it leads to places that are not its own, or behind its end. Save it again.",
    );
  });
});

describe("PNG and WebP", () => {
  test("a packed text stays packed, an unpacked one unpacked; a new one stands before the image", () => {
    const flag = (bytes: Buffer) => bytes[bytes.indexOf("XML:com.adobe.xmp\0") + 18];
    expect(flag(annotate(files["packed.png"]))).toBe(1);
    expect(flag(annotate(files["xmp.png"]))).toBe(0);
    const after = annotate(files["plain.png"]);
    expect(after.indexOf("iTXt")).toBeLessThan(after.indexOf("IDAT"));
  });

  test("a simple WebP becomes an extended one with its size, transparency and the mark of XMP", () => {
    for (const [name, flags] of [
      ["lossy.webp", 0x04],
      ["lossless.webp", 0x14],
      ["alpha.webp", 0x14],
      ["exif.webp", 0x0c],
    ] as const) {
      const after = annotate(files[name]);
      expect(after.toString("latin1", 12, 16), name).toBe("VP8X");
      expect(after[20], name).toBe(flags);
      expect([after.readUIntLE(24, 3), after.readUIntLE(27, 3)], name).toEqual([23, 23]);
    }
  });

  test("a last chunk without its padding gets it", async () => {
    const odd = riff([files["lossy.webp"].subarray(12), riffChunk("ABCD", Buffer.from("abc"))]).subarray(0, -1);
    odd.writeUInt32LE(odd.length - 8, 4);
    const after = annotate(odd);
    expect(after.indexOf("XMP ") % 2).toBe(0);
    expect((await sharp(after).metadata()).xmp?.toString()).toContain("malignant");
  });
});

describe("refused by name", () => {
  test("signed, animated, BigTIFF, several packets, formats without a place", async () => {
    const jpeg = files["plain.jpg"];
    const png = files["plain.png"];
    const frames = await sharp({ create: { width: 8, height: 16, channels: 3, background: "red" } })
      .composite([{ input: { create: { width: 8, height: 8, channels: 3, background: "blue" } }, top: 0, left: 0 }])
      .raw()
      .toBuffer();
    const animated = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .webp()
      .toBuffer();
    const signed = "x: is signed (C2PA): any change would break the signature.";
    expect(refusal(withSegments(jpeg, [segment(0xeb, "JP\0\x01\0\0\0\x01....jumb....jumdc2pa")], 1))).toBe(signed);
    expect(refusal(withChunks(png, [chunk("caBX", Buffer.from("jumb"))]))).toBe(signed);
    expect(refusal(riff([files["lossy.webp"].subarray(12), riffChunk("C2PA", Buffer.from("jumb"))]))).toBe(signed);
    const sealed = tiff();
    sealed.writeUInt16LE(0xcd41, sealed.readUInt32LE(4) + 2 + 10 * 12 - 12);
    expect(refusal(sealed)).toBe(signed);
    const elsewhere = FOREIGN_PACKET.replace(
      "my:note=",
      'xmlns:t="http://purl.org/dc/terms/" t:provenance="https://example.org/a" my:note=',
    );
    expect(refusal(withSegments(jpeg, [xmpSegment(elsewhere)], 1))).toMatch(/^x: its XMP names a C2PA manifest/);
    expect(refusal(animated)).toBe("x: is animated.");
    expect(refusal(withChunks(png, [chunk("acTL", Buffer.alloc(8))]))).toBe("x: is animated.");
    const big = await picture().tiff({ bigtiff: true }).toBuffer();
    expect(refusal(big)).toBe("x: is a BigTIFF. Save it as TIFF of less than 4 GB.");
    expect(refusal(withSegments(jpeg, [xmpSegment(), xmpSegment()], 1))).toBe(
      "x: holds several XMP packets. Save it again.",
    );
    expect(refusal(withChunks(png, [xmpChunk(), xmpChunk()]))).toBe("x: holds several XMP packets. Save it again.");
    expect(refusal(withChunks(png, [chunk("zTXt", Buffer.from("Raw profile type xmp\0\0"))]))).toMatch(
      /old form of ImageMagick's/,
    );
    const gif = await picture().gif().toBuffer();
    expect(refusal(gif)).toBe("x: GIF is not annotated. Convert it to PNG, JPEG, WebP or TIFF.");
  });

  test("lengths that lie, checksums, bombs, and XMP that is no XML", () => {
    const jpeg = Buffer.from(files["plain.jpg"]);
    jpeg.writeUInt16BE(65_000, 4);
    expect(refusal(jpeg)).toBe("x: is damaged: no segment begins at byte 2. Save it again.");
    const png = Buffer.from(files["xmp.png"]);
    png[png.indexOf("holiday")] ^= 1;
    expect(refusal(png)).toBe("x: is damaged: the checksum of its XMP is wrong. Save it again.");
    const bomb = Buffer.concat([
      Buffer.from("XML:com.adobe.xmp\0\x01\0\0\0", "latin1"),
      deflateSync(Buffer.alloc(11_000_000, " ")),
    ]);
    expect(refusal(withChunks(files["plain.png"], [chunk("iTXt", bomb)]))).toBe(
      "x: its XMP unpacks to more than 10 MB.",
    );
    const webp = Buffer.from(files["lossy.webp"]);
    webp.writeUInt32LE(webp.length + 5, 4);
    expect(refusal(webp)).toMatch(/^x: is damaged: it says that it has \d+ bytes, and has \d+\. Save it again\.$/);
    const far = tiff();
    far.writeUInt32LE(0xfffffff0, 4);
    expect(refusal(far)).toBe("x: is damaged: its first page cannot be found. Save it again.");
    expect(refusal(withSegments(files["plain.jpg"], [xmpSegment("<a")], 1))).toMatch(
      /^x: its XMP is not XML \(.+\)\. Correct or remove it/,
    );
    expect(refusal(Buffer.from("nothing"))).toMatch(/^x: not an image/);
  });
});
