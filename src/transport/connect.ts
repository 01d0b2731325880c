/**
 * TCP to the first of several addresses that answers (happy eyeballs, RFC 8305).
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { fail, ok, type Result } from "../models/result.ts";
import { type Deadline, runStep, type Settle } from "./deadline.ts";
import { errorCode, errorLine } from "../base/error_text.ts";
import type { RelayFailure } from "./failure.ts";

/** A connected socket, and where it leads. */
export interface Connected {
  readonly socket: Socket;
  readonly address: string;
}

/** Head start of each address over the next one, ms. */
const STAGGER_MS = 250;

/** Dials the addresses one after the other, a quarter of a second apart or as soon as one fails; the first to connect wins. */
export function connectFirst(
  addresses: readonly string[],
  port: number,
  deadline: Deadline,
): Promise<Result<Connected, RelayFailure>> {
  return runStep<Connected>("connect", deadline, (settle) => {
    const race = new Race(addresses, port, settle);
    race.next();
    return () => race.end();
  });
}

class Race {
  readonly #left: string[];
  readonly #port: number;
  readonly #settle: Settle<Connected>;
  readonly #running = new Set<Socket>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: RelayFailure = { code: "dns", detail: "no address to dial" };

  constructor(
    addresses: readonly string[],
    port: number,
    settle: Settle<Connected>,
  ) {
    this.#left = [...addresses];
    this.#port = port;
    this.#settle = settle;
  }

  /** Starts the next address, if there is one; settles when there is none and nothing runs. */
  next(): void {
    clearTimeout(this.#timer);
    const address = this.#left.shift();
    if (address === undefined) {
      if (this.#running.size === 0) this.#settle(fail(this.#failure));
      return;
    }
    this.#start(address);
    if (this.#left.length > 0) {
      this.#timer = setTimeout(() => this.next(), STAGGER_MS);
    }
  }

  /** Drops everything still running. */
  end(): void {
    clearTimeout(this.#timer);
    this.#left.length = 0;
    for (const socket of this.#running) socket.destroy();
    this.#running.clear();
  }

  #start(address: string): void {
    const socket = connect({ host: address, port: this.#port });
    // Not a byte is read ahead: Deno before 2.9 cannot start TLS on a socket that is being read.
    socket.pause();
    this.#running.add(socket);
    // Stays for good: an error of a dropped socket must not become an uncaught one.
    socket.on("error", (error) => {
      if (!this.#running.delete(socket)) return;
      this.#failure = connectFailure(error, `${address} port ${this.#port}`);
      this.next();
    });
    socket.once("connect", () => {
      if (!this.#running.delete(socket)) return;
      this.end();
      socket.setNoDelay(true);
      this.#settle(ok({ socket, address }));
    });
  }
}

function connectFailure(error: unknown, where: string): RelayFailure {
  switch (errorCode(error)) {
    case "ECONNREFUSED":
      return { code: "refused", detail: `Nothing listens on ${where}` };
    case "ETIMEDOUT":
      return { code: "timeout", detail: `connect: no answer of ${where}` };
    default:
      return {
        code: "unreachable",
        detail: `Cannot reach ${where}: ${errorLine(error)}`,
      };
  }
}
