/**
 * How long a relay that was deaf while live is only synced, in every process and after every restart: its lease
 * remembers it.
 *
 * @module
 */
import { z } from "zod";
import type { LiveReview } from "./review.ts";

/** Such relays rarely change. A wrong verdict costs as much as not to have a seat: it is looked at now and then. */
const REST_SECONDS = 86_400;

const cooldownSchema = z.object({
  /** Unix seconds by the database's clock. */
  notLiveUntil: z.int(),
});

export type LiveCooldown = z.output<typeof cooldownSchema>;

/** What the lease of a relay is to remember after a sync; undefined for nothing new. */
export function cooldownAfter(
  result: { readonly review: LiveReview | null } | null,
  now: number,
): LiveCooldown | undefined {
  const isWithholding = result?.review?.isWithholding ?? false;
  return isWithholding ? { notLiveUntil: now + REST_SECONDS } : undefined;
}

/** Whether what a lease remembers forbids to be live. A rest longer than there is, a wrong clock has given. */
export function isCoolingDown(memory: unknown, now: number): boolean {
  const rest = cooldownSchema.safeParse(memory);
  if (!rest.success) return false;
  const leftSeconds = rest.data.notLiveUntil - now;
  return leftSeconds > 0 && leftSeconds <= REST_SECONDS;
}
