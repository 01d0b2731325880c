/**
 * HTTP endpoints for monitoring: `/metrics` for Prometheus, `/healthz` (alive), `/readyz` (able to work).
 *
 * @module
 */
import type { Registry } from "prom-client";
import {
  type HttpReply,
  type HttpRequest,
  HttpServer,
  plain,
} from "./http_server.ts";

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Path of the metrics. */
  readonly path: string;
  /** The configuration key that sets the port, for the message when it is taken. */
  readonly portKey: string;
  readonly registry: Registry;
  /** Must answer within seconds, whatever the database does. */
  readonly readiness: () => Promise<Readiness>;
}

/** Ready iff there are no problems. */
export interface Readiness {
  /** Each a sentence. */
  readonly problems: readonly string[];
  /** Further facts, for people. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface MetricsServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Starts listening. Throws a sentence that names the key when the port is taken or not allowed. */
export function serveMetrics(options: MetricsServerOptions): MetricsServer {
  const server = listen(options);
  return {
    host: server.addr.hostname,
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function listen(options: MetricsServerOptions): HttpServer {
  const { host, port, portKey } = options;
  try {
    return new HttpServer({
      hostname: host,
      port,
      answer: (request) => answer(request, options),
    });
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse
      ? "the port is in use by another process"
      : cause instanceof Deno.errors.AddrNotAvailable
      ? "this machine does not have that address"
      : cause instanceof Deno.errors.PermissionDenied
      ? "this user may not open that port"
      : "the address cannot be listened on";
    throw new Error(
      `Cannot serve metrics on ${host}:${port} ("${portKey}"): ${why}`,
      { cause },
    );
  }
}

async function answer(
  { method, url }: HttpRequest,
  { host, path, registry, readiness }: MetricsServerOptions,
): Promise<HttpReply> {
  if (isLoopback(host) && !isLoopback(url.hostname)) {
    // A page in a browser on this machine may have a name that leads here (DNS rebinding).
    return plain(403, `ask by the address: ${host}\n`);
  }
  if (method !== "GET" && method !== "HEAD") {
    return plain(405, "method not allowed\n");
  }
  switch (url.pathname) {
    case path: {
      const { contentType } = registry;
      return { status: 200, contentType, body: await registry.metrics() };
    }
    case "/healthz":
      return json(200, { alive: true });
    case "/readyz": {
      const { problems, facts } = await readiness();
      const ready = problems.length === 0;
      return json(ready ? 200 : 503, { ready, problems, ...facts });
    }
    default:
      return plain(404, "not found\n");
  }
}

function json(status: 200 | 503, value: unknown): HttpReply {
  return {
    status,
    contentType: "application/json",
    body: JSON.stringify(value),
  };
}

/** Whether a host is this machine to itself, IPv6 with or without brackets. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}
