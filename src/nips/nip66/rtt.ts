/**
 * Round-trip times of a relay (NIP-66): opening, reading, writing, over one connection.
 *
 * @module
 */
import { unixNow } from "../../base/clock.ts";
import { getPublicKey } from "nostr-tools/pure";
import type { NostrEvent, UnsignedEvent } from "../../models/event.ts";
import { nip66Url, type RelayUrl } from "../../models/relay_url.ts";
import type { Dialer } from "../../transport/dialer.ts";
import { failureText, type RelayFailure } from "../../transport/failure.ts";
import type { CheckDocument } from "../check_document.ts";
import { connectRelay } from "../client/connect_relay.ts";
import { minePow } from "../nip13.ts";
import type { RelayClient } from "../client/relay_client.ts";
import type { ReqOutcome } from "../client/req_outcome.ts";
import { signEvent } from "../sign_event.ts";

/** Measurements to make, and how long they may take. */
export interface RttOptions {
  readonly signal: AbortSignal;
  /** Deadline of each phase, ms. */
  readonly timeoutMs: number;
  /** How long to wait for a slot at the address, ms. Default: the dialer's. */
  readonly slotTimeoutMs?: number | undefined;
  /** Signs the test event, and authenticates where that is asked for. Without it writing is not tested. */
  readonly secretKey?: Uint8Array;
  /** The proof of work the relay wants (NIP-11 `min_pow_difficulty`), bits. */
  readonly minPow?: number;
  /** Do not test writing. */
  readonly readOnly?: boolean;
}

/** Ephemeral (NIP-01): relays pass it on to subscribers and forget it. */
const TEST_KIND = 22_456;
/** More would keep a core busy for minutes. */
const MAX_POW = 24;
const MAX_ANSWER = 1024 * 1024;

/**
 * Measures `rtt_open`, `rtt_read` (to the first event, or to EOSE of a relay that has none) and `rtt_write` (to an OK
 * that says yes), in whole ms. Each phase that was tried has its `…_success` and `…_reason` in the logs, and
 * `…_authenticated` when we had authenticated by then, because the relay asked. Never rejects.
 *
 * `failure` is null when the relay opened and spoke, be it to refuse what was asked: it is online then.
 */
export async function measureRtt(
  dialer: Dialer,
  relay: RelayUrl,
  options: RttOptions,
): Promise<CheckDocument> {
  const { signal, timeoutMs, slotTimeoutMs, secretKey, readOnly } = options;
  const opened = await connectRelay(dialer, relay, {
    signal,
    timeoutMs,
    slotTimeoutMs,
    ...(secretKey === undefined ? {} : { authKey: secretKey }),
  });
  const writes = secretKey !== undefined && !readOnly;
  if (!opened.ok) return unopened(opened.failure, writes);
  await using client = opened.value;
  const phases = [
    { name: "open", ms: client.openMs } as const,
    whetherKnown(client, await read(client, options)),
    ...(writes
      ? [whetherKnown(client, await write(client, { ...options, secretKey }))]
      : []),
  ];
  return documentOf(phases);
}

interface Phase {
  readonly name: "open" | "read" | "write";
  /** Null when it failed. */
  readonly ms: number | null;
  readonly reason?: string;
  readonly failure?: RelayFailure;
  readonly isAuthenticated?: boolean;
}

/** Authentication happens only when the relay asks for it: that it happened says that the relay demands it. */
function whetherKnown({ stats }: RelayClient, phase: Phase): Phase {
  return stats.auths > 0 ? { ...phase, isAuthenticated: true } : phase;
}

/** Results for a relay that cannot be opened: it can be neither read nor written, for the same reason. */
function unopened(failure: RelayFailure, writes: boolean): CheckDocument {
  const names = writes
    ? ["open", "read", "write"] as const
    : ["open", "read"] as const;
  const reason = failureText(failure);
  return documentOf(names.map((name) => ({ name, ms: null, reason, failure })));
}

function documentOf(phases: readonly Phase[]): CheckDocument {
  const data: Record<string, number> = {};
  const logs: Record<string, boolean | string> = {};
  for (const { name, ms, reason, isAuthenticated } of phases) {
    if (ms !== null) data[`rtt_${name}`] = ms;
    logs[`${name}_success`] = ms !== null;
    if (reason !== undefined) logs[`${name}_reason`] = reason;
    if (isAuthenticated) logs[`${name}_authenticated`] = true;
  }
  const telling = phases.find(({ name, failure }) =>
    failure !== undefined && (name !== "write" || failure.code === "aborted")
  );
  return { data, logs, failure: telling?.failure ?? null };
}

async function read(
  client: RelayClient,
  { signal, timeoutMs }: RttOptions,
): Promise<Phase> {
  const askedAt = performance.now();
  const events = client.subscribe({ kinds: [1], limit: 1 }, {
    signal,
    idleTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    maxEvents: 1,
    maxBytes: MAX_ANSWER,
  });
  const first = await events.next();
  const ms = Math.round(performance.now() - askedAt);
  if (!first.done) {
    await events.return({ type: "aborted" });
    return { name: "read", ms };
  }
  return first.value.type === "eose"
    ? { name: "read", ms }
    : { name: "read", ms: null, ...refusedRead(first.value) };
}

function refusedRead(
  outcome: Exclude<ReqOutcome, { type: "eose" }>,
): Pick<Phase, "reason" | "failure"> & { reason: string } {
  switch (outcome.type) {
    case "closed":
      return { reason: outcome.reason || "closed without a reason" };
    case "notice":
      return { reason: outcome.text };
    case "over-budget":
      return { reason: `over-budget: ${outcome.detail}` };
    case "timeout": {
      const failure = { code: "timeout", detail: outcome.detail } as const;
      return { reason: failureText(failure), failure };
    }
    case "disconnected":
      return {
        reason: failureText(outcome.failure),
        failure: outcome.failure,
      };
    case "aborted":
      return { reason: "aborted", failure: { code: "aborted" } };
  }
}

async function write(
  client: RelayClient,
  options: RttOptions & { secretKey: Uint8Array },
): Promise<Phase> {
  const { signal, timeoutMs } = options;
  const event = await testEvent(client.relay, options);
  if (event === null) {
    const reason = `pow: ${options.minPow} bits are not found in time`;
    return { name: "write", ms: null, reason };
  }
  const sentAt = performance.now();
  const answer = await client.publish(event, { signal, timeoutMs });
  const ms = Math.round(performance.now() - sentAt);
  if (!answer.ok) {
    const { failure } = answer;
    return { name: "write", ms: null, reason: failureText(failure), failure };
  }
  const { accepted, message } = answer.value;
  return accepted
    ? { name: "write", ms }
    : { name: "write", ms: null, reason: message || "refused" };
}

async function testEvent(
  relay: RelayUrl,
  { secretKey, minPow = 0, timeoutMs, signal }: RttOptions & {
    secretKey: Uint8Array;
  },
): Promise<NostrEvent | null> {
  const draft: UnsignedEvent = {
    pubkey: getPublicKey(secretKey),
    kind: TEST_KIND,
    created_at: unixNow(),
    tags: [["d", nip66Url(relay)]],
    content: "nip66-test",
  };
  if (minPow > MAX_POW) return null;
  const mined = minPow > 0
    ? await minePow(draft, { difficulty: minPow, timeoutMs, signal })
    : draft;
  return mined === null ? null : signEvent(mined, secretKey);
}
