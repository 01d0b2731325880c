/**
 * Capabilities: what relays let anybody do and what they demand, by what showed it.
 *
 * @module
 */
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface RelayCapability {
  readonly relayId: number;
  /** May a stranger `read` and `write`; does it demand `auth`, `payment`, `pow`, and are `writes` not for everybody. */
  readonly capability: "read" | "write" | "auth" | "payment" | "writes" | "pow";
  readonly value: boolean;
  /** The test that showed it, or the relay's own word. */
  readonly judgedBy: "read" | "write" | "nip11";
  /** Unix seconds. */
  readonly judgedAt: number;
}

/** Stores what is new; gives the number of capabilities that changed. */
export function upsertCapabilities(
  db: Executor,
  capabilities: readonly RelayCapability[],
): Promise<number> {
  if (capabilities.length === 0) return Promise.resolve(0);
  const rows = storableJson(capabilities);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ written: number }[]>`
      select relay_capability_upsert(${rows}::text::jsonb) as written`;
    return row!.written;
  }, { kind: "batch" });
}
