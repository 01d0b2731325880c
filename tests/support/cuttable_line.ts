/**
 * A TCP port that leads somewhere else, until the test cuts the line, or freezes it.
 *
 * @module
 */

export interface CuttableLine extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  /** Carries nothing any more, and says so to nobody: connections are half open. New ones get no answer. */
  freeze(): void;
  /** Lets new connections through again, and goes on with those that were frozen. */
  mend(): void;
  /** How often somebody has connected, or tried to while it was cut. */
  readonly attempts: number;
}

/** Opens the port on 127.0.0.1. It leads to a Unix socket, or to another port of 127.0.0.1. */
export function cuttableLine(to: string | number): CuttableLine {
  return new Line(
    typeof to === "string"
      ? () => Deno.connect({ transport: "unix", path: to })
      : () => Deno.connect({ hostname: "127.0.0.1", port: to }),
  );
}

class Line implements CuttableLine {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connect: () => Promise<Deno.Conn>;
  readonly #open = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  readonly #carrying = new Set<Promise<void>>();
  #cut = false;
  /** Resolves when the line carries something. */
  #thawed = Promise.resolve();
  #thaw = () => {};
  attempts = 0;

  constructor(connect: () => Promise<Deno.Conn>) {
    this.#connect = connect;
    this.#serving = this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  cut(): void {
    this.#cut = true;
    for (const end of this.#open) close(end);
    this.#open.clear();
  }

  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#thawed = promise;
    this.#thaw = resolve;
  }

  mend(): void {
    this.#cut = false;
    this.#thaw();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#thaw();
    this.#listener.close();
    await this.#serving;
    await Promise.all(this.#carrying);
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) {
      this.attempts++;
      if (this.#cut) close(client);
      else this.#track(this.#carry(client));
    }
  }

  #track(carrying: Promise<void>): void {
    const tracked = carrying.finally(() => this.#carrying.delete(tracked));
    this.#carrying.add(tracked);
  }

  #gate(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: async (chunk, carried) => {
        await this.#thawed;
        carried.enqueue(chunk);
      },
    });
  }

  async #carry(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    const server = await this.#connect();
    this.#open.add(server);
    await Promise.allSettled([
      client.readable.pipeThrough(this.#gate()).pipeTo(server.writable),
      server.readable.pipeThrough(this.#gate()).pipeTo(client.writable),
    ]);
    for (const end of [client, server]) {
      this.#open.delete(end);
      close(end);
    }
  }
}

/** Piping closes an end by itself when the other says goodbye. */
function close(end: Deno.Conn): void {
  try {
    end.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
