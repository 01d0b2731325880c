/**
 * Holders: who holds candidates, relays and the relays of an outbox now, and what becomes of it when they are gone.
 *
 * @module
 */
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";
import { storableJson } from "../../models/storable_text.ts";

/** Everybody who holds something now, by the names they gave themselves. */
export function listHolders(db: Executor): Promise<string[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<{ holder: string }[]>`
      select holder from holder_list()`;
    return rows.map(({ holder }) => holder);
  });
}

/** Frees at once what these hold, which else would wait until their claims end; gives the number of things freed. */
export function releaseHolders(
  db: Executor,
  holders: readonly string[],
): Promise<number> {
  if (holders.length === 0) return Promise.resolve(0);
  const names = storableJson(holders);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ released: number }[]>`
      select holder_release(${names}::text::jsonb) as released`;
    return row!.released;
  }, { kind: "batch" });
}
