/** A zip of any entries, those too that no honest writer makes: names twice, and names that are none. */

import { crc32, deflateRawSync } from "node:zlib";

/** @param files name and contents, in order; all are deflated. */
export function zipOf(files: readonly (readonly [name: string, bytes: Uint8Array])[]): Buffer {
  const [locals, centrals]: Buffer[][] = [[], []];
  let offset = 0;
  for (const [text, bytes] of files) {
    const name = Buffer.from(text);
    const packed = deflateRawSync(bytes, { level: bytes.length > 20_000_000 ? 1 : 6 });
    const shared = Buffer.alloc(26); // from the version to the length of the extra field
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt16LE(33, 8);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14); // comment, disk, attributes
    rest.writeUInt32LE(offset, 10);
    locals.push(Buffer.from("PK\x03\x04"), shared, name, packed);
    centrals.push(Buffer.from("PK\x01\x02\x14\x03", "latin1"), shared, rest, name);
    offset += 4 + shared.length + name.length + packed.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
