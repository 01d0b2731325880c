/**
 * The ids that the requests of one connection are known under.
 *
 * @module
 */
const PREFIX = "bb";

export class RequestIds {
  #next = 1;

  next(): string {
    return toId(this.#next++);
  }

  /** Whether the id was given to a request, be it long over. */
  isOurs(id: string): boolean {
    const number = parseInt(id.slice(PREFIX.length), 36);
    return number > 0 && number < this.#next && id === toId(number);
  }
}

function toId(number: number): string {
  return `${PREFIX}${number.toString(36)}`;
}
