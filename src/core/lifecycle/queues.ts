/**
 * Work in queues: each queue (a network) has its slots, and a slot takes the next item the moment it is free.
 *
 * There are no batches to wait for: a slow item holds its own slot and delays nobody else, neither in its queue
 * nor in another.
 *
 * @module
 */

/** The source of items, and the work on each. */
export interface QueueWork<L extends string, T> {
  /** Items of each queue in work at the same time; a queue without slots is not asked for any. */
  readonly slots: Readonly<Partial<Record<L, number>>>;
  /** A queue with a free slot and nothing to do asks again after this, as long as any queue has work. */
  readonly askAgainMs: number;
  /** Takes up to `count` more items of a queue (enough for its free slots and as many again); none when there are none. */
  take(queue: L, count: number): Promise<readonly T[]>;
  /** Does one item. A throw ends all queues, so what a peer does wrong must not be one. */
  work(item: T, signal: AbortSignal): Promise<void>;
}

/**
 * Works until every queue is empty, or until `signal` aborts and what was in work has ended.
 * Returns the items that were taken but never begun. Throws what `take` or `work` threw first, after all have ended.
 */
export async function workInQueues<L extends string, T>(
  work: QueueWork<L, T>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const busy = new Set<Queue<L, T>>();
  for (const queue of queuesOf(work)) {
    busy.add(new Queue(work, { ...queue, busy, stop, failed }));
  }
  const queues = [...busy];
  const wakeAll = () => queues.forEach((queue) => queue.wake());
  stop.addEventListener("abort", wakeAll);
  const left = await Promise.all(queues.map((queue) => queue.run(wakeAll)));
  stop.removeEventListener("abort", wakeAll);
  if (failed.signal.aborted) throw failed.signal.reason;
  return left.flat();
}

interface QueuePlace<L extends string, T> {
  readonly name: L;
  readonly slots: number;
  /** The queues that have work: the last one to leave ends the run. */
  readonly busy: Set<Queue<L, T>>;
  readonly stop: AbortSignal;
  readonly failed: AbortController;
}

function queuesOf<L extends string, T>({ slots }: QueueWork<L, T>) {
  const queues: { name: L; slots: number }[] = [];
  for (const name in slots) {
    const count = slots[name] ?? 0;
    if (count > 0) queues.push({ name, slots: count });
  }
  return queues;
}

class Queue<L extends string, T> {
  readonly #work: QueueWork<L, T>;
  readonly #place: QueuePlace<L, T>;
  readonly #inHand: T[] = [];
  #running = 0;
  #wake: () => void = () => {};

  constructor(work: QueueWork<L, T>, place: QueuePlace<L, T>) {
    this.#work = work;
    this.#place = place;
  }

  /** Makes the queue check again whether there is something to do. */
  wake(): void {
    this.#wake();
  }

  /** Ends when all queues are empty; returns what was taken and not begun. Never throws: see `failed`. */
  async run(wakeAll: () => void): Promise<readonly T[]> {
    const { busy, stop } = this.#place;
    while (!stop.aborted) {
      await this.#refill();
      this.#begin();
      if (this.#running > 0) busy.add(this);
      else if (busy.delete(this) && busy.size === 0) wakeAll();
      if (busy.size === 0 || stop.aborted) break;
      await this.#change();
    }
    while (this.#running > 0) await this.#change();
    return this.#inHand;
  }

  async #refill(): Promise<void> {
    const { name, slots } = this.#place;
    if (this.#inHand.length > 0 || this.#running === slots) return;
    try {
      const free = slots - this.#running;
      this.#inHand.push(...await this.#work.take(name, free + slots));
    } catch (error) {
      this.#place.failed.abort(error);
    }
  }

  #begin(): void {
    const { slots, stop } = this.#place;
    while (this.#running < slots && !stop.aborted) {
      const item = this.#inHand.shift();
      if (item === undefined) return;
      this.#running += 1;
      void this.#do(item);
    }
  }

  async #do(item: T): Promise<void> {
    try {
      await this.#work.work(item, this.#place.stop);
    } catch (error) {
      this.#place.failed.abort(error);
    } finally {
      this.#running -= 1;
      this.#wake();
    }
  }

  /** Waits until an item has ended, somebody wakes the queue, or it is time to ask again. */
  async #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, this.#work.askAgainMs);
    await promise;
    clearTimeout(timer);
  }
}
