/**
 * HTTP endpoints for monitoring: `/metrics` for Prometheus, `/healthz` (alive), `/readyz` (able to work).
 *
 * @module
 */
import type { Registry } from "prom-client";

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
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function listen(options: MetricsServerOptions): Deno.HttpServer<Deno.NetAddr> {
  const { host, port, portKey } = options;
  try {
    return Deno.serve(
      { hostname: host, port, onListen: () => {} },
      (request) => answer(request, options),
    );
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
  request: Request,
  { host, path, registry, readiness }: MetricsServerOptions,
): Promise<Response> {
  const url = URL.parse(request.url);
  if (url === null) return new Response("bad request\n", { status: 400 });
  if (isLoopback(host) && !isLoopback(url.hostname)) {
    // A page in a browser on this machine may have a name that leads here (DNS rebinding).
    return new Response(`ask by the address: ${host}\n`, { status: 403 });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("method not allowed\n", {
      status: 405,
      headers: { allow: "GET, HEAD" },
    });
  }
  switch (url.pathname) {
    case path:
      return new Response(await registry.metrics(), {
        headers: { "content-type": registry.contentType },
      });
    case "/healthz":
      return Response.json({ alive: true });
    case "/readyz": {
      const { problems, facts } = await readiness();
      const ready = problems.length === 0;
      return Response.json({ ready, problems, ...facts }, {
        status: ready ? 200 : 503,
      });
    }
    default:
      return new Response("not found\n", { status: 404 });
  }
}

/** Whether a host is this machine to itself, IPv6 with or without brackets. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}
