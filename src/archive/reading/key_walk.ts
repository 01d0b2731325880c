/**
 * Which index answers a filter: ids, else the rarer of its tags and of its authors and kinds, else kinds, else time.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { storableJson } from "../../models/storable_text.ts";
import {
  type AuthorKinds,
  authorKinds,
  isRare,
  type KeyPage,
  keysByAuthor,
  keysById,
  keysByKind,
  keysByTag,
  keysByTime,
  type PageRequest,
  type RowConditions,
} from "./key_pages.ts";
import type { ReadSteps } from "./read_steps.ts";
import { TagBuckets } from "./tag_buckets.ts";

/** Gives the page of a filter that begins at `until`. */
export type KeyWalk = (request: PageRequest) => Promise<KeyPage>;

/** Of more kinds than these, those that an author has events of are looked up first. */
const MAX_KINDS_UNSEEN = 8;

/** Authors and kinds with so few events are read, and their tags compared, without the tag index. */
const FEW_EVENTS = 500;

/** The walk of a filter that can match something. */
export async function keyWalk(
  steps: ReadSteps,
  filter: Filter,
): Promise<KeyWalk> {
  const conditions = rowConditions(filter);
  const { kinds, pubkeys, tags } = conditions;
  if (filter.ids !== undefined) {
    const ids = packHex(filter.ids);
    return (request) => keysById(steps, request, { ...conditions, ids });
  }
  const pairs = pubkeys === null
    ? null
    : await walkedPairs(steps, pubkeys, kinds);
  if (tags !== null && !await isRareWithout(steps, filter, { pairs, kinds })) {
    const buckets = new TagBuckets(filter);
    return (request) =>
      buckets.walk(
        request,
        (walked) =>
          keysByTag(steps, request, { ...conditions, buckets: walked }),
      );
  }
  if (pairs !== null) {
    return (request) => keysByAuthor(steps, request, { pairs, tags });
  }
  if (kinds !== null) {
    return (request) => keysByKind(steps, request, { kinds, tags });
  }
  return (request) => keysByTime(steps, request);
}

/** The conditions of a filter but ids and time, in the form of SQL. */
export function rowConditions(filter: Filter): RowConditions {
  const { kinds, authors } = filter;
  const tags = tagFields(filter).map((field) =>
    [field.slice(1), distinct(filter[field] ?? [])] as const
  );
  return {
    kinds: kinds === undefined ? null : distinct(kinds),
    pubkeys: authors === undefined ? null : packHex(authors),
    tags: tags.length === 0 ? null : storableJson(Object.fromEntries(tags)),
  };
}

/** The `#x` fields of a filter. */
export function tagFields(filter: Filter): `#${string}`[] {
  return Object.keys(filter).filter((field) => field.startsWith("#"))
    .map((field) => `#${field.slice(1)}` as const);
}

async function walkedPairs(
  steps: ReadSteps,
  pubkeys: Uint8Array,
  kinds: readonly number[] | null,
): Promise<AuthorKinds> {
  if (kinds === null || kinds.length > MAX_KINDS_UNSEEN) {
    return await authorKinds(steps, pubkeys, kinds);
  }
  const authors = pubkeys.length / 32;
  const paired = new Uint8Array(pubkeys.length * kinds.length);
  for (let i = 0; i < kinds.length; i++) {
    paired.set(pubkeys, i * pubkeys.length);
  }
  return {
    pubkeys: paired,
    kinds: kinds.flatMap((kind) => Array.from({ length: authors }, () => kind)),
  };
}

/** Whether so few events have the authors and kinds that their tags need no index. */
async function isRareWithout(
  steps: ReadSteps,
  { since = 0, until = Number.MAX_SAFE_INTEGER }: Filter,
  { pairs, kinds }: {
    readonly pairs: AuthorKinds | null;
    readonly kinds: readonly number[] | null;
  },
): Promise<boolean> {
  const walked = pairs ?? (kinds === null ? null : { pubkeys: null, kinds });
  if (walked === null) return false;
  return await isRare(steps, walked, { since, until, most: FEW_EVENTS });
}

function packHex(values: readonly string[]): Uint8Array {
  return Uint8Array.fromHex(distinct(values).join(""));
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
