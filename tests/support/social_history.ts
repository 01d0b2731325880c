/**
 * What people do to each other, at random: notes, answers, reactions, reports, zaps and contact lists, garbage among them.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import type { EventDraft, EventFactory } from "./event_factory.ts";
import { receiptOf, zapReceipt } from "./zaps.ts";

const AUTHORS = 12;
const FIRST_SECOND = 1_748_736_000;

/** `count` events, in no order of time; many of few seconds, so that there are ties. */
export function socialHistory(
  factory: EventFactory,
  count: number,
): NostrEvent[] {
  const events: NostrEvent[] = [];
  const { number, pick, pubkey } = factory;
  const id = () => events.length === 0 ? "0".repeat(64) : pick(events).id;
  const address = () => `30023:${pubkey(number(AUTHORS))}:${number(3)}`;
  const key = () =>
    pick([
      () => pubkey(number(AUTHORS)),
      () => pubkey(AUTHORS + number(20)),
      () => "nobody",
      () => pubkey(0).toUpperCase(),
    ])();
  const tag = (): string[] =>
    pick([
      () => ["e", id()],
      () => ["e", id(), "", pick(["reply", "root", "mention", ""])],
      () => ["e", "garbage"],
      () => ["e"],
      () => ["a", address()],
      () => ["a", "1:2:3"],
      () => ["q", pick([id(), address()])],
      () => ["p", key()],
      () => ["p", key(), "wss://relay.example", "name"],
      () => [
        "t",
        pick(["Nostr", "#nostr", " bitcoin ", "", "ß", "x".repeat(51)]),
      ],
      () => [],
    ])();
  const draft = (): EventDraft => ({
    author: number(AUTHORS),
    createdAt: FIRST_SECOND + number(40) * 1_800,
    tags: Array.from({ length: number(7) }, tag),
  });
  const zap = (): NostrEvent => {
    const wallet = number(AUTHORS);
    const createdAt = FIRST_SECOND + number(40) * 1_800;
    const subject = pick([{ eventId: id() }, { address: address() }, {}]);
    const amount = pick(["210n", "1u", "", "10u"]);
    const receipt = zapReceipt(factory, {
      sender: number(AUTHORS),
      recipient: pubkey(number(AUTHORS + 5)),
      wallet,
      createdAt,
      amount,
      ...subject,
      ...(number(3) === 0 ? { requested: pick(["21000", "1"]) } : {}),
      ...(number(6) === 0
        ? {
          spoil: ({ tags }: { tags: string[][] }) => ({ tags: tags.slice(1) }),
        }
        : {}),
    });
    if (number(2) === 0) return receipt;
    events.push(receipt);
    // Somebody repeats it, perhaps earlier and with an invoice of his own.
    const description = receipt.tags.find(([name]) => name === "description")!;
    return receiptOf(factory, JSON.parse(description[1]!), {
      wallet: number(AUTHORS),
      createdAt: createdAt + 1_800 * (number(3) - 1),
      amount: pick([amount, "5u"]),
      tags: receipt.tags.filter(([name]) =>
        name === "p" || name === "e" || name === "a"
      ),
    });
  };
  while (events.length < count) {
    events.push(
      pick([
        () =>
          factory.sign({
            ...draft(),
            kind: pick([1, 1, 6, 7, 16, 1_111, 1_984]),
          }),
        () => factory.sign({ ...draft(), kind: pick([0, 3, 30_023]) }),
        () =>
          factory.sign({
            ...draft(),
            kind: 3,
            tags: Array.from({ length: number(12) }, () => ["p", key()]),
          }),
        zap,
      ])(),
    );
  }
  return events;
}
