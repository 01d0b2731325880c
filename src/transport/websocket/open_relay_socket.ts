/**
 * An open WebSocket: frames in and out, backpressure, keepalive, a close that ends.
 *
 * @module
 */
// @ts-types="./ws_frames.ts"
import { Sender } from "ws";
import type { RelayUrl } from "../../models/relay_url.ts";
import { sleep } from "../../base/sleep.ts";
import { errorLine } from "../../base/error_text.ts";
import type { RelayFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { type FrameBreach, FrameReader } from "./frame_reader.ts";
import type {
  ReadBound,
  SocketMessage,
  UnfinishedMessages,
} from "./held_message.ts";
import { MessageQueue } from "./message_queue.ts";
import type { RelaySocket } from "./relay_socket.ts";
import { PingTracker } from "./ping_tracker.ts";
import type { Stream } from "../route.ts";

/** Checks in a row without a byte from the peer: after the first number it is pinged, after the second it is gone. */
const PING_AFTER_CHECKS = 2;
const GONE_AFTER_CHECKS = 4;
/** Longest wait for the answer to a close frame. */
const CLOSE_TIMEOUT_MS = 1_000;
/** A relay that answers it with more than this is not waited for. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;
/** More than this not yet taken by the peer, and nothing more is sent. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

const NOTHING = new Uint8Array();

/** Result of the upgrade, and the options of the open socket. */
export interface Upgraded {
  readonly relay: RelayUrl;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxMessageBytes: number;
  /** Of a longer message only the ends are given. */
  readonly boundOf: ReadBound;
  readonly memory: UnfinishedMessages;
  /** Silence after which the peer is asked whether it is alive, ms; after as much again it is not. */
  readonly pingAfterMs: number;
  /** Bytes that followed the head of the answer. */
  readonly rest: Uint8Array;
}

export class OpenRelaySocket implements RelaySocket {
  readonly relay: RelayUrl;
  readonly openMs: number;
  readonly address: string | null;
  readonly tls: Stream["tls"];
  readonly headers: Readonly<Record<string, string>>;
  readonly maxMessageBytes: number;
  readonly closed: Promise<RelayFailure>;
  readonly #socket: Stream["socket"];
  readonly #frames: FrameReader;
  readonly #sender: Sender;
  readonly #queue: MessageQueue;
  readonly #ended = Promise.withResolvers<RelayFailure>();
  #failure: RelayFailure | undefined;
  readonly #pings = new PingTracker();
  #messages = 0;
  /** Bytes that came after the end. */
  #drained = 0;
  #silentChecks = 0;
  readonly #pingAfterMs: number;
  readonly #heartbeat: ReturnType<typeof setInterval>;

  constructor(stream: Stream, upgraded: Upgraded) {
    this.relay = upgraded.relay;
    this.openMs = Math.round(performance.now() - stream.startedAt);
    this.address = stream.address;
    this.tls = stream.tls;
    this.headers = upgraded.headers;
    this.maxMessageBytes = upgraded.maxMessageBytes;
    this.closed = this.#ended.promise;
    this.#socket = stream.socket;
    this.#sender = new Sender(stream.socket, {});
    this.#frames = this.#reader(upgraded);
    this.#queue = new MessageQueue(() => this.#pump());
    this.#pingAfterMs = upgraded.pingAfterMs;
    this.#heartbeat = setInterval(
      () => this.#checkAlive(),
      upgraded.pingAfterMs / PING_AFTER_CHECKS,
    );
    this.#listen(upgraded.rest);
  }

  send(text: string): boolean {
    if (this.#failure !== undefined || this.#socket.destroyed) return false;
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) return false;
    this.#sender.send(text, {
      fin: true,
      mask: true,
      binary: false,
      compress: false,
    });
    return true;
  }

  ping(): Promise<number | null> {
    const { destroyed, writableLength } = this.#socket;
    if (this.#failure !== undefined || destroyed) return Promise.resolve(null);
    const { mark, answered } = this.#pings.open();
    if (writableLength < MAX_UNSENT_BYTES) this.#sender.ping(mark, true);
    return answered;
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly SocketMessage[]> {
    return this.#queue;
  }

  async close(status = 1000, reason = ""): Promise<void> {
    if (this.#failure === undefined) {
      this.#end({ code: "aborted" }, { status, reason });
    }
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #reader({ maxMessageBytes, boundOf, memory }: Upgraded): FrameReader {
    return new FrameReader({
      maxMessageBytes,
      boundOf,
      memory,
      sink: {
        message: (message) => this.#take(message),
        ping: (data) => this.#pong(data),
        pong: (mark) => this.#pings.answer(mark, this.#messages),
        close: (status, reason) => {
          const detail = printable(reason) || "the relay said goodbye";
          this.#end({ code: "closed", status, detail }, { status, reason: "" });
        },
        breach: (breach) => this.#breach(breach),
      },
    });
  }

  #listen(rest: Uint8Array): void {
    const socket = this.#socket;
    socket.on("readable", () => this.#pump());
    socket.on("error", (error) => this.#lost(errorLine(error)));
    for (const event of ["end", "close"]) {
      socket.on(event, () => this.#lost("ended without a goodbye"));
    }
    if (rest.length > 0) this.#frames.write(rest);
    this.#pump();
  }

  /** Reads while there is room. What comes after the end is read, too, and thrown away, so that its end is seen. */
  #pump(): void {
    while (this.#failure !== undefined || !this.#queue.isFull) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk === null) return;
      this.#silentChecks = 0;
      if (this.#failure === undefined) this.#frames.write(chunk);
      else if ((this.#drained += chunk.length) > MAX_DRAINED_BYTES) {
        this.#socket.destroy();
      }
    }
  }

  #take(message: SocketMessage): void {
    if (this.#failure !== undefined) return;
    this.#messages += 1;
    this.#queue.push(message);
  }

  #pong(data: Uint8Array): void {
    const { destroyed, writableLength } = this.#socket;
    if (this.#failure !== undefined || destroyed) return;
    if (writableLength < MAX_UNSENT_BYTES) this.#sender.pong(data, true);
  }

  #breach({ status, detail }: FrameBreach): void {
    const code = status === 1009 ? "too-large" : "protocol";
    this.#end({ code, detail }, { status, reason: "" });
  }

  #lost(detail: string): void {
    this.#end({ code: "closed", status: 1006, detail }, null);
  }

  /**
   * Keepalive, at regular intervals: after two checks in a row without a byte the peer is pinged, after two more it is
   * gone. Checks are counted and not the clock, as our own computing may have held up both.
   * While we do not read, the peer's silence says nothing.
   */
  #checkAlive(): void {
    if (this.#queue.isFull) return;
    this.#silentChecks += 1;
    if (this.#silentChecks === PING_AFTER_CHECKS) {
      if (!this.#socket.destroyed) this.#sender.ping(NOTHING, true);
    } else if (this.#silentChecks === GONE_AFTER_CHECKS) {
      const detail = `alive: no answer to a ping in ${this.#pingAfterMs} ms`;
      this.#end({ code: "timeout", detail }, null);
    }
  }

  /** The first reason counts. Ends the iteration at once, the connection within a second. */
  #end(failure: RelayFailure, closing: CloseFrame | null): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    clearInterval(this.#heartbeat);
    this.#frames.end();
    this.#queue.end();
    this.#pings.endAll();
    this.#hangUp(closing).then(() => this.#ended.resolve(failure));
  }

  async #hangUp(closing: CloseFrame | null): Promise<void> {
    const socket = this.#socket;
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    if (closing !== null && !socket.destroyed) {
      // 1005 and 1006 stand for close frames without a status; they may not be sent.
      const { status, reason } = closing;
      const sent = status === 1005 || status === 1006 ? 1000 : status;
      this.#sender.close(sent, reason.slice(0, 100), true);
      socket.end();
      this.#pump();
      await sleep(CLOSE_TIMEOUT_MS, gone.signal);
    }
    socket.destroy();
    if (!socket.closed) await sleep(CLOSE_TIMEOUT_MS, gone.signal);
  }
}

interface CloseFrame {
  readonly status: number;
  readonly reason: string;
}
