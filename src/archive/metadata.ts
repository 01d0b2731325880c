/**
 * Metadata: content-addressed documents about relays. An unchanged document costs one small row.
 *
 * @module
 */
import { canonicalJson, type MetadataType } from "../models/metadata.ts";
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface NewRelayMetadata {
  readonly relayId: number;
  readonly type: MetadataType;
  /** Unix seconds. */
  readonly generatedAt: number;
  /** The document; its canonical JSON is what is stored and hashed. */
  readonly data: unknown;
}

/** Stores documents and which relay they are of; gives the number of new (relay, type, moment) rows. */
export function insertRelayMetadata(
  db: Executor,
  documents: readonly NewRelayMetadata[],
): Promise<number> {
  if (documents.length === 0) return Promise.resolve(0);
  const rows = storableJson(
    documents.map(({ relayId, type, generatedAt, data }) => ({
      relayId,
      type,
      generatedAt,
      data: canonicalJson(data),
    })),
  );
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ inserted: number }[]>`
      select relay_metadata_insert(${rows}::text::jsonb) as inserted`;
    return row!.inserted;
  }, { kind: "batch" });
}

/** A document as checks write it. */
export interface StoredDocument {
  readonly data: Readonly<Record<string, unknown>>;
  readonly logs: Readonly<Record<string, boolean | string>>;
}

/**
 * The newest documents of checks that succeeded, by relay and type, if they are not older than a moment (Unix seconds)
 * that is given for each type.
 */
export function latestDocuments(
  db: Executor,
  relayIds: readonly number[],
  since: ReadonlyMap<MetadataType, number>,
): Promise<Map<number, Map<MetadataType, StoredDocument>>> {
  if (relayIds.length === 0 || since.size === 0) {
    return Promise.resolve(new Map());
  }
  const ids = storableJson(relayIds);
  const wanted = storableJson(Object.fromEntries(since));
  return onConnection(db, async (sql) => {
    const rows = await sql<DocumentRow[]>`
      select relay.id::int as relay_id, wanted.type, newest.data
      from jsonb_array_elements_text(${ids}::text::jsonb) as relay (id)
      cross join jsonb_each_text(${wanted}::text::jsonb) as wanted (type, since)
      cross join lateral (
        select d.data
        from relay_metadata m
        join metadata d on d.id = m.metadata_id and d.type = m.metadata_type
        where m.relay_id = relay.id::int and m.metadata_type = wanted.type
          and m.generated_at >= wanted.since::int8
          and d.data #>> '{logs,success}' = 'true'
        order by m.generated_at desc
        limit 1
      ) as newest`;
    const found = new Map<number, Map<MetadataType, StoredDocument>>();
    for (const { relay_id, type, data: { data = {}, logs = {} } } of rows) {
      const documents = found.get(relay_id) ?? new Map();
      found.set(relay_id, documents.set(type, { data, logs }));
    }
    return found;
  }, { kind: "batch" });
}

interface DocumentRow {
  readonly relay_id: number;
  readonly type: MetadataType;
  /** Empty parts are not stored. */
  readonly data: Partial<StoredDocument>;
}
