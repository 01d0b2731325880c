/**
 * The main thread as a session's worker sees it: messages in, answers out, each after so many turns of the event loop as
 * the script says.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import { unpackSignatures } from "../../../../src/nips/verify/signature_batch.ts";
import type { Verifier } from "../../../../src/nips/verify/verifier.ts";
import type { FromWorker } from "../../../../src/workers/protocol/messages.ts";
import type { WorkerBatch } from "../../../../src/workers/protocol/report.ts";
import { HostLink } from "../../../../src/workers/worker/host_link.ts";

/** How the host is to answer. */
export interface HostScript {
  /** What another thread verifies with. */
  readonly verifier: Verifier;
  /** Ids in hex that are archived. Default: none. */
  readonly archived?: ReadonlySet<string>;
  /** Turns of the event loop before each answer beside the one it takes anyhow, over and over. Default: none. */
  readonly delays?: readonly number[];
  /** Whether another thread has time, for each time that it is asked, over and over. Default: always. */
  readonly helps?: readonly boolean[];
}

/** A link whose other end answers by the script. */
export class ScriptedHost {
  readonly link = new HostLink(1, (message) => void this.#receive(message));
  readonly batches: WorkerBatch[] = [];
  /** Signatures of which another thread was asked, a number for each time. */
  readonly handedOver: number[] = [];
  readonly #script: HostScript;
  #answers = 0;

  constructor(script: HostScript) {
    this.#script = script;
  }

  async #receive(message: FromWorker): Promise<void> {
    if (message.type === "batch") return void this.batches.push(message.batch);
    const hasTime = this.#hasTimeFor(message);
    const { delays = [0] } = this.#script;
    const turns = delays[this.#answers++ % delays.length]!;
    for (let turn = 0; turn <= turns; turn++) await setImmediate();
    if (!this.link.signal.aborted) this.#answer(message, hasTime);
  }

  /** Whether another thread has time for what is asked of it. */
  #hasTimeFor(message: FromWorker): boolean {
    if (message.type !== "ask-verified") return false;
    const { helps = [true] } = this.#script;
    const hasTime = helps[this.handedOver.length % helps.length]!;
    this.handedOver.push(unpackSignatures(message.signatures).length);
    return hasTime;
  }

  #answer(message: FromWorker, hasTime: boolean): void {
    const { verifier, archived } = this.#script;
    switch (message.type) {
      case "ask-known": {
        const { ids, createdAt } = message.keys;
        const flags = Array.from(createdAt, (_, i) => {
          const id = ids.slice(32 * i, 32 * i + 32).toHex();
          return archived?.has(id) ? 1 : 0;
        });
        return this.link.known(message.request, Uint8Array.from(flags));
      }
      case "ask-verified": {
        const events = unpackSignatures(message.signatures);
        const valid = Uint8Array.from(
          events,
          (e) => verifier.verify(e) ? 1 : 0,
        );
        return this.link.verified(message.request, hasTime ? valid : null);
      }
      case "want-credit":
        return this.link.credit();
    }
  }
}
