/**
 * Windows that overlap with what is known: bounds are not believed, so a walk begins at an event that lies above what
 * is wanted, and ends at one that lies below it.
 *
 * @module
 */
import { OPEN_END, type Window } from "../../models/window.ts";
import type { WalkJob } from "../protocol/job.ts";
import type { NearKeys, NearQuery } from "../protocol/messages.ts";
import type { Remaining } from "../walk/ask.ts";
import type { Witness } from "../walk/witnesses.ts";

/** Known events to overlap by: an honest relay may have deleted some. */
const OVERLAP = 3;

/** What is left of a window before anything was asked, with the known events around it. */
export async function overlapping(
  { filter, filterHash }: Pick<WalkJob, "filter" | "filterHash">,
  { since, until }: Window,
  near: (query: NearQuery) => Promise<NearKeys | null>,
): Promise<Remaining> {
  const query = { filter, filterHash };
  // Below it: of the second of an event that is shown, others may have been cut off.
  const floor = since === 0 ? [] : witnessesOf(
    await near({ ...query, at: since - 1, below: OVERLAP, above: 0 }),
  );
  const around = witnessesOf(
    await near({
      ...query,
      at: until,
      below: OVERLAP,
      above: until === OPEN_END ? 0 : OVERLAP,
    }),
  );
  const ceiling = around.filter(({ createdAt }) => createdAt > until);
  const within = around.filter(({ createdAt }) =>
    createdAt >= since && createdAt <= until
  );
  const lowest = floor.reduce(
    (least, { createdAt }) => Math.min(least, createdAt),
    since,
  );
  return {
    since,
    until,
    floor,
    reach: lowest,
    ceiling,
    within,
    top: until,
    doing: "paging",
  };
}

function witnessesOf(keys: NearKeys | null): Witness[] {
  if (keys === null) return [];
  const hex = keys.ids.toHex();
  return Array.from(keys.createdAt, (createdAt, i) => ({
    id: hex.slice(64 * i, 64 * i + 64),
    createdAt,
    isStable: keys.stable[i] === 1,
  })).filter(({ isStable }) => isStable);
}
