/**
 * Making a failing adversary smaller, until nothing can be taken away.
 *
 * @module
 */
import type { AdversarySpec, CorpusPart } from "./spec.ts";

/** The smallest spec that was found to fail still; at most `tries` are tried. */
export async function smallest(
  spec: AdversarySpec,
  fails: (spec: AdversarySpec) => boolean | Promise<boolean>,
  tries = 200,
): Promise<AdversarySpec> {
  let found = spec;
  let left = tries;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of smaller(found)) {
      if (left-- <= 0) return found;
      if (!await fails(candidate)) continue;
      found = candidate;
      isSmaller = true;
      break;
    }
  }
  return found;
}

/** Specs with a little less each, those that lose most first. */
function* smaller(spec: AdversarySpec): Generator<AdversarySpec> {
  const { corpus, transformers } = spec;
  for (const [place] of transformers.entries()) {
    yield { ...spec, transformers: transformers.toSpliced(place, 1) };
  }
  for (const [place] of corpus.entries()) {
    yield { ...spec, corpus: corpus.toSpliced(place, 1) };
  }
  if (spec.hasNegentropy) yield { ...spec, hasNegentropy: false };
  if (spec.hasCount) yield { ...spec, hasCount: false };
  if (spec.hasHints) yield { ...spec, hasHints: false };
  if (Object.keys(spec.filter).length > 0) yield { ...spec, filter: {} };
  for (const [place, part] of corpus.entries()) {
    for (const simpler of simplerParts(part)) {
      yield { ...spec, corpus: corpus.with(place, simpler) };
    }
  }
}

function* simplerParts(part: CorpusPart): Generator<CorpusPart> {
  const { count, kinds, authors } = part;
  if (count > 1) {
    yield { ...part, count: Math.floor(count / 2) };
    yield { ...part, count: count - 1 };
  }
  if (kinds.length > 1) yield { ...part, kinds: kinds.slice(0, 1) };
  if (authors > 1) yield { ...part, authors: 1 };
}
