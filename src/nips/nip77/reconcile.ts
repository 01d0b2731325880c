/**
 * Finds out what a relay holds and we do not (NIP-77). Ids only: the events are fetched by REQ.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Filter } from "../../models/filter.ts";
import type { Differences } from "../negentropy/differences.ts";
import { Initiator } from "../negentropy/initiator.ts";
import { type Hidden, Locator } from "../negentropy/locator.ts";
import type { SortedKeys } from "../negentropy/sorted_keys.ts";
import type { RelayClient } from "../client/relay_client.ts";
import type {
  NegotiateOptions,
  NegotiationCost,
  NegotiationFailure,
} from "./negotiation_outcome.ts";

export interface ReconcileOptions extends Omit<NegotiateOptions, "onAnswer"> {
  /** More ids to fetch than this end it with `over-budget`. */
  readonly maxIds: number;
  /** Takes what the relay holds and we do not, as it is found, each id once. The next message waits for it. */
  readonly onNeed?: (need: readonly Hidden[]) => Promise<void>;
  /** Called at the relay's first answer: it knows NIP-77. */
  readonly onFirstAnswer?: () => void;
}

export interface Reconciled extends NegotiationCost {
  readonly type: "reconciled";
  /** Ids the relay lists and we do not hold, 32 bytes each, each once. */
  readonly need: Uint8Array;
  /** Events we hold and the relay does not list. */
  readonly have: EventKeys;
  /** The relay has confirmed that with these differences both sides hold the same. Without it nothing is proven. */
  readonly isConfirmed: boolean;
}

export type ReconcileOutcome = Reconciled | NegotiationFailure;

/** As hex and in its message, this fits into the 64 KiB that the most careful relays take. */
const FRAMES = { frameBytes: 30_000, answerBytes: 256 * 1024 } as const;

/**
 * Compares what the relay holds that matches `filter` with `keys`, which has to be all we hold of it that matches.
 * Rejects only when `onNeed` does.
 */
export async function reconcile(
  client: RelayClient,
  { filter, keys }: { readonly filter: Filter; readonly keys: SortedKeys },
  { maxIds, onNeed, onFirstAnswer, ...options }: ReconcileOptions,
): Promise<ReconcileOutcome> {
  const initiator = new Initiator(keys, { ...FRAMES, maxIds });
  const { differences } = initiator;
  const broken = new AbortController();
  const handOver = handerOver(differences, onNeed);
  const outcome = await client.negotiate(filter, initiator, {
    ...options,
    signal: AbortSignal.any([options.signal, broken.signal]),
    onAnswer: () => {
      onFirstAnswer?.();
      return handOver()?.catch((error) => broken.abort(error)) ?? null;
    },
  });
  if (broken.signal.aborted) throw broken.signal.reason;
  if (outcome.type !== "done") return outcome;
  return {
    ...outcome,
    type: "reconciled",
    need: differences.need.bytes(0),
    have: differences.have(),
    isConfirmed: initiator.isConfirmed,
  };
}

/**
 * Finds the seconds of events that the relay lists but does not give. `filter` has to be the one they were found with.
 * Seconds that could not be found are missing. Never rejects.
 */
export async function locate(
  client: RelayClient,
  { filter, hidden }: {
    readonly filter: Filter;
    readonly hidden: readonly Hidden[];
  },
  options: NegotiateOptions,
): Promise<EventKeys> {
  const locator = new Locator(hidden, FRAMES);
  await client.negotiate(filter, locator, options);
  return locator.located();
}

/** Hands over each id once; null when there is none, or no taker. */
function handerOver(
  differences: Differences,
  onNeed: ReconcileOptions["onNeed"],
): () => Promise<void> | null {
  let given = 0;
  return () => {
    const { need } = differences;
    if (onNeed === undefined || need.size === given) return null;
    const hex = need.bytes(given).toHex();
    const first = given;
    given = need.size;
    const fresh = Array.from({ length: given - first }, (_, i) => ({
      id: hex.slice(64 * i, 64 * i + 64),
      ...differences.windowOf(first + i),
    }));
    return onNeed(fresh);
  };
}
