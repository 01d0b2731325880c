/**
 * The events of a session on their way from the socket to verification, in order and bounded.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { GapRange, ProvenRange } from "../protocol/report.ts";

/** An archived event of which only the key came. */
export type ListedEvent = Pick<NostrEvent, "id" | "created_at">;

/** What a walk found out; it holds for the events before it. */
export type Finding =
  | { readonly type: "proven"; readonly proof: ProvenRange }
  | { readonly type: "open"; readonly gap: GapRange };

/** Events that are worked on together, and the findings that follow from them. */
export interface Group {
  readonly events: NostrEvent[];
  /** Archived events that were only listed. */
  readonly listed: ListedEvent[];
  readonly findings: Finding[];
}

/** Events worked on together at most, and keys of archived ones, which cost nothing. */
const GROUP_EVENTS = 250;
const GROUP_LISTED = 2_500;

/** The reader waits while more than this is queued. */
const MAX_QUEUED_EVENTS = 1_000;
const MAX_QUEUED_BYTES = 2 * 1024 * 1024;

export class EventQueue {
  readonly #budget: () => number;
  readonly #groups: Group[] = [];
  #queuedEvents = 0;
  #queuedBytes = 0;
  #closed = false;
  #discarded = false;
  #hurried = false;
  #arrived = Promise.withResolvers<void>();
  #left = Promise.withResolvers<void>();

  /** `budget` is what may be queued, bytes. */
  constructor(budget: () => number) {
    this.#budget = budget;
  }

  /** Whether nothing more is taken, nor anything given. */
  get isDiscarded(): boolean {
    return this.#discarded;
  }

  push(event: NostrEvent): void {
    if (this.#discarded) return;
    this.#openGroup().events.push(event);
    this.#queuedEvents += 1;
    this.#queuedBytes += roughBytes(event);
    this.#arrived.resolve();
  }

  pushListed(event: ListedEvent): void {
    if (this.#discarded) return;
    this.#openGroup().listed.push(event);
    this.#queuedEvents += 1;
    this.#arrived.resolve();
  }

  note(finding: Finding): void {
    if (this.#discarded) return;
    const last = this.#groups.at(-1) ?? this.#openGroup();
    last.findings.push(finding);
    this.#arrived.resolve();
  }

  /** Whoever takes is to learn at once that there is nothing left. */
  hurry(): void {
    this.#hurried = true;
    this.#arrived.resolve();
  }

  /** No more will come. */
  close(): void {
    this.#closed = true;
    this.#arrived.resolve();
  }

  /** The next group; null after the last, `idle` when none came for so long, `empty` when it was hurried. */
  async take(idleMs: number): Promise<Group | null | "idle" | "empty"> {
    if (this.#groups.length === 0 && !this.#closed && !this.#hurried) {
      this.#arrived = Promise.withResolvers<void>();
      const timer = setTimeout(this.#arrived.resolve, idleMs);
      await this.#arrived.promise;
      clearTimeout(timer);
    }
    const group = this.#groups.shift();
    if (group === undefined) {
      if (this.#closed) return null;
      const rest = this.#hurried ? "empty" : "idle";
      this.#hurried = false;
      return rest;
    }
    this.#queuedEvents -= group.events.length + group.listed.length;
    for (const event of group.events) this.#queuedBytes -= roughBytes(event);
    this.#makeRoom();
    return group;
  }

  /** Waits until there is room for more. */
  async room(): Promise<void> {
    while (
      !this.#closed &&
      (this.#queuedEvents > MAX_QUEUED_EVENTS ||
        this.#queuedBytes > Math.min(MAX_QUEUED_BYTES, this.#budget()))
    ) {
      await this.#left.promise;
    }
  }

  /** Drops what is queued and takes nothing more. */
  discard(): void {
    this.#discarded = true;
    this.close();
    this.#groups.length = 0;
    this.#makeRoom();
  }

  /** All who wait look again, as several pages may be on their way. */
  #makeRoom(): void {
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /** The last group, or a new one behind what has been found or is full. */
  #openGroup(): Group {
    const last = this.#groups.at(-1);
    const isOpen = last !== undefined && last.findings.length === 0 &&
      last.events.length < GROUP_EVENTS && last.listed.length < GROUP_LISTED;
    if (isOpen) return last;
    const group: Group = { events: [], listed: [], findings: [] };
    this.#groups.push(group);
    return group;
  }
}

/** Good enough to bound memory: most of an event is its content and its tags. */
function roughBytes({ content, tags }: NostrEvent): number {
  return 400 + content.length + tags.length * 100;
}
