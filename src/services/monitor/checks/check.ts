/**
 * What a check is: one file each beside this one, listed in `check_relay.ts`.
 *
 * @module
 */
import type { MetadataType } from "../../../models/metadata.ts";
import type { RelayUrl } from "../../../models/relay_url.ts";
import type { CheckDocument } from "../../../nips/check_document.ts";
import type { Dialer } from "../../../transport/dialer.ts";
import type { MonitorConfig } from "../config.ts";

/** What is checked, and with what. */
export interface CheckTarget {
  readonly relay: RelayUrl;
  readonly dialer: Dialer;
  readonly config: MonitorConfig;
  /** Signs what needs a signature; null when nobody gave one. */
  readonly secretKey: Uint8Array | null;
  readonly signal: AbortSignal;
}

/** A check whose document is kept. It never throws. */
export interface Check {
  readonly type: MetadataType;
  /** Whether it is switched on and makes sense for this relay. */
  applies(target: CheckTarget): boolean;
  run(target: CheckTarget): Promise<CheckDocument>;
}
