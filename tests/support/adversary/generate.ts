/**
 * Adversaries by number: drawn ones without end, and each transformer by itself.
 *
 * @module
 */
import type { Filter } from "../../../src/models/filter.ts";
import { GROUPS, transformerNamed } from "./catalogue.ts";
import { drawCorpus } from "./draw_corpus.ts";
import { mix, Random } from "./random.ts";
import type {
  AdversarySpec,
  ParameterValues,
  TransformerSpec,
} from "./spec.ts";
import type { Transformer } from "./transformer.ts";

/** What generated relays may have. */
export interface GenerateOptions {
  /** Unix seconds at which the first sync begins. Default: 2025-06-15. */
  readonly beganAt?: number;
  /** Whether some of them know COUNT. Default: true. */
  readonly withCount?: boolean;
  /** Whether some of them know NIP-77. Default: true. */
  readonly withNegentropy?: boolean;
  /** Whether events arrive after the first sync has begun. Default: true. */
  readonly withArrivals?: boolean;
  /** Honest transformers only. Default: false. */
  readonly honestOnly?: boolean;
  /** Most events a relay holds at the start. Default: 3,000, which few of them reach. */
  readonly maxEvents?: number;
  /** One of each of these lists, by name, and one other transformer beside them. Default: whatever is drawn. */
  readonly including?: readonly (readonly string[])[];
}

const BEGAN_AT = 1_750_000_000;

/** The adversary of a number: the same each time. */
export function drawSpec(
  seed: number,
  options: GenerateOptions = {},
): AdversarySpec {
  const random = new Random(mix(seed, 1));
  const transformers = drawTransformers(random, options);
  return specOf(seed, random, { transformers, options });
}

/** Each transformer by itself, with each combination of the values it is tried with. */
export function singleSpecs(
  seed: number,
  options: GenerateOptions = {},
): AdversarySpec[] {
  return usable(options).flat().flatMap((transformer, place) =>
    combinations(transformer).map((parameters, nth) => {
      const own = mix(mix(seed, place), nth);
      const { name } = transformer;
      const transformers = [{ transformer, spec: { name, parameters } }];
      return specOf(own, new Random(own), { transformers, options });
    })
  );
}

interface Drawn {
  readonly transformer: Transformer;
  readonly spec: TransformerSpec;
}

function specOf(
  seed: number,
  random: Random,
  { transformers, options }: {
    readonly transformers: readonly Drawn[];
    readonly options: GenerateOptions;
  },
): AdversarySpec {
  const {
    beganAt = BEGAN_AT,
    withCount = true,
    withNegentropy = true,
    withArrivals = true,
    maxEvents = 3_000,
  } = options;
  const cap = random.spread(5, 500);
  const needs = transformers.map(({ transformer }) => transformer.needs);
  return {
    seed,
    beganAt,
    corpus: drawCorpus(random, { cap, withArrivals, maxEvents }),
    cap,
    hasHints: random.chance(15),
    hasCount: needs.includes("count") || withCount && random.chance(20),
    hasNegentropy: needs.includes("negentropy") ||
      withNegentropy && random.chance(15),
    filter: drawFilter(random),
    transformers: transformers.map(({ spec }) => spec),
  };
}

function drawFilter(random: Random): Filter {
  if (random.chance(75)) return {};
  return random.pick([
    { kinds: [1] },
    { kinds: [1, 4, 7] },
    { kinds: [0, 3, 10_002] },
    { kinds: [30_023] },
    { kinds: [0, 1, 3, 4, 5, 6, 7, 1059, 1_984, 10_002, 30_023] },
  ]);
}

function drawTransformers(random: Random, options: GenerateOptions): Drawn[] {
  const { including } = options;
  const drawn = new Map<string, Drawn>();
  const take = (transformer: Transformer) => {
    const { name } = transformer;
    const parameters = Object.fromEntries(
      Object.entries(transformer.parameters)
        .map(([parameter, values]) => [parameter, between(random, values)]),
    );
    drawn.set(name, { transformer, spec: { name, parameters } });
  };
  for (const names of including ?? []) {
    take(transformerNamed(random.pick(names)));
  }
  const count = including === undefined
    ? random.pick([0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3])
    : 1;
  const groups = usable(options).filter((group) => group.length > 0);
  for (let i = 0; i < count; i++) {
    // The last group is the largest by far.
    const group = random.chance(30) ? groups.at(-1)! : random.pick(groups);
    take(random.pick(group));
  }
  return [...drawn.values()];
}

/** Transformers that can be seen, by group. */
function usable(
  { withCount = true, withNegentropy = true, honestOnly }: GenerateOptions,
): Transformer[][] {
  return GROUPS.map((group) =>
    group.filter(({ isHonest, needs }) =>
      (isHonest || !honestOnly) &&
      (withCount || needs !== "count") &&
      (withNegentropy || needs !== "negentropy")
    )
  );
}

/** One of the values, or a whole number between two neighbours. */
function between(random: Random, values: readonly number[]): number {
  const place = random.below(values.length);
  const low = values[place]!;
  const high = values[place + 1] ?? low;
  return random.chance(60) ? low : low + random.below(high - low + 1);
}

function combinations({ parameters }: Transformer): ParameterValues[] {
  return Object.entries(parameters).reduce<ParameterValues[]>(
    (combined, [name, values]) =>
      combined.flatMap((others) =>
        values.map((value) => ({ ...others, [name]: value }))
      ),
    [{}],
  );
}
