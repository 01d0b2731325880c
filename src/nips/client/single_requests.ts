/**
 * The questions of a connection that get one answer each: EVENT and AUTH their OK, COUNT its number.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import { PendingReplies } from "./pending_answers.ts";
import { type Reason, refusalOf } from "./reason.ts";
import type { AskOptions, CountAnswer, PublishAnswer } from "./relay_client.ts";
import type { RelayMessage } from "./relay_message.ts";

/** What questions need of their connection. */
export interface SingleRequestLine {
  /** False when the relay does not take it. */
  readonly send: (text: string) => boolean;
  readonly newId: () => string;
  /** Whether the relay may know who we are now. */
  readonly authenticate: () => Promise<boolean>;
}

/** The verdict on an AUTH is waited for so long, ms. */
const AUTH_TIMEOUT_MS = 10_000;
/** The end of the connection ends an AUTH; nothing else has to. */
const NEVER = new AbortController().signal;

export class SingleRequests {
  readonly #line: SingleRequestLine;
  readonly #verdicts = new PendingReplies<PublishAnswer>();
  readonly #counts = new PendingReplies<CountAnswer>();

  constructor(line: SingleRequestLine) {
    this.#line = line;
  }

  /** Questions not answered yet. */
  get size(): number {
    return this.#verdicts.size + this.#counts.size;
  }

  /** Asks again, once, when the relay wants to know first who asks. */
  async publish(
    event: NostrEvent,
    options: AskOptions,
  ): Promise<Result<PublishAnswer, RelayFailure>> {
    const answer = await this.#judge("EVENT", event, options);
    const wantsAuth = answer.ok && !answer.value.accepted &&
      answer.value.prefix === "auth-required";
    return wantsAuth && await this.#line.authenticate()
      ? await this.#judge("EVENT", event, options)
      : answer;
  }

  /** Asks again, once, when the relay wants to know first who asks. */
  async count(
    filters: Filter | readonly Filter[],
    options: AskOptions,
  ): Promise<Result<CountAnswer, RelayFailure>> {
    const answer = await this.#countOnce(filters, options);
    const wantsAuth = !answer.ok && answer.failure.code === "auth-required";
    return wantsAuth && await this.#line.authenticate()
      ? await this.#countOnce(filters, options)
      : answer;
  }

  /** Sends an AUTH (NIP-42). False when the relay refused it: some say nothing, and know us all the same. */
  async authenticate(
    event: NostrEvent,
    timeoutMs = AUTH_TIMEOUT_MS,
  ): Promise<boolean> {
    const options = { signal: NEVER, timeoutMs };
    const verdict = await this.#judge("AUTH", event, options);
    return verdict.ok
      ? verdict.value.accepted
      : verdict.failure.code === "timeout";
  }

  takeVerdict(
    { id, accepted, reason }: Extract<RelayMessage, { type: "OK" }>,
  ): void {
    const { prefix, text: message } = reason;
    this.#verdicts.answer(id, ok({ accepted, prefix, message }));
  }

  takeCount(
    { subId, count, approximate }: Extract<RelayMessage, { type: "COUNT" }>,
  ): void {
    this.#counts.answer(subId, ok({ count, approximate }));
  }

  /** A CLOSED came; false when it is not for a question. */
  refuse(id: string, reason: Reason): boolean {
    return this.#counts.answer(id, fail(refusalOf(reason)));
  }

  /** Ends them all. */
  failAll(failure: RelayFailure): void {
    this.#verdicts.answerAll(fail(failure));
    this.#counts.answerAll(fail(failure));
  }

  #judge(
    type: "EVENT" | "AUTH",
    event: NostrEvent,
    options: AskOptions,
  ): Promise<Result<PublishAnswer, RelayFailure>> {
    const text = JSON.stringify([type, event]);
    const send = () => this.#line.send(text);
    return this.#verdicts.ask(event.id, type, { ...options, send });
  }

  #countOnce(
    filters: Filter | readonly Filter[],
    options: AskOptions,
  ): Promise<Result<CountAnswer, RelayFailure>> {
    const id = this.#line.newId();
    const text = requestText("COUNT", id, filters);
    const send = () => this.#line.send(text);
    return this.#counts.ask(id, "COUNT", { ...options, send });
  }
}

/** A REQ or COUNT as it is sent. */
export function requestText(
  type: "REQ" | "COUNT",
  id: string,
  filters: Filter | readonly Filter[],
): string {
  return JSON.stringify([type, id, ...[filters].flat()]);
}
