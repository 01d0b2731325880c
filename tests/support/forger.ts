/**
 * A relay's answer without end: an event for each second, as far down as it is asked, of which none is its author's.
 *
 * @module
 */
import { eventId, type NostrEvent } from "../../src/models/event.ts";
import { eventFactory } from "./event_factory.ts";
import type { TestReq } from "./test_relay_script.ts";

const { pubkey, sig } = eventFactory("forger").sign();

/** Gives whatever page it is asked for. */
export async function forge(req: TestReq): Promise<void> {
  const now = Math.floor(Date.now() / 1_000);
  const [{ since = 0, until = now, limit = 500 } = {}] = req.filters;
  const top = Math.min(now, until);
  const size = Math.max(0, Math.min(limit, top - since + 1));
  await req.events(Array.from({ length: size }, (_, i) => forged(top - i)));
  req.eose();
}

/** The same for the same second. */
function forged(createdAt: number): NostrEvent {
  const event = {
    pubkey,
    created_at: createdAt,
    kind: 1,
    tags: [],
    content: `At ${createdAt}`,
  };
  return { ...event, id: eventId(event), sig };
}
