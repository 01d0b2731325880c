/**
 * The events of an adversary, drawn from its spec: unsigned ones for tests without I/O, signed ones for the wire.
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";
import type { EventFactory } from "../event_factory.ts";
import { mix, Random } from "./random.ts";
import type { AdversarySpec, Arrival, CorpusPart } from "./spec.ts";

/** An event to be. */
export interface CorpusDraft {
  readonly author: number;
  readonly kind: number;
  readonly createdAt: number;
  readonly content: string;
}

/** Events that are stored together. */
export interface Delivery {
  /** Null for what is there from the start. */
  readonly arrival: Arrival | null;
  readonly events: readonly NostrEvent[];
}

/** The events of a spec, in the order of its parts. Each draft is given to `make` with its number, from 0. */
export function corpusOf(
  spec: AdversarySpec,
  make: (draft: CorpusDraft, nth: number) => NostrEvent,
): Delivery[] {
  let made = 0;
  return spec.corpus.map((part, place) => ({
    arrival: part.arrives ?? null,
    events: draftsOf(part, spec.beganAt, mix(spec.seed, place))
      .map((draft) => make(draft, made++)),
  }));
}

/** Events as a walk sees them; nothing about them is signed. */
export function fakeCorpus(spec: AdversarySpec): Delivery[] {
  return corpusOf(spec, (draft, nth) => fakeEvent(draft, mix(spec.seed, nth)));
}

/** Events that verify. */
export function signedCorpus(
  spec: AdversarySpec,
  factory: EventFactory,
): Delivery[] {
  return corpusOf(spec, (draft) => factory.sign(draft));
}

/** Kinds of which NIP-01 keeps one event an author. */
export function isReplaceable(kind: number): boolean {
  return kind === 0 || kind === 3 || kind >= 10_000 && kind < 20_000;
}

const PADDING = "x".repeat(100_000);

function draftsOf(
  part: CorpusPart,
  beganAt: number,
  seed: number,
): CorpusDraft[] {
  const random = new Random(seed);
  const newest = part.endsAt ?? beganAt - part.endsAgo;
  return Array.from({ length: part.count }, (_, nth) => {
    const drawn = newest - random.below(part.span + 1);
    const at = Math.max(0, drawn - drawn % part.grain);
    const kind = random.pick(part.kinds);
    return {
      author: isReplaceable(kind) ? nth : random.below(part.authors),
      kind,
      createdAt: at,
      // The number keeps apart events that are the same otherwise.
      content: `${nth} ${PADDING.slice(0, random.below(part.bytes + 1))}`,
    };
  });
}

function fakeEvent(
  { author, kind, createdAt, content }: CorpusDraft,
  number: number,
): NostrEvent {
  return {
    id: digits(number) + digits(mix(number, createdAt)) + ID_END,
    pubkey: PUBKEY_START + digits(author),
    created_at: createdAt,
    kind,
    tags: [],
    content,
    sig: NO_SIGNATURE,
  };
}

const ID_END = "0".repeat(48);
const PUBKEY_START = "0".repeat(56);
const NO_SIGNATURE = "0".repeat(128);

function digits(number: number): string {
  return number.toString(16).padStart(8, "0");
}
