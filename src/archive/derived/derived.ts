/**
 * Derived facts: what others want to know of authors and events, kept beside statistics and each switchable.
 *
 * They follow the queue of facts: at every commit, what is counted and what waits is what the tables hold. What is new to
 * them, switched on, or lost with dropped facts is made from the start, in the order of (created_at, id); until then only
 * facts about what is made already are counted. A lite archive has no tags, and so none of this.
 *
 * @module
 */
import type { Sql } from "../../core/database/connection/database.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";
import type { Fact } from "../facts.ts";
import { foldAssertions, remakeAssertions } from "./assertions.ts";
import { foldContacts, remakeContacts } from "./contacts.ts";
import type { DerivedOptions } from "./derived_options.ts";

const NAMES = ["contacts", "assertions"] as const;

type Name = typeof NAMES[number];

/**
 * Folds facts. Their order does not matter. Only inside the transaction that takes them, which sees one snapshot; call it
 * even when there are none, so that what is switched off is forgotten before facts about it are missed.
 */
export async function foldDerived(
  sql: Sql,
  facts: readonly Fact[],
  options: DerivedOptions,
): Promise<void> {
  const states = await settledStates(sql, options);
  if (states.has("contacts")) await foldContacts(sql, facts);
  const assertions = states.get("assertions");
  if (assertions === undefined) return;
  const { upto } = assertions;
  const isWhole = await foldAssertions(sql, facts, { options, upto });
  if (!isWhole) await sql`select derived_lose()`;
}

/**
 * One step of what is to be made, about `budget` events long. Only after `foldDerived` in the same transaction, when no
 * fact waits any more in its snapshot. Returns how much was done; 0 when nothing is left.
 */
export async function remakeDerivedStep(
  sql: Sql,
  options: DerivedOptions,
  budget: number,
): Promise<number> {
  if (await isLite(sql)) return 0;
  // All that was deleted is folded.
  await sql`delete from deleted_event`;
  const lost = await sql`delete from derived_lost returning 1`;
  if (lost.length > 0) {
    for (const name of NAMES) await sql`select derived_clear(${name}::text)`;
  }
  const states = await settledStates(sql, options);
  for (const name of NAMES) {
    const setting = settingOf(name, options);
    if (setting === null) continue;
    const state = states.get(name);
    if (state === undefined) return await begin(sql, name, setting);
    if (state.upto === null) continue;
    return await make(sql, name, { options, upto: state.upto, budget });
  }
  return 0;
}

/** Has everything made from the start, beside what comes in. */
export async function requestDerivedRemake(db: Executor): Promise<void> {
  await onConnection(db, (sql) => sql`select derived_lose()`, {
    kind: "refresh",
  });
}

/** Of each of the derived facts: null when it is not kept. Null for a lite archive, which cannot know any. */
export type DerivedStatus =
  | Readonly<Record<Name, "whole" | "unfinished" | null>>
  | null;

/** How far derived facts are. */
export function derivedStatus(db: Executor): Promise<DerivedStatus> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ status: DerivedStatus }[]>`
      select derived_status() as status`;
    return row!.status;
  });
}

interface State {
  readonly name: Name;
  readonly setting: string;
  /** Hex; null when nothing is left to be made. */
  readonly upto: string | null;
}

/** What is kept as the options want it; what is kept otherwise is forgotten. */
async function settledStates(
  sql: Sql,
  options: DerivedOptions,
): Promise<ReadonlyMap<Name, State>> {
  const rows = await sql<State[]>`
    select name, setting, encode(upto, 'hex') as upto from derived_state`;
  const states = new Map<Name, State>();
  for (const state of rows) {
    if (state.setting === settingOf(state.name, options)) {
      states.set(state.name, state);
    } else await sql`select derived_clear(${state.name}::text)`;
  }
  return states;
}

/** What of it is kept; null for nothing. */
function settingOf(
  name: Name,
  { contacts, assertions, targets }: DerivedOptions,
): string | null {
  if (name === "contacts") return contacts ? "all" : null;
  if (!assertions) return null;
  return targets ? "authors and targets" : "authors";
}

/** A lite archive has no tags to count by. */
async function isLite(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ edition: string }[]>`
    select archive_edition() as edition`;
  return row!.edition === "lite";
}

/** Before all keys: a moment and no id. */
const FIRST = "0".repeat(16);

async function begin(sql: Sql, name: Name, setting: string): Promise<number> {
  await sql`
    insert into derived_state (name, setting, upto)
    values (${name}, ${setting}, decode(${FIRST}::text, 'hex'))`;
  return 1;
}

/** A contact list costs as much as this many other events. */
const EVENTS_PER_LIST = 20;

async function make(
  sql: Sql,
  name: Name,
  { options, upto, budget }: {
    readonly options: DerivedOptions;
    readonly upto: string;
    readonly budget: number;
  },
): Promise<number> {
  const lists = Math.max(1, Math.floor(budget / EVENTS_PER_LIST));
  const { upto: next, events } = name === "contacts"
    ? await remakeContacts(sql, { upto, limit: lists })
    : await remakeAssertions(sql, { options, upto, limit: budget });
  await sql`
    update derived_state set upto = decode(${next}::text, 'hex')
    where name = ${name}`;
  return Math.max(1, events);
}
