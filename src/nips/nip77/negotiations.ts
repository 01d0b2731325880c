/**
 * The conversations of NIP-77 that are under way on one connection, beside its subscriptions.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import type { Dialogue } from "../negentropy/dialogue.ts";
import type { Reason } from "../client/reason.ts";
import type { RelayMessage } from "../client/relay_message.ts";
import { Negotiation } from "./negotiation.ts";
import type {
  NegotiateOptions,
  NegotiationOutcome,
} from "./negotiation_outcome.ts";
import { outcomeOfError, outcomeOfNotice } from "./refusal.ts";

/** The connection, as negotiations need it. */
export interface NegotiationsLine {
  /** False when the relay does not take it. */
  readonly send: (text: string) => boolean;
  readonly newId: () => string;
  /** Whether the relay has accepted our authentication. */
  readonly authenticate: () => Promise<boolean>;
  /** Whether nothing is read from the relay just now. */
  readonly isStalled: () => boolean;
}

export class Negotiations {
  readonly #line: NegotiationsLine;
  readonly #open = new Map<string, Negotiation>();

  constructor(line: NegotiationsLine) {
    this.#line = line;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Leads a dialogue about what matches `filter` to its end. Never rejects. */
  negotiate(
    filter: Filter,
    dialogue: Dialogue,
    options: NegotiateOptions,
  ): Promise<NegotiationOutcome> {
    const { send, newId, isStalled } = this.#line;
    const { promise, resolve } = Promise.withResolvers<NegotiationOutcome>();
    const id = newId();
    const negotiation = new Negotiation({ filter, dialogue }, options, {
      id,
      send,
      isStalled,
      ended: (outcome, silently) => {
        this.#open.delete(id);
        if (!silently) send(JSON.stringify(["NEG-CLOSE", id]));
        resolve(outcome);
      },
    });
    if (!negotiation.hasEnded) this.#open.set(id, negotiation);
    return promise;
  }

  /** A NEG-MSG or NEG-ERR came. */
  take(
    message: Extract<RelayMessage, { type: "NEG-MSG" | "NEG-ERR" }>,
    characters: number,
  ): void {
    const { subId } = message;
    if (message.type === "NEG-ERR") {
      this.refuse(subId, message.reason, message.maxRecords);
    } else this.#open.get(subId)?.take(message.message, characters);
  }

  /** A CLOSED came, or what amounts to it; false when it is not for one of these. */
  refuse(id: string, reason: Reason, maxRecords?: number): boolean {
    const negotiation = this.#open.get(id);
    if (negotiation === undefined) return false;
    const refused = outcomeOfError(reason, maxRecords);
    if (reason.prefix !== "auth-required" || !negotiation.mayRepeat()) {
      negotiation.end(refused, true);
      return true;
    }
    this.#line.authenticate().then((accepted) => {
      if (!accepted) negotiation.end(refused, true);
      else if (!negotiation.hasEnded) negotiation.repeat();
    });
    return true;
  }

  /** A NOTICE came. `isAlone`: one request is under way on the connection, and no more. */
  notice(text: string, isAlone: boolean): void {
    for (const negotiation of [...this.#open.values()]) {
      const { hasAnswered } = negotiation;
      const outcome = outcomeOfNotice(text, { isAlone, hasAnswered });
      // A relay without NIP-77 would answer NEG-CLOSE with another NOTICE, so none is sent.
      if (outcome !== null) negotiation.end(outcome, !hasAnswered);
    }
  }

  resumed(): void {
    for (const negotiation of this.#open.values()) negotiation.resumed();
  }

  /** Ends them all, as the relay does not listen any more. */
  endAll(outcome: NegotiationOutcome): void {
    for (const negotiation of [...this.#open.values()]) {
      negotiation.end(outcome, true);
    }
  }
}
