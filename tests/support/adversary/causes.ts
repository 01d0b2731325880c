/**
 * The causes by which proofs were deceived, each as relays without end that do just that.
 *
 * @module
 */
import type { Filter } from "../../../src/models/filter.ts";
import { isFindable } from "./findable.ts";
import { drawSpec } from "./generate.ts";
import { mix, Random } from "./random.ts";
import type { AdversarySpec, CorpusPart } from "./spec.ts";

/** What a proof was deceived by, once. */
export interface Cause {
  /** As in the review of proofs. */
  readonly number: number;
  /** What such relays do, or what is done to their syncs. */
  readonly words: string;
  /** One transformer of each of these lists makes the cause. */
  readonly deeds: readonly (readonly string[])[];
  /** What else has to be so that it shows. */
  readonly shape?: (spec: AdversarySpec, random: Random) => AdversarySpec;
  /** Between two syncs. Default: 900. */
  readonly pauseSeconds?: number;
  /** Whether the first sync is killed under way. */
  readonly isKilled?: boolean;
  /** Whether it lies in NIP-77, which is played over sockets only. */
  readonly isInNegentropy?: boolean;
}

/** A relay that a cause makes, and how it is synced. */
export interface CauseRelay {
  readonly spec: AdversarySpec;
  readonly pauseSeconds: number;
  readonly killedAfter: number;
}

const DAY = 86_400;

const EMPTY = [
  "tired",
  "cold",
  "crowded",
  "asked again",
  "the window is wide",
  "the window is narrow",
  "the limit is large",
  "the limit is small",
  "until is long ago",
  "on every nth connection",
].map((condition) => `empty when ${condition}`);

const UNSORTED = [
  "oldest first",
  "newest taken, oldest first",
  "newest taken, shuffled",
  "random order",
  "sorted by id",
  "sorted by arrival",
];

const BROKEN_OFF = [
  "disconnected when tired",
  "disconnected when by chance",
  "closed when tired",
  "rate limited when by chance",
  "rate limited when tired",
  "eose lost when by chance",
  "silent when tired",
];

/** All that a relay can make. */
export const CAUSES: readonly Cause[] = [
  {
    number: 1,
    words: "an empty answer is how a tired relay looks",
    deeds: [[
      ...EMPTY,
      "quota of a connection",
    ]],
  },
  {
    number: 2,
    words:
      "what lies below an empty page is lower in time, not of another kind",
    deeds: [[
      "empty when kinds are named",
      "empty when no kinds are named",
      "empty when the window is wide",
      "one event when kinds are named",
      "window clamped above since",
      "window clamped below until",
      "recent without since",
      "shards not joined",
      "kinds dropped after the limit",
      "scan budget",
    ]],
    shape: (spec, random) => ({ ...spec, filter: filterOfKinds(random) }),
  },
  {
    number: 3,
    words: "finish is said too early, and more where there is nothing",
    deeds: [
      ["tired", "by chance", "the window is wide", "no kinds are named"]
        .flatMap((condition) => [
          `finish too early when ${condition}`,
          `finish when ${condition}`,
          `more when ${condition}`,
        ]),
    ],
    shape: (spec) => ({ ...spec, hasHints: true }),
  },
  {
    number: 4,
    words: "pages are of any length",
    deeds: [[
      "cap by bytes",
      "cap by lot",
      "shrinking cap",
      "limit replaced by a default",
      "half a page when the limit is large",
      "half a page when by chance",
      "edge missing when by chance",
      "limit over all filters",
    ]],
  },
  {
    number: 5,
    words: "something is missing above the bottom of a page",
    deeds: [[
      ...UNSORTED,
      "newest event pinned",
      "oldest event pinned",
      "stray old event",
      "last page repeated",
      "hole in the page when by chance",
      "backend by question",
      "backend by connection",
    ]],
  },
  {
    number: 6,
    words: "the parts of a crowded second lack its own crowd",
    deeds: [[
      "empty when the window is narrow",
      "empty when authors are named",
      "empty when kinds are named",
      "events hidden from filters with authors",
      "kinds hidden from filters with kinds",
      "kinds ignored",
      "authors ignored",
      "lists truncated",
      "ties by arrival",
    ]],
    shape: withCrowd,
  },
  {
    number: 7,
    words: "since and until are meant otherwise",
    deeds: [[
      "bounds shifted",
      "bounds rounded inwards",
      "since ignored",
      "until ignored",
      "lone bounds ignored",
      "window clamped below until",
      "window clamped above since",
      "shards not joined",
    ]],
  },
  {
    number: 8,
    words: "the newest are asked for with until or without, and differ",
    deeds: [[
      "until above now finds nothing",
      "until ignored above now",
      "until cut to now",
      "replica behind",
      "lone bounds ignored",
    ]],
    shape: (spec, random) =>
      withPart(spec, {
        ...FEW,
        count: 1 + random.below(20),
        endsAgo: -random.pick([30, 3_600, DAY]),
        span: 3_600,
      }),
  },
  {
    number: 9,
    words: "events come after EOSE, unreadable or under another name",
    deeds: [
      [
        "all late",
        "end late",
        "garbled",
        "malformed",
        "wrong subscription id",
        "no subscription id",
      ].flatMap((effect) =>
        ["by chance", "tired", "the window is wide", "asked again", "cold"]
          .map((condition) => `${effect} when ${condition}`)
      ),
    ],
  },
  {
    number: 10,
    words: "NIP-77 lists less than REQ shows",
    deeds: [[
      "ids listed up to a day",
      "ids listed from a day",
      "ids of kinds not listed",
      "ids listed up to a cap",
      "ids listed in part",
    ]],
    isInNegentropy: true,
  },
  {
    number: 11,
    words: "NIP-77 lists what is not given",
    deeds: [["ids listed and not given", "ids listed and not given by id"]],
    isInNegentropy: true,
  },
  {
    number: 12,
    words: "what was on its way at the edge arrives in a pause of eight days",
    deeds: [["ties by arrival", "replica behind", "cap by count"]],
    shape: (spec, random) =>
      withPart(spec, {
        ...FEW,
        count: 5,
        endsAgo: random.spread(0, 20 * 3_600),
        span: 3_600,
        arrives: { afterSync: 1 },
      }),
    pauseSeconds: 8 * DAY,
  },
  {
    number: 13,
    words: "COUNT agrees with the second half of a killed sync",
    deeds: [[
      "count too small",
      "count capped",
      "count approximate",
      "count too large",
    ]],
    isKilled: true,
  },
  {
    number: 14,
    words: "a walk in parts is killed and resumed",
    deeds: [UNSORTED, BROKEN_OFF],
    isKilled: true,
  },
];

const DRAW = { withNegentropy: false, maxEvents: 150 } as const;

const FEW: CorpusPart = {
  count: 1,
  endsAgo: 0,
  span: 0,
  grain: 1,
  kinds: [1],
  authors: 3,
  bytes: 20,
};

/** The first so many relays of a cause, each with one fault more that can be found. */
export function* relaysOf(
  { number, deeds, shape, pauseSeconds = 900, isKilled = false }: Cause,
  { relays, beganAt }: { readonly relays: number; readonly beganAt?: number },
): Generator<CauseRelay> {
  const draw = {
    ...DRAW,
    including: deeds,
    ...(beganAt !== undefined && { beganAt }),
  };
  const isOther = ({ name }: { readonly name: string }) =>
    !deeds.some((names) => names.includes(name));
  let left = relays;
  for (let seed = number * 100_000; left > 0; seed++) {
    const drawn = drawSpec(seed, draw);
    const others = drawn.transformers.filter(isOther);
    if (!isFindable({ ...drawn, transformers: others })) continue;
    const random = new Random(mix(seed, 2));
    left -= 1;
    yield {
      spec: shape?.(drawn, random) ?? drawn,
      pauseSeconds,
      killedAfter: isKilled ? 1 + random.below(12) : Infinity,
    };
  }
}

function filterOfKinds(random: Random): Filter {
  return random.pick([{ kinds: [1] }, { kinds: [1, 7] }, {
    kinds: [0, 1, 4, 7, 30_023],
  }]);
}

function withPart(spec: AdversarySpec, part: CorpusPart): AdversarySpec {
  return { ...spec, corpus: [...spec.corpus, part] };
}

/** With more events in one second than a page holds, that kinds or authors tell apart. */
function withCrowd(spec: AdversarySpec, random: Random): AdversarySpec {
  const cap = Math.min(spec.cap, 40);
  return withPart({ ...spec, cap }, {
    ...FEW,
    count: Math.ceil(cap * random.pick([1, 1.5, 2, 3])),
    endsAgo: random.spread(60, 90 * DAY),
    kinds: random.pick([[1], [1, 7], [1, 6, 7, 30_023]]),
    authors: random.pick([2, 10, 100]),
  });
}
