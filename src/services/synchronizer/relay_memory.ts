/**
 * Relay memory: what earlier syncs have learned of a relay, in one row: how it gives its events, what its NIP-77 is worth.
 *
 * @module
 */
import { z } from "zod";
import { getState, upsertState } from "../../archive/service_state.ts";
import type { Database } from "../../core/database/connection/database.ts";
import {
  type RelayTraits,
  UNKNOWN_TRAITS,
} from "../../workers/protocol/report.ts";

const SERVICE = "synchronizer";
const TYPE = "relay-memory";

/**
 * How the relay gives its events. A field that is missing or not valid is as for a relay nothing is known about, so that
 * fields can be added; what is not a field is left out.
 */
const profile = z.object({
  order: z.enum(["newest-first", "unsorted", "unknown"])
    .catch(UNKNOWN_TRAITS.order),
  largestPage: z.int().nonnegative().catch(UNKNOWN_TRAITS.largestPage),
  untilOffset: z.int().min(0).max(86_400).catch(UNKNOWN_TRAITS.untilOffset),
  manyFilters: z.enum(["yes", "no", "unknown"])
    .catch(UNKNOWN_TRAITS.manyFilters),
  lingerMs: z.int().min(0).max(10_000).catch(UNKNOWN_TRAITS.lingerMs),
  caught: z.object({ times: z.int().min(0), at: z.int() })
    .catch(UNKNOWN_TRAITS.caught),
}) satisfies z.ZodType<RelayTraits>;

const UNKNOWN_NEGENTROPY = {
  support: "unknown",
  wholeList: -1,
  repair: null,
  unsupportedAt: 0,
} as const;

const negentropy = z.object({
  support: z.enum(["supported", "unsupported", "unknown"]),
  /** The longest list that was shown to be whole, in events; -1 for none. */
  wholeList: z.int(),
  repair: z.object({
    /** From this second on upwards, everything was compared again since the last pass began. */
    downTo: z.int(),
    /** Unix seconds of the last step. */
    at: z.int(),
  }).nullable(),
  /** Unix seconds at which the relay was last found not to know NIP-77; 0 for never. */
  unsupportedAt: z.int(),
});

const memory = z.object({
  profile: profile.catch(UNKNOWN_TRAITS),
  negentropy: negentropy.catch(UNKNOWN_NEGENTROPY),
});

/** The memory of one relay. */
export type RelayMemory = z.output<typeof memory>;

export type NegentropyMemory = RelayMemory["negentropy"];

export type RepairCursor = NonNullable<NegentropyMemory["repair"]>;

/**
 * Reads the memory of a relay. That it does not know NIP-77 is forgotten after `retestSeconds`: it may know it by now.
 */
export async function recallRelay(
  database: Database,
  url: string,
  { now, retestSeconds }: {
    /** Unix seconds. */
    readonly now: number;
    readonly retestSeconds: number;
  },
): Promise<RelayMemory> {
  const key = { serviceName: SERVICE, stateType: TYPE, stateKey: url };
  const [state] = await getState(database, key);
  const kept = memory.parse(state?.value ?? {});
  const found = isForgiven(kept.profile, now)
    ? { ...kept, profile: UNKNOWN_TRAITS }
    : kept;
  const { support, unsupportedAt } = found.negentropy;
  return support === "unsupported" && unsupportedAt + retestSeconds <= now
    ? { profile: found.profile, negentropy: UNKNOWN_NEGENTROPY }
    : found;
}

/** Time after which a relay whose answers were wrong is taken for a new one, doubled each time: a week, seconds. */
const FORGIVEN_AFTER = 7 * 86_400;

function isForgiven({ caught: { times, at } }: RelayTraits, now: number) {
  return times > 0 && at + FORGIVEN_AFTER * 2 ** (times - 1) <= now;
}

/** Keeps what a sync has learned, where it is new. */
export async function rememberRelay(
  database: Database,
  url: string,
  { before, after }: {
    readonly before: RelayMemory;
    readonly after: RelayMemory;
  },
): Promise<void> {
  const value = memory.parse(after);
  if (JSON.stringify(value) === JSON.stringify(memory.parse(before))) return;
  await upsertState(database, [
    { serviceName: SERVICE, stateType: TYPE, stateKey: url, value },
  ]);
}
