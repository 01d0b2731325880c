/**
 * Relay memory of the monitor: when each document is due, and the parts of documents that visits in between need. Kept
 * with the lease of the relay, for the next visit of any process.
 *
 * @module
 */
import { z } from "zod";
import { backoffMs } from "../../base/backoff.ts";
import type { CheckDocument } from "../../nips/check_document.ts";
import { countsAgainstRelay, isTransient } from "../../transport/failure.ts";
import { CHECKS, type Findings } from "./check_relay.ts";
import { CHECK_NAMES, type CheckName } from "./checks/check.ts";
import type { MonitorConfig } from "./config.ts";
import { dnsLifetimes, steadyDns } from "./steady_dns.ts";

const checkMemory = z.object({
  /** Unix seconds by the database's clock. */
  dueAt: z.number(),
  /** In a row, for the backoff. */
  failures: z.number(),
});

const memorySchema = z.object({
  checks: z.partialRecord(z.enum(CHECK_NAMES), checkMemory).default({}),
  /** The `limitation` of the last NIP-11 document; null: it has none. Missing: never asked. */
  limitation: z.record(z.string(), z.unknown()).nullable().optional(),
  dns: dnsLifetimes.optional(),
});

export type RelayMemory = z.output<typeof memorySchema>;

/** Reads what is kept with a lease; what cannot be read is forgotten: then everything is due. */
export function readMemory(kept: unknown): RelayMemory {
  const read = memorySchema.safeParse(kept);
  return read.success ? read.data : { checks: {} };
}

/**
 * The checks to make on a visit: the connection always, a document when this visit is nearer to the moment it is due
 * than the next one will be. What is due later than its interval allows a wrong clock has put off: it is due.
 * `now`: Unix seconds by the database's clock.
 */
export function dueChecks(
  { checks }: RelayMemory,
  config: MonitorConfig,
  now: number,
): Set<CheckName> {
  const soon = now + config.schedule.everySeconds / 2;
  const due = new Set<CheckName>(["rtt"]);
  for (const { name } of CHECKS) {
    const { enabled, everySeconds } = config.checks[name];
    const dueAt = checks[name]?.dueAt ?? 0;
    const isDue = dueAt <= soon || dueAt > now + everySeconds;
    if (enabled && isDue) due.add(name);
  }
  return due;
}

/** The NIP-11 document as far as it is remembered; undefined when it was never asked for. */
export function knownNip11(
  { limitation }: RelayMemory,
): CheckDocument | undefined {
  if (limitation === undefined) return undefined;
  const data = limitation === null ? {} : { limitation };
  return { data, logs: { success: limitation !== null }, failure: null };
}

/** Turns the findings of a visit into the documents that are kept, and the memory for the next visit. */
export function remember(
  before: RelayMemory,
  findings: Findings,
  config: MonitorConfig,
): { readonly memory: RelayMemory; readonly findings: Findings } {
  const { checkedAt: now } = findings;
  const checks = { ...before.checks };
  const documents = new Map(findings.documents);
  let { limitation, dns } = before;
  for (const { name, type } of CHECKS) {
    const found = documents.get(type);
    if (found === undefined) continue;
    if (!saysSomething(found)) {
      // Failures of our side say nothing about the relay: they are neither kept nor held against it.
      documents.delete(type);
      continue;
    }
    const failures = succeeded(found) ? 0 : (checks[name]?.failures ?? 0) + 1;
    const seconds = secondsUntilDue(config, name, failures);
    checks[name] = { dueAt: now + seconds, failures };
    if (name === "nip11") limitation = limitationOf(found, limitation);
    if (name === "dns") {
      const steady = steadyDns(found, dns, now);
      documents.set(type, steady.document);
      dns = steady.lifetimes;
    }
  }
  const memory = {
    checks,
    ...(limitation === undefined ? {} : { limitation }),
    ...(dns === undefined ? {} : { dns }),
  };
  return { memory, findings: { ...findings, documents } };
}

function succeeded({ logs }: CheckDocument): boolean {
  return logs["success"] === true;
}

function saysSomething({ failure }: CheckDocument): boolean {
  return failure === null || countsAgainstRelay(failure);
}

/** A document that could not be had is asked for ever more rarely, in the end as often as one that could. */
function secondsUntilDue(
  { schedule, checks }: MonitorConfig,
  name: Exclude<CheckName, "rtt">,
  failures: number,
): number {
  const { everySeconds } = checks[name];
  if (failures === 0) return everySeconds;
  const initialMs = schedule.retrySeconds * 1_000;
  const wait = { initialMs, maxMs: everySeconds * 1_000, jitter: 0 };
  return Math.ceil(backoffMs(failures, wait) / 1_000);
}

/** Only what is asked of it later. One that may be had a little later again is remembered as it was. */
function limitationOf(
  document: CheckDocument,
  before: RelayMemory["limitation"],
): RelayMemory["limitation"] {
  const { failure } = document;
  if (failure !== null) return isTransient(failure) ? before ?? null : null;
  const { limitation } = document.data;
  if (typeof limitation !== "object" || limitation === null) return {};
  const known: Record<string, unknown> = { ...limitation };
  return Object.fromEntries(
    DEMANDS.filter((name) => name in known).map((name) => [name, known[name]]),
  );
}

const DEMANDS = [
  "auth_required",
  "payment_required",
  "restricted_writes",
  "min_pow_difficulty",
];
