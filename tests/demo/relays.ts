/**
 * The network of the demonstration: three relays, each knowing only of the next, and one that is gone.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import { communityEvents } from "../support/community.ts";
import {
  edgeCaseEvents,
  sameSecondEvents,
} from "../support/edge_case_events.ts";
import { type EventFactory, eventFactory } from "../support/event_factory.ts";
import { type RelayProcess, relayProcess } from "../support/relay_process.ts";

export interface DemoRelay {
  readonly name: string;
  readonly process: RelayProcess;
  /** Everything it was given; as nothing replaces anything here, everything it holds. */
  readonly events: readonly NostrEvent[];
}

/** Events that exactly one relay has, beside the special ones. */
const OWN_EVENTS = 1300;
/** Events that all relays have. */
const SHARED_EVENTS = 200;
/** In one second: whoever pages by the second before it loses some of them. */
export const BURST_EVENTS = 400;

const DAY = 86_400;

/** Starts three empty relays. */
export async function startRelays(
  stack: AsyncDisposableStack,
): Promise<RelayProcess[]> {
  const names = ["alpha", "beta", "gamma"];
  return await Promise.all(
    names.map(async (name) => stack.use(await relayProcess({ name }))),
  );
}

/** Gives the relays their events. The hints lead from alpha to beta, from beta to gamma, from there into the void. */
export async function fillRelays(
  [alpha, beta, gamma]: readonly RelayProcess[],
  gone: string,
): Promise<DemoRelay[]> {
  if (!alpha || !beta || !gamma) throw new Error("The demo needs three relays");
  const factory = eventFactory("demo");
  const { community, burst, edges } = eventMakers(factory);
  const shared = community(0, SHARED_EVENTS, [alpha.url]);
  const own = (firstAuthor: number, relays: readonly string[]) => [
    ...shared,
    ...community(firstAuthor, OWN_EVENTS, relays),
  ];
  return await Promise.all([
    fill("alpha", alpha, own(100, [alpha.url, beta.url])),
    fill("beta", beta, [...own(200, [beta.url, gamma.url]), ...edges()]),
    fill("gamma", gamma, [...own(300, [gamma.url, gone]), ...burst()]),
  ]);
}

/** Events of the last thirty days. */
function eventMakers(factory: EventFactory) {
  const now = Math.floor(Date.now() / 1000);
  const since = now - 30 * DAY;
  return {
    community: (
      firstAuthor: number,
      count: number,
      relays: readonly string[],
    ) =>
      communityEvents(factory, {
        count,
        authors: 30,
        firstAuthor,
        relays,
        since,
        spanSeconds: 29 * DAY,
      }),
    burst: () =>
      sameSecondEvents(factory, {
        count: BURST_EVENTS,
        createdAt: now - 5 * DAY,
        authors: 4,
      }),
    edges: () =>
      Object.values(
        edgeCaseEvents(eventFactory("demo edges", { firstSecond: since })),
      ).filter(({ created_at }) => created_at > since && created_at < now),
  };
}

async function fill(
  name: string,
  process: RelayProcess,
  events: readonly NostrEvent[],
): Promise<DemoRelay> {
  const { held } = await process.load(events);
  if (held !== events.length) {
    throw new Error(
      `${name} holds ${held} of the ${events.length} it was given`,
    );
  }
  return { name, process, events };
}

/** A URL of this machine at which nobody answers. */
export function deadUrl(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `ws://127.0.0.1:${port}`;
}
