/**
 * Events about the monitor itself: how it works, where it publishes, who it is.
 *
 * @module
 */
import { databaseClock } from "../../../archive/clock.ts";
import { addToOutbox } from "../../../archive/outbox.ts";
import type { Context } from "../../../core/lifecycle/service.ts";
import { NETWORKS } from "../../../models/network.ts";
import type { EventDraft } from "../../../nips/nip66/discovery_event.ts";
import {
  announcementEvent,
  profileEvent,
  relayListEvent,
} from "../../../nips/nip66/monitor_events.ts";
import type { MonitorConfig } from "../config.ts";
import { announcedTimeouts } from "./checks.ts";
import { dueEvents, type Publisher } from "./publisher.ts";

/** Puts what is due or changed of the events about the monitor itself into the outbox. */
export async function publishSelf(
  { config, database }: Context<MonitorConfig>,
  publisher: Publisher,
): Promise<void> {
  if (publisher.relays.length === 0) return;
  // By the clock of the database: the last event, of whichever machine, is compared with it.
  const { now: createdAt } = await databaseClock(database);
  const targets = publisher.relays.map(({ url }) => url);
  const publishables = ownEvents(config, publisher, createdAt).map(
    ({ draft, everySeconds }) => ({
      draft,
      d: "",
      everySeconds,
      nextChanceSeconds: 0,
      onChange: true,
      // A relay that is new among the targets has none of them yet.
      compared: { tags: draft.tags, content: draft.content, targets },
    }),
  );
  const due = await dueEvents(database, publisher, publishables);
  await addToOutbox(database, publisher.pubkey, due);
}

interface OwnEvent {
  readonly draft: EventDraft;
  readonly everySeconds: number;
}

function ownEvents(
  config: MonitorConfig,
  { relays }: Publisher,
  createdAt: number,
): OwnEvent[] {
  const { profile, relayList, announcement, discovery } = config.publish;
  const events: OwnEvent[] = [];
  if (profile.enabled) {
    const draft = profileEvent(profile, createdAt);
    // An empty one would take the place of what the key's owner wrote elsewhere.
    if (draft.content !== "{}") events.push({ ...profile, draft });
  }
  if (relayList.enabled) {
    events.push({ ...relayList, draft: relayListEvent(relays, createdAt) });
  }
  if (announcement.enabled && discovery.enabled) {
    const { geohash } = announcement;
    const draft = announcementEvent({
      createdAt,
      frequencySeconds: discovery.everySeconds,
      timeoutsMs: announcedTimeouts(config),
      networks: NETWORKS.filter((name) => config.networks[name].enabled),
      ...(geohash === undefined ? {} : { geohash }),
    });
    events.push({ ...announcement, draft });
  }
  return events;
}
