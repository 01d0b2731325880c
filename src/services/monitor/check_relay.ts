/**
 * All checks of one relay: those of a visit of the monitor, and those that `check URL…` asks for.
 *
 * @module
 */
import type { MetadataType } from "../../models/metadata.ts";
import { type CheckDocument, failedCheck } from "../../nips/check_document.ts";
import { wantedPow } from "../../nips/nip66/capabilities.ts";
import { measureRtt } from "../../nips/nip66/rtt.ts";
import type {
  Check,
  CheckLimits,
  CheckName,
  CheckTarget,
  DocumentName,
} from "./checks/check.ts";
import { dns } from "./checks/dns.ts";
import { geo } from "./checks/geo.ts";
import { http } from "./checks/http.ts";
import { net } from "./checks/net.ts";
import { nip11 } from "./checks/nip11.ts";
import { tls } from "./checks/tls.ts";
import type { MonitorConfig } from "./config.ts";
import { within } from "../../core/lifecycle/time_limit.ts";
import { withRetries } from "./retry.ts";

/** The checks whose document is kept. */
export const CHECKS: readonly Check[] = [nip11, tls, dns, geo, net, http];

/** The results of the checks of a relay. */
export interface Findings {
  /** Unix seconds by the clock of `CheckPlan.checkedAt`. */
  readonly checkedAt: number;
  /** The round-trip times. No failure here means that the relay opened and spoke: it is online. */
  readonly rtt: CheckDocument;
  /** The documents of the other checks that were made, in their order. */
  readonly documents: ReadonlyMap<MetadataType, CheckDocument>;
}

/** Which checks are made, and what is known already. */
export interface CheckPlan {
  /** When the checks are made, Unix seconds: by the database's clock where they go into one. */
  readonly checkedAt: number;
  /** The connection is tested in any case, because it shows whether the relay is online. */
  readonly checks: ReadonlySet<CheckName>;
  /** Make those, too, that make no sense, and all of them of a relay that is offline: their failure is the answer. */
  readonly regardless: boolean;
  /** How long the first connection waits for a slot at the address, ms; `busy` after it. Default: the dialer's. */
  readonly slotTimeoutMs?: number;
  /** The NIP-11 document as it was read last, for when it is not read this time. */
  readonly knownNip11?: CheckDocument | undefined;
  readonly onDone?: (check: DoneCheck) => void;
}

type Patience = Pick<CheckLimits, "slotTimeoutMs">;

/** For the metrics. */
export interface DoneCheck {
  readonly name: CheckName;
  readonly document: CheckDocument;
  /** Retries and waits between them included. */
  readonly seconds: number;
  readonly retries: number;
}

/** Findings as they come in: the documents are there later. */
export interface EarlyFindings extends Pick<Findings, "checkedAt" | "rtt"> {
  /** Never rejects. */
  readonly documents: Promise<Findings["documents"]>;
}

/** Checks a relay; all that was found. Never throws. */
export async function checkRelay(
  target: CheckTarget,
  plan: CheckPlan,
): Promise<Findings> {
  const { documents, ...found } = await startChecks(target, plan);
  return { ...found, documents: await documents };
}

/**
 * Checks a relay: first the connection, then, of one that is online, everything else at the same time. Only when nothing
 * is known of its NIP-11 document is that waited for before, as the test of writing needs the proof of work that it
 * names; but for no longer than a step of that test may take. Resolves when the connection is tested. Never throws.
 */
export async function startChecks(
  { signal, ...rest }: CheckTarget,
  plan: CheckPlan,
): Promise<EarlyFindings> {
  const stop = new AbortController();
  const target = { ...rest, signal: AbortSignal.any([signal, stop.signal]) };
  const { checkedAt } = plan;
  const wanted = CHECKS.filter((check) =>
    plan.checks.has(check.name) && (plan.regardless || check.applies(target))
  );
  const running = new Map<DocumentName, Promise<CheckDocument>>();
  // Whoever has had a slot waits for the next one; before that, there are others to be visited.
  const { slotTimeoutMs } = plan;
  const impatient = slotTimeoutMs === undefined ? {} : { slotTimeoutMs };
  const start = (check: Check, patience: Patience = {}) => {
    const { name } = check;
    const run = (limits: CheckLimits) =>
      check.run(target, { ...limits, ...patience });
    const document = running.get(name) ?? observed(target, plan, { name, run });
    running.set(name, document);
    return document;
  };
  if (plan.regardless) wanted.forEach((check) => start(check));
  const isFirst = plan.knownNip11 === undefined && wanted.includes(nip11) &&
    writes(target, plan);
  const known = isFirst
    ? await within(stepMs(target, "rtt"), start(nip11, impatient), signal)
    : plan.knownNip11;
  const rtt = isFirst && known?.failure?.code === "busy"
    ? failedCheck(known.failure)
    : await measure(target, plan, {
      minPow: wantedPow(known),
      ...(isFirst ? {} : impatient),
    });
  if (rtt.failure === null) wanted.forEach((check) => start(check));
  // Documents of a relay that is not there are not waited for.
  else if (!plan.regardless) stop.abort();
  return { checkedAt, rtt, documents: documentsOf(wanted, running) };
}

async function documentsOf(
  wanted: readonly Check[],
  running: ReadonlyMap<DocumentName, Promise<CheckDocument>>,
): Promise<Findings["documents"]> {
  const documents = new Map<MetadataType, CheckDocument>();
  for (const { name, type } of wanted) {
    const document = await running.get(name);
    if (document !== undefined) documents.set(type, document);
  }
  return documents;
}

/** The documents that the configuration wants kept. */
export function storedTypes(
  { checks }: Pick<MonitorConfig, "checks">,
): ReadonlySet<MetadataType> {
  const stored = CHECKS.filter(({ name }) => checks[name].store);
  return new Set(stored.map(({ type }) => type));
}

function writes(
  { config, secretKey }: CheckTarget,
  { checks }: CheckPlan,
): boolean {
  return secretKey !== null && checks.has("rtt") && config.checks.rtt.write;
}

function measure(
  target: CheckTarget,
  plan: CheckPlan,
  wanted: Patience & { readonly minPow: number },
): Promise<CheckDocument> {
  const { relay, dialer, secretKey } = target;
  const options = {
    ...wanted,
    readOnly: !writes(target, plan),
    ...(secretKey === null ? {} : { secretKey }),
  };
  return observed(target, plan, {
    name: "rtt",
    run: (limits) => measureRtt(dialer, relay, { ...limits, ...options }),
  });
}

interface Run {
  readonly name: CheckName;
  readonly run: (limits: CheckLimits) => Promise<CheckDocument>;
}

/** Within the check's own bounds and retries, and counted. */
async function observed(
  target: CheckTarget,
  { onDone }: CheckPlan,
  { name, run }: Run,
): Promise<CheckDocument> {
  const { signal } = target;
  const settings = target.config.checks[name];
  const timeoutMs = stepMs(target, name);
  const startedAt = performance.now();
  let retries = 0;
  const document = await withRetries(() => run({ signal, timeoutMs }), {
    ...settings,
    signal,
    onRetry: () => retries += 1,
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  onDone?.({ name, document, seconds, retries });
  return document;
}

function stepMs({ config, relay }: CheckTarget, name: CheckName): number {
  return config.checks[name].timeoutMs ??
    config.networks[relay.network].timeoutMs;
}
