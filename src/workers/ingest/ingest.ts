/**
 * What happens to the events of a session after they were read: known or not, signature, batch.
 *
 * Events and findings go through in one order, so that a batch never carries a proof before the events it rests on.
 * While one group is verified, the question which of the next are known is already on its way, and what another thread
 * may verify of it is handed over as soon as that is answered.
 *
 * @module
 */
import { encodeKeys } from "../../models/encoded_events.ts";
import type { NostrEvent } from "../../models/event.ts";
import type { Verifier } from "../../nips/verify/verifier.ts";
import { type BatchBounds, BatchBuilder } from "./batch_builder.ts";
import {
  EventQueue,
  type Finding,
  type Group,
  type ListedEvent,
} from "./event_queue.ts";
import { RecentEvents } from "./recent_events.ts";
import type { HostLink } from "../worker/host_link.ts";
import { GroupVerifier } from "./group_verifier.ts";
import type { RejectReason } from "../protocol/report.ts";

/** A batch that is not full is sent after this much silence, or when it has waited for so long. */
const FLUSH_AFTER_MS = 1_000;

/** Rejected events that are kept to be looked at, of one session; all are counted. */
const MAX_SAMPLES = 50;

/** So many forged events may be an accident, or what somebody has put on an honest relay. */
const MAX_FORGED = 200;

/** The raw event kept with a rejection is cut to this. */
const MAX_RAW_CHARACTERS = 4_096;

/** Stands for one that was not read. */
const NO_SIGNATURE = "0".repeat(128);

export class Ingest {
  readonly #queue: EventQueue;
  readonly #batch: BatchBuilder;
  readonly #verifier: GroupVerifier;
  readonly #link: IngestLink;
  readonly #forged: (event: NostrEvent) => void;
  readonly #rejected: Partial<Record<RejectReason, number>> = {};
  readonly #done: Promise<void>;
  readonly #rejectedLately = new RecentEvents(2_000);
  #samples = 0;
  /** Events that were known, or are their authors'. */
  #sound = 0;
  /** When the first of what waits in the batch came. */
  #batchSince = 0;
  #settled = Promise.withResolvers<void>();

  constructor(
    { verifier, budget, link, bounds, forged }: {
      readonly verifier: Verifier;
      /** What may be queued, and gathered for a batch, bytes. */
      readonly budget: () => number;
      readonly link: IngestLink;
      readonly bounds: BatchBounds;
      /** Hears of events whose signature is not the author's. */
      readonly forged: (event: NostrEvent) => void;
    },
  ) {
    this.#forged = forged;
    this.#verifier = new GroupVerifier(verifier, link);
    this.#link = link;
    this.#queue = new EventQueue(budget);
    this.#batch = new BatchBuilder(bounds, budget);
    this.#done = this.#work();
    // Whoever waits for room or for the end hears of it.
    this.#done.catch(() => this.#queue.discard());
  }

  /** Rejected events so far, by reason. */
  get rejected(): Readonly<Partial<Record<RejectReason, number>>> {
    return this.#rejected;
  }

  /** Whether so much is forged that the rest is not worth being verified. */
  get isMostlyForged(): boolean {
    const { signature = 0 } = this.#rejected;
    return signature > MAX_FORGED && signature > this.#sound;
  }

  /** Takes an event whose shape, id and filter are right. */
  accept(event: NostrEvent): void {
    this.#queue.push(event);
  }

  /** Takes an archived event that the relay lists. */
  acceptListed(event: ListedEvent): void {
    this.#queue.pushListed(event);
  }

  /** Counts an event that is not archived, and keeps some to be looked at. */
  reject(reason: RejectReason, detail: string, raw: unknown): void {
    if (!this.#isNews(reason, raw)) return;
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
    if (this.#samples >= MAX_SAMPLES) return this.#batch.countRejected(reason);
    this.#samples += 1;
    const text = JSON.stringify(raw) ?? "";
    this.#batch.reject({
      reason,
      detail,
      eventId: idOf(raw),
      raw: text.slice(0, MAX_RAW_CHARACTERS),
    });
  }

  /** Whether it was not rejected just before: questions that overlap bring an event more than once. */
  #isNews(reason: RejectReason, raw: unknown): boolean {
    // One without a signature is forged anew each time, and counted.
    const id = reason === "signature" ? undefined : idOf(raw);
    return id === undefined ||
      this.#rejectedLately.add({ id, sig: sigOf(raw) ?? NO_SIGNATURE });
  }

  /** Takes what a walk found out from everything accepted so far. */
  add(finding: Finding): void {
    this.#queue.note(finding);
  }

  /** Waits until more can be accepted. Rejects with what ended the work. */
  async room(): Promise<void> {
    await this.#queue.room();
    if (this.#queue.isDiscarded) await this.#done;
  }

  /** Waits until everything taken so far was sent. Rejects with what ended the work. */
  async flush(): Promise<void> {
    this.#settled = Promise.withResolvers<void>();
    this.#queue.hurry();
    await Promise.race([this.#settled.promise, this.#done]);
  }

  /** Hands in what is left. Rejects when the session was abandoned. */
  finish(): Promise<void> {
    this.#queue.close();
    return this.#done;
  }

  async #work(): Promise<void> {
    let next = this.#nextGroup();
    for (;;) {
      const inquiry = await next;
      if (inquiry === null) break;
      next = this.#nextGroup();
      // A failure of the question after this one is noticed when its turn comes.
      next.catch(() => {});
      const isPause = inquiry === "idle" || inquiry === "empty";
      if (this.#batch.isEmpty) this.#batchSince = performance.now();
      if (!isPause) await this.#digest(inquiry);
      const ageMs = performance.now() - this.#batchSince;
      const isDue = isPause || ageMs >= FLUSH_AFTER_MS;
      if (isDue && !this.#batch.isEmpty) await this.#flush();
      if (inquiry === "empty") this.#settled.resolve();
    }
    if (!this.#batch.isEmpty) await this.#flush();
  }

  /** Takes a group from the queue and asks which of it are known. */
  async #nextGroup(): Promise<Inquiry | null | "idle" | "empty"> {
    const group = await this.#queue.take(FLUSH_AFTER_MS);
    if (group === null || typeof group === "string") return group;
    const answer = this.#answerAbout(group.events);
    answer.catch(() => {});
    return { group, answer };
  }

  /** Asks which of the events are known, and has the others verified as soon as it knows. */
  async #answerAbout(events: readonly NostrEvent[]): Promise<Answer> {
    const known = events.length === 0
      ? new Uint8Array()
      : await this.#link.askKnown(encodeKeys(events), { isInOrder: false });
    const fresh = events.filter((_, i) => known[i] !== 1);
    return { known, verify: this.#verifier.begin(fresh) };
  }

  async #digest({ group, answer }: Inquiry): Promise<void> {
    const { known, verify } = await answer;
    const valid = await verify();
    let fresh = 0;
    for (const [i, event] of group.events.entries()) {
      if (known[i] === 1) this.#batch.addKnown(event);
      else if (valid[fresh++] === 1) this.#batch.add(event);
      else {
        this.#rejectForged(event);
        continue;
      }
      this.#sound += 1;
      if (this.#batch.isFull) await this.#flush();
    }
    for (const event of group.listed) {
      this.#batch.addKnown(event);
      if (this.#batch.isFull) await this.#flush();
    }
    for (const finding of group.findings) this.#batch.note(finding);
    if (this.#batch.isFull) await this.#flush();
  }

  #rejectForged(event: NostrEvent): void {
    this.reject("signature", "The signature is not the author's", event);
    this.#forged(event);
  }

  #flush(): Promise<void> {
    return this.#link.send(this.#batch.take());
  }
}

/** The messages to the host that ingest sends. */
type IngestLink = Pick<HostLink, "askKnown" | "askVerified" | "send">;

/** A group, and what is known of its events. */
interface Inquiry {
  readonly group: Group;
  readonly answer: Promise<Answer>;
}

interface Answer {
  /** One byte an event, 1 when it is archived. */
  readonly known: Uint8Array;
  /** Verifies the others: one byte each, 1 when the signature is the author's. */
  readonly verify: () => Promise<Uint8Array>;
}

function sigOf(raw: unknown): string | undefined {
  if (typeof raw !== "object" || raw === null || !("sig" in raw)) return;
  return typeof raw.sig === "string" && /^[0-9a-f]{128}$/.test(raw.sig)
    ? raw.sig
    : undefined;
}

function idOf(raw: unknown): string | undefined {
  if (typeof raw !== "object" || raw === null || !("id" in raw)) return;
  return typeof raw.id === "string" && /^[0-9a-f]{64}$/.test(raw.id)
    ? raw.id
    : undefined;
}
