/**
 * The place, by a city database. Without the database nothing is learnt about the relay, so there is no document.
 *
 * @module
 */
import { examineGeo } from "../../../nips/nip66/geo.ts";
import type { Check } from "./check.ts";

export const geo: Check = {
  name: "geo",
  type: "nip66_geo",
  applies: ({ relay, dialer, databases }) =>
    dialer.isDirect(relay) && databases.city().ok,
  run: ({ relay, dialer, config, databases }, limits) => {
    const { geohashPrecision } = config.checks.geo;
    const database = databases.city();
    return examineGeo(dialer, relay, { ...limits, database, geohashPrecision });
  },
};
