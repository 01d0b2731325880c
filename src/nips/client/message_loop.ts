/**
 * Reads a relay's messages from its socket: each parsed once, counted, and handed on.
 *
 * @module
 */
import type { RelayFailure } from "../../transport/failure.ts";
import type { RelaySocket } from "../../transport/websocket/relay_socket.ts";
import type { ClientStats } from "./relay_client.ts";
import { parseRelayMessage, type RelayMessage } from "./relay_message.ts";

/** Who sends more than this that is no Nostr, or is for nobody, is hung up on. */
const MAX_GARBAGE = 1_000;
const MAX_LATE = 20_000;

/**
 * Reading what is for nobody takes a tenth of the time at most: who floods on after CLOSE is held back by its own
 * socket, instead of taking the thread from the others.
 */
const PAUSE_PER_LATE = 9;
const MAX_PAUSE_MS = 500;

/** Takes messages. */
export interface MessageSink {
  readonly maxEventBytes: number;
  readonly stats: ClientStats;
  /** `characters` is the length of the message as sent. */
  take(message: RelayMessage, characters: number): void;
  /** Resolves when there is room for more; null when there is. */
  room(): Promise<void> | null;
}

/** Reads until the connection ends, and says why it did. */
export async function readMessages(
  socket: RelaySocket,
  sink: MessageSink,
): Promise<RelayFailure> {
  const { stats, maxEventBytes } = sink;
  for await (const batch of socket) {
    const startedAt = performance.now();
    const lateBefore = stats.late;
    for (const text of batch) {
      const message = parseRelayMessage(text, maxEventBytes);
      stats.messages += 1;
      stats.bytes += text.length;
      if (message.type === "garbage") stats.garbage += 1;
      else if (message.type === "unknown") stats.unknown += 1;
      else sink.take(message, text.length);
    }
    const breach = breachOf(stats);
    if (breach !== null) {
      await socket.close(1008, breach);
      return { code: "protocol", detail: breach };
    }
    if ((stats.late - lateBefore) * 2 > batch.length) {
      const tookMs = performance.now() - startedAt;
      await rest(Math.min(MAX_PAUSE_MS, tookMs * PAUSE_PER_LATE), socket);
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

function breachOf({ garbage, late }: ClientStats): string | null {
  if (garbage > MAX_GARBAGE) {
    return `more than ${MAX_GARBAGE} messages are not Nostr`;
  }
  return late > MAX_LATE
    ? `more than ${MAX_LATE} events are for no subscription`
    : null;
}
