/**
 * What generated adversaries hold: streams, bursts, crowds and silences of all lengths, and what arrives later.
 *
 * @module
 */
import type { Random } from "./random.ts";
import { type Arrival, type CorpusPart, MAX_READABLE_LENGTH } from "./spec.ts";

/** What a corpus is drawn for. */
export interface CorpusDraw {
  readonly cap: number;
  readonly withArrivals: boolean;
  readonly maxEvents: number;
}

const HOUR = 3_600;
const DAY = 86_400;
const YEAR = 365 * DAY;

/** Mixtures of kinds; none is ephemeral. */
const MIXTURES: readonly (readonly number[])[] = [
  [1],
  [1, 1, 1, 7],
  [1, 7, 30_023, 6],
  [1, 1, 4, 1059, 7],
  [7, 7, 7, 7, 7, 7, 7, 1],
  [0, 3, 10_002, 1],
  [5, 6, 8, 16, 40, 1_063, 1_984, 9_735, 30_078, 31_990],
];
const PRIVATE: readonly (readonly number[])[] = [[4], [1059], [4, 1059]];
const SILENCES = [0, 0, 1, 30, HOUR, DAY, 30 * DAY, 90 * DAY, 2 * YEAR];

/** Draws the parts of a corpus, newest first, and what arrives after the first sync has begun. */
export function drawCorpus(random: Random, draw: CorpusDraw): CorpusPart[] {
  const parts: CorpusPart[] = [];
  let left = drawSize(random, draw);
  let endsAgo = random.pick([0, 5, 70, HOUR, 2 * DAY, 40 * DAY, 3 * YEAR]);
  while (left > 0) {
    const part = drawPart(random, draw, { left, endsAgo });
    parts.push(part);
    left -= part.count;
    const silence = random.pick(SILENCES);
    endsAgo += part.span + silence + random.below(1 + Math.floor(silence / 3));
  }
  parts.push(...drawOddities(random, draw));
  if (draw.withArrivals && random.chance(35)) {
    parts.push(drawArrival(random, draw));
  }
  return parts;
}

/** Most are small, so that very many can be tried. */
function drawSize(random: Random, { cap, maxEvents }: CorpusDraw): number {
  if (random.chance(1)) return 0;
  const size = random.chance(4)
    ? random.spread(400, 3_000)
    : random.spread(10, 400);
  // Nobody should need much more than a hundred pages.
  return Math.min(size, maxEvents, 60 * cap);
}

function drawPart(
  random: Random,
  draw: CorpusDraw,
  { left, endsAgo }: { readonly left: number; readonly endsAgo: number },
): CorpusPart {
  const common = {
    count: Math.min(left, Math.max(1, Math.ceil(left * random.next()))),
    endsAgo,
    grain: random.pick([1, 1, 1, 2, 60, HOUR]),
    kinds: random.pick(MIXTURES),
    authors: random.pick([1, 3, 20, 500]),
    bytes: random.pick([20, 200, 1_000]),
  };
  const span = random.pick([60, HOUR, DAY, 30 * DAY, 200 * DAY, YEAR]);
  switch (random.pick(["stream", "stream", "stream", "burst", "crowd"])) {
    case "burst":
      return { ...common, span: random.pick([1, 3, 10]), grain: 1 };
    case "crowd":
      return { ...drawCrowd(random, draw, left), endsAgo };
    default:
      return { ...common, span };
  }
}

/** About as many events as a page holds, or some pages, in one second: of one or many authors, private or not. */
function drawCrowd(
  random: Random,
  { cap }: CorpusDraw,
  left: number,
): CorpusPart {
  const isPrivate = random.chance(50);
  const count = Math.ceil(cap * random.pick([0.5, 0.9, 1, 1.1, 2, 3]));
  return {
    count: Math.min(left, count),
    endsAgo: 0,
    span: isPrivate ? random.pick([0, 60, HOUR]) : 0,
    grain: 1,
    kinds: random.pick(isPrivate ? PRIVATE : MIXTURES),
    authors: random.pick([1, 10, 1_000]),
    bytes: 20,
  };
}

/** Single events where none are expected: rare kinds, dates beyond reason, the first seconds of all. */
function drawOddities(random: Random, draw: CorpusDraw): CorpusPart[] {
  const { cap } = draw;
  const few = {
    count: 1 + random.below(3),
    span: 0,
    grain: 1,
    kinds: [30_023],
    authors: 3,
    bytes: 20,
  };
  const oddities: CorpusPart[] = [
    { ...few, endsAgo: random.spread(0, 5 * YEAR), span: 90 * DAY },
    { ...few, endsAgo: random.spread(0, 5 * YEAR), kinds: [1, 4] },
    { ...few, endsAgo: -random.pick([30, HOUR, DAY, 974 * YEAR]), kinds: [1] },
    // Dates that are no numbers for most programs: nobody archives them, and nothing may hide below.
    {
      ...few,
      count: random.pick([1, cap, cap + 10]),
      endsAgo: 0,
      endsAt: 10 ** 16,
    },
    { ...few, endsAgo: 0, endsAt: 40, span: 40, kinds: [1] },
    // About half of them are longer than is read.
    {
      ...few,
      endsAgo: random.spread(0, YEAR),
      span: HOUR,
      bytes: 2 * MAX_READABLE_LENGTH,
    },
  ];
  return oddities.filter((_, place) => random.chance(place < 2 ? 25 : 6));
}

/** Honest relays get events at any time, of any age. */
function drawArrival(random: Random, { cap }: CorpusDraw): CorpusPart {
  const arrives: Arrival = random.chance(50)
    ? { afterSync: 1 + random.below(2) }
    : { beforeQuestion: 1 + random.below(30) };
  const part = {
    count: random.pick([1, 3, cap + 5]),
    span: 0,
    grain: 1,
    kinds: random.pick(MIXTURES),
    authors: 20,
    bytes: 20,
    arrives,
  };
  switch (random.pick(["now", "late", "import", "replaced"])) {
    // On its way for a while.
    case "late":
      return { ...part, endsAgo: random.spread(0, 20 * HOUR), span: HOUR };
    case "import":
      return { ...part, endsAgo: random.spread(DAY, YEAR), span: 30 * DAY };
    case "replaced":
      return { ...part, endsAgo: 60, kinds: [0, 3, 10_002] };
    default:
      return { ...part, endsAgo: random.below(120) };
  }
}
