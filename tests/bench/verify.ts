/**
 * Verification, step by step on one core: what an event costs from the wire until it may be stored.
 *
 * @module
 */
import { encodeEvents } from "../../src/models/encoded_events.ts";
import {
  hasValidId,
  type NostrEvent,
  parseEvent,
} from "../../src/models/event.ts";
import { matchesFilter } from "../../src/models/filter.ts";
import { extractHints } from "../../src/models/relay_hints.ts";
import { loadVerifier, type Verifier } from "../../src/nips/verify/verifier.ts";
import { checkEvent } from "../support/check_event.ts";
import {
  packSignatures,
  unpackSignatures,
} from "../../src/nips/verify/signature_batch.ts";
import { figure, heading, medianOf, whole } from "./figures.ts";

const RUNS = 5;
const RUN_MS = 300;

/** Prints everything. */
export async function benchVerify(): Promise<void> {
  const lines = readLines();
  const events: NostrEvent[] = lines.map((line) => JSON.parse(line));
  heading(`Verification on one core, ${lines.length} real events of all kinds`);
  await rate("JSON.parse", lines, { work: (line) => JSON.parse(line) });
  await rate("shape", events, { work: parseEvent });
  await rate("id", events, { work: hasValidId });
  const filter = { kinds: [0, 1, 3, 7, 10_002], since: 0, until: 2 ** 40 };
  await rate("filter", events, { work: (e) => matchesFilter(filter, e) });
  await rate("relay hints", events, { work: (e) => extractHints(e) });
  await rate("encoding", events, { work: (e) => encodeEvents([e]) });
  await rate("handing over a signature", events, {
    work: (e) => unpackSignatures(structuredClone(packSignatures([e]))),
    note: "to another thread",
  });
  for (const options of [{}, { library: null }]) {
    using verifier = await loadVerifier(options);
    await benchVerifier(verifier, { lines, events });
  }
}

async function benchVerifier(
  verifier: Verifier,
  { lines, events }: {
    lines: readonly string[];
    events: readonly NostrEvent[];
  },
): Promise<void> {
  await rate(`signature, ${verifier.name}`, events, {
    work: (event) => verifier.verify(event),
    note: verifier.detail,
  });
  await rate(`everything, ${verifier.name}`, lines, {
    work(line) {
      const checked = checkEvent(JSON.parse(line), verifier);
      if (!checked.ok) throw new Error(checked.failure.detail);
      extractHints(checked.value);
      return encodeEvents([checked.value]);
    },
  });
}

/** How often a second `work` is done on one item after the other. */
async function rate<T>(
  name: string,
  items: readonly T[],
  { work, note = "" }: { work: (item: T) => unknown; note?: string },
): Promise<void> {
  const perSecond = await medianOf(RUNS, () => {
    const startedAt = performance.now();
    let done = 0;
    while (performance.now() - startedAt < RUN_MS) {
      for (const item of items) work(item);
      done += items.length;
    }
    return Promise.resolve(done / (performance.now() - startedAt) * 1000);
  });
  figure(name, whole(perSecond), `/s  ${note}`);
}

function readLines(): string[] {
  const path = new URL("../fixtures/events.jsonl", import.meta.url);
  return Deno.readTextFileSync(path).trimEnd().split("\n");
}
