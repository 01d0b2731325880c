/**
 * Questions to the host that are not answered yet.
 *
 * @module
 */
export class PendingRequests<T> {
  readonly #open = new Map<number, PromiseWithResolvers<T>>();
  #last = 0;

  /** Asks by calling `post`, and waits for the answer. */
  ask(post: (request: number) => void): Promise<T> {
    const request = ++this.#last;
    const question = Promise.withResolvers<T>();
    this.#open.set(request, question);
    post(request);
    return question.promise;
  }

  answer(request: number, answer: T): void {
    this.#open.get(request)?.resolve(answer);
    this.#open.delete(request);
  }

  /** Nobody will answer any more. */
  abandon(reason: Error): void {
    for (const { reject } of this.#open.values()) reject(reason);
    this.#open.clear();
  }
}
