/**
 * One connection shared by many requests.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { Result } from "../../models/result.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { RelaySocket } from "../../transport/websocket/relay_socket.ts";
import { AuthRetry } from "./auth_retry.ts";
import { Backlog } from "./backlog.ts";
import type { ConnectOptions } from "./connect_options.ts";
import { SMALL_EVENT_BYTES } from "./message_bounds.ts";
import { readMessages } from "./message_loop.ts";
import type { Dialogue } from "../negentropy/dialogue.ts";
import { Authenticator } from "../nip42.ts";
import type {
  NegotiateOptions,
  NegotiationOutcome,
} from "../nip77/negotiation_outcome.ts";
import { Negotiations } from "../nip77/negotiations.ts";
import { RequestIds } from "./request_ids.ts";
import { requestText, SingleRequests } from "./single_requests.ts";
import { classifyNotice, type Reason } from "./reason.ts";
import {
  type AskOptions,
  type ClientStats,
  type CountAnswer,
  newStats,
  type Page,
  type PingAnswer,
  type PublishAnswer,
  type RelayClient,
  type RequestOptions,
  type SubscribeOptions,
} from "./relay_client.ts";
import type { RelayMessage } from "./relay_message.ts";
import { ABORTED, endedBy, type ReqOutcome, UNHEARD } from "./req_outcome.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { Keepalive } from "./keepalive.ts";
import { Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";

export class RelayConnection implements RelayClient {
  readonly relay: RelayUrl;
  readonly openMs: number;
  readonly address: string | null;
  readonly tls: RelaySocket["tls"];
  readonly stats: ClientStats = newStats();
  readonly closed: Promise<RelayFailure>;
  readonly #socket: RelaySocket;
  readonly #onNotice: ConnectOptions["onNotice"];
  readonly #authenticator: Authenticator;
  readonly #authRetry: AuthRetry;
  readonly #slots: Semaphore;
  readonly #subscriptions: Subscriptions;
  readonly #questions: SingleRequests;
  readonly #negotiations: Negotiations;
  readonly #signs: Keepalive;
  readonly #ids = new RequestIds();
  readonly #backlog: Backlog;

  constructor(socket: RelaySocket, options: ConnectOptions) {
    this.#socket = socket;
    this.#backlog = new Backlog(options.maxBuffered ?? (() => 8 * 1024 * 1024));
    this.relay = socket.relay;
    this.openMs = socket.openMs;
    this.address = socket.address;
    this.tls = socket.tls;
    this.#onNotice = options.onNotice;
    this.#slots = new Semaphore(options.maxSubscriptions ?? 16);
    this.#authenticator = new Authenticator(socket.relay, {
      key: options.authKey,
      maxAuths: options.maxAuths ?? 3,
      policy: options.authPolicy ?? "when-refused",
      present: (event) => {
        this.stats.auths += 1;
        return this.#questions.authenticate(event, options.authTimeoutMs);
      },
    });
    this.#authRetry = new AuthRetry({
      authenticator: this.#authenticator,
      send: (subscription) => this.#send(subscription),
    });
    this.#subscriptions = new Subscriptions({
      stats: this.stats,
      held: (characters) => this.#backlog.add(characters),
      isOurs: (subId) => this.#ids.isOurs(subId),
    });
    const line = {
      send: (text: string) => socket.send(text),
      newId: () => this.#ids.next(),
      authenticate: () => this.#authenticator.authenticate(),
      isStalled: () => this.#backlog.isStalled,
    };
    this.#questions = new SingleRequests(line);
    this.#negotiations = new Negotiations(line);
    this.#signs = new Keepalive({
      socket,
      handedOn: () => this.stats.messages,
      isStalled: line.isStalled,
    });
    this.closed = this.#read(options);
  }

  async *subscribe(
    filters: Filter | readonly Filter[],
    options: SubscribeOptions,
  ): AsyncGenerator<unknown[], ReqOutcome, void> {
    const refused = await this.#slot(options.signal);
    if (refused !== null) return refused;
    return yield* this.#request(filters, options).chunks();
  }

  async fetchPage(filter: Filter, options: RequestOptions): Promise<Page> {
    const refused = await this.#slot(options.signal);
    if (refused !== null) {
      return { events: [], outcome: refused, bytes: 0, unread: 0 };
    }
    return await this.#request(filter, options).page();
  }

  publish(
    event: NostrEvent,
    options: AskOptions,
  ): Promise<Result<PublishAnswer, RelayFailure>> {
    return this.#questions.publish(event, options);
  }

  count(
    filters: Filter | readonly Filter[],
    options: AskOptions,
  ): Promise<Result<CountAnswer, RelayFailure>> {
    return this.#questions.count(filters, options);
  }

  async negotiate(
    filter: Filter,
    dialogue: Dialogue,
    options: NegotiateOptions,
  ): Promise<NegotiationOutcome> {
    const refused = await this.#slot(options.signal);
    if (refused !== null) return refused;
    const outcome = await this.#negotiations
      .negotiate(filter, dialogue, options);
    this.#slots.release();
    return outcome;
  }

  async ping(options: AskOptions): Promise<PingAnswer> {
    const sentAt = Date.now();
    const answer = await this.#signs.ask(options);
    if (answer !== "alive") return answer;
    for (const live of this.#subscriptions.all()) live.alive(sentAt);
    return answer;
  }

  /** As {@linkcode Authenticator.introduce}. */
  introduce(waitMs: number): Promise<void> {
    return this.#authenticator.introduce(waitMs);
  }

  async close(): Promise<void> {
    this.#negotiations.endAll(ABORTED);
    this.#slots.close();
    for (const subscription of this.#subscriptions.all()) {
      subscription.end(ABORTED, true);
    }
    this.#backlog.close();
    await this.#socket.close();
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Waits for a seat; why there is none, or null. */
  async #slot(signal: AbortSignal): Promise<ReturnType<typeof endedBy> | null> {
    if (await this.#slots.acquire(signal)) return null;
    return signal.aborted ? ABORTED : endedBy(await this.closed);
  }

  async #read(
    { maxEventBytes = SMALL_EVENT_BYTES, onWork = () => {} }: ConnectOptions,
  ): Promise<RelayFailure> {
    const failure = await readMessages(this.#socket, {
      maxEventBytes,
      stats: this.stats,
      begin: onWork,
      awaits: (subId) => this.#subscriptions.awaits(subId),
      take: (message, characters) => this.#take(message, characters),
      room: () => {
        this.#signs.advance();
        return this.#backlog.room();
      },
    });
    this.#signs.end();
    for (const subscription of this.#subscriptions.all()) {
      subscription.end(endedBy(failure), true);
    }
    this.#negotiations.endAll(endedBy(failure));
    this.#slots.close();
    this.#questions.failAll(failure);
    return failure;
  }

  #take(message: RelayMessage, characters: number): void {
    switch (message.type) {
      case "EVENT":
        return this.#subscriptions.take(message, characters);
      case "unread":
        return this.#subscriptions.takeUnread(message, characters);
      case "EOSE":
        return this.#authRetry.eose(
          this.#subscriptions.get(message.subId),
          message.hint,
        );
      case "CLOSED":
        return this.#takeClosed(message.subId, message.reason);
      case "NOTICE":
        return this.#takeNotice(message.text);
      case "AUTH":
        return this.#authenticator.challenge(message.challenge);
      case "OK":
        return this.#questions.takeVerdict(message);
      case "COUNT":
        return this.#questions.takeCount(message);
      case "NEG-MSG":
      case "NEG-ERR":
        return this.#negotiations.take(message, characters);
      case "unknown":
      case "garbage":
        return;
    }
  }

  #takeClosed(subId: string, reason: Reason): void {
    if (this.#questions.refuse(subId, reason)) return;
    if (this.#negotiations.refuse(subId, reason)) return;
    const subscription = this.#subscriptions.get(subId);
    if (subscription === undefined) return;
    const { prefix, text } = reason;
    const refused = { type: "closed", prefix, reason: text } as const;
    this.#authRetry
      .refused(subscription, refused, prefix === "auth-required");
  }

  /** A NOTICE names no request; one that reads like a refusal is taken for ours only when there is no doubt whose it is. */
  #takeNotice(text: string): void {
    this.stats.notices += 1;
    const is = classifyNotice(text);
    this.#onNotice?.(text, is);
    const open = this.#subscriptions.size + this.#questions.size +
      this.#negotiations.size;
    this.#negotiations.notice(text, open === 1);
    if (is === "information" || open !== 1) return;
    for (const subscription of this.#subscriptions.all()) {
      if (subscription.isPastEose) continue;
      const refused = { type: "notice", text } as const;
      this.#authRetry.refused(subscription, refused, is === "auth-required");
    }
    this.#questions.failAll({ code: "protocol", detail: `refused: ${text}` });
  }

  #request(
    filters: Filter | readonly Filter[],
    options: SubscribeOptions,
  ): Subscription {
    const id = this.#ids.next();
    const { onLate } = options;
    const subscription: Subscription = new Subscription(options, {
      id,
      request: requestText("REQ", id, filters),
      ended: (outcome, silently) => {
        this.#subscriptions.end(id, outcome, onLate);
        if (!silently) this.#socket.send(JSON.stringify(["CLOSE", id]));
        this.#slots.release();
      },
      taken: (characters) => this.#taken(characters),
      silent: () => this.#authRetry.silent(subscription),
      isWithholding: () =>
        this.#backlog.isStalled || this.#authenticator.isRunning,
    });
    if (subscription.hasEnded) return subscription;
    this.#subscriptions.add(id, subscription);
    this.#send(subscription);
    return subscription;
  }

  #send(subscription: Subscription): void {
    subscription.sent(this.#authenticator.identity);
    if (!this.#socket.send(subscription.request)) {
      subscription.end(UNHEARD, true);
    }
  }

  #taken(characters: number): void {
    if (!this.#backlog.take(characters)) return;
    for (const subscription of this.#subscriptions.all()) {
      subscription.resumed();
    }
    this.#negotiations.resumed();
  }
}
