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

/** Where the addresses are dialled, and what is asked before. */
export interface ConnectWay {
  readonly port: number;
  /** Takes a connection from the budget; resolves when it may be made. For the first address the caller has asked. */
  readonly reserve: () => Promise<void>;
}

/** Addresses of one host that are dialled at most: more would be a look-up that opens connections by the dozen. */
const MAX_DIALLED = 4;

/**
 * Dials the addresses, the first four at most, one after the other, a quarter of a second apart or as soon as one fails;
 * the first to connect wins. Each is a connection of the budget.
 */
export function connectFirst(
  addresses: readonly string[],
  way: ConnectWay,
  deadline: Deadline,
): Promise<Result<Connected, RelayFailure>> {
  return runStep<Connected>("connect", deadline, (settle) => {
    const race = new Race(addresses.slice(0, MAX_DIALLED), way, settle);
    race.begin();
    return () => race.end();
  });
}

class Race {
  readonly #left: string[];
  readonly #way: ConnectWay;
  readonly #settle: Settle<Connected>;
  readonly #running = new Set<Socket>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Addresses that wait for the budget. */
  #reserving = 0;
  #hasEnded = false;
  #failure: RelayFailure = { code: "dns", detail: "no address to dial" };

  constructor(
    addresses: readonly string[],
    way: ConnectWay,
    settle: Settle<Connected>,
  ) {
    this.#left = [...addresses];
    this.#way = way;
    this.#settle = settle;
  }

  /** Starts the first address. */
  begin(): void {
    const address = this.#left.shift();
    if (address === undefined) this.#settle(fail(this.#failure));
    else this.#start(address);
  }

  /** Drops everything still running. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#left.length = 0;
    for (const socket of this.#running) socket.destroy();
    this.#running.clear();
  }

  /** Starts the next address, if there is one; settles when there is none and nothing runs. */
  async #next(): Promise<void> {
    clearTimeout(this.#timer);
    const address = this.#left.shift();
    if (address === undefined) {
      const isOver = this.#running.size + this.#reserving === 0;
      if (isOver) this.#settle(fail(this.#failure));
      return;
    }
    this.#reserving += 1;
    await this.#way.reserve();
    this.#reserving -= 1;
    if (!this.#hasEnded) this.#start(address);
  }

  #start(address: string): void {
    if (this.#left.length > 0) {
      this.#timer = setTimeout(() => void this.#next(), STAGGER_MS);
    }
    const { port } = this.#way;
    const socket = connect({ host: address, port });
    // Not a byte is read ahead: Deno before 2.9 cannot start TLS on a socket that is being read.
    socket.pause();
    this.#running.add(socket);
    // Stays for good: an error of a dropped socket must not become an uncaught one.
    socket.on("error", (error) => {
      if (!this.#running.delete(socket)) return;
      this.#failure = connectFailure(error, `${address} port ${port}`);
      void this.#next();
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
