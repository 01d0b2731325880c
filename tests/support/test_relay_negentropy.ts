/**
 * NIP-77 as a test relay speaks it: by our own responder, by nostr-tools, or as the script wants it.
 *
 * @module
 */
import { nip77 } from "nostr-tools";
import { encodeKeys, type EventKeys } from "../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import { type Filter, parseFilter } from "../../src/models/filter.ts";
import { respond } from "./negentropy_responder.ts";
import { SortedKeys } from "../../src/nips/negentropy/sorted_keys.ts";
import type { ScriptedRelay } from "./test_relay.ts";

/** How the relay behaves; everything left out is as strfry does it, frame limit aside. */
export interface NegentropyScript {
  /** Whose implementation answers. Default: ours. */
  readonly by?: "ours" | "nostr-tools";
  /** Longest answer, in bytes. Default: no bound. */
  readonly frameBytes?: number;
  /** More events than this get NEG-ERR with the number. */
  readonly maxRecords?: number;
  /** The NEG-ERR is without the number. */
  readonly hidesMaxRecords?: boolean;
  /** What it lists, newest first, instead of what it holds and matches. */
  readonly lists?: (
    matching: readonly NostrEvent[],
    filter: Filter,
  ) => readonly Listed[];
  /** Overrides what a NEG-OPEN or NEG-MSG gets; `neg.serve()` is the default. */
  readonly onMessage?: (neg: TestNeg) => void;
}

/** What a list says of an event. */
export type Listed = Pick<NostrEvent, "id" | "created_at">;

/** One NEG-OPEN or NEG-MSG, and all that can be done to who asked. */
export interface TestNeg {
  readonly subId: string;
  readonly type: "NEG-OPEN" | "NEG-MSG";
  /** Number of the message of this run, from 1. */
  readonly nth: number;
  /** What came, as hex. */
  readonly message: string;
  /** Answers as the script has it. */
  serve(): void;
  /** Answers with this, whatever it says. */
  answer(hex: string): void;
  error(reason: string, maxRecords?: number): void;
  notice(text: string): void;
  /** One text message, whatever it says. */
  send(text: string): void;
  disconnect(): void;
}

/** What it needs of its connection. */
export interface NegentropyLine {
  readonly say: (...message: unknown[]) => void;
  readonly send: (text: string) => void;
  readonly disconnect: () => void;
  /** Whether who asks would have to authenticate first. */
  readonly refuses: () => boolean;
}

type Respond = (hex: string) => string;

/** The runs of one connection. */
export class TestRelayNegentropy {
  readonly #relay: ScriptedRelay;
  readonly #line: NegentropyLine;
  readonly #runs = new Map<string, { respond: Respond; count: number }>();

  constructor(relay: ScriptedRelay, line: NegentropyLine) {
    this.#relay = relay;
    this.#line = line;
  }

  /** Takes a message if it is one of NIP-77; false when it is not, or the relay does not know it. */
  take([type, subject, ...rest]: readonly unknown[]): boolean {
    const script = this.#relay.script.negentropy;
    if (script === undefined) return false;
    const subId = String(subject);
    if (type === "NEG-OPEN") this.#open(subId, rest, script);
    else if (type === "NEG-MSG") this.#message("NEG-MSG", subId, rest[0]);
    else if (type === "NEG-CLOSE") this.#runs.delete(subId);
    else return false;
    return true;
  }

  #open(
    subId: string,
    [wanted, message]: readonly unknown[],
    script: NegentropyScript,
  ): void {
    const filter = parseFilter(wanted);
    if (!filter.ok) {
      this.#error(subId, `invalid: ${filter.failure.detail}`);
      return;
    }
    if (this.#line.refuses()) {
      this.#error(subId, "auth-required: who are you?");
      return;
    }
    const keys = this.#keysOf(filter.value, script);
    const { maxRecords = Infinity, hidesMaxRecords = false } = script;
    if (keys.createdAt.length > maxRecords) {
      const told = hidesMaxRecords ? undefined : maxRecords;
      this.#error(subId, "blocked: too many query results", told);
      return;
    }
    this.#runs.set(subId, { respond: responderOf(keys, script), count: 0 });
    this.#message("NEG-OPEN", subId, message);
  }

  #message(type: TestNeg["type"], subId: string, message: unknown): void {
    const run = this.#runs.get(subId);
    if (run === undefined) {
      this.#error(subId, "closed: unknown subscription handle");
      return;
    }
    const { say, send, disconnect } = this.#line;
    const hex = String(message);
    const answer = (hex: string) => say("NEG-MSG", subId, hex);
    const neg: TestNeg = {
      subId,
      type,
      nth: ++run.count,
      message: hex,
      serve: () => answer(run.respond(hex)),
      answer,
      error: (reason, maxRecords) => this.#error(subId, reason, maxRecords),
      notice: (text) => say("NOTICE", text),
      send,
      disconnect,
    };
    const { onMessage } = this.#relay.script.negentropy ?? {};
    if (onMessage === undefined) neg.serve();
    else onMessage(neg);
  }

  #error(subId: string, reason: string, maxRecords?: number): void {
    this.#runs.delete(subId);
    const rest = maxRecords === undefined ? [] : [maxRecords];
    this.#line.say("NEG-ERR", subId, reason, ...rest);
  }

  #keysOf(filter: Filter, { lists }: NegentropyScript): EventKeys {
    const { found } = this.#relay.store.select(filter, {
      limit: Infinity,
      oldestFirst: false,
    });
    const events = found.map(({ event }) => event);
    const listed: readonly Listed[] = lists?.(events, filter) ?? events;
    return encodeKeys(
      listed.toSorted((a, b) =>
        a.created_at - b.created_at || (a.id < b.id ? -1 : 1)
      ),
    );
  }
}

function responderOf(
  keys: EventKeys,
  { by = "ours", frameBytes = Infinity }: NegentropyScript,
): Respond {
  if (by === "ours") {
    const sorted = new SortedKeys(keys);
    return (hex) => {
      const answer = respond(sorted, Uint8Array.fromHex(hex), frameBytes);
      if (!answer.ok) throw new Error("Cannot answer as it is no negentropy");
      return answer.value.toHex();
    };
  }
  const storage = new nip77.NegentropyStorageVector();
  for (const [i, createdAt] of keys.createdAt.entries()) {
    storage.insert(createdAt, keys.ids.subarray(32 * i, 32 * i + 32).toHex());
  }
  storage.seal();
  const limit = Math.min(frameBytes, 1_000_000);
  const negentropy = new nip77.Negentropy(storage, limit);
  // It says null when there is nothing left to ask, which who answers has to say, too.
  return (hex) => negentropy.reconcile(hex) ?? "61";
}
