/**
 * Stores visits: documents, checks, and when each relay is due again, in one transaction.
 *
 * @module
 */
import {
  type RelayCapability,
  upsertCapabilities,
} from "../../archive/relay_capabilities.ts";
import { insertChecks, type RelayCheck } from "../../archive/checks.ts";
import type { Database, Sql } from "../../core/database/connection/database.ts";
import { type ReleasedRelay, releaseRelays } from "../../archive/leases.ts";
import {
  insertRelayMetadata,
  type NewRelayMetadata,
} from "../../archive/metadata.ts";
import type { MetadataType } from "../../models/metadata.ts";
import type { CheckDocument } from "../../nips/check_document.ts";
import {
  judgeCapabilities,
  judgePermissions,
} from "../../nips/nip66/capabilities.ts";
import { failureText } from "../../transport/failure.ts";
import type { Findings } from "./check_relay.ts";
import { knownNip11, type RelayMemory } from "./memory.ts";

/** How a visit to a leased relay ended. */
export interface Visit {
  readonly relayId: number;
  readonly url: string;
  /** Null when nothing was learnt, because what went wrong was ours. */
  readonly findings: Findings | null;
  /** Whole seconds from now; undefined: due as it was before. */
  readonly nextDueInSeconds: number | undefined;
  /** In a row, this visit included. */
  readonly failures: number;
  /** For the next visit; left out: as it was. */
  readonly memory?: RelayMemory;
}

/**
 * Documents are kept of the types in `stored`. `publish` stores what is to be published about the visits, in the same
 * transaction: neither is there without the other.
 */
export async function storeVisits(
  database: Database,
  visits: readonly Visit[],
  { holder, stored, publish }: {
    readonly holder: string;
    readonly stored: ReadonlySet<MetadataType>;
    readonly publish: (sql: Sql) => Promise<void>;
  },
): Promise<void> {
  const relays = visits.map(
    ({ relayId, nextDueInSeconds, failures, memory }): ReleasedRelay => ({
      relayId,
      nextDueInSeconds,
      failures,
      memory,
    }),
  );
  await database.transaction(async (sql) => {
    const documents = visits.flatMap(documentsOf);
    const kept = documents.filter(({ type }) => stored.has(type));
    await insertRelayMetadata(sql, kept);
    await insertChecks(sql, visits.flatMap(checksOf));
    await upsertCapabilities(sql, visits.flatMap(capabilitiesOf));
    await publish(sql);
    await releaseRelays(sql, { service: "monitor", holder, relays });
  }, { kind: "batch" });
}

/** The documents of a visit; none of a relay that is not there, as they would say no more than the check. */
function documentsOf({ relayId, findings }: Visit): NewRelayMetadata[] {
  if (findings === null || findings.rtt.failure !== null) return [];
  const { checkedAt: generatedAt, documents } = findings;
  return [...documents].map(([type, { data, logs }]) => ({
    relayId,
    type,
    generatedAt,
    data: { data, logs },
  }));
}

function checksOf({ relayId, findings }: Visit): RelayCheck[] {
  return findings === null ? [] : [checkOf(relayId, findings)];
}

/** The check, by what the connection showed. */
export function checkOf(
  relayId: number,
  { checkedAt, rtt }: Pick<Findings, "checkedAt" | "rtt">,
): RelayCheck {
  return {
    relayId,
    checkedAt,
    online: rtt.failure === null,
    openMs: milliseconds(rtt, "rtt_open"),
    readMs: milliseconds(rtt, "rtt_read"),
    writeMs: milliseconds(rtt, "rtt_write"),
    failure: whatWentWrong(rtt),
  };
}

/** The capabilities that are known; others are not stored, so that what was known before stays. */
function capabilitiesOf(
  { relayId, findings, memory }: Visit,
): RelayCapability[] {
  if (findings === null || memory === undefined) return [];
  const { rtt, checkedAt: judgedAt } = findings;
  const { read, write } = judgePermissions(rtt);
  const { auth, payment, writes, pow } = judgeCapabilities(
    rtt,
    knownNip11(memory),
  );
  const judged = { read, write, auth, payment, writes, pow };
  return CAPABILITIES.flatMap((capability) => {
    const { value, by } = judged[capability];
    return value === null || by === null
      ? []
      : [{ relayId, capability, value, judgedBy: by, judgedAt }];
  });
}

const CAPABILITIES = [
  "read",
  "write",
  "auth",
  "payment",
  "writes",
  "pow",
] as const;

function milliseconds({ data }: CheckDocument, name: string): number | null {
  const value = data[name];
  return typeof value === "number" ? value : null;
}

/** Why it is not online, or what it refused although it is. */
function whatWentWrong({ failure, logs }: CheckDocument): string | null {
  if (failure !== null) return failureText(failure);
  const reason = logs["read_reason"] ?? logs["write_reason"];
  return typeof reason === "string" ? reason : null;
}
