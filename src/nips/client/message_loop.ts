/**
 * Reads a relay's messages from its socket: each parsed once, counted, and handed on.
 *
 * @module
 */
import type { RelayFailure } from "../../transport/failure.ts";
import type { SocketMessage } from "../../transport/websocket/held_message.ts";
import type { RelaySocket } from "../../transport/websocket/relay_socket.ts";
import type { ClientStats } from "./relay_client.ts";
import { parseRelayMessage, type RelayMessage } from "./relay_message.ts";

/** Who sends more than this that is no Nostr, or is for nobody, is hung up on. */
const MAX_GARBAGE = 1_000;
const MAX_UNKNOWN = 10_000;
const MAX_LATE = 20_000;
/** The same, counted in bytes. */
const MAX_UNKNOWN_BYTES = 8 * 1024 * 1024;
const MAX_LATE_BYTES = 256 * 1024 * 1024;

/**
 * Reading what is for nobody takes a tenth of the time at most: who floods on after CLOSE, or sends what nobody asked for,
 * is held back by its own socket, instead of taking the thread from the others.
 */
const PAUSE_PER_WASTE = 9;
const MAX_PAUSE_MS = 500;

/** Takes messages. */
export interface MessageSink {
  readonly maxEventBytes: number;
  readonly stats: ClientStats;
  /** Called before a batch is read. */
  begin(): void;
  /** `characters` is the length of the message as sent; of one that was cut, its bytes. */
  take(message: RelayMessage, characters: number): void;
  /** Resolves when there is room for more; null when there is. */
  room(): Promise<void> | null;
}

/** Reads until the connection ends, and says why it did. */
export async function readMessages(
  socket: RelaySocket,
  sink: MessageSink,
): Promise<RelayFailure> {
  for await (const batch of socket) {
    const startedAt = performance.now();
    sink.begin();
    const isWaste = takeBatch(batch, sink);
    const breach = breachOf(sink.stats);
    if (breach !== null) {
      await socket.close(1008, breach);
      return { code: "protocol", detail: breach };
    }
    if (isWaste) {
      const tookMs = performance.now() - startedAt;
      await rest(Math.min(MAX_PAUSE_MS, tookMs * PAUSE_PER_WASTE), socket);
    }
    await sink.room();
  }
  return await socket.closed;
}

/** Hands a batch on; whether most of it, in messages or in length, was for nobody. */
function takeBatch(
  batch: readonly SocketMessage[],
  sink: MessageSink,
): boolean {
  const { stats, maxEventBytes } = sink;
  const before = { ...stats };
  for (const text of batch) {
    const length = typeof text === "string" ? text.length : text.bytes;
    const message = parseRelayMessage(text, maxEventBytes);
    stats.messages += 1;
    stats.bytes += length;
    const { late } = stats;
    if (message.type === "garbage") stats.garbage += 1;
    else if (message.type === "unknown") stats.unknown += 1;
    else sink.take(message, length);
    if (message.type === "garbage" || message.type === "unknown") {
      stats.unknownBytes += length;
    } else if (stats.late > late) stats.lateBytes += length;
  }
  const wasted = countWaste(stats) - countWaste(before);
  const bytes = stats.unknownBytes + stats.lateBytes -
    before.unknownBytes - before.lateBytes;
  return wasted * 2 > batch.length || bytes * 2 > stats.bytes - before.bytes;
}

function countWaste({ late, unknown, garbage, unread }: ClientStats): number {
  return late + unknown + garbage + unread;
}

/** Waits, or until the connection has ended. */
async function rest(ms: number, { closed }: RelaySocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, closed]);
  clearTimeout(timer);
}

function breachOf(stats: ClientStats): string | null {
  const { garbage, unknown, unknownBytes, late, lateBytes } = stats;
  if (garbage > MAX_GARBAGE) {
    return `more than ${MAX_GARBAGE} messages are not Nostr`;
  }
  if (unknown > MAX_UNKNOWN || unknownBytes > MAX_UNKNOWN_BYTES) {
    return `more than ${MAX_UNKNOWN} messages or ${MAX_UNKNOWN_BYTES} bytes ` +
      "are of no use to anybody";
  }
  return late > MAX_LATE || lateBytes > MAX_LATE_BYTES
    ? `more than ${MAX_LATE} events or ${MAX_LATE_BYTES} bytes are for no ` +
      "subscription"
    : null;
}
