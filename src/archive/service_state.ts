/**
 * Service state: cursors and checkpoints by which a service goes on where it was.
 *
 * @module
 */
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface StateKey {
  readonly serviceName: string;
  /** `cursor`, `checkpoint`, `runtime`, … */
  readonly stateType: string;
  readonly stateKey: string;
}

export interface NewState extends StateKey {
  /** Any JSON; replaces what was there. */
  readonly value: unknown;
}

export interface State extends NewState {
  /** Unix seconds, the server's clock. */
  readonly updatedAt: number;
}

/** Stores states, replacing those of the same key; of several with one key in a batch the last counts. */
export function upsertState(
  db: Executor,
  states: readonly NewState[],
): Promise<void> {
  if (states.length === 0) return Promise.resolve();
  const rows = storableJson(states);
  return onConnection(db, async (sql) => {
    await sql`select service_state_upsert(${rows}::text::jsonb)`;
  }, { kind: "batch" });
}

/** The states of a service and type, by key; with `stateKey` the one or none. */
export function getState(
  db: Executor,
  { serviceName, stateType, stateKey }: {
    readonly serviceName: string;
    readonly stateType: string;
    readonly stateKey?: string | undefined;
  },
): Promise<State[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<StateRow[]>`
      select state_key, state_value, updated_at
      from service_state_get(${serviceName}::text, ${stateType}::text,
        ${stateKey ?? null}::text)`;
    return rows.map((row) => ({
      serviceName,
      stateType,
      stateKey: row.state_key,
      value: row.state_value,
      updatedAt: Number(row.updated_at),
    }));
  });
}

/** Deletes states by key; gives the number that were there. */
export function deleteState(
  db: Executor,
  keys: readonly StateKey[],
): Promise<number> {
  if (keys.length === 0) return Promise.resolve(0);
  const rows = storableJson(keys);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ deleted: number }[]>`
      select service_state_delete(${rows}::text::jsonb) as deleted`;
    return row!.deleted;
  }, { kind: "batch" });
}

/** postgres.js gives int8 as text. */
interface StateRow {
  readonly state_key: string;
  readonly state_value: unknown;
  readonly updated_at: string;
}
