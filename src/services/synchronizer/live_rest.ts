/**
 * How long a relay that was deaf while live is only synced, in every process and after every restart: its lease
 * remembers it.
 *
 * @module
 */
import { z } from "zod";
import type { LiveReview } from "./live_review.ts";

/** Such relays rarely change. A wrong verdict costs as much as not to have a seat: it is looked at now and then. */
const REST_SECONDS = 86_400;

const restSchema = z.object({
  /** Unix seconds. */
  notLiveUntil: z.int(),
});

export type LiveRest = z.output<typeof restSchema>;

/** What the lease of a relay is to remember after a sync; undefined for nothing new. */
export function restAfter(
  result: { readonly review: LiveReview | null } | null,
  now: number,
): LiveRest | undefined {
  const isDeaf = result?.review?.isDeaf ?? false;
  return isDeaf ? { notLiveUntil: now + REST_SECONDS } : undefined;
}

/** Whether what a lease remembers forbids to be live. */
export function isResting(memory: unknown, now: number): boolean {
  const rest = restSchema.safeParse(memory);
  return rest.success && rest.data.notLiveUntil > now;
}
