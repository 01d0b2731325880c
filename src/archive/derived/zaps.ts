/**
 * Zap receipts by the request they answer: of each request one counts, the first by `created_at` and id.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import { sqlArray } from "../sql_array.ts";
import type { AssertionChanges } from "./assertion_changes.ts";
import { authorNumbers } from "./author_numbers.ts";
import type { VerifiedZap } from "./derived_options.ts";

/** A receipt that came (1) or went (-1). */
export interface ReceiptChange {
  readonly sign: 1 | -1;
  readonly id: string;
  readonly createdAt: number;
  readonly zap: VerifiedZap;
}

interface Receipt {
  readonly id: string;
  readonly createdAt: number;
  readonly msats: number;
}

/** Stores receipts, and counts what they change about which one counts. */
export async function changeZaps(
  sql: Sql,
  changes: AssertionChanges,
  receipts: readonly ReceiptChange[],
): Promise<void> {
  const net = netOf(receipts);
  if (net.length === 0) return;
  const byRequest = Map.groupBy(net, ({ zap }) => zap.request);
  const stored = await findReceipts(sql, [...byRequest.keys()]);
  for (const [request, changed] of byRequest) {
    const before = stored.get(request) ?? [];
    const gone = new Set(
      changed.filter(({ sign }) => sign < 0).map(({ id }) => id),
    );
    const after = before.filter(({ id }) => !gone.has(id));
    for (const { sign, id, createdAt, zap: { msats } } of changed) {
      if (sign > 0) after.push({ id, createdAt, msats });
    }
    // All of a request say the same but for the amount.
    const { zap } = changed[0]!;
    count(changes, { zap, receipt: firstOf(before), sign: -1 });
    count(changes, { zap, receipt: firstOf(after), sign: 1 });
  }
  await store(sql, net);
}

/** What is left of receipts that came and went. */
function netOf(receipts: readonly ReceiptChange[]): ReceiptChange[] {
  const sums = Map.groupBy(receipts, ({ id }) => id);
  return [...sums.values()].flatMap((changes) => {
    const sum = changes.reduce((total, { sign }) => total + sign, 0);
    return sum === 0 ? [] : [{ ...changes[0]!, sign: sum > 0 ? 1 : -1 }];
  });
}

async function findReceipts(
  sql: Sql,
  requests: readonly string[],
): Promise<ReadonlyMap<string, Receipt[]>> {
  const rows = await sql<
    { request: string; id: string; createdAt: string; msats: string }[]
  >`
    select request, id, created_at as "createdAt", msats
    from zap_find(${Buffer.from(requests.join(""), "hex")}::bytea)`;
  const found = new Map<string, Receipt[]>();
  for (const [request, receipts] of Map.groupBy(rows, (row) => row.request)) {
    found.set(
      request,
      receipts.map(({ id, createdAt, msats }) => ({
        id,
        createdAt: Number(createdAt),
        msats: Number(msats),
      })),
    );
  }
  return found;
}

function firstOf(receipts: readonly Receipt[]): Receipt | undefined {
  return receipts.toSorted((a, b) =>
    a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)
  )[0];
}

function count(
  changes: AssertionChanges,
  { zap, receipt, sign }: {
    readonly zap: VerifiedZap;
    readonly receipt: Receipt | undefined;
    readonly sign: 1 | -1;
  },
): void {
  if (receipt === undefined) return;
  const { sender, recipient, eventId, address } = zap;
  const targets = [eventId, address].filter((target) => target !== null);
  changes.zap({ sender, recipient, targets, msats: receipt.msats }, sign);
}

async function store(sql: Sql, net: readonly ReceiptChange[]): Promise<void> {
  const keysOf = (receipts: readonly ReceiptChange[]) =>
    Buffer.from(
      receipts.map(({ id, zap }) => id + zap.request).join(""),
      "hex",
    );
  const gone = net.filter(({ sign }) => sign < 0);
  if (gone.length > 0) await sql`select zap_delete(${keysOf(gone)}::bytea)`;
  const come = net.filter(({ sign }) => sign > 0);
  if (come.length === 0) return;
  const numbers = await authorNumbers(
    sql,
    come.flatMap(({ zap }) => [zap.sender, zap.recipient]),
  );
  const senders = come.map((_, i) => numbers[2 * i]!);
  const recipients = come.map((_, i) => numbers[2 * i + 1]!);
  await sql`
    select zap_add(${keysOf(come)}::bytea,
      ${sqlArray(come.map(({ createdAt }) => createdAt))}::text::int8[],
      ${sqlArray(come.map(({ zap }) => zap.msats))}::text::int8[],
      ${sqlArray(senders)}::text::int4[],
      ${sqlArray(recipients)}::text::int4[])`;
}
