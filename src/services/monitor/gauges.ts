/**
 * Gauges of the monitor: relays online, offline, and down after having been up.
 *
 * @module
 */
import { countRelayStates } from "../../archive/relay_health.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import type { MonitorConfig } from "./config.ts";

/** Sets the gauges from what is stored, so that they are right whoever checked, and after a restart. */
export async function setRelayGauges(
  { database, metrics }: Context<MonitorConfig>,
): Promise<void> {
  const relays = metrics.gauge(
    "monitor_relays",
    "Relays by network and by what their last check found; all of one network offline at once: it is our proxy or network",
    ["network", "state"],
  );
  const outages = metrics.gauge(
    "monitor_outages_open",
    "Relays that are offline and were online once, by network (relay_outage_history)",
    ["network"],
  );
  for (const [network, counts] of await countRelayStates(database)) {
    relays.set({ network, state: "online" }, counts.online);
    relays.set({ network, state: "offline" }, counts.offline);
    outages.set({ network }, counts.outages);
  }
}
