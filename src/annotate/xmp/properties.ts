/** What an explanation says as XMP: our properties, and the keywords that photo tools show. docs/annotate.md lists them. */

import type { AspectExplanation, Explanation } from "../../explain/explanation.js";

/** A name, no address. The last part counts versions that cannot be read alike. */
export const NAMESPACE = "http://ns.aspectlens.invalid/xmp/1/";
/** The property that remembers which keywords are ours. */
export const OWN_KEYWORDS = "Keywords";

export interface XmpProperties {
  /** For `dc:subject`. */
  readonly keywords: readonly string[];
  /**
   * The properties as lines of RDF, with the prefix `aspectlens`.
   *
   * @param options.rdf prefix of RDF's namespace.
   * @param options.added the keywords that nobody else had set before.
   */
  xml(options: { rdf: string; added: readonly string[] }): string[];
}

/** @param options.model the bundle's name. */
export function xmpProperties(explanation: Explanation, { model }: { model: string }): XmpProperties {
  const { prediction, headline, aspects, elsewhere, against, absenceOf } = explanation;
  const labels = "labels" in prediction ? prediction.labels : undefined;
  const answer = "class" in prediction ? prediction.class : undefined;
  const names = (isNamed: (aspect: AspectExplanation) => boolean) => aspects.filter(isNamed).map(({ name }) => name);
  const present = names(({ isPresent }) => isPresent);
  const relevant = names(({ isRelevant }) => isRelevant === true);
  const answers = labels ?? (answer === undefined ? [] : [answer]);
  return {
    keywords: [
      ...answers.map((name) => `answer: ${name}`),
      ...present.map((name) => `present: ${name}`),
      ...relevant.map((name) => `relevant: ${name}`),
    ],
    xml: ({ rdf, added }) => [
      ...simple("Model", model),
      ...simple("Headline", headline.text),
      ...simple("Case", headline.case),
      ...simple("Answer", answer),
      ...simple("AnswerScore", "score" in prediction ? real(prediction.score) : undefined),
      ...simple("AnswerValue", "value" in prediction ? real(prediction.value) : undefined),
      ...list("Labels", labels ?? [], rdf),
      ...list("Present", present, rdf),
      ...list("Relevant", relevant, rdf),
      ...list("AbsenceOf", absenceOf, rdf),
      ...simple("Elsewhere", real(elsewhere)),
      ...simple("Against", real(against)),
      ...aspectsXml(aspects, rdf),
      ...list(OWN_KEYWORDS, added, rdf),
    ],
  };
}

function simple(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`   <aspectlens:${name}>${escaped(value)}</aspectlens:${name}>`];
}

function list(name: string, items: readonly string[], rdf: string): string[] {
  if (items.length === 0) return [];
  return [
    `   <aspectlens:${name}><${rdf}:Bag>`,
    ...items.map((item) => `    <${rdf}:li>${escaped(item)}</${rdf}:li>`),
    `   </${rdf}:Bag></aspectlens:${name}>`,
  ];
}

/** Structures whose fields are attributes: half as long as elements, and a JPEG holds 64 kB. */
function aspectsXml(aspects: readonly AspectExplanation[], rdf: string): string[] {
  if (aspects.length === 0) return [];
  const items = aspects.map((aspect) => {
    const { name, kind, isPresent, presence, isRelevant, relevance, score, share, strength, area, instances } = aspect;
    const fields: Readonly<Record<string, string | undefined>> = {
      Name: name,
      Kind: kind,
      Present: flag(isPresent),
      Relevant: flag(isRelevant),
      Presence: real(presence),
      Relevance: real(relevance),
      Score: real(score),
      Share: real(share),
      Strength: strength ?? undefined,
      Area: real(area),
      Instances: String(instances.length),
    };
    const written = Object.entries(fields).filter(([, value]) => value !== undefined);
    return `    <${rdf}:li ${written.map(([key, value]) => `aspectlens:${key}="${escaped(value ?? "")}"`).join(" ")}/>`;
  });
  return [`   <aspectlens:Aspects><${rdf}:Seq>`, ...items, `   </${rdf}:Seq></aspectlens:Aspects>`];
}

/** As XMP writes yes and no; nothing where it cannot be said. */
function flag(value: boolean | null): string | undefined {
  return value === null ? undefined : value ? "True" : "False";
}

/** Without an exponent, which XMP's numbers do not have; nothing where there is none. */
function real(value: number | null | undefined): string | undefined {
  if (value === null || value === undefined || !Number.isFinite(value)) return undefined;
  const digits = Math.abs(value) < 1 ? 4 : Math.max(0, 6 - Math.ceil(Math.log10(Math.abs(value) + 1)));
  return String(Number(value.toFixed(digits)));
}

/** Text or a quoted value. What XML has no way to write is replaced. */
export function escaped(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(FORBIDDEN, "\ufffd")
    .replace(/[&<>"\t\n\r]/g, (character) => NAMES[character] ?? `&#${character.charCodeAt(0)};`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const NAMES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
