/**
 * Verifies groups of events, a part of each in another thread while one is idle.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import { packSignatures } from "../../nips/verify/signature_batch.ts";
import type { Verifier } from "../../nips/verify/verifier.ts";
import type { HostLink } from "../worker/host_link.ts";
import { verifyInTurns } from "./verify_in_turns.ts";

/**
 * Part of a group that another thread verifies. Reading, parsing, hashing and encoding an event take this thread 38 µs, a
 * signature takes 28 to 58 µs: so both threads have about the same to do (measured: 45 and 26 µs of CPU an event, where
 * one thread needed 69).
 */
const HANDED_OVER = 3 / 4;

/** Fewer events are verified sooner than handed over. */
const MIN_HANDED_OVER = 32;

/** A session that brings fewer new events than this is not worth the start of a thread. */
const ALONE_AT_FIRST = 1_000;

/** Time for which no thread is asked after none had time, ms. */
const ASK_AGAIN_AFTER_MS = 100;

export class GroupVerifier {
  readonly #verifier: Verifier;
  readonly #link: Pick<HostLink, "askVerified">;
  #seen = 0;
  #askAgainAt = 0;

  constructor(verifier: Verifier, link: Pick<HostLink, "askVerified">) {
    this.#verifier = verifier;
    this.#link = link;
  }

  /**
   * Hands over what another thread may verify. The function that is returned verifies the rest in this one, and gives
   * one byte an event, 1 when the signature is the author's. It rejects when the session is abandoned.
   */
  begin(events: readonly NostrEvent[]): () => Promise<Uint8Array> {
    this.#seen += events.length;
    const split = events.length - this.#toHandOver(events.length);
    const own = events.slice(0, split);
    const handedOver = events.slice(split);
    const elsewhere = this.#verifyElsewhere(handedOver);
    elsewhere.catch(() => {});
    return async () => {
      const valid = new Uint8Array(events.length);
      valid.set(await verifyInTurns(this.#verifier, own));
      const rest = await elsewhere ??
        await verifyInTurns(this.#verifier, handedOver);
      valid.set(rest, split);
      return valid;
    };
  }

  #toHandOver(events: number): number {
    const isWorthIt = this.#seen > ALONE_AT_FIRST &&
      performance.now() >= this.#askAgainAt;
    const part = Math.floor(events * HANDED_OVER);
    return isWorthIt && part >= MIN_HANDED_OVER ? part : 0;
  }

  /** One byte an event, 1 when the signature is the author's; null when no other thread verified them. */
  async #verifyElsewhere(
    events: readonly NostrEvent[],
  ): Promise<Uint8Array | null> {
    if (events.length === 0) return new Uint8Array();
    const valid = await this.#link.askVerified(packSignatures(events));
    if (valid === null) {
      this.#askAgainAt = performance.now() + ASK_AGAIN_AFTER_MS;
    }
    return valid;
  }
}
