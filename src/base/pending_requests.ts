/**
 * Requests to another thread that await their replies, by number.
 *
 * @module
 */
export class PendingRequests<T> {
  readonly #open = new Map<number, PromiseWithResolvers<T>>();
  #last = 0;

  /** Sends a request by calling `post` with a new number, and waits for the reply to it. Throws the reason of `abandon`. */
  ask(post: (request: number) => void): Promise<T> {
    const request = ++this.#last;
    const reply = Promise.withResolvers<T>();
    this.#open.set(request, reply);
    post(request);
    return reply.promise;
  }

  /** Replies to a request; ignored when none of that number is open. */
  answer(request: number, reply: T): void {
    this.#open.get(request)?.resolve(reply);
    this.#open.delete(request);
  }

  /** Rejects all open requests, as no reply will come. */
  abandon(reason: Error): void {
    for (const { reject } of this.#open.values()) reject(reason);
    this.#open.clear();
  }
}
