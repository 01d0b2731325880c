/**
 * A TCP port that leads to a Unix socket, until the test cuts the line.
 *
 * @module
 */

export interface CuttableLine extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  /** Lets new connections through again. */
  mend(): void;
  /** How often somebody has connected, or tried to while it was cut. */
  readonly attempts: number;
}

/** Opens the port on 127.0.0.1. */
export function cuttableLine(socketPath: string): CuttableLine {
  return new Line(socketPath);
}

class Line implements CuttableLine {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #socketPath: string;
  readonly #open = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  readonly #carrying = new Set<Promise<void>>();
  #cut = false;
  attempts = 0;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
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

  mend(): void {
    this.#cut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
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

  async #carry(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    const server = await Deno.connect({
      transport: "unix",
      path: this.#socketPath,
    });
    this.#open.add(server);
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
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
