/**
 * The events that a relay lists and gives to nobody, as lines for people.
 *
 * @module
 */
import type { WithheldEvent } from "../../archive/sync/relay_listing.ts";
import { moment } from "../terminal/moments.ts";
import { counted } from "../terminal/numbers.ts";
import { table } from "../terminal/table.ts";

/** The list under a sentence, newest first. */
export function withheldText(
  url: string,
  events: readonly WithheldEvent[],
): string {
  if (events.length === 0) {
    return `${url} is not known to withhold anything that it lists\n`;
  }
  const rows = events.map(({ createdAt, eventId, filter }) => [
    moment(createdAt),
    eventId,
    filter === null ? "" : JSON.stringify(filter),
  ]);
  return `${url} lists ${
    counted(events.length, "event")
  } that it gives to nobody\n\n${table(["listed at", "id", "filter"], rows)}`;
}
