/**
 * A relay of ours on loopback that does what a test tells it to: serve well, cap, lie, flood, stall, hang up.
 *
 *     await using relay = await testRelay({ events, maxLimit: 500 });
 *     await using other = await testRelay({ onReq: (req) => req.closed("error: no") });
 *
 * Without a script it is a correct NIP-01 relay. It serves more than 100 000 events a second: each event is
 * serialised once, and answers are found by binary search.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { WebSocketServer } from "ws";
import type { NostrEvent } from "../../src/models/event.ts";
import { parseRelayUrl, type RelayUrl } from "../../src/models/relay_url.ts";
import { TestRelaySession } from "./test_relay_session.ts";
import { StoredEvents } from "./test_relay_store.ts";
import type {
  HttpReply,
  HttpRequest,
  Received,
  RelayScript,
} from "./test_relay_script.ts";

/** A running test relay. Disposing it cuts all its connections. */
export interface TestRelay extends AsyncDisposable {
  /** Normal form, as `parseRelayUrl(…, {allowPrivate: true})` gives it. */
  readonly url: string;
  readonly relay: RelayUrl;
  readonly port: number;
  /** Every message it received, in order. */
  readonly log: readonly Received[];
  /** Every HTTP request, upgrades included. */
  readonly requests: readonly HttpRequest[];
  /** Connections open now. */
  readonly open: number;
  /** Most connections that were open at once. */
  readonly peak: number;
  /** EVENT messages sent. */
  readonly sent: number;
  /** How many messages of a type (`REQ`, `CLOSE`, `AUTH`, …) came so far. */
  count(type: string): number;
  /** The nth message of a type (from 1), waited for as long as it takes. */
  received(type: string, nth?: number): Promise<readonly unknown[]>;
  /** The nth HTTP request (from 1), waited for as long as it takes. */
  requested(nth?: number): Promise<HttpRequest>;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
  /** Stores events and sends them to the subscriptions they match. */
  add(events: readonly NostrEvent[]): void;
  /** Stores events and tells nobody, as relays do that take them from other relays. */
  addSilently(events: readonly NostrEvent[]): void;
  /** Ends all connections without a goodbye. */
  cut(): void;
  /** Whether it holds the event. */
  has(id: string): boolean;
}

/** Starts a relay on a free port of 127.0.0.1. */
export async function testRelay(script: RelayScript = {}): Promise<TestRelay> {
  const relay = new ScriptedRelay(script);
  await relay.listen();
  return relay;
}

export class ScriptedRelay implements TestRelay {
  readonly log: Received[] = [];
  readonly requests: HttpRequest[] = [];
  readonly store: StoredEvents;
  readonly sessions = new Set<TestRelaySession>();
  peak = 0;
  sent = 0;
  #connections = 0;
  #waiting = new Set<() => void>();
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #upgrader: WebSocketServer;

  constructor(readonly script: RelayScript) {
    this.store = new StoredEvents(script.events ?? []);
    this.#upgrader = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      autoPong: !script.ignoresPings,
    });
    this.#server = script.certificate === undefined
      ? createServer()
      : createTlsServer({
        cert: script.certificate.cert,
        key: script.certificate.key,
      });
    this.#server.on("request", (request, response) => {
      this.#answerHttp(request, response);
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.#upgrade(request, socket, head);
    });
    const opened = script.certificate === undefined
      ? "connection"
      : "secureConnection";
    this.#server.on(opened, (socket: Duplex) => this.#hold(socket));
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(0, this.script.bind ?? "127.0.0.1", resolve);
    await promise;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new Error("Cannot tell the port as the relay does not listen");
    }
    return address.port;
  }

  get relay(): RelayUrl {
    const scheme = this.script.certificate === undefined ? "ws" : "wss";
    const text = `${scheme}://${this.script.host ?? "127.0.0.1"}:${this.port}`;
    const parsed = parseRelayUrl(text, { allowPrivate: true });
    if (!parsed.ok) throw new Error(`Cannot use ${text} as a relay's URL`);
    return parsed.value;
  }

  get url(): string {
    return this.relay.url;
  }

  get open(): number {
    return this.#sockets.size;
  }

  count(type: string): number {
    return this.log.filter(({ message }) => message[0] === type).length;
  }

  async received(type: string, nth = 1): Promise<readonly unknown[]> {
    while (true) {
      const found = this.log.filter(({ message }) => message[0] === type);
      const wanted = found[nth - 1];
      if (wanted !== undefined) return wanted.message;
      await this.#change();
    }
  }

  async requested(nth = 1): Promise<HttpRequest> {
    while (true) {
      const wanted = this.requests[nth - 1];
      if (wanted !== undefined) return wanted;
      await this.#change();
    }
  }

  async idle(): Promise<void> {
    while (this.open > 0) await this.#change();
  }

  add(events: readonly NostrEvent[]): void {
    for (const event of events) {
      this.store.add(event);
      for (const session of this.sessions) session.offer(event);
    }
  }

  addSilently(events: readonly NostrEvent[]): void {
    for (const event of events) this.store.add(event);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  has(id: string): boolean {
    return this.store.has(id);
  }

  /** Called by the sessions for each message that came in. */
  record(received: Received): void {
    this.log.push(received);
    this.#changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.idle();
  }

  #answerHttp(request: IncomingMessage, response: ServerResponse): void {
    const seen = this.#note(request);
    const { http, onGet } = this.script;
    if (onGet !== undefined) return onGet(request.socket);
    const reply = typeof http === "function" ? http(seen) : http;
    const { status, headers, body, unending } = reply ??
      { status: 404, body: "Nothing here but a relay" };
    response.writeHead(status, { ...headers });
    if (unending) response.write(body ?? "");
    else response.end(body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    this.#note(request);
    const { upgrade } = this.script;
    if (upgrade === undefined) {
      const start = Buffer.from(head);
      this.#upgrader.handleUpgrade(request, socket, start, (webSocket) => {
        const number = ++this.#connections;
        const session = new TestRelaySession(this, webSocket, socket, number);
        this.sessions.add(session);
        session.start();
      });
      return;
    }
    // Whoever leaves must be noticed.
    socket.on("end", () => socket.destroy()).resume();
    if (upgrade === "garbage") {
      socket.write("\x00\xff\x13 this is not HTTP\r\n\r\n");
    } else if (upgrade === "hang-up") {
      socket.destroy();
    } else if (upgrade === "drip") {
      drip(socket);
    } else if (upgrade !== "never") {
      socket.end(httpText(upgrade));
    }
  }

  #note(request: IncomingMessage): HttpRequest {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : value,
      ]),
    );
    const { method = "", url: path = "" } = request;
    const seen = { method, path, headers };
    this.requests.push(seen);
    this.#changed();
    return seen;
  }

  #hold(socket: Duplex): void {
    this.#sockets.add(socket);
    this.peak = Math.max(this.peak, this.#sockets.size);
    // Each subscription that waits for the socket listens to it.
    socket.setMaxListeners(0);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#changed();
    });
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

/** A byte of a valid answer every 50 ms: alive, and never done. */
function drip(socket: Duplex): void {
  const answer = "HTTP/1.1 101 Switching Protocols\r\n" +
    "X-Drip: ".repeat(500);
  let sent = 0;
  const timer = setInterval(() => socket.write(answer.charAt(sent++)), 50);
  socket.on("close", () => clearInterval(timer));
}

function httpText({ status, headers = {}, body = "" }: HttpReply): string {
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
