/**
 * A worker as the pool spawns it, which verifies what it is sent and says how.
 *
 * @module
 */
import type { NostrEvent } from "../../../../src/models/event.ts";
import { loadVerifier } from "../../../../src/nips/verify/verifier.ts";
import { checkEvent } from "../../../support/check_event.ts";

export interface Work {
  readonly library: string | null;
  readonly events: readonly NostrEvent[];
}

export interface Verdicts {
  readonly name: string;
  readonly valid: readonly boolean[];
}

/** The global of a worker; Deno's types know only those of the main thread. */
declare function postMessage(verdicts: Verdicts): void;

globalThis.addEventListener("message", (event) => {
  if (event instanceof MessageEvent) void work(event.data);
});

async function work({ library, events }: Work): Promise<void> {
  using verifier = await loadVerifier({ library });
  const valid = events.map((event) => checkEvent(event, verifier).ok);
  postMessage({ name: verifier.name, valid });
}
