/**
 * Ways in which relays misbehave, as scripts for `testRelay`; and the events they do it with.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import { type Filter, matchesFilter } from "../../src/models/filter.ts";
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
  { since = 0, until = Infinity, ids, kinds }: Filter,
  event: NostrEvent,
) {
  return (ids?.includes(event.id) ?? true) &&
    (kinds?.includes(event.kind) ?? true) && event.created_at >= since &&
    event.created_at <= until;
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

/** Refuses whatever is over so many REQs, each time until it has refused that many. */
export function tireAfter(reqs: number, refuse: (req: TestReq) => void) {
  let since = 0;
  return async (req: TestReq) => {
    since += 1;
    if (since <= reqs) return await req.serve();
    since = 0;
    refuse(req);
  };
}

/** Bears so many REQs at once, and tells by `refuse` when there is one more. */
export function bearAtOnce(reqs: number, refuse: (req: TestReq) => void) {
  let open = 0;
  return async (req: TestReq) => {
    if (open >= reqs) return refuse(req);
    open += 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
    open -= 1;
    await req.serve();
  };
}

/** Gives one event after the other, with a pause that no timeout for silence takes for one. */
export function dripEvents(events: readonly NostrEvent[], pauseMs: number) {
  return async (req: TestReq) => {
    const [{ limit = Infinity, ...filter } = {}] = req.filters;
    const page = events.filter((event) => matchesFilter(filter, event));
    for (const event of page.slice(0, limit)) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (!req.isOpen()) return;
      await req.events([event]);
    }
    req.eose();
  };
}

/** Begins a message of 60,000 bytes, and sends one of them at a time for ever. */
export async function dripBytes(req: TestReq): Promise<void> {
  req.sendBytes(new Uint8Array([0x81, 126, 0xea, 0x60]));
  while (req.isConnected()) {
    req.sendBytes(new TextEncoder().encode("["));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
