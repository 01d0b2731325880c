/**
 * The validator's claims: taken before anything is dialled, so that no two processes dial the same candidate.
 *
 * @module
 */
import {
  type Candidate,
  claimCandidates,
  type Crowding,
} from "../../archive/candidates.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import type { Network } from "../../models/network.ts";
import {
  type AddressSlots,
  takeWhereFree,
} from "../../transport/politeness.ts";
import type { ValidatorConfig } from "./config.ts";

export interface Claim {
  readonly candidate: Candidate;
  /** When the claim ends, on this process's monotonic clock: then another process may dial the candidate. */
  readonly endsAtMs: number;
}

/** Claims up to `count` candidates of a network that are due and can be dialled now, fewest failures first. */
export function claim(
  ctx: Context<ValidatorConfig>,
  slots: AddressSlots,
  wanted: {
    readonly network: Network;
    readonly count: number;
    /** Names this process among all that share the database. */
    readonly holder: string;
  },
): Promise<readonly Claim[]> {
  return takeWhereFree(
    slots,
    (crowding) => claimUncrowded(ctx, { ...wanted, ...crowding }),
    ctx,
  );
}

async function claimUncrowded(
  { config, database }: Context<ValidatorConfig>,
  { network, count, holder, ...crowding }: Crowding & {
    readonly network: Network;
    readonly count: number;
    readonly holder: string;
  },
): Promise<readonly Claim[]> {
  const { claimSeconds } = config;
  // From before the question and a second less, as the server's clock counts whole ones: ours ends first.
  const endsAtMs = performance.now() + (claimSeconds - 1) * 1_000;
  const candidates = await claimCandidates(database, {
    networks: [network],
    limit: count,
    claimSeconds,
    holder,
    ...crowding,
  });
  return candidates.map((candidate) => ({ candidate, endsAtMs }));
}
