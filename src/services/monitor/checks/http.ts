/**
 * The headers of the WebSocket upgrade, on every network.
 *
 * @module
 */
import { examineHttp } from "../../../nips/nip66/http.ts";
import type { Check } from "./check.ts";

export const http: Check = {
  name: "http",
  type: "nip66_http",
  applies: () => true,
  run: ({ relay, dialer }, limits) => examineHttp(dialer, relay, limits),
};
