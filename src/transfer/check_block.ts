/**
 * From lines to events that may be archived, and to reasons for those that may not.
 *
 * The order of the checks is the order of their costs: most lines of a repeated import are archived already,
 * and those need no signature check.
 *
 * @module
 */
import {
  type EventFault,
  hasValidId,
  type NostrEvent,
  parseEvent,
} from "../models/event.ts";
import { encodeKeys, type EventKeys } from "../models/encoded_events.ts";
import type { Verifier } from "../nips/verify/verifier.ts";
import type { Line, LineBlock, LineFault } from "./line_blocks.ts";

/** Why a line was not archived. */
export interface RejectedLine {
  readonly line: number;
  readonly reason: EventFault["code"] | LineFault["code"] | "json" | "database";
  readonly detail: string;
  readonly eventId?: string;
  /** The line, when it is worth keeping. */
  readonly raw?: string;
}

export interface CheckedBlock {
  /** Verified, and not archived yet; the line of each is at the same place in `lines`. */
  readonly events: readonly NostrEvent[];
  readonly lines: readonly number[];
  /** How many are archived already. */
  readonly known: number;
  readonly rejected: readonly RejectedLine[];
}

export interface BlockChecks {
  readonly verifier: Pick<Verifier, "verify">;
  /** A byte for each key, 1 for those that are archived. */
  readonly findKnown: (keys: EventKeys) => Promise<Uint8Array>;
}

/** Checks shape, id, whether it is known, and signature, in this order. */
export async function checkBlock(
  { lines, faults }: LineBlock,
  { verifier, findKnown }: BlockChecks,
): Promise<CheckedBlock> {
  const rejected: RejectedLine[] = faults.map(({ number, code, detail }) => ({
    line: number,
    reason: code,
    detail,
  }));
  const sound: { line: Line; event: NostrEvent }[] = [];
  for (const line of lines) {
    const read = readEvent(line);
    if ("event" in read) sound.push({ line, event: read.event });
    else rejected.push(read);
  }
  const known = await findKnown(encodeKeys(sound.map(({ event }) => event)));
  const unknown = sound.filter((_, index) => known[index] === 0);
  const verified = unknown.filter(({ line, event }) => {
    if (verifier.verify(event)) return true;
    rejected.push(reject(line, {
      reason: "signature",
      detail: "The signature is not the author's signature of the id",
      eventId: event.id,
    }));
    return false;
  });
  return {
    events: verified.map(({ event }) => event),
    lines: verified.map(({ line }) => line.number),
    known: sound.length - unknown.length,
    rejected: rejected.sort((a, b) => a.line - b.line),
  };
}

/** The event of a line, its id checked. */
function readEvent(line: Line): { event: NostrEvent } | RejectedLine {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (error) {
    const detail = `Not JSON: ${
      error instanceof Error ? error.message : error
    }`;
    return reject(line, { reason: "json", detail });
  }
  const parsed = parseEvent(eventIn(value));
  if (!parsed.ok) {
    const { code, detail } = parsed.failure;
    return reject(line, { reason: code, detail });
  }
  if (hasValidId(parsed.value)) return { event: parsed.value };
  return reject(line, {
    reason: "id",
    detail: "The id is not the sha256 of the event",
    eventId: parsed.value.id,
  });
}

/** The event of a relay's or client's message (`["EVENT",…,{…}]`), as some tools write what they saw. */
function eventIn(value: unknown): unknown {
  return Array.isArray(value) && value[0] === "EVENT" ? value.at(-1) : value;
}

function reject(
  { number, text }: Line,
  why: Pick<RejectedLine, "reason" | "detail" | "eventId">,
): RejectedLine {
  return { line: number, ...why, raw: text };
}
