/**
 * What earlier sessions have found out about the NIP-77 of a relay: whether it knows it, how long a list of it was
 * shown to be whole, and how far its past was compared again.
 *
 * @module
 */
import { z } from "zod";
import type { Database } from "../../core/database/connection/database.ts";
import { getState, upsertState } from "../../archive/service_state.ts";

const SERVICE = "synchronizer";
const TYPE = "relay-nip77";

/** How NIP-77 is used. */
export interface NegentropyPolicy {
  readonly enabled: boolean;
  /** Silence by which a relay shows that it does not know it, ms. */
  readonly probeTimeoutMs: number;
  /** A relay that did not know it, and events that a relay withheld, are asked again after so long. */
  readonly retestSeconds: number;
  /** What is proven is compared once more within so long, a slice a sync; 0 for never. */
  readonly repairSeconds: number;
}

/** What is kept of a relay. */
const nip77 = z.object({
  support: z.enum(["supported", "unsupported", "unknown"]),
  /** The longest list that was shown to be whole, in events; -1 for none. */
  wholeList: z.int(),
  repair: z.object({
    /** From this second on upwards, everything was compared again since the last pass began. */
    downTo: z.int(),
    /** When that was, Unix seconds. */
    at: z.int(),
  }).nullable(),
});

export type RelayNip77 = z.output<typeof nip77>;

export type RepairCursor = NonNullable<RelayNip77["repair"]>;

const NOTHING: RelayNip77 = {
  support: "unknown",
  wholeList: -1,
  repair: null,
};

/** What is known of a relay; what was found out longer ago than `retestSeconds` may be otherwise by now. */
export async function recallNip77(
  database: Database,
  url: string,
  { now, retestSeconds }: {
    readonly now: number;
    readonly retestSeconds: number;
  },
): Promise<RelayNip77> {
  const key = { serviceName: SERVICE, stateType: TYPE, stateKey: url };
  const [state] = await getState(database, key);
  const parsed = nip77.safeParse(state?.value);
  if (state === undefined || !parsed.success) return NOTHING;
  const isOld = state.updatedAt + retestSeconds <= now;
  return parsed.data.support === "unsupported" && isOld ? NOTHING : parsed.data;
}

/** Keeps what is known of a relay. */
export async function rememberNip77(
  database: Database,
  url: string,
  value: RelayNip77,
): Promise<void> {
  await upsertState(database, [
    { serviceName: SERVICE, stateType: TYPE, stateKey: url, value },
  ]);
}
