/**
 * Cooldown for relays that withheld events while live: they are only synced for a while, by every process and after
 * every restart, as it is kept in the memory of the lease.
 *
 * @module
 */
import { z } from "zod";
import type { LiveReview } from "./review.ts";

/** A day: such relays rarely change, and a wrong decision costs no more than a day without live. */
const COOLDOWN_SECONDS = 86_400;

const cooldownSchema = z.object({
  /** Unix seconds by the database's clock. */
  notLiveUntil: z.int(),
});

export type LiveCooldown = z.output<typeof cooldownSchema>;

/** The memory that the lease of a relay gets after a sync; undefined for nothing new. */
export function cooldownAfter(
  result: { readonly review: LiveReview | null } | null,
  now: number,
): LiveCooldown | undefined {
  const isWithholding = result?.review?.isWithholding ?? false;
  return isWithholding ? { notLiveUntil: now + COOLDOWN_SECONDS } : undefined;
}

/** Whether the memory of a lease forbids live. A cooldown longer than any that is given was set by a wrong clock. */
export function isCoolingDown(memory: unknown, now: number): boolean {
  const cooldown = cooldownSchema.safeParse(memory);
  if (!cooldown.success) return false;
  const leftSeconds = cooldown.data.notLiveUntil - now;
  return leftSeconds > 0 && leftSeconds <= COOLDOWN_SECONDS;
}
