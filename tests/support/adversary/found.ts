/**
 * Relays by which a proof was once deceived that seeds other than the test's own drew, made as small as they still
 * deceived it.
 *
 * @module
 */
import { PART, plainSpec } from "./plain.ts";
import type { AdversarySpec } from "./spec.ts";

/** A relay, and the rule that was wrong. */
export interface FoundRelay {
  readonly words: string;
  readonly spec: AdversarySpec;
}

const NEITHER = { hasCount: false, hasNegentropy: false } as const;
const ONE = { ...PART, grain: 1, kinds: [1], authors: 1 } as const;

export const FOUND: readonly FoundRelay[] = [
  {
    words: "what ends a part unread is followed by no page",
    spec: plainSpec([{
      name: "wrong subscription id when on every nth connection",
      parameters: { threshold: 3 },
    }], {
      ...NEITHER,
      seed: 4_414_979,
      corpus: [
        {
          ...ONE,
          count: 62,
          endsAgo: 94_608_000,
          grain: 2,
          kinds: [1, 7, 30_023, 6],
          bytes: 1_000,
          span: 2_592_000,
        },
        {
          ...ONE,
          count: 3,
          endsAgo: 6_784_429,
          kinds: [30_023],
          span: 7_776_000,
        },
        {
          ...ONE,
          count: 3,
          endsAgo: 85,
          kinds: [30_023],
          bytes: 65_536,
          span: 3_600,
        },
      ],
      cap: 6,
      filter: { kinds: [30_023] },
    }),
  },
  {
    words: "what a walk has shown, and then breaks off in, is proven no more",
    spec: plainSpec([
      { name: "sorted by id", parameters: {} },
      {
        name: "disconnected when the limit is small",
        parameters: { threshold: 20 },
      },
    ], {
      ...NEITHER,
      seed: 6_118_977,
      corpus: [
        { ...ONE, count: 9, endsAgo: 5, bytes: 200, span: 2_592_000 },
        { ...ONE, count: 1, endsAgo: 2_592_006, kinds: [4], span: 0 },
        {
          ...ONE,
          count: 88,
          endsAgo: 113,
          span: 0,
          arrives: { beforeQuestion: 14 },
        },
      ],
      cap: 87,
    }),
  },
  {
    words: "the same, where the relay refuses",
    spec: plainSpec([
      { name: "newest taken, shuffled", parameters: {} },
      { name: "closed when the limit is small", parameters: { threshold: 5 } },
    ], {
      ...NEITHER,
      seed: 24_009_510,
      corpus: [
        { ...ONE, count: 3, endsAgo: 3_542_400, bytes: 200, span: 10 },
        {
          ...ONE,
          count: 361,
          endsAgo: 60,
          kinds: [0],
          span: 0,
          arrives: { beforeQuestion: 16 },
        },
      ],
      cap: 360,
    }),
  },
  {
    words: "a look at the order that is full of the future shows nothing",
    spec: plainSpec([{
      name: "sorted by arrival",
      parameters: { disorderSeconds: 86_400 },
    }], {
      ...NEITHER,
      seed: 23_015_723,
      corpus: [
        {
          ...ONE,
          count: 122,
          endsAgo: 172_800,
          grain: 60,
          bytes: 200,
          span: 3_600,
        },
        {
          ...ONE,
          count: 3,
          endsAgo: 2_768_460,
          grain: 3_600,
          bytes: 1_000,
          span: 86_400,
        },
        {
          ...ONE,
          count: 4,
          endsAgo: 0,
          endsAt: 10 ** 16,
          kinds: [30_023],
          span: 0,
        },
      ],
      cap: 5,
    }),
  },
  {
    words: "an event that is added to a page makes the cap no larger",
    spec: plainSpec([{
      name: "newest event pinned",
      parameters: { counts: 0 },
    }], {
      ...NEITHER,
      seed: 28_018_818,
      corpus: [
        { ...ONE, count: 31, endsAgo: 3_600, grain: 60, bytes: 200, span: 60 },
        {
          ...ONE,
          count: 10,
          endsAgo: 26,
          kinds: [7],
          span: 0,
          arrives: { beforeQuestion: 30 },
        },
      ],
      cap: 9,
    }),
  },
  {
    words: "an end is looked for one second lower, too",
    spec: plainSpec([{
      name: "finish too early when the window is wide",
      parameters: { threshold: 40_363 },
    }], {
      ...NEITHER,
      seed: 2_513_997,
      corpus: [
        { ...ONE, count: 1, endsAgo: 176_496, span: 1 },
        {
          ...ONE,
          count: 2,
          endsAgo: 9_855_324,
          grain: 2,
          kinds: [0],
          bytes: 200,
          span: 17_280_000,
        },
      ],
      cap: 26,
      filter: { kinds: [0, 3, 10_002] },
    }),
  },
];
