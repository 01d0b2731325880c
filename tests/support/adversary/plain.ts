/**
 * A plain relay for tests of single transformers: 60 events within the last minutes, 200 a hundred days and more ago.
 *
 * @module
 */
import type { Filter } from "../../../src/models/filter.ts";
import { Adversary, type ConnectionId } from "./adversary.ts";
import type { Answer } from "./answer.ts";
import type { AdversarySpec, CorpusPart, ParameterValues } from "./spec.ts";

export const BEGAN_AT = 1_750_000_000;
export const NOW_MS = BEGAN_AT * 1_000;
export const DAY = 86_400;

export const PART: CorpusPart = {
  count: 60,
  endsAgo: 100,
  span: 59,
  grain: 1,
  kinds: [1, 7, 4],
  authors: 5,
  bytes: 20,
};

/** A spec with these transformers, behind a cap of 50. */
export function plainSpec(
  transformers: AdversarySpec["transformers"],
  more: Partial<AdversarySpec> = {},
): AdversarySpec {
  return {
    seed: 5,
    beganAt: BEGAN_AT,
    corpus: [PART, { ...PART, count: 200, endsAgo: 100 * DAY, span: 90 * DAY }],
    cap: 50,
    hasHints: false,
    hasCount: true,
    hasNegentropy: true,
    filter: {},
    transformers,
    ...more,
  };
}

/** The relay with one transformer. */
export function plainRelay(
  name: string,
  parameters: ParameterValues = {},
): Adversary {
  return new Adversary(plainSpec([{ name, parameters }]));
}

/** Asks one filter, on a new connection if none is given. */
export function askPlain(
  relay: Adversary,
  filter: Filter,
  connection: ConnectionId = relay.connect(),
): Answer {
  return relay.ask(connection, { filters: [filter], nowMs: NOW_MS });
}
