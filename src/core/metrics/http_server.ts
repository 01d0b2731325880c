/**
 * HTTP for those who monitor: a connection has one request, which is small and comes soon, and one answer.
 *
 * Deno.serve waits for ever for a request that never comes to its end, and a few thousand of those use up the files that
 * this process may open.
 *
 * @module
 */
import { sleep } from "../../base/sleep.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
}

export interface HttpReply {
  readonly status: 200 | 400 | 403 | 404 | 405 | 500 | 503;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpServerOptions {
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly answer: (request: HttpRequest) => Promise<HttpReply>;
}

/** For the request; and, from then on, for the answer, ms. */
const REQUEST_MS = 5_000;
const REPLY_MS = 15_000;
/** Prometheus asks in a tenth of it. */
const MAX_HEAD_BYTES = 8 * 1024;
/** Another one takes the place of the one that was opened first. */
const MAX_CONNECTIONS = 64;
/** When no connection can be accepted, as too many files are open, ms. */
const ACCEPT_AGAIN_MS = 100;
/** For what is still on its way when the answer has been sent, ms: closed before that, the peer might lose the answer. */
const LINGER_MS = 500;

export class HttpServer implements AsyncDisposable {
  readonly #options: HttpServerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #closing = new AbortController();
  readonly #accepting: Promise<void>;
  /** In the order in which they were opened. */
  readonly #exchanges = new Set<Exchange>();

  /** Listens. Throws what `Deno.listen` does. */
  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { hostname, port } = options;
    this.#listener = Deno.listen({ hostname, port });
    this.#accepting = this.#accept();
  }

  get addr(): Deno.NetAddr {
    return this.#listener.addr;
  }

  /** Requests that have come are answered, others are not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listener.close();
    await this.#accepting;
    await Promise.all([...this.#exchanges].map((exchange) => exchange.leave()));
  }

  async #accept(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#begin(await this.#listener.accept());
      } catch {
        await sleep(ACCEPT_AGAIN_MS, signal);
      }
    }
  }

  #begin(connection: Deno.TcpConn): void {
    if (this.#exchanges.size === MAX_CONNECTIONS) {
      for (const first of this.#exchanges) {
        first.cut();
        this.#exchanges.delete(first);
        break;
      }
    }
    const exchange = new Exchange(connection, this.#options.answer);
    this.#exchanges.add(exchange);
    exchange.ended.then(() => this.#exchanges.delete(exchange));
  }
}

/** One connection, from its first byte to its end. */
class Exchange {
  readonly ended: Promise<void>;
  readonly #connection: Deno.TcpConn;
  readonly #answer: HttpServerOptions["answer"];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReplying = false;
  #isCut = false;

  constructor(
    connection: Deno.TcpConn,
    answer: HttpServerOptions["answer"],
  ) {
    this.#connection = connection;
    this.#answer = answer;
    this.ended = this.#run();
  }

  /** Resolves when it is over: at once, unless it is being answered. */
  leave(): Promise<void> {
    if (!this.#isReplying) this.cut();
    return this.ended;
  }

  /** Closes the connection, whatever is under way. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#connection.close();
  }

  /** Never throws: a peer that goes away is nothing to speak of. */
  async #run(): Promise<void> {
    try {
      this.#cutAfter(REQUEST_MS);
      const head = await this.#readHead();
      if (head === null) return;
      this.#isReplying = true;
      this.#cutAfter(REPLY_MS);
      const request = parseRequest(head, this.#connection.localAddr);
      await this.#send(request?.method, await this.#replyTo(request));
      this.#cutAfter(LINGER_MS);
      await this.#drain();
    } catch {
      // The connection was lost, or cut.
    } finally {
      clearTimeout(this.#timer);
      this.cut();
    }
  }

  #cutAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.cut(), ms);
  }

  /** Null when the peer ended before. A head that is too long is given as far as it came. */
  async #readHead(): Promise<string | null> {
    const head = new Uint8Array(MAX_HEAD_BYTES);
    for (let length = 0; length < head.length;) {
      const read = await this.#connection.read(head.subarray(length));
      if (read === null) return null;
      length += read;
      const text = latin1.decode(head.subarray(0, length));
      const end = text.indexOf("\r\n\r\n");
      if (end !== -1) return text.slice(0, end);
    }
    return latin1.decode(head);
  }

  async #replyTo(request: HttpRequest | null): Promise<HttpReply> {
    if (request === null) return plain(400, "bad request\n");
    try {
      return await this.#answer(request);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return plain(500, `${why}\n`);
    }
  }

  async #send(
    method: string | undefined,
    { status, contentType, body }: HttpReply,
  ): Promise<void> {
    const bytes = utf8.encode(body);
    const head = [
      `HTTP/1.1 ${status} ${REASONS[status]}`,
      `Content-Type: ${contentType}`,
      `Content-Length: ${bytes.length}`,
      ...(status === 405 ? ["Allow: GET, HEAD"] : []),
      "Connection: close",
      "",
      "",
    ].join("\r\n");
    await this.#write(utf8.encode(head));
    if (method !== "HEAD") await this.#write(bytes);
    await this.#connection.closeWrite();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  /** Reads on, until the peer has closed its side. */
  async #drain(): Promise<void> {
    const rest = new Uint8Array(MAX_HEAD_BYTES);
    while (await this.#connection.read(rest) !== null);
  }
}

/** A reply of plain text. */
export function plain(status: HttpReply["status"], body: string): HttpReply {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

/** Null for what is no request. Who names no host means the address that was dialled. */
function parseRequest(
  head: string,
  { hostname, port }: Deno.NetAddr,
): HttpRequest | null {
  const [first = "", ...fields] = head.split("\r\n");
  const [, method, target] =
    /^([A-Z]{1,20}) (\S+) HTTP\/1\.[01]$/.exec(first) ??
      [];
  const hosts = fields.flatMap((field) =>
    /^host:[ \t]*(.*?)[ \t]*$/i.exec(field)?.[1] ?? []
  );
  if (method === undefined || target === undefined || hosts.length > 1) {
    return null;
  }
  const own = hostname.includes(":") ? `[${hostname}]` : hostname;
  const url = URL.parse(target, `http://${hosts[0] ?? `${own}:${port}`}`);
  return url === null ? null : { method, url };
}

const REASONS: Readonly<Record<HttpReply["status"], string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

const utf8 = new TextEncoder();
const latin1 = new TextDecoder("latin1");
