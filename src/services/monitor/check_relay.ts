/**
 * All checks of one relay.
 *
 * @module
 */
import type { MetadataType } from "../../models/metadata.ts";
import type { CheckDocument } from "../../nips/check_document.ts";
import { measureRtt } from "../../nips/nip66/rtt.ts";
import type { Check, CheckTarget } from "./checks/check.ts";
import { nip11, wantedPow } from "./checks/nip11.ts";

/** Those whose document is kept. They run at the same time. */
const CHECKS: readonly Check[] = [nip11];

/** What was found out about a relay. */
export interface Findings {
  /** Unix seconds. */
  readonly checkedAt: number;
  /** The round-trip times. No failure here means that the relay opened and spoke: it is online. */
  readonly rtt: CheckDocument;
  readonly documents: ReadonlyMap<MetadataType, CheckDocument>;
}

/** Checks a relay. Takes a few times the network's `timeoutMs` at most; never throws. */
export async function checkRelay(target: CheckTarget): Promise<Findings> {
  const checkedAt = Math.floor(Date.now() / 1_000);
  const documents = new Map<MetadataType, CheckDocument>();
  await Promise.all(
    CHECKS.filter((check) => check.applies(target)).map(async (check) => {
      documents.set(check.type, await check.run(target));
    }),
  );
  // Last, because whether a write is taken can depend on the proof of work that NIP-11 names.
  const rtt = await measure(target, wantedPow(documents.get("nip11_info")));
  return { checkedAt, rtt, documents };
}

function measure(
  { relay, dialer, config, secretKey, signal }: CheckTarget,
  minPow: number,
): Promise<CheckDocument> {
  return measureRtt(dialer, relay, {
    signal,
    timeoutMs: config.networks[relay.network].timeoutMs,
    readOnly: !config.checks.rtt.write,
    minPow,
    ...(secretKey === null ? {} : { secretKey }),
  });
}
