/**
 * A conversation in negentropy from the side that asks: message, answer, message, until it knows enough.
 *
 * @module
 */
import type { NegentropyFault } from "./fault.ts";

export interface Dialogue {
  /** The next message; null when there is nothing left to ask. */
  next(): Uint8Array | null;
  /** Takes the answer to the last message. After a fault there is no use in going on. */
  take(message: Uint8Array): NegentropyFault | null;
}

/** The bounds of one message and of the answer to it. */
export interface FrameBounds {
  /** Longest message sent, in bytes; at least 4096. */
  readonly frameBytes: number;
  /** How long answers should be, in bytes; at least 32 KiB. None is asked for that is four times as long. */
  readonly answerBytes: number;
}
