/**
 * Does it speak Nostr? A handshake is any answer to a REQ that only a relay gives, a refusal included.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import { deadlineIn, runStep } from "../../transport/deadline.ts";
import type { Dialer } from "../../transport/dialer.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { SocketMessage } from "../../transport/websocket/held_message.ts";
import type { RelaySocket } from "../../transport/websocket/relay_socket.ts";
import { messageBound, SMALL_EVENT_BYTES } from "./message_bounds.ts";
import { parseRelayMessage } from "./relay_message.ts";

/** How a relay showed that it is one. */
export interface Handshake {
  /** From the first packet to the answered upgrade, ms. */
  readonly openMs: number;
  /** From the REQ to the first answer, ms. */
  readonly answerMs: number;
  readonly answeredBy: "event" | "eose" | "closed" | "auth" | "notice";
}

/** The bounds of a handshake. */
export interface HandshakeOptions {
  readonly signal: AbortSignal;
  /** Deadline of each of the two steps, opening and answering, ms. */
  readonly timeoutMs: number;
  /** As {@linkcode OpenOptions.slotTimeoutMs}. */
  readonly slotTimeoutMs?: number | undefined;
}

/** One event of the commonest kind: cheap to answer, and never refused as too wide. */
const REQUEST = JSON.stringify(["REQ", "handshake", { kinds: [1], limit: 1 }]);

/** Messages that are no Nostr, before it is given up. */
const MAX_STRANGE = 100;

/** Connects, asks, and hangs up. */
export async function handshake(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs, slotTimeoutMs }: HandshakeOptions,
): Promise<Result<Handshake, RelayFailure>> {
  const opened = await dialer.open(relay, {
    signal,
    timeoutMs,
    slotTimeoutMs,
    boundOf: (start) => messageBound(start, SMALL_EVENT_BYTES),
  });
  if (!opened.ok) return opened;
  await using socket = opened.value;
  const askedAt = performance.now();
  const deadline = deadlineIn(timeoutMs, signal);
  const answeredBy = await runStep<Handshake["answeredBy"]>(
    "answer",
    deadline,
    (settle) => {
      socket.send(REQUEST);
      firstAnswer(socket).then(settle);
      return () => {};
    },
  );
  return answeredBy.ok
    ? ok({
      openMs: socket.openMs,
      answerMs: Math.round(performance.now() - askedAt),
      answeredBy: answeredBy.value,
    })
    : answeredBy;
}

async function firstAnswer(
  socket: RelaySocket,
): Promise<Result<Handshake["answeredBy"], RelayFailure>> {
  let strange = 0;
  for await (const batch of socket) {
    for (const text of batch) {
      const answer = answerIn(text);
      if (answer !== null) return ok(answer);
      if (++strange > MAX_STRANGE) {
        const detail = `The first ${MAX_STRANGE} messages are not Nostr`;
        return fail({ code: "protocol", detail });
      }
    }
  }
  return fail(await socket.closed);
}

function answerIn(text: SocketMessage): Handshake["answeredBy"] | null {
  const message = parseRelayMessage(text, SMALL_EVENT_BYTES);
  switch (message.type) {
    case "EVENT":
      return "event";
    case "unread":
      return message.cause === "too-large" ? "event" : null;
    case "EOSE":
      return "eose";
    case "CLOSED":
      return "closed";
    case "AUTH":
      return "auth";
    case "NOTICE":
      return "notice";
    case "OK":
    case "COUNT":
    case "NEG-MSG":
    case "NEG-ERR":
    case "unknown":
    case "garbage":
      return null;
  }
}
