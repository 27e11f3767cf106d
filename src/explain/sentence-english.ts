/** The words of sentences in English. */

import type { Fraction, SentenceTexts } from "./sentence.js";

const SHARES: Readonly<Record<Fraction, string>> = {
  tenth: "about a tenth",
  fifth: "about a fifth",
  quarter: "about a quarter",
  third: "about a third",
  half: "about half",
  "two-thirds": "about two thirds",
  "three-quarters": "about three quarters",
  most: "nearly all",
};

export const ENGLISH: SentenceTexts = {
  list: (names, word) =>
    names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`,
  answer: (labels) =>
    capital(labels.map(({ name, percent }) => (percent === "" ? name : `${name} (${percent})`)).join(", ")),
  reason: (name, strength, isStable) => `${name} (${strength}${isStable ? "" : ", not stable"})`,
  because: (answer, reasons) => `${answer}, because of ${reasons}.`,
  speaks: (question, reasons) => `${question}: ${reasons}.`,
  targetAbsent: (question) => `${question}: it does not, so that there is nothing to explain.`,
  unexplained: (answer) => `${answer}: none of the aspects that are seen explains it.`,
  nothingSpeaks: (answer) => `${answer}: nothing in the image speaks for it.`,
  nothingSeen: (answer) => `${answer}: no known aspect is seen, so that none can explain it.`,
  blind: (answer) => `${answer}: the reason cannot be said, since the aspect heads of this model have learned nothing.`,
  unreadable: (answer, names, isOne) =>
    `${answer}: the reason cannot be said, since ${names} ${isOne ? "is" : "are"} seen in a typical image just as much.`,
  tooPoor: (answer, names, isOne) =>
    names === ""
      ? `${answer}: the reason cannot be said, since the mapping to its network carries too little.`
      : `${answer}: the reason cannot be said; ${names} ${isOne ? "is" : "are"} seen, but the mapping to ${isOne ? "its" : "their"} network carries too little.`,
  ranked: (answer, names) => `${answer}. These scores only rank, nothing says which of them count: ${names}.`,
  rankedNone: (answer) => `${answer}. These scores only rank, and no aspect has one.`,
  absent: (answer) => `${answer}: what is not in the image explains it.`,
  asked: {
    class: (name, percent) => `What speaks for ${name} (${percent})`,
    margin: (name, other) => `What speaks for ${name} rather than ${other}`,
    logit: (name) => `What raises the score of ${name}`,
    aspect: (name) => `Why the model sees ${name}`,
    image: (name) => `Why the model draws ${name} so`,
    unit: (layer, channel, place) =>
      `What drives channel ${channel} of ${layer}${place ? ` at ${place.join(", ")}` : ""}`,
  },
  didNotCount: (names, isOne) => `${capital(names)} ${isOne ? "is" : "are"} seen, but did not count.`,
  notSeen: (names, count) =>
    `No ${names} is seen; ${["it", "either of them"][count - 1] ?? "any of them"} would change the answer.`,
  elsewhere: (share) => `${capital(share)} of the evidence lies elsewhere.`,
  allElsewhere: "Nearly all of the evidence lies elsewhere.",
  against: (share) => `${capital(share)} of all evidence speaks against it.`,
  peakElsewhere: "The place with the strongest evidence lies elsewhere.",
  share: (nearest) => SHARES[nearest],
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
