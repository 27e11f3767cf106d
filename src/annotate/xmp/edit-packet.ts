/**
 * Puts our properties and keywords into an XMP packet, in the place of those of an earlier run. Everything else in it
 * stays as it was written.
 */

import { decodePacket } from "./packet-bytes.js";
import { escaped, NAMESPACE, OWN_KEYWORDS, type XmpProperties } from "./properties.js";
import { isRdf, PacketFault, parseXmp, RDF, rdfOf, type Span, type XmpAttribute, type XmpElement } from "./xmp-tree.js";

export const DC = "http://purl.org/dc/elements/1.1/";
const DCTERMS = "http://purl.org/dc/terms/";
const NOTE = "http://ns.adobe.com/xmp/note/";

const EMPTY = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="aspectlens">
 <rdf:RDF xmlns:rdf="${RDF}">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

/** A packet with our properties alone. */
export function newPacket(properties: XmpProperties): Uint8Array {
  return Buffer.from(withProperties(EMPTY, properties), "utf8");
}

/**
 * @param packet as the file has it.
 * @throws PacketFault where it cannot be read, or says that the file is signed.
 */
export function editPacket(packet: Uint8Array, properties: XmpProperties): Uint8Array {
  const { text, encode } = decodePacket(packet);
  if (text.replace(/<\?[^?]*\?>/g, "").trim() === "") return newPacket(properties);
  return encode(withProperties(text, properties));
}

/** What a packet says of a second one, which continues it: the name of that, or nothing. */
export function extensionOf(packet: Uint8Array): string | undefined {
  const said = descriptionsOf(decodePacket(packet).text).flatMap((description) =>
    propertiesOf(description).filter(({ namespace, local }) => namespace === NOTE && local === "HasExtendedXMP"),
  );
  return said[0] && textOfProperty(said[0]).trim();
}

/** Whether a packet, or the second part of one, holds keywords or properties of ours. */
export function concernsUs(packet: Uint8Array): boolean {
  return descriptionsOf(decodePacket(packet).text).some((description) =>
    propertiesOf(description).some((property) => isOurs(property) || isSubject(property)),
  );
}

interface Edit extends Span {
  readonly text: string;
}

function withProperties(text: string, properties: XmpProperties): string {
  const rdf = rdfOf(parseXmp(text));
  const descriptions = rdf.children.filter((element) => isRdf(element, "Description"));
  refuseSigned(descriptions);
  const former = new Set(descriptions.flatMap(formerKeywords));
  const edits: Edit[] = [];
  const remove = (span: Span) => edits.push({ ...withSpaceBefore(text, span), text: "" });
  // Keywords of somebody else, and where ours can stand beside them.
  const others: string[] = [];
  let bag: { element: XmpElement; kept: readonly XmpElement[] } | undefined;
  for (const description of descriptions) {
    const gone = new Set<XmpElement | XmpAttribute>(propertiesOf(description).filter(isOurs));
    for (const subject of propertiesOf(description).filter(isSubject)) {
      const container = "children" in subject ? subject.children.find(isContainer) : undefined;
      if (!container) {
        // Written as one text, which no keyword can be added to.
        const value = textOfProperty(subject).trim();
        if (value !== "") others.push(value);
        gone.add(subject);
        continue;
      }
      const items = container.children.filter((element) => isRdf(element, "li"));
      const kept = items.filter((item) => !former.has(keyOf(item.text)));
      others.push(...kept.map((item) => item.text));
      if (kept.length === 0) gone.add(subject);
      else for (const item of items) if (!kept.includes(item)) remove(item.span);
      if (kept.length > 0) bag ??= { element: container, kept };
    }
    if (gone.size === 0) continue;
    if (propertiesOf(description).every((property) => gone.has(property))) remove(description.span);
    else for (const property of gone) remove(property.span);
  }
  const known = new Set(others.map(keyOf));
  const added = properties.keywords.filter((keyword) => !known.has(keyOf(keyword)));
  const lost = bag ? [] : others;
  if (bag) edits.push(...intoBag(text, bag, added));
  const about = descriptions.flatMap(({ attributes }) => attributes.filter(isAbout))[0];
  const ours = description(properties, {
    about: about?.value ?? "",
    rdf,
    added,
    subject: bag ? [] : [...lost, ...added],
  });
  edits.push(before(text, rdf, ours));
  const changed = applied(text, edits);
  // What is written must be what can be read.
  if (!descriptionsOf(changed).some((description) => propertiesOf(description).some(isOurs)))
    throw new PacketFault("cannot be followed tag by tag");
  return changed;
}

function descriptionsOf(text: string): XmpElement[] {
  return rdfOf(parseXmp(text)).children.filter((element) => isRdf(element, "Description"));
}

/** Simple properties may be written as attributes. */
function propertiesOf({ attributes, children }: XmpElement): (XmpElement | XmpAttribute)[] {
  const isProperty = ({ namespace }: XmpAttribute) => !["", "xmlns", RDF].includes(namespace);
  return [...attributes.filter(isProperty), ...children];
}

function isOurs({ namespace }: XmpElement | XmpAttribute): boolean {
  return namespace === NAMESPACE;
}

function isSubject({ namespace, local }: XmpElement | XmpAttribute): boolean {
  return namespace === DC && local === "subject";
}

function isContainer(element: XmpElement): boolean {
  return ["Bag", "Seq", "Alt"].some((name) => isRdf(element, name));
}

function isAbout({ namespace, local }: XmpAttribute): boolean {
  return local === "about" && (namespace === RDF || namespace === "");
}

function textOfProperty(property: XmpElement | XmpAttribute): string {
  return "value" in property ? property.value : property.text;
}

/** White space and composed or decomposed accents make no other keyword. */
function keyOf(keyword: string): string {
  return keyword.trim().replace(/\s+/g, " ").normalize("NFC");
}

/** Those that an earlier run has put in. */
function formerKeywords({ children }: XmpElement): string[] {
  return children
    .filter((element) => isOurs(element) && element.local === OWN_KEYWORDS)
    .flatMap((element) => element.children.flatMap((bag) => bag.children.map((item) => keyOf(item.text))));
}

/** A manifest that lies elsewhere signs the bytes of this file. */
function refuseSigned(descriptions: readonly XmpElement[]): void {
  const properties = descriptions.flatMap(propertiesOf);
  if (properties.some(({ namespace, local }) => namespace === DCTERMS && local === "provenance"))
    throw new PacketFault("names a C2PA manifest that signs the file (dcterms:provenance)");
}

function withSpaceBefore(text: string, { start, end }: Span): Span {
  let from = start;
  while (/\s/.test(text[from - 1] ?? "")) from--;
  return { start: from, end };
}

/** Behind the last keyword, indented as it is. */
function intoBag(
  text: string,
  { element, kept }: { element: XmpElement; kept: readonly XmpElement[] },
  keywords: readonly string[],
): Edit[] {
  const last = kept[kept.length - 1].span;
  const name = element.prefix === "" ? "li" : `${element.prefix}:li`;
  const space = text.slice(withSpaceBefore(text, last).start, last.start);
  const items = keywords.map((keyword) => `${space}<${name}>${escaped(keyword)}</${name}>`);
  return items.length === 0 ? [] : [{ start: last.end, end: last.end, text: items.join("") }];
}

/** Before the white space before an element's end tag. */
function before(text: string, { span, inner, prefix }: XmpElement, added: string): Edit {
  if (inner) {
    const { start } = withSpaceBefore(text, { start: inner.end, end: inner.end });
    const at = Math.max(start, inner.start);
    return { start: at, end: at, text: added };
  }
  const tag = text.slice(span.start, span.end - "/>".length);
  return { ...span, text: `${tag}>${added}\n</${prefix === "" ? "RDF" : `${prefix}:RDF`}>` };
}

/** All of ours, with a name for RDF's namespace of its own where the packet has none. */
function description(
  { xml }: XmpProperties,
  {
    about,
    rdf,
    added,
    subject,
  }: { about: string; rdf: XmpElement; added: readonly string[]; subject: readonly string[] },
): string {
  const prefix = rdf.prefix === "" ? "rdf" : rdf.prefix;
  const lines = [...xml({ rdf: prefix, added })];
  const list = (name: string, items: readonly string[]) => [
    `   <${name}><${prefix}:Bag>`,
    ...items.map((item) => `    <${prefix}:li>${escaped(item)}</${prefix}:li>`),
    `   </${prefix}:Bag></${name}>`,
  ];
  if (subject.length > 0) lines.push(...list("dc:subject", subject));
  const declared = [
    ...(rdf.prefix === "" ? [`xmlns:rdf="${RDF}"`] : []),
    `xmlns:aspectlens="${NAMESPACE}"`,
    ...(subject.length > 0 ? [`xmlns:dc="${DC}"`] : []),
  ];
  const open = `  <${prefix}:Description ${prefix}:about="${escaped(about)}" ${declared.join(" ")}>`;
  return ["", open, ...lines, `  </${prefix}:Description>`].join("\n");
}

function applied(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: replaced } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < at) throw new PacketFault("cannot be followed tag by tag");
    parts.push(text.slice(at, start), replaced);
    at = end;
  }
  return parts.join("") + text.slice(at);
}
