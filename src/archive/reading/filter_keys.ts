/**
 * The keys of the events that match one filter, newest first, in growing pages.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { byNewest, type EventKey } from "./event_key.ts";
import { keysOfSecond } from "./key_pages.ts";
import { keyWalk, rowConditions } from "./key_walk.ts";
import type { ReadSteps } from "./read_steps.ts";

export interface FilterKeysOptions {
  /** Leaves those that really match, where the archive cannot tell by what it stores. */
  readonly confirm: (keys: readonly EventKey[]) => Promise<readonly EventKey[]>;
}

/** The first page holds what a filter with a limit asks for, up to the usual 500, and the events of its last second. */
const SPARE = 20;
const FIRST_PAGE = 500 + SPARE;
const MAX_PAGE = 4_000;

export async function* filterKeys(
  steps: ReadSteps,
  filter: Filter,
  { confirm }: FilterKeysOptions,
): AsyncGenerator<readonly EventKey[]> {
  const { since = 0, limit = Infinity } = filter;
  if (limit === 0 || matchesNothing(filter)) return;
  let left = limit;
  for await (const page of pages(steps, filter)) {
    const keys = (await confirm(page)).slice(0, left);
    if (keys.length > 0) yield keys;
    left -= keys.length;
    if (left === 0) return;
  }

  async function* pages(
    steps: ReadSteps,
    filter: Filter,
  ): AsyncGenerator<readonly EventKey[]> {
    const walk = await keyWalk(steps, filter);
    let until: number | null = filter.until ?? Number.MAX_SAFE_INTEGER;
    let size = Math.min(FIRST_PAGE, limit + SPARE);
    while (until !== null && until >= since) {
      const { keys, nextUntil } = await walk({ since, until, limit: size });
      if (keys.length === 0 && nextUntil === until) {
        yield* saturatedSecond(steps, filter, until);
        until -= 1;
      } else {
        yield keys.toSorted(byNewest);
        until = nextUntil;
      }
      size = Math.min(2 * size, MAX_PAGE);
    }
  }
}

/** An empty list is a list without the value that is asked for. */
function matchesNothing(filter: Filter): boolean {
  const { since = 0, until = Infinity } = filter;
  return since > until ||
    Object.values(filter).some((value) =>
      Array.isArray(value) && value.length === 0
    );
}

const LOWEST_ID = new Uint8Array(0);

async function* saturatedSecond(
  steps: ReadSteps,
  filter: Filter,
  second: number,
): AsyncGenerator<readonly EventKey[]> {
  const conditions = rowConditions(filter);
  let after: Uint8Array | null = LOWEST_ID;
  while (after !== null) {
    const { keys, lastId } = await keysOfSecond(
      steps,
      { second, after, limit: MAX_PAGE },
      conditions,
    );
    yield keys.toSorted(byNewest);
    after = lastId;
  }
}
