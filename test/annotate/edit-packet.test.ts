import { describe, expect, test } from "vitest";
import { editPacket, newPacket } from "../../src/annotate/xmp/edit-packet.js";
import { NAMESPACE, xmpProperties } from "../../src/annotate/xmp/properties.js";
import { parseXmp, rdfOf, type XmpElement } from "../../src/annotate/xmp/xmp-tree.js";
import { explained } from "../pictures/fixtures.js";
import { FOREIGN_PACKET } from "./files.js";

const { explanation } = explained;
const properties = xmpProperties(explanation, { model: "tissue" });
const edit = (text: string, what = properties) => Buffer.from(editPacket(Buffer.from(text), what)).toString("utf8");
const others = (keywords: readonly string[]) => ({ ...properties, keywords });

function descriptions(text: string): readonly XmpElement[] {
  return rdfOf(parseXmp(text)).children;
}

/** All items of `dc:subject`, wherever it stands. */
function subject(text: string): string[] {
  const found = descriptions(text).flatMap(({ children }) => children.filter(({ local }) => local === "subject"));
  expect(found.length).toBeLessThanOrEqual(1);
  return found.flatMap(({ children }) => children[0].children.map((item) => item.text));
}

const packet = (inner: string) =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${inner}</rdf:RDF></x:xmpmeta>`;
const DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"';

describe("a packet of somebody else", () => {
  test("keeps every byte but where ours is put in, its read-only mark and padding too", () => {
    const after = edit(FOREIGN_PACKET);
    const [head, tail] = FOREIGN_PACKET.split("          <rdf:li>present: nucleus</rdf:li>\n");
    expect(after.startsWith(`${head}          <rdf:li>present: nucleus</rdf:li>\n`)).toBe(true);
    const end = tail.slice(tail.indexOf("\n  </rdf:RDF>"));
    expect(after.endsWith(end)).toBe(true);
    expect(after).toContain(tail.slice(0, tail.indexOf("\n  </rdf:RDF>")));
    expect(after).toContain('<?xpacket end="r"?>');
  });

  test("gets our keywords behind his own; the one that he has set himself is not ours", () => {
    const after = edit(FOREIGN_PACKET);
    expect(subject(after)).toEqual([
      ...["holiday", "present: nucleus", "answer: malignant", "present: mitosis", "present: necrosis"],
      ...["relevant: mitosis", "relevant: necrosis"],
    ]);
    // The model changes its mind: what was ours goes, what was his stays.
    const later = edit(after, others(["answer: benign", "present: nucleus"]));
    expect(subject(later)).toEqual(["holiday", "present: nucleus", "answer: benign"]);
    expect(subject(edit(later, others([])))).toEqual(["holiday", "present: nucleus"]);
  });

  test("says the same after a second run, and has our description once, with his resource's name", () => {
    const after = edit(FOREIGN_PACKET);
    expect(edit(after)).toBe(after);
    const ours = descriptions(after).filter(({ children }) =>
      children.some(({ namespace }) => namespace === NAMESPACE),
    );
    expect(ours).toHaveLength(1);
    expect(ours[0].attributes.find(({ local }) => local === "about")?.value).toBe("uuid:1");
  });

  test("a keyword that he adds behind ours stays", () => {
    const after = edit(FOREIGN_PACKET).replace(
      "</rdf:Bag>\n      </dc:subject>",
      "  <rdf:li>added</rdf:li>\n        </rdf:Bag>\n      </dc:subject>",
    );
    expect(subject(after)).toContain("added");
    expect(subject(edit(after, others(["answer: benign"])))).toEqual([
      "holiday",
      "present: nucleus",
      "added",
      "answer: benign",
    ]);
  });
});

describe("other forms of the same", () => {
  test("a file without keywords gets a list of its own, which goes again when there is nothing to say", () => {
    const plain = packet('<rdf:Description rdf:about="" xmlns:my="urn:mine" my:a="1"/>');
    expect(subject(edit(plain))).toEqual([...properties.keywords]);
    expect(subject(edit(edit(plain), others([])))).toEqual([]);
    expect(edit(edit(plain), others([]))).toContain('<rdf:Description rdf:about="" xmlns:my="urn:mine" my:a="1"/>');
  });

  test("ours are found under another prefix, as attributes and in the description of others, as other programs write them", () => {
    const moved = packet(
      `<rdf:Description rdf:about="" xmlns:z="${NAMESPACE}" ${DC} xmlns:my="urn:mine" z:Answer="old" my:a='1'>` +
        "<z:Keywords><rdf:Bag><rdf:li>answer: old</rdf:li></rdf:Bag></z:Keywords>" +
        "<dc:subject><rdf:Bag><rdf:li>answer: old</rdf:li><rdf:li>his</rdf:li></rdf:Bag></dc:subject></rdf:Description>",
    );
    const after = edit(moved);
    expect(after).not.toContain("old");
    expect(after).toContain("my:a='1'");
    expect(subject(after)).toEqual(["his", ...properties.keywords]);
  });

  test("RDF's namespace without a prefix, an empty rdf:RDF, empty lists, and RDF without xmpmeta", () => {
    const bare = `<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#" ${DC}><Description about=""><dc:subject><Bag><li>his</li></Bag></dc:subject></Description></RDF>`;
    expect(subject(edit(bare))).toEqual(["his", ...properties.keywords]);
    expect(edit(edit(bare))).toBe(edit(bare));
    const closed = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>';
    expect(subject(edit(closed))).toEqual([...properties.keywords]);
    const empty = packet(
      `<rdf:Description ${DC}><dc:subject><rdf:Bag/></dc:subject><dc:title>t</dc:title></rdf:Description>`,
    );
    expect(subject(edit(empty))).toEqual([...properties.keywords]);
    expect(edit(empty)).toContain("<dc:title>t</dc:title>");
  });

  test("keywords in one text, which is not allowed, become the first of the list", () => {
    for (const inner of [
      `<rdf:Description ${DC} dc:subject="his own"/>`,
      `<rdf:Description ${DC}><dc:subject>his own</dc:subject></rdf:Description>`,
    ])
      expect(subject(edit(packet(inner)))).toEqual(["his own", ...properties.keywords]);
  });

  test.each(["utf16le", "utf16be"])("%s stays what it is, with its mark and zeros", (name) => {
    const toBytes = (text: string) => {
      const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
      return Buffer.concat([name === "utf16le" ? bytes : bytes.swap16(), Buffer.alloc(4)]);
    };
    const after = editPacket(toBytes(packet("")), properties);
    expect(Buffer.compare(Buffer.from(after), toBytes(edit(packet(""))))).toBe(0);
  });

  test("nothing but a wrapper or white space is as no packet", () => {
    for (const text of ["", "  \n", '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>\n   <?xpacket end="w"?>'])
      expect(edit(text)).toBe(Buffer.from(newPacket(properties)).toString());
  });
});

describe("what is written", () => {
  test("is XML whatever the names hold", () => {
    const name = `a<b>&"c"'\u0001\ud800 \n<!DOCTYPE`;
    const aspects = explanation.aspects.map((aspect, index) => (index === 0 ? { ...aspect, name } : aspect));
    const strange = xmpProperties({ ...explanation, aspects }, { model: "m" });
    const text = Buffer.from(newPacket(strange)).toString();
    expect(subject(text)[1]).toBe(`present: a<b>&"c"'\ufffd\ufffd \n<!DOCTYPE`);
    expect(edit(text, strange)).toBe(text);
  });

  test("has flags as True and False, numbers without exponents, and nothing where nothing can be said", () => {
    const [first, ...rest] = explanation.aspects;
    const unread = { ...first, isRelevant: null, relevance: null, score: 1e-9, share: null };
    const text = Buffer.from(
      newPacket(xmpProperties({ ...explanation, aspects: [unread, ...rest] }, { model: "m" })),
    ).toString();
    const [item] = text.match(/<rdf:li aspectlens:Name="nucleus".*/) ?? [];
    expect(item).toBe(
      '<rdf:li aspectlens:Name="nucleus" aspectlens:Kind="segmentation" aspectlens:Present="True" aspectlens:Presence="0.99" aspectlens:Score="0" aspectlens:Area="0.03" aspectlens:Instances="1"/>',
    );
    const value = xmpProperties({ ...explanation, prediction: { value: 12345.678 } }, { model: "m" });
    expect(Buffer.from(newPacket(value)).toString()).toContain(
      "<aspectlens:AnswerValue>12345.7</aspectlens:AnswerValue>",
    );
  });
});

describe("refused, in words that follow 'its XMP'", () => {
  test.each([
    ["<a", /^is not XML/],
    [packet("<rdf:Description>"), /^is not XML/],
    ["<a/>", /^has no rdf:RDF/],
    ['<!DOCTYPE a [<!ENTITY b "c">]><a/>', /^has a document type/],
    [
      packet('<rdf:Description xmlns:d="http://purl.org/dc/terms/" d:provenance="https://example.org/x.c2pa"/>'),
      /^names a C2PA manifest/,
    ],
  ])("%s", (text, message) => {
    expect(() => edit(text)).toThrow(message);
  });

  test("bytes that are no text", () => {
    expect(() => editPacket(Buffer.from([0x3c, 0xff, 0xfe]), properties)).toThrow(/^is not text in UTF-8/);
    expect(() => editPacket(Buffer.from([0xff, 0xfe, 0x3c]), properties)).toThrow(/^is not text in UTF-16LE/);
  });

  test("elements nested without end", () => {
    expect(() => edit(packet("<a>".repeat(100_000) + "</a>".repeat(100_000)))).toThrow(/^is not XML/);
  });
});
