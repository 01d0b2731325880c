/**
 * One connection of a test relay: NIP-01, 42, 45, 67 and 77 as the script wants them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import { type NostrEvent, parseEvent } from "../../src/models/event.ts";
import {
  type Filter,
  matchesFilter,
  parseFilter,
} from "../../src/models/filter.ts";
import type { ScriptedRelay } from "./test_relay.ts";
import { TestRelayNegentropy } from "./test_relay_negentropy.ts";
import type { TestReq } from "./test_relay_script.ts";
import { StoredEvent } from "./test_relay_store.ts";

/** Frames are gathered to writes of about this size. */
const WRITE_BYTES = 128 * 1024;

export class TestRelaySession {
  readonly #relay: ScriptedRelay;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #number: number;
  readonly #subscriptions = new Map<string, readonly Filter[]>();
  readonly #negentropy: TestRelayNegentropy;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #challenges = 0;
  #authenticated = false;

  constructor(
    relay: ScriptedRelay,
    webSocket: WebSocket,
    socket: Duplex,
    number: number,
  ) {
    this.#relay = relay;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#number = number;
    this.#negentropy = new TestRelayNegentropy(relay, {
      say: (...message) => this.#say(...message),
      send: (text) => this.send(text),
      disconnect: () => this.#socket.destroy(),
      refuses: () => this.#refuses("req"),
    });
  }

  get connected(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  start(): void {
    this.#webSocket.on(
      "message",
      (data) => this.#later(() => this.#take(data)),
    );
    this.#webSocket.on("ping", () => {
      this.#relay.record({ connection: this.#number, message: ["(ping)"] });
    });
    this.#webSocket.on("error", () => this.#socket.destroy());
    this.#webSocket.on("close", () => {
      for (const timer of this.#timers) clearTimeout(timer);
      this.#relay.sessions.delete(this);
    });
    for (const text of this.#relay.script.greeting ?? []) this.send(text);
    if (this.#relay.script.authRequired !== undefined) this.#challenge();
  }

  /** A new event, for the subscriptions that want it. */
  offer(event: NostrEvent): void {
    for (const [subId, filters] of this.#subscriptions) {
      if (filters.some((filter) => matchesFilter(filter, event))) {
        this.#say("EVENT", subId, event);
        this.#relay.sent++;
      }
    }
  }

  send(text: string): void {
    this.#later(() => {
      if (this.connected) this.#webSocket.send(text);
    });
  }

  /** Now, or after the latency of the line; in order. */
  #later(act: () => void): void {
    const { latencyMs = 0 } = this.#relay.script;
    if (latencyMs === 0) return act();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, latencyMs);
    this.#timers.add(timer);
  }

  #say(...message: unknown[]): void {
    this.send(JSON.stringify(message));
  }

  #take(data: RawData): void {
    const message = parseArray(String(data));
    this.#relay.record({ connection: this.#number, message });
    const [type, subject, ...rest] = message;
    if (type === "CLOSE") this.#subscriptions.delete(String(subject));
    else if (type === "REQ" || type === "COUNT") {
      this.#ask(type, String(subject), rest);
    } else if (type === "EVENT" || type === "AUTH") {
      const event = parseEvent(subject);
      if (!event.ok) this.#say("NOTICE", `ERROR: ${event.failure.detail}`);
      else if (type === "EVENT") this.#event(event.value);
      else this.#auth(event.value);
    } else if (!this.#negentropy.take(message)) {
      this.#say("NOTICE", "ERROR: bad msg: unknown cmd");
    }
  }

  #ask(type: "REQ" | "COUNT", subId: string, rest: readonly unknown[]): void {
    const filters: Filter[] = [];
    for (const item of rest) {
      const filter = parseFilter(item);
      if (!filter.ok) {
        this.#say("CLOSED", subId, `invalid: ${filter.failure.detail}`);
        return;
      }
      filters.push(filter.value);
    }
    if (type === "REQ") this.#req(subId, filters);
    else this.#count(subId, filters);
  }

  #req(subId: string, filters: readonly Filter[]): void {
    if (this.#refuses("req")) {
      this.#say("CLOSED", subId, "auth-required: who are you?");
      return;
    }
    this.#subscriptions.set(subId, filters);
    const req = this.#testReq(subId, filters);
    const { onReq } = this.#relay.script;
    // A script that throws fails the test by cutting the connection, and says why.
    Promise.resolve(onReq === undefined ? req.serve() : onReq(req))
      .catch((error) => this.#socket.destroy(error));
  }

  #testReq(subId: string, filters: readonly Filter[]): TestReq {
    return {
      subId,
      filters,
      connection: this.#number,
      nth: this.#relay.count("REQ"),
      isOpen: () =>
        this.connected && this.#subscriptions.get(subId) === filters,
      isAuthenticated: () => this.#authenticated,
      isConnected: () => this.connected,
      serve: () => this.#serve(subId, filters),
      events: (events) =>
        this.#sendEvents(subId, events.map((event) => new StoredEvent(event))),
      eose: (...extra) => this.#say("EOSE", subId, ...extra),
      closed: (reason) => {
        this.#subscriptions.delete(subId);
        this.#say("CLOSED", subId, reason);
      },
      notice: (text) => this.#say("NOTICE", text),
      send: (text) => this.send(text),
      sendBinary: (bytes) => this.#webSocket.send(bytes),
      sendBytes: (bytes) => this.#write([bytes]),
      disconnect: () => this.#socket.destroy(),
    };
  }

  async #serve(subId: string, filters: readonly Filter[]): Promise<void> {
    const { script, store } = this.#relay;
    const chosen = new Set<StoredEvent>();
    let complete = true;
    for (const filter of filters) {
      const asked = filter.limit ?? script.defaultLimit ?? Infinity;
      const selection = store.select(filter, {
        limit: Math.min(asked, script.maxLimit ?? Infinity),
        oldestFirst: script.order === "oldest-first",
      });
      for (const stored of selection.found) chosen.add(stored);
      complete &&= selection.complete;
    }
    const withheld = script.withheldKinds ?? [];
    const given = [...chosen].filter(({ event }) =>
      !withheld.includes(event.kind)
    );
    await this.#sendEvents(subId, given);
    if (script.eoseHint) {
      this.#say("EOSE", subId, [complete ? "finish" : "more"]);
    } else this.#say("EOSE", subId);
  }

  /** Writes the frames itself, many at a time: one `send` an event would be the bottleneck of a bench. */
  async #sendEvents(
    subId: string,
    events: readonly StoredEvent[],
  ): Promise<void> {
    const start = new TextEncoder().encode(
      `["EVENT",${JSON.stringify(subId)},`,
    );
    let batch: Uint8Array[] = [];
    let size = 0;
    for (const { json } of events) {
      const frame = textFrame(start, json);
      batch.push(frame);
      size += frame.length;
      this.#relay.sent++;
      if (size < WRITE_BYTES) continue;
      await this.#write(batch);
      if (!this.connected) return;
      batch = [];
      size = 0;
    }
    await this.#write(batch);
  }

  /** Resolves when the socket wants more, or is gone. */
  #write(batch: readonly Uint8Array[]): Promise<void> {
    if (batch.length === 0 || !this.connected) return Promise.resolve();
    if (this.#relay.script.latencyMs !== undefined) {
      this.#later(() => this.#socket.write(Buffer.concat(batch)));
      return Promise.resolve();
    }
    if (this.#socket.write(Buffer.concat(batch))) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.on("drain", done).on("close", done);
    });
  }

  #event(event: NostrEvent): void {
    const { onEvent } = this.#relay.script;
    if (this.#refuses("event")) {
      this.#say("OK", event.id, false, "auth-required: who are you?");
      return;
    }
    if (onEvent === undefined) this.#relay.add([event]);
    const answer = onEvent === undefined ? [true, ""] as const : onEvent(event);
    if (answer !== null) this.#say("OK", event.id, ...answer);
  }

  #count(subId: string, filters: readonly Filter[]): void {
    const { countable, onCount } = this.#relay.script;
    if (countable === "silent") return;
    if (!countable) {
      this.#say("NOTICE", "ERROR: bad msg: unknown cmd");
      return;
    }
    if (this.#refuses("req")) {
      this.#say("CLOSED", subId, "auth-required: who are you?");
      return;
    }
    if (onCount !== undefined) {
      this.#say("COUNT", subId, onCount(filters, this.#number));
      return;
    }
    const count = this.#relay.store.count(filters);
    const approximate = countable === "approximate" && { approximate: true };
    this.#say("COUNT", subId, { count, ...approximate });
  }

  #auth(event: NostrEvent): void {
    const { authAnswer = "accept" } = this.#relay.script;
    if (authAnswer === "reject") {
      this.#say("OK", event.id, false, "invalid: bad challenge");
      return;
    }
    if (authAnswer === "restricted") {
      this.#say("OK", event.id, false, "restricted: not on the list");
      return;
    }
    this.#authenticated = authAnswer !== "again";
    if (authAnswer !== "silent") this.#say("OK", event.id, true, "");
    if (authAnswer === "again") this.#challenge();
    else this.#relay.script.onAuth?.();
  }

  #refuses(what: "req" | "event"): boolean {
    const { authRequired } = this.#relay.script;
    return !this.#authenticated &&
      (authRequired === "all" || authRequired === what);
  }

  #challenge(): void {
    this.#say("AUTH", `challenge-${this.#number}-${++this.#challenges}`);
  }
}

function parseArray(text: string): readonly unknown[] {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** A text frame (RFC 6455, unmasked as servers send them) of `start`, `json` and the closing bracket. */
function textFrame(start: Uint8Array, json: Uint8Array): Uint8Array {
  const length = start.length + json.length + 1;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = new Uint8Array(head + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x81;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    view.setUint16(2, length);
  } else {
    frame[1] = 127;
    view.setBigUint64(2, BigInt(length));
  }
  frame.set(start, head);
  frame.set(json, head + start.length);
  frame[head + length - 1] = 0x5d;
  return frame;
}
