import { deepStrictEqual, equal, ok, throws } from "node:assert/strict";
import { createMetrics } from "../../../src/core/metrics/metrics.ts";
import {
  type MetricsServer,
  type Readiness,
  serveMetrics,
} from "../../../src/core/metrics/metrics_server.ts";

const READY: Readiness = { problems: [], facts: { databaseMs: 1 } };

function serve(
  port = 0,
  readiness: () => Readiness = () => READY,
): MetricsServer {
  const metrics = createMetrics("finder", { version: "1.2.3" });
  metrics.incCounter("cycles_success", 7);
  return serveMetrics({
    host: "127.0.0.1",
    port,
    path: "/metrics",
    portKey: "metrics.port in config/services/finder.yaml",
    registry: metrics.registry,
    readiness: () => Promise.resolve(readiness()),
  });
}

async function get(server: MetricsServer, path: string, init?: RequestInit) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return { response, text: await response.text() };
}

Deno.test("a scrape of /metrics gets the series in Prometheus' text format", async () => {
  await using server = serve();
  const { response, text } = await get(server, "/metrics");
  equal(response.status, 200);
  ok(
    response.headers.get("content-type")?.startsWith(
      "text/plain; version=0.0.4",
    ),
  );
  ok(
    text.includes(
      'bigbrotr_service_info{service="finder",version="1.2.3"} 1\n',
    ),
    text,
  );
  ok(
    text.includes(
      'bigbrotr_service_counter_total{service="finder",name="cycles_success"} 7\n',
    ),
    text,
  );
  ok(text.includes("# TYPE bigbrotr_service_counter_total counter\n"), text);
});

Deno.test("/healthz answers while the process lives, /readyz says what is wrong", async () => {
  const state: { problems: string[] } = { problems: [] };
  await using server = serve(0, () => ({ ...state, facts: { databaseMs: 3 } }));
  equal((await get(server, "/healthz")).response.status, 200);
  const good = await get(server, "/readyz");
  equal(good.response.status, 200);
  deepStrictEqual(JSON.parse(good.text), {
    ready: true,
    problems: [],
    databaseMs: 3,
  });
  state.problems.push("database: it does not answer");
  const bad = await get(server, "/readyz");
  equal(bad.response.status, 503);
  deepStrictEqual(JSON.parse(bad.text), {
    ready: false,
    problems: ["database: it does not answer"],
    databaseMs: 3,
  });
  equal((await get(server, "/healthz")).response.status, 200);
});

Deno.test("nothing else is served, and nothing can be sent", async () => {
  await using server = serve();
  equal((await get(server, "/")).response.status, 404);
  equal((await get(server, "/metrics/../etc/passwd")).response.status, 404);
  equal(
    (await get(server, "/metrics", { method: "POST", body: "x" })).response
      .status,
    405,
  );
});

Deno.test("a port in use is an error that names address and key", async () => {
  await using first = serve();
  throws(() => serve(first.port), (error) => {
    ok(error instanceof Error);
    equal(
      error.message,
      `Cannot serve metrics on 127.0.0.1:${first.port} ("metrics.port in config/services/finder.yaml"): the port is in use by another process`,
    );
    return true;
  });
});

Deno.test("the port is free again after disposal", async () => {
  const first = serve();
  await get(first, "/healthz");
  await first[Symbol.asyncDispose]();
  await using second = serve(first.port);
  equal(second.port, first.port);
});

Deno.test("a Host that is none gets 400, and one that only leads here gets 403", async () => {
  await using server = serve();
  const cases = [
    ["a b", 400],
    ["[", 400],
    ["x:99999", 400],
    ["rebinding.example", 403],
    [`rebinding.example:${server.port}`, 403],
    ["localhost", 200],
    [`127.0.0.1:${server.port}`, 200],
    [`[::1]:${server.port}`, 200],
  ] as const;
  for (const [host, status] of cases) {
    using connection = await Deno.connect({ port: server.port });
    const request = `GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const answer = new Uint8Array(1_024);
    const length = await connection.read(answer) ?? 0;
    const [line] = new TextDecoder().decode(answer.subarray(0, length))
      .split("\r\n");
    equal(line?.split(" ")[1], String(status), host);
  }
});

Deno.test("a request that does not come to its end is given up after seconds, and keeps nobody waiting", async () => {
  const server = serve();
  const halves = ["", "GET /met", "GET /metrics HTTP/1.1\r\nHost: 127."];
  const startedAt = performance.now();
  const given = halves.map(async (text) => {
    using connection = await connect(server, text);
    equal(await connection.read(new Uint8Array(1)), null);
    return performance.now() - startedAt;
  });
  equal((await get(server, "/healthz")).response.status, 200);
  for (const ms of await Promise.all(given)) ok(ms > 1_000, `${ms} ms`);
  using last = await connect(server, "GET /met");
  // Still there when the server ends.
  await server[Symbol.asyncDispose]();
  equal(await last.read(new Uint8Array(1)), null);
});

Deno.test("of very many connections the oldest make room for the newest", async () => {
  await using server = serve();
  using stack = new DisposableStack();
  const first = stack.use(await connect(server, "GET /met"));
  for (let i = 0; i < 100; i++) stack.use(await connect(server, "GET /met"));
  const { response, text } = await get(server, "/metrics");
  equal(response.status, 200);
  ok(text.includes("bigbrotr_service_info"), text);
  equal(await first.read(new Uint8Array(1)), null);
});

Deno.test("a request that is none, or too long, gets 400; one without a host is for the address that was dialled", async () => {
  await using server = serve();
  const cases = [
    ["GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["nonsense\r\n\r\n", 400],
    [`GET /${"x".repeat(10_000)} HTTP/1.1\r\n\r\n`, 400],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nHost: x.example\r\n\r\n", 400],
    ["GET /healthz HTTP/1.0\r\n\r\n", 200],
    ["HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200],
    ["GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200],
    ["GET http://x.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 403],
  ] as const;
  for (const [request, status] of cases) {
    using connection = await connect(server, request);
    const answer = await new Response(connection.readable).text();
    equal(answer.split(" ")[1], String(status), request);
    ok(!request.startsWith("HEAD") || answer.endsWith("\r\n\r\n"), answer);
  }
});

async function connect(
  { port }: MetricsServer,
  text: string,
): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  return connection;
}
