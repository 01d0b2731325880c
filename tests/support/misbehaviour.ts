/**
 * Ways in which relays misbehave, as scripts for `testRelay`; and the events they do it with.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import type { Filter } from "../../src/models/filter.ts";
import { eventFactory } from "./event_factory.ts";
import type { TestReq } from "./test_relay_script.ts";

export const factory = eventFactory("misbehaviour");
export const FIRST = 1_700_000_000;
export const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 400 },
  (_, i) => factory.sign({ createdAt: FIRST + (i >> 1) * 60, author: i % 7 }),
);
export const NEWEST_FIRST = EVENTS.toReversed();

export function hangUpAfter(events: number) {
  let left = events;
  let connection = 0;
  return async (req: TestReq) => {
    if (req.connection !== connection) left = events;
    connection = req.connection;
    const { until = Infinity, limit = 0 } = req.filters[0]!;
    const page = NEWEST_FIRST.filter((event) => event.created_at <= until)
      .slice(0, limit);
    await req.events(page.slice(0, left));
    left -= page.length;
    if (left < 0) req.disconnect();
    else req.eose();
  };
}

/** A quarter each: as signed, another signature, another content, a kind that is none. */
export const FORGED = NEWEST_FIRST.map((event, i) => {
  switch (i % 4) {
    case 1:
      return { ...event, sig: "0".repeat(128) };
    case 2:
      return { ...event, content: "something else" };
    case 3:
      return { ...event, kind: 70_000 };
    default:
      return event;
  }
});

export function isWithin(
  { since = 0, until = Infinity }: Filter,
  event: NostrEvent,
) {
  return event.created_at >= since && event.created_at <= until;
}

export async function serveWithoutLimit(req: TestReq): Promise<void> {
  const { until = Infinity } = req.filters[0]!;
  await req.events(
    NEWEST_FIRST.filter((event) => event.created_at <= until),
  );
  if (req.isOpen()) req.eose();
}

export async function flood(req: TestReq): Promise<void> {
  while (req.isOpen()) await req.events(Array(100).fill(EVENTS[0]));
}
