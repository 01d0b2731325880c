/**
 * A SOCKS5 proxy for tests that knows names of its own, remembers what it was asked for, and can misbehave.
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";
import { SocketReader } from "../../src/transport/websocket/socket_reader.ts";

/** How our proxy behaves. */
export interface SocksScript {
  /** Names it knows; all of them are this machine. Others get reply 4 (host unreachable). */
  readonly names?: readonly string[];
  /** Ports of this machine by name, whatever port is asked for. Default: the one that is. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Reply to every request instead of connecting; 0 connects. */
  readonly reply?: number;
  /** Wants this user and password (RFC 1929). */
  readonly user?: string;
  readonly password?: string;
  /** Never answers the greeting, or answers what is not SOCKS5, or hangs up. */
  readonly greeting?: "never" | "garbage" | "hang-up";
}

/** A running proxy. */
export interface SocksProxy extends AsyncDisposable {
  /** `socks5://127.0.0.1:PORT` */
  readonly url: string;
  /** `host:port` as it was asked for, in order. */
  readonly asked: readonly string[];
  /** Resolves at the first connection. */
  readonly reached: Promise<void>;
}

/** Starts our proxy on a free port of 127.0.0.1. */
export async function socksProxy(
  script: SocksScript = {},
): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const reached = Promise.withResolvers<void>();
  const server = createServer((client) => {
    reached.resolve();
    hold(client, sockets);
    serve(client, script, { asked, sockets });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot tell the port as the proxy does not listen");
  }
  const login = script.user === undefined
    ? ""
    : `${script.user}:${script.password}@`;
  return {
    url: `socks5://${login}127.0.0.1:${address.port}`,
    asked,
    reached: reached.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function hold(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
}

/** RFC 1928, as far as CONNECT goes. */
async function serve(
  client: Socket,
  script: SocksScript,
  { asked, sockets }: { asked: string[]; sockets: Set<Socket> },
): Promise<void> {
  const reader = new SocketReader(client);
  if (!await greet(client, reader, script)) return;
  const head = await reader.exactly(4);
  if (head === null) return;
  const host = await readHost(reader, head[3] ?? 0);
  const portBytes = await reader.exactly(2);
  if (host === null || portBytes === null) return;
  const port = (portBytes[0] ?? 0) * 256 + (portBytes[1] ?? 0);
  asked.push(`${host}:${port}`);
  const isKnown = script.names?.includes(host) ?? true;
  const reply = script.reply ?? (isKnown ? 0 : 4);
  if (reply !== 0) {
    client.end(Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0));
    return;
  }
  const target = connect({
    host: "127.0.0.1",
    port: script.ports?.[host] ?? port,
  });
  hold(target, sockets);
  client.on("close", () => target.destroy());
  target.on("close", () => client.destroy());
  target.on("connect", () => {
    // Answers with a name, as some proxies do, though most give four zero bytes.
    client.write(Uint8Array.of(5, 0, 0, 3, 3, 0x78, 0x2e, 0x79, 0, 0));
    const rest = reader.release();
    if (rest.length > 0) target.write(rest);
    client.pipe(target).pipe(client);
  });
}

async function greet(
  client: Socket,
  reader: SocketReader,
  { greeting, user, password }: SocksScript,
): Promise<boolean> {
  const offer = await reader.exactly(2);
  if (offer === null || greeting === "never") return false;
  if (greeting === "hang-up") client.destroy();
  if (greeting === "garbage") client.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  if (greeting !== undefined) return false;
  await reader.exactly(offer[1] ?? 0);
  client.write(Uint8Array.of(5, user === undefined ? 0 : 2));
  if (user === undefined) return true;
  await reader.exactly(1);
  const isRight = await readText(reader) === user &&
    await readText(reader) === password;
  client.write(Uint8Array.of(1, isRight ? 0 : 1));
  return isRight;
}

async function readHost(
  reader: SocketReader,
  type: number,
): Promise<string | null> {
  if (type === 3) return await readText(reader);
  const bytes = await reader.exactly(type === 1 ? 4 : 16);
  return bytes === null ? null : [...bytes].join(type === 1 ? "." : ":");
}

async function readText(reader: SocketReader): Promise<string | null> {
  const length = await reader.exactly(1);
  const text = await reader.exactly(length?.[0] ?? 0);
  return text === null ? null : new TextDecoder().decode(text);
}
