/** Small image files with every kind of thing in them that annotating has to leave alone. */

import { crc32, deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";

/** A packet of somebody else: another namespace, attributes and elements, keywords of his own, read-only, padded. */
export const FOREIGN_PACKET = [
  '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
  '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Somebody 1.0">',
  '  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
  '    <rdf:Description rdf:about="uuid:1"',
  "        xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:my='urn:mine'",
  '        xmp:Rating="4" my:note="a &gt; b, &quot;c&quot;">',
  "      <!-- kept as it is -->",
  "      <my:long>two\r\nlines &amp; <![CDATA[<raw>]]></my:long>",
  '      <dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/">',
  "        <rdf:Bag>",
  "          <rdf:li>holiday</rdf:li>",
  "          <rdf:li>present: nucleus</rdf:li>",
  "        </rdf:Bag>",
  "      </dc:subject>",
  "    </rdf:Description>",
  "  </rdf:RDF>",
  "</x:xmpmeta>",
  " ".repeat(200),
  '<?xpacket end="r"?>',
].join("\n");

export const SIDE = 24;

/** A gradient with some noise, so that codecs have something to do. */
export function picture({ channels = 3 }: { channels?: 3 | 4 } = {}): Sharp {
  const pixels = Uint8Array.from({ length: SIDE * SIDE * channels }, (_, at) => (at * 7 + ((at * at) % 31)) % 256);
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels } });
}

/** A segment of a JPEG. */
export function segment(marker: number, data: Uint8Array | string): Buffer {
  const body = Buffer.from(data as string, "latin1");
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** @param segments that are put behind the first `behind` ones. */
export function withSegments(jpeg: Buffer, segments: readonly Buffer[], behind = 0): Buffer {
  let at = 2;
  for (let count = 0; count < behind; count++) at += 2 + jpeg.readUInt16BE(at + 2);
  return Buffer.concat([jpeg.subarray(0, at), ...segments, jpeg.subarray(at)]);
}

/** A segment with a standard packet. */
export function xmpSegment(packet: string | Uint8Array = FOREIGN_PACKET): Buffer {
  return segment(0xe1, Buffer.concat([Buffer.from("http://ns.adobe.com/xap/1.0/\0"), Buffer.from(packet as string)]));
}

/** The index of two images, of which the second begins `place` bytes after the index. */
export function mpfSegment({ size, place, secondSize }: { size: number; place: number; secondSize: number }): Buffer {
  const data = Buffer.alloc(8 + 2 + 3 * 12 + 4 + 32);
  data.write("II*\0", 0, "latin1");
  data.writeUInt32LE(8, 4);
  data.writeUInt16LE(3, 8);
  const field = (index: number, [tag, type, count]: readonly number[], value: number | string) => {
    const at = 10 + index * 12;
    data.writeUInt16LE(tag, at);
    data.writeUInt16LE(type, at + 2);
    data.writeUInt32LE(count, at + 4);
    if (typeof value === "string") data.write(value, at + 8, "latin1");
    else data.writeUInt32LE(value, at + 8);
  };
  field(0, [0xb000, 7, 4], "0100");
  field(1, [0xb001, 4, 1], 2);
  field(2, [0xb002, 7, 32], 50);
  data.writeUInt32LE(0x20030000, 50);
  data.writeUInt32LE(size, 54);
  data.writeUInt32LE(secondSize, 70);
  data.writeUInt32LE(place, 74);
  return segment(0xe2, Buffer.concat([Buffer.from("MPF\0"), data]));
}

/** Two images in one file; the index stands right behind the beginning. */
export function twoImages(first: Buffer, second: Buffer, before: readonly Buffer[] = []): Buffer {
  const index = mpfSegment({ size: 0, place: 0, secondSize: 0 });
  const size = first.length + before.reduce((sum, { length }) => sum + length, 0) + index.length;
  const base = 2 + before.reduce((sum, { length }) => sum + length, 0) + 8;
  const right = mpfSegment({ size, place: size - base, secondSize: second.length });
  return Buffer.concat([withSegments(first, [...before, right]), second]);
}

/** A chunk of a PNG. */
export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** Behind the header. */
export function withChunks(png: Buffer, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
}

export function xmpChunk(packet = FOREIGN_PACKET, { isPacked = false } = {}): Buffer {
  const body = isPacked ? deflateSync(packet) : Buffer.from(packet);
  return chunk(
    "iTXt",
    Buffer.concat([Buffer.from(`XML:com.adobe.xmp\0${isPacked ? "\x01" : "\0"}\0\0\0`, "latin1"), body]),
  );
}

/** A chunk of a WebP. */
export function riffChunk(type: string, data: Uint8Array): Buffer {
  const head = Buffer.from(`${type}\0\0\0\0`, "latin1");
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

export function riff(chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat(chunks);
  const head = Buffer.from("RIFF\0\0\0\0WEBP", "latin1");
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
}

/** A grey TIFF of any order of bytes and number of pages, its directories behind the strips; XMP in the first page. */
export function tiff({
  isLittle = true,
  pages = 1,
  packet,
}: {
  isLittle?: boolean;
  pages?: number;
  packet?: string;
} = {}): Buffer {
  const parts: Buffer[] = [];
  let length = 8;
  const add = (part: Buffer) => {
    const at = length;
    parts.push(part, Buffer.alloc(part.length % 2));
    length += part.length + (part.length % 2);
    return at;
  };
  const word = (value: number, bytes: 2 | 4) => {
    const part = Buffer.alloc(bytes);
    if (isLittle) part.writeUIntLE(value, 0, bytes);
    else part.writeUIntBE(value, 0, bytes);
    return part;
  };
  const strips = Array.from({ length: pages }, (_, page) =>
    add(Buffer.from(Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at * 3 + page * 50) % 256))),
  );
  const xmp = packet === undefined ? undefined : { at: add(Buffer.from(packet)), length: Buffer.byteLength(packet) };
  let first = 0;
  let link: Buffer | undefined;
  for (const [page, strip] of strips.entries()) {
    const fields: [tag: number, type: number, count: number, value: number][] = [
      [256, 4, 1, SIDE],
      [257, 4, 1, SIDE],
      [258, 3, 1, 8],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [273, 4, 1, strip],
      [277, 3, 1, 1],
      [278, 4, 1, SIDE],
      [279, 4, 1, SIDE * SIDE],
      ...(page === 0 && xmp ? [[700, 1, xmp.length, xmp.at] as [number, number, number, number]] : []),
      [33432, 2, 3, 0],
    ];
    const next = Buffer.alloc(4);
    const directory = Buffer.concat([
      word(fields.length, 2),
      ...fields.map(([tag, type, count, value]) =>
        Buffer.concat([
          ...[word(tag, 2), word(type, 2), word(count, 4)],
          tag === 33432
            ? Buffer.from("me\0\0")
            : type === 3
              ? Buffer.concat([word(value, 2), word(0, 2)])
              : word(value, 4),
        ]),
      ),
      next,
    ]);
    const at = length;
    parts.push(directory);
    length += directory.length;
    if (page === 0) first = at;
    else link?.set(word(at, 4), link.length - 4);
    link = directory;
    if (length % 2 === 1) add(Buffer.alloc(1));
  }
  const head = Buffer.concat([Buffer.from(isLittle ? "II" : "MM"), word(42, 2), word(first, 4)]);
  return Buffer.concat([head, ...parts]);
}

/** One file of each kind that is annotated, by name. */
export async function everyKind(): Promise<Record<string, Buffer>> {
  const bare = await picture().jpeg().toBuffer();
  const jfif = segment(0xe0, "JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
  const jpeg = withSegments(bare, [jfif]);
  const png = await picture({ channels: 4 }).png().toBuffer();
  const described = picture()
    .withExif({ IFD0: { Copyright: "me" } })
    .withIccProfile("p3");
  const exif = withSegments(await described.jpeg().toBuffer(), [jfif]);
  const lossy = await picture().webp().toBuffer();
  return {
    "plain.jpg": jpeg,
    "exif.jpg": exif,
    "no-app0.jpg": bare,
    "progressive.jpg": await picture().jpeg({ progressive: true }).toBuffer(),
    "cmyk.jpg": await picture().toColourspace("cmyk").jpeg().toBuffer(),
    "xmp.jpg": withSegments(exif, [xmpSegment()], 2),
    "two.jpg": twoImages(jpeg, exif),
    "trailer.jpg": Buffer.concat([jpeg, Buffer.from("....ftypmp42 a video")]),
    "comment.jpg": withSegments(jpeg, [segment(0xfe, "a comment")], 1),
    "plain.png": png,
    "xmp.png": withChunks(png, [chunk("tEXt", Buffer.from("Title\0a title")), xmpChunk()]),
    "packed.png": withChunks(png, [xmpChunk(FOREIGN_PACKET, { isPacked: true })]),
    "lossy.webp": lossy,
    "lossless.webp": await picture({ channels: 4 }).webp({ lossless: true }).toBuffer(),
    "alpha.webp": await picture({ channels: 4 }).webp().toBuffer(),
    "exif.webp": await picture()
      .withExif({ IFD0: { Copyright: "me" } })
      .webp()
      .toBuffer(),
    "xmp.webp": await picture().withXmp(FOREIGN_PACKET).webp().toBuffer(),
    "little.tif": tiff(),
    "big.tif": tiff({ isLittle: false, pages: 3 }),
    "xmp.tif": tiff({ pages: 2, packet: FOREIGN_PACKET }),
    "xmp-big.tif": tiff({ isLittle: false, packet: FOREIGN_PACKET }),
    "lzw.tif": await picture().tiff({ compression: "lzw", tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
  };
}
