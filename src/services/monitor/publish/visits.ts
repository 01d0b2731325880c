/**
 * Events that visits give to publish: relay discovery events, and messages to operators.
 *
 * @module
 */
import type { Sql } from "../../../core/database/connection/database.ts";
import { latestDocuments } from "../../../archive/metadata.ts";
import { addToOutbox, type OutboxEvent } from "../../../archive/outbox.ts";
import type { Context } from "../../../core/lifecycle/service.ts";
import type { MetadataType } from "../../../models/metadata.ts";
import { nip66Url, parseRelayUrl } from "../../../models/relay_url.ts";
import type { CheckDocument } from "../../../nips/check_document.ts";
import {
  discoveryEvent,
  type EventDraft,
} from "../../../nips/nip66/discovery_event.ts";
import { changedAlerts, storeAlerts } from "../alerts.ts";
import type { MonitorConfig } from "../config.ts";
import { publishedTypes } from "./checks.ts";
import { dueEvents, type Publishable, type Publisher } from "./publisher.ts";
import type { Visit } from "../store.ts";

type MonitorContext = Context<MonitorConfig>;

/** Looks up what is new about these visits and gives what stores it, to be run in the transaction that stores them. */
export async function publicationOf(
  ctx: MonitorContext,
  publisher: Publisher | null,
  visits: readonly Visit[],
): Promise<(sql: Sql) => Promise<void>> {
  if (publisher === null) return async () => {};
  const discoveries = await discoveryEvents(ctx, publisher, visits);
  const alerts = await changedAlerts(ctx, publisher, visits);
  return async (sql) => {
    await storeAlerts(sql, alerts);
    await addToOutbox(sql, publisher.pubkey, [
      ...discoveries,
      ...alerts.messages,
    ]);
  };
}

async function discoveryEvents(
  { config, database }: MonitorContext,
  publisher: Publisher,
  visits: readonly Visit[],
): Promise<OutboxEvent[]> {
  const { enabled } = config.publish.discovery;
  if (!enabled || publisher.relays.length === 0) return [];
  const up = visits.filter(({ findings }) => findings?.rtt.failure === null);
  if (up.length === 0) return [];
  // By the database's clock, as what is known is.
  const now = Math.max(...up.map(({ findings }) => findings?.checkedAt ?? 0));
  const since = new Map(
    [...publishedTypes(config)].map(([type, seconds]) => [type, now - seconds]),
  );
  const types = [...since.keys()];
  const known = await latestDocuments(
    database,
    up.map(({ relayId }) => relayId),
    since,
  );
  const publishables = up.flatMap((visit) =>
    discovery(visit, config, documentsOf(visit, known, types))
  );
  return await dueEvents(database, publisher, publishables);
}

/** The documents of this visit; those of earlier ones where it made no check, or the check failed. */
function documentsOf(
  { relayId, findings }: Visit,
  known: Awaited<ReturnType<typeof latestDocuments>>,
  types: readonly MetadataType[],
): ReadonlyMap<MetadataType, CheckDocument> {
  const documents = new Map<MetadataType, CheckDocument>();
  for (const type of types) {
    const found = findings?.documents.get(type);
    const before = known.get(relayId)?.get(type);
    if (found?.failure === null) documents.set(type, found);
    else if (before !== undefined) {
      documents.set(type, { ...before, failure: null });
    }
  }
  return documents;
}

function discovery(
  { url, findings }: Visit,
  config: MonitorConfig,
  documents: ReadonlyMap<MetadataType, CheckDocument>,
): Publishable[] {
  const relay = parseRelayUrl(url, config);
  if (!relay.ok || findings === null) return [];
  const draft = discoveryEvent({
    relay: relay.value,
    checkedAt: findings.checkedAt,
    rtt: findings.rtt,
    documents,
  });
  if (draft === null) return [];
  const { everySeconds, onChange } = config.publish.discovery;
  return [{
    draft,
    d: nip66Url(relay.value),
    everySeconds,
    nextChanceSeconds: config.schedule.everySeconds,
    onChange,
    compared: comparedOf(draft),
  }];
}

/** Without what differs each time it is measured. */
function comparedOf({ tags, content }: EventDraft): unknown {
  const steady = tags.filter(([name = ""]) => !VOLATILE.has(name));
  return { tags: steady, content };
}

/** A resolver counts the lifetime of what it remembers down. */
const VOLATILE: ReadonlySet<string> = new Set([
  "rtt-open",
  "rtt-read",
  "rtt-write",
  "dns-ttl",
]);
