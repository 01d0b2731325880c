/**
 * Zap requests, invoices and receipts out of nothing; any part can be made wrong.
 *
 * @module
 */
import { bech32 } from "@scure/base";
import { createHash } from "node:crypto";
import type { NostrEvent } from "../../src/models/event.ts";
import type { EventFactory } from "./event_factory.ts";

/** An invoice with a signature of zeros, as nobody can check whose it is. */
export function invoice(
  { prefix = "lnbc", amount = "210n", description }: {
    readonly prefix?: string;
    /** As BOLT 11 writes it: 210n are 21 sat. */
    readonly amount?: string;
    readonly description: string;
  },
): string {
  const hash = createHash("sha256").update(description).digest();
  const fields = [23, 1, 20, ...bech32.toWords(hash)];
  const words = [...Array(7).fill(0), ...fields, ...Array(104).fill(0)];
  return bech32.encode(`${prefix}${amount}`, words, false);
}

export interface ZapDraft {
  readonly sender: number;
  readonly wallet: number;
  /** Hex. */
  readonly recipient: string;
  readonly eventId?: string;
  readonly address?: string;
  readonly createdAt?: number;
  /** As BOLT 11 writes it, and in millisatoshis as the request says. */
  readonly amount?: string;
  readonly requested?: string;
  /** Changes the request after it is signed, or the receipt's tags before. */
  readonly spoil?: (zap: {
    readonly request: NostrEvent;
    readonly tags: string[][];
  }) => { readonly request?: NostrEvent; readonly tags?: string[][] };
}

/** The receipt of a zap. */
export function zapReceipt(factory: EventFactory, draft: ZapDraft): NostrEvent {
  const subject = [
    ["p", draft.recipient],
    ...(draft.eventId === undefined ? [] : [["e", draft.eventId]]),
    ...(draft.address === undefined ? [] : [["a", draft.address]]),
  ];
  const signed = factory.sign({
    author: draft.sender,
    kind: 9_734,
    tags: draft.requested === undefined
      ? subject
      : [...subject, ["amount", draft.requested]],
  });
  const spoilt = draft.spoil?.({ request: signed, tags: subject }) ?? {};
  return receiptOf(factory, spoilt.request ?? signed, {
    ...draft,
    tags: spoilt.tags ?? subject,
  });
}

/** Another receipt of the same request. */
export function receiptOf(
  factory: EventFactory,
  request: NostrEvent,
  { wallet, createdAt, amount, tags }: {
    readonly wallet: number;
    readonly createdAt?: number;
    readonly amount?: string;
    readonly tags: readonly (readonly string[])[];
  },
): NostrEvent {
  const description = JSON.stringify(request);
  return factory.sign({
    author: wallet,
    kind: 9_735,
    ...(createdAt === undefined ? {} : { createdAt }),
    tags: [
      ...tags,
      [
        "bolt11",
        invoice({
          description,
          ...(amount === undefined ? {} : { amount }),
        }),
      ],
      ["description", description],
    ],
  });
}
