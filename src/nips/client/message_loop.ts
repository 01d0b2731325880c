/**
 * Reads a relay's messages from its socket: each parsed once, counted, and handed on.
 *
 * @module
 */
import type { RelayFailure } from "../../transport/failure.ts";
import type { SocketMessage } from "../../transport/websocket/held_message.ts";
import type { RelaySocket } from "../../transport/websocket/relay_socket.ts";
import type { ClientStats } from "./relay_client.ts";
import {
  parseRelayMessage,
  type RelayMessage,
  subscriptionOf,
} from "./relay_message.ts";

/** Who sends more than this that is no Nostr, or is for nobody, is hung up on. */
const MAX_GARBAGE = 1_000;
const MAX_UNKNOWN = 10_000;
const MAX_LATE = 20_000;
/** The same, counted in bytes. */
const MAX_UNKNOWN_BYTES = 8 * 1024 * 1024;
const MAX_LATE_BYTES = 256 * 1024 * 1024;

/**
 * Reading what is for nobody takes a twentieth of the time at most: who floods on after CLOSE, or sends what nobody asked
 * for, is held back by its own socket, instead of taking the thread from the others.
 */
const PAUSE_PER_WASTE = 19;
const MAX_PAUSE_MS = 5_000;
/** What a byte costs until it is a message here: read, copied, decoded. */
const COST_MS_PER_BYTE = 5e-6;

/** Longer EVENT messages are asked whose they are before they are parsed. */
const LONG_CHARACTERS = 4_096;

/** Takes messages. */
export interface MessageSink {
  readonly maxEventBytes: number;
  readonly stats: ClientStats;
  /** Whether an EVENT for this subscription is of any use. */
  awaits(subId: string): boolean;
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
    const wastedBytes = takeBatch(batch, sink);
    const breach = breachOf(sink.stats);
    if (breach !== null) {
      await socket.close(1008, breach);
      return { code: "protocol", detail: breach };
    }
    if (wastedBytes > 0) {
      const tookMs = performance.now() - startedAt;
      const costMs = tookMs + wastedBytes * COST_MS_PER_BYTE;
      await rest(Math.min(MAX_PAUSE_MS, costMs * PAUSE_PER_WASTE), socket);
    }
    await sink.room();
  }
  return await socket.closed;
}

/** Waits, or until the connection has ended. */
async function rest(ms: number, { closed }: RelaySocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, closed]);
  clearTimeout(timer);
}

/** Hands a batch on. Its length when most of it, in messages or in length, was for nobody; 0 when it was not. */
function takeBatch(
  batch: readonly SocketMessage[],
  sink: MessageSink,
): number {
  const { stats } = sink;
  const before = { ...stats };
  for (const message of batch) takeMessage(message, sink);
  const bytes = stats.bytes - before.bytes;
  const isWaste = countWaste(stats) - countWaste(before) > batch.length / 2 ||
    wasteBytes(stats) - wasteBytes(before) > bytes / 2;
  return isWaste ? bytes : 0;
}

function takeMessage(text: SocketMessage, sink: MessageSink): void {
  const { stats, maxEventBytes } = sink;
  const length = typeof text === "string" ? text.length : text.bytes;
  stats.messages += 1;
  stats.bytes += length;
  const subId = length > LONG_CHARACTERS ? subscriptionOf(text) : null;
  if (subId !== null && !sink.awaits(subId)) {
    stats.late += 1;
    stats.lateBytes += length;
    return;
  }
  const message = parseRelayMessage(text, maxEventBytes);
  const { late } = stats;
  if (message.type === "garbage") stats.garbage += 1;
  else if (message.type === "unknown") stats.unknown += 1;
  else sink.take(message, length);
  if (message.type === "garbage" || message.type === "unknown") {
    stats.unknownBytes += length;
  } else if (stats.late > late) stats.lateBytes += length;
}

function countWaste({ late, unknown, garbage, unread }: ClientStats): number {
  return late + unknown + garbage + unread;
}

function wasteBytes(
  { lateBytes, unknownBytes, heavyBytes }: ClientStats,
): number {
  return lateBytes + unknownBytes + heavyBytes;
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
