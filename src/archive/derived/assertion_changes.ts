/**
 * Sums of what events count for, until they are stored.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { Sql } from "../../core/database/connection/database.ts";
import { sqlArray } from "../sql_array.ts";
import { authorNumbers } from "./author_numbers.ts";
import {
  AUTHOR_COUNTERS,
  type AuthorCounter,
  isKey,
  TARGET_COUNTERS,
  type TargetCounter,
} from "./contributions.ts";

const HOURS = 24;

interface AuthorSums {
  /** The counters, then the hours. */
  readonly counts: Int32Array;
  msatsSent: bigint;
  msatsReceived: bigint;
}

interface TargetSums {
  readonly counts: Int32Array;
  msats: bigint;
}

/** Adds up; `store` writes. Not stored where they are not kept: what targets sum up to. */
export class AssertionChanges {
  readonly #authors = new Map<string, AuthorSums>();
  readonly #topics = new Map<string, Map<string, number>>();
  readonly #targets = new Map<string, TargetSums>();
  readonly #keepsTargets: boolean;

  constructor({ keepsTargets }: { readonly keepsTargets: boolean }) {
    this.#keepsTargets = keepsTargets;
  }

  /** @param pubkey Hex. @param amount Below 0 to take back. */
  author(pubkey: string, counter: AuthorCounter, amount: number): void {
    const { counts } = this.#author(pubkey);
    counts[AUTHOR_COUNTERS.indexOf(counter)]! += amount;
  }

  hour(pubkey: string, createdAt: number, amount: number): void {
    const hour = Math.floor(createdAt / 3_600) % HOURS;
    this.#author(pubkey).counts[AUTHOR_COUNTERS.length + hour]! += amount;
  }

  topic(pubkey: string, topic: string, amount: number): void {
    let topics = this.#topics.get(pubkey);
    if (topics === undefined) this.#topics.set(pubkey, topics = new Map());
    topics.set(topic, (topics.get(topic) ?? 0) + amount);
  }

  /** @param target Id or address, as tags have them; what is neither is left out. */
  target(target: string, counter: TargetCounter, amount: number): void {
    const sums = this.#target(target);
    if (sums === null) return;
    sums.counts[TARGET_COUNTERS.indexOf(counter)]! += amount;
  }

  /** @param sign Below 0 to take back. */
  zap(
    { sender, recipient, targets, msats }: {
      readonly sender: string;
      readonly recipient: string;
      readonly targets: readonly string[];
      readonly msats: number;
    },
    sign: 1 | -1,
  ): void {
    const amount = BigInt(sign * msats);
    this.author(sender, "zapsSent", sign);
    this.#author(sender).msatsSent += amount;
    this.author(recipient, "zapsReceived", sign);
    this.#author(recipient).msatsReceived += amount;
    for (const target of targets) {
      this.target(target, "zaps", sign);
      const sums = this.#target(target);
      if (sums !== null) sums.msats += amount;
    }
  }

  /** Gives authors that are new a number, and adds everything to what is stored. */
  async store(sql: Sql): Promise<void> {
    if (this.#authors.size > 0) await this.#storeAuthors(sql);
    if (this.#targets.size > 0) await this.#storeTargets(sql);
  }

  /** Without what came and went again: it leaves no row. */
  async #storeAuthors(sql: Sql): Promise<void> {
    const changed = [...this.#authors].filter(([, sums]) =>
      sums.counts.some((count) => count !== 0) || sums.msatsSent !== 0n ||
      sums.msatsReceived !== 0n
    );
    if (changed.length === 0) return;
    const pubkeys = changed.map(([pubkey]) => pubkey);
    const numbers = await authorNumbers(sql, pubkeys);
    const sums = changed.map(([, sums]) => sums);
    const counts = sums.flatMap((sum) => Array.from(sum.counts));
    const sent = sums.map((sum) => String(sum.msatsSent));
    const received = sums.map((sum) => String(sum.msatsReceived));
    await sql`
      select author_fact_add(${sqlArray(numbers)}::text::int4[],
        ${sqlArray(counts)}::text::int4[], ${sqlArray(sent)}::text::numeric[],
        ${sqlArray(received)}::text::numeric[])`;
    await this.#storeTopics(
      sql,
      new Map(pubkeys.map((pubkey, i) => [pubkey, numbers[i]!])),
    );
    const less = numbers.filter((_, i) =>
      sums[i]!.counts.some((count) => count < 0)
    );
    if (less.length > 0) {
      await sql`
        select author_fact_drop_empty(${sqlArray(less)}::text::int4[])`;
    }
  }

  async #storeTopics(
    sql: Sql,
    numbers: ReadonlyMap<string, number>,
  ): Promise<void> {
    const rows = [...this.#topics].flatMap(([pubkey, topics]) =>
      [...topics].flatMap(([topic, events]) =>
        events === 0 ? [] : [{ author: numbers.get(pubkey)!, topic, events }]
      )
    );
    if (rows.length === 0) return;
    const topics = JSON.stringify(rows.map(({ topic }) => topic));
    await sql`
      select author_topic_add(
        ${sqlArray(rows.map(({ author }) => author))}::text::int4[],
        ${topics}::text::jsonb,
        ${sqlArray(rows.map(({ events }) => events))}::text::int4[])`;
  }

  async #storeTargets(sql: Sql): Promise<void> {
    const changed = [...this.#targets].filter(([, { counts, msats }]) =>
      counts.some((count) => count !== 0) || msats !== 0n
    );
    if (changed.length === 0) return;
    const sums = changed.map(([, sums]) => sums);
    const targets = Buffer.from(changed.map(([key]) => key).join(""), "hex");
    const counts = sums.flatMap((sum) => Array.from(sum.counts));
    const msats = sums.map((sum) => String(sum.msats));
    await sql`
      select target_fact_add(${targets}::bytea,
        ${sqlArray(counts)}::text::int4[], ${
      sqlArray(msats)
    }::text::numeric[])`;
  }

  #author(pubkey: string): AuthorSums {
    let sums = this.#authors.get(pubkey);
    if (sums === undefined) {
      const counts = new Int32Array(AUTHOR_COUNTERS.length + HOURS);
      sums = { counts, msatsSent: 0n, msatsReceived: 0n };
      this.#authors.set(pubkey, sums);
    }
    return sums;
  }

  #target(target: string): TargetSums | null {
    const key = this.#keepsTargets ? targetKey(target) : null;
    if (key === null) return null;
    let sums = this.#targets.get(key);
    if (sums === undefined) {
      const counts = new Int32Array(TARGET_COUNTERS.length);
      this.#targets.set(key, sums = { counts, msats: 0n });
    }
    return sums;
  }
}

const ADDRESS = /^(0|[1-9]\d{0,4}):[0-9a-f]{64}:/;

/** The id itself, or what `event_address()` makes of an address, in hex; null for what is neither. */
function targetKey(target: string): string | null {
  if (isKey(target)) return target;
  return ADDRESS.test(target) ? hash("sha256", target, "hex") : null;
}
