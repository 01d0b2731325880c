/**
 * A way through a SOCKS5 proxy (RFC 1928, 1929). The proxy is given the name, never an address we looked up: it
 * alone can resolve `.onion`, and no resolver of ours must learn where we go.
 *
 * @module
 */
import type { Socket } from "node:net";
import { SocksClient } from "socks";
import { fail, ok, type Result } from "../models/result.ts";
import { connectFirst } from "./connect.ts";
import { type Deadline, runStep } from "./deadline.ts";
import { errorLine } from "../base/error_text.ts";
import type { RelayFailure } from "./failure.ts";
import { resolveHost, systemResolver } from "./resolve.ts";

/** A destination as the proxy is asked for it. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/**
 * Connects to the proxy (`socks5://[user:password@]host:port`) and through it to the destination. What the destination sends
 * before it is spoken to may be lost: neither TLS nor HTTP lets it.
 */
export async function connectThroughProxy(
  proxyUrl: string,
  destination: Destination,
  deadline: Deadline,
): Promise<Result<Socket, RelayFailure>> {
  const proxy = new URL(proxyUrl);
  const connected = await connectToProxy(proxy, deadline);
  if (!connected.ok) return blameProxy(proxy, connected.failure);
  const socket = connected.value;
  return await runStep<Socket>("proxy", deadline, (settle) => {
    negotiate({ socket, proxy, destination, deadline }).then((failure) =>
      settle(failure === null ? ok(socket) : fail(failure))
    );
    return (succeeded) => {
      if (!succeeded) socket.destroy();
    };
  });
}

/** The proxy's own address is the operator's choice and not vetted. */
async function connectToProxy(
  proxy: URL,
  deadline: Deadline,
): Promise<Result<Socket, RelayFailure>> {
  const host = proxy.hostname.replace(/^\[|\]$/g, "");
  const policy = { resolve: systemResolver, allowPrivate: true };
  const addresses = await resolveHost(host, policy, deadline);
  if (!addresses.ok) return addresses;
  const port = Number(proxy.port || 1080);
  const connected = await connectFirst(addresses.value, {
    port,
    // The proxy is our own: what counts is the connection behind it.
    reserve: () => Promise.resolve(),
  }, deadline);
  return connected.ok ? ok(connected.value.socket) : connected;
}

function blameProxy(
  proxy: URL,
  failure: RelayFailure,
): Result<never, RelayFailure> {
  if (failure.code === "aborted") return fail(failure);
  const detail = `Cannot use the proxy ${proxy.host}: ${failure.detail}`;
  return fail({ code: "proxy", detail });
}

interface Negotiation {
  /** Connected to the proxy. */
  readonly socket: Socket;
  readonly proxy: URL;
  readonly destination: Destination;
  readonly deadline: Deadline;
}

/** Null when the proxy has connected us. The step around it ends the wait, by destroying the socket. */
async function negotiate(
  { socket, proxy, destination, deadline }: Negotiation,
): Promise<RelayFailure | null> {
  const login = proxy.username === "" ? {} : {
    userId: decodeURIComponent(proxy.username),
    password: decodeURIComponent(proxy.password),
  };
  // Sockets come paused (`connect.ts`), and npm:socks only listens.
  socket.resume();
  try {
    await SocksClient.createConnection({
      command: "connect",
      destination,
      existing_socket: socket,
      proxy: {
        host: proxy.hostname,
        port: Number(proxy.port || 1080),
        type: 5,
        ...login,
      },
      timeout: deadline.timeoutMs,
    });
    return null;
  } catch (error) {
    return refusal(errorLine(error), proxy, destination);
  }
}

/** RFC 1928, section 6: npm:socks names the reply at the end of its message, and in no other way. */
function refusal(
  message: string,
  proxy: URL,
  { host, port }: Destination,
): RelayFailure {
  const reply = /rejected connection - (\w+)$/.exec(message)?.[1];
  const where = `${host} port ${port}`;
  switch (reply) {
    case "ConnectionRefused":
      return { code: "refused", detail: `Nothing listens on ${where}` };
    case "TTLExpired":
      return { code: "timeout", detail: `proxy: no answer of ${where}` };
    case undefined:
    // Granted, but not by the words of SOCKS5.
    case "Granted":
    case "CommandNotSupported":
    case "AddressNotSupported":
      return {
        code: "proxy",
        detail: `Cannot use the proxy ${proxy.host}: ${message}`,
      };
    // Tor and i2p answer "Failure" for a service that is gone; Tor has codes of its own for it, too.
    default:
      return {
        code: "unreachable",
        detail: `The proxy cannot reach ${where} (${reply})`,
      };
  }
}
