/**
 * Negotiation of NIP-77: NEG-OPEN, messages to and fro, its budgets, its clocks, and its end.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import type { Dialogue } from "../negentropy/dialogue.ts";
import { faultText, type NegentropyFault } from "../negentropy/fault.ts";
import { IdleTimeout } from "../client/idle_timeout.ts";
import { UNHEARD } from "../client/req_outcome.ts";
import type {
  NegotiateOptions,
  NegotiationFailure,
  NegotiationOutcome,
} from "./negotiation_outcome.ts";

/** The connection, as one negotiation needs it. */
export interface NegotiationLine {
  readonly id: string;
  /** False when the relay does not take it. */
  readonly send: (text: string) => boolean;
  /** Called once, at the end; `silently` when the relay knows of it. */
  readonly ended: (outcome: NegotiationOutcome, silently: boolean) => void;
  /** Whether nothing is read from the relay just now. */
  readonly isStalled: () => boolean;
}

export class Negotiation {
  readonly #filter: Filter;
  readonly #options: NegotiateOptions;
  readonly #line: NegotiationLine;
  readonly #dialogue: Dialogue;
  readonly #idleTimeout: IdleTimeout;
  #question = "";
  #rounds = 0;
  #bytes = 0;
  #askedAt = 0;
  #waitedMs = 0;
  #hasAnswered = false;
  #wasRepeated = false;
  #hasEnded = false;
  /** Our side has not taken the last answer yet, and so nothing is asked. */
  #isBusy = false;

  constructor(
    { filter, dialogue }: {
      readonly filter: Filter;
      readonly dialogue: Dialogue;
    },
    options: NegotiateOptions,
    line: NegotiationLine,
  ) {
    this.#filter = filter;
    this.#options = options;
    this.#line = line;
    this.#dialogue = dialogue;
    this.#idleTimeout = new IdleTimeout({
      idleTimeoutMs: options.probeTimeoutMs,
      totalTimeoutMs: Infinity,
      isWithholding: () => this.#isBusy || line.isStalled(),
      lost: (detail) => this.#lost(detail),
    });
    options.signal.addEventListener("abort", this.#abort, { once: true });
    if (options.signal.aborted) this.#abort();
    else this.#ask();
  }

  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** True once, and only before the first answer: after a refusal NEG-OPEN is sent again a single time. */
  mayRepeat(): boolean {
    if (this.#wasRepeated || this.#hasAnswered || this.#hasEnded) return false;
    this.#wasRepeated = true;
    return true;
  }

  /** Sends NEG-OPEN again. */
  repeat(): void {
    this.#idleTimeout.heard();
    this.#send(["NEG-OPEN", this.#line.id, this.#filter, this.#question]);
  }

  /** A NEG-MSG came; `characters` is the length of the whole message. */
  take(hex: string, characters: number): void {
    if (this.#hasEnded || this.#isBusy) return;
    if (this.#hasAnswered) this.#idleTimeout.heard();
    else this.#idleTimeout.expectWithin(this.#options.idleTimeoutMs);
    this.#hasAnswered = true;
    this.#bytes += characters;
    this.#waitedMs += performance.now() - this.#askedAt;
    const answer = bytesOf(hex);
    const fault = answer === null ? NOT_HEX : this.#dialogue.take(answer);
    if (fault !== null) this.end(outcomeOfFault(fault));
    else void this.#goOn();
  }

  /** The connection reads again after a pause of ours. */
  resumed(): void {
    this.#idleTimeout.heard();
  }

  /** The first end counts. `silently`: the relay knows already, no NEG-CLOSE is due. */
  end(outcome: NegotiationOutcome, silently = false): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#idleTimeout.stop();
    this.#options.signal.removeEventListener("abort", this.#abort);
    this.#line.ended(outcome, silently);
  }

  async #goOn(): Promise<void> {
    const taken = this.#options.onAnswer?.() ?? null;
    if (taken !== null) {
      this.#isBusy = true;
      await taken;
      this.#isBusy = false;
      this.#idleTimeout.heard();
    }
    if (!this.#hasEnded) this.#ask();
  }

  #ask(): void {
    const question = this.#dialogue.next();
    if (question === null) {
      this.end({ type: "done", rounds: this.#rounds, bytes: this.#bytes });
      return;
    }
    const excess = this.#excess();
    if (excess !== null) {
      this.end(excess);
      return;
    }
    this.#askedAt = performance.now();
    this.#question = question.toHex();
    const { id } = this.#line;
    if (this.#rounds++ > 0) this.#send(["NEG-MSG", id, this.#question]);
    else this.#send(["NEG-OPEN", id, this.#filter, this.#question]);
  }

  #send(message: readonly unknown[]): void {
    const text = JSON.stringify(message);
    this.#bytes += text.length;
    if (!this.#line.send(text)) this.end(UNHEARD, true);
  }

  #excess(): NegotiationFailure | null {
    const { maxBytes, maxRounds, totalTimeoutMs } = this.#options;
    if (this.#waitedMs > totalTimeoutMs) {
      const detail = `not finished within ${totalTimeoutMs} ms`;
      return { type: "timeout", detail };
    }
    if (this.#bytes <= maxBytes && this.#rounds < maxRounds) return null;
    const detail = this.#bytes > maxBytes
      ? `more than ${maxBytes} characters`
      : `more than ${maxRounds} messages`;
    return { type: "over-budget", detail };
  }

  #lost(detail: string): void {
    if (this.#hasAnswered) this.end({ type: "timeout", detail });
    else {
      this.end({ type: "unsupported", detail: `${detail} after NEG-OPEN` });
    }
  }

  #abort = (): void => this.end({ type: "aborted" });
}

const NOT_HEX: NegentropyFault = {
  code: "malformed",
  detail: "an answer is not hex",
};

function outcomeOfFault(fault: NegentropyFault): NegotiationFailure {
  const detail = faultText(fault);
  return fault.code === "excess"
    ? { type: "over-budget", detail }
    : { type: "unsupported", detail };
}

function bytesOf(hex: string): Uint8Array | null {
  try {
    return Uint8Array.fromHex(hex);
  } catch {
    return null;
  }
}
