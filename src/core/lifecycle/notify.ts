/**
 * Notifications of a `Type=notify` unit to systemd: sd_notify(3) over the socket named by `NOTIFY_SOCKET`.
 *
 * Deno sends Unix datagrams only behind an unstable flag, so the datagram is sent by libc.
 *
 * @module
 */
import type { ReadEnv } from "../config/secret.ts";
import type { Logger } from "../log/logger.ts";

/** Tells the service manager; does nothing when there is none. It never throws. */
export interface Notifier extends Disposable {
  /** Whether anybody hears it: without a service manager nothing need be found out for it. */
  readonly isHeard: boolean;
  /**
   * Start-up is at something that may take longer than the unit allows (`TimeoutStartSec=`): shows it, and asks for more
   * time until it is disposed, for two hours at most.
   */
  starting(text: string): Disposable;
  /** Start-up is over. From now on the watchdog is fed. */
  ready(): void;
  /** Sets the line of `systemctl status`. */
  status(text: string): void;
  /** Shutdown has begun. */
  stopping(): void;
}

/** Connects to the service manager that `NOTIFY_SOCKET` and `WATCHDOG_USEC` tell of. */
export function createNotifier(
  { log, readEnv = Deno.env.get, extendEveryMs = EXTEND_EVERY_MS }: {
    readonly log: Logger;
    readonly readEnv?: ReadEnv;
    /** Between two requests for more time to start. Default: 20 s, a third of what is asked for. */
    readonly extendEveryMs?: number;
  },
): Notifier {
  const socket = readEnv("NOTIFY_SOCKET");
  if (socket === undefined || socket === "") return silentNotifier;
  if (!/^[/@]/.test(socket)) {
    log.warn("service manager not told: unsupported socket", { socket });
    return silentNotifier;
  }
  try {
    return new SocketNotifier(openDatagram(socket), {
      watchdogMs: watchdogMs(readEnv),
      extendEveryMs,
      log,
    });
  } catch (error) {
    log.warn("service manager not told", { socket, error });
    return silentNotifier;
  }
}

/** Asked for at once, and again before it is over: a process that hangs gets no more than this. */
const EXTENSION_MS = 60_000;
const EXTEND_EVERY_MS = 20_000;

/** A start that is not over by then is not slow, it hangs. */
const MAX_EXTENSION_MS = 2 * 3_600_000;

const silentNotifier: Notifier = {
  isHeard: false,
  starting: () => ({ [Symbol.dispose]() {} }),
  ready() {},
  status() {},
  stopping() {},
  [Symbol.dispose]() {},
};

interface SocketNotifierOptions {
  /** Between two messages to the watchdog; null without one. */
  readonly watchdogMs: number | null;
  readonly extendEveryMs: number;
  readonly log: Logger;
}

class SocketNotifier implements Notifier {
  readonly isHeard = true;
  readonly #datagram: Datagram;
  readonly #options: SocketNotifierOptions;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(datagram: Datagram, options: SocketNotifierOptions) {
    this.#datagram = datagram;
    this.#options = options;
  }

  starting(text: string): Disposable {
    const endsAtMs = performance.now() + MAX_EXTENSION_MS;
    const extend = () => {
      if (performance.now() > endsAtMs) return;
      this.#send(`EXTEND_TIMEOUT_USEC=${EXTENSION_MS * 1_000}`);
    };
    this.status(text);
    extend();
    const timer = setInterval(extend, this.#options.extendEveryMs);
    Deno.unrefTimer(timer);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  ready(): void {
    this.#send("READY=1");
    const { watchdogMs } = this.#options;
    if (watchdogMs === null || this.#timer !== undefined) return;
    const feed = () => this.#send("WATCHDOG=1");
    feed();
    const timer = setInterval(feed, watchdogMs);
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  status(text: string): void {
    this.#send(`STATUS=${text.replace(/[\r\n]+/g, " ")}`);
  }

  stopping(): void {
    this.#send("STOPPING=1");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#datagram[Symbol.dispose]();
  }

  #send(message: string): void {
    if (!this.#datagram.send(message)) {
      this.#options.log.debug("service manager did not take a message", {
        notification: message,
      });
    }
  }
}

/** The watchdog is fed three times per deadline; it is meant for us unless another pid is named. */
function watchdogMs(readEnv: ReadEnv): number | null {
  const microseconds = Number(readEnv("WATCHDOG_USEC") ?? "0");
  const pid = readEnv("WATCHDOG_PID");
  if (!(microseconds > 0)) return null;
  if (pid !== undefined && pid !== "" && Number(pid) !== Deno.pid) return null;
  return Math.max(1, Math.floor(microseconds / 3_000));
}

interface Datagram extends Disposable {
  /** False when it could not be sent; it never waits. */
  send(message: string): boolean;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;

function openDatagram(path: string): Datagram {
  const libc = Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    sendto: {
      parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
      result: "isize",
    },
    close: { parameters: ["i32"], result: "i32" },
  });
  const fd = libc.symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const address = socketAddress(path);
  const encoder = new TextEncoder();
  return {
    send(message) {
      const bytes = encoder.encode(message);
      const size = BigInt(bytes.length);
      const { sendto } = libc.symbols;
      return sendto(fd, bytes, size, MSG_DONTWAIT, address, address.length) >=
        0;
    },
    [Symbol.dispose]() {
      libc.symbols.close(fd);
      libc.close();
    },
  };
}

/** `struct sockaddr_un`; a leading `@` stands for the NUL of an abstract address (Linux). */
function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(path);
  const abstract = path.startsWith("@");
  const address = new Uint8Array(2 + name.length + (abstract ? 0 : 1));
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(name, 2);
  if (abstract) address[2] = 0;
  return address;
}
