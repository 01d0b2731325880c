/**
 * The relay of the benchmarks of the synchronizer.
 *
 * @module
 */
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { parseRelayUrl, type RelayUrl } from "../../src/models/relay_url.ts";
import { lines } from "../support/lines.ts";
import { secondsOf } from "./figures.ts";

/** A relay in a process of its own. */
export interface BenchRelay extends AsyncDisposable {
  readonly relay: RelayUrl;
}

/** What it holds and how it gives it. */
export interface BenchRelayOptions {
  readonly events: number;
  readonly seed: number;
  readonly cap: number;
  /** Of every message, either way. */
  readonly latencyMs?: number;
}

/** Starts a relay; returns when it serves. */
export async function startRelay(
  { events, seed, cap, latencyMs = 0 }: BenchRelayOptions,
): Promise<BenchRelay> {
  const script = new URL("./relay_server.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", "-P=test", script.href],
      ...[events, seed, cap, latencyMs].map(String),
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = lines(child.stdout);
  const { value: url = "" } = await output.next();
  const parsed = parseRelayUrl(String(url), { allowPrivate: true });
  if (!parsed.ok) throw new Error(`The relay did not start: ${url}`);
  return {
    relay: parsed.value,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
      await output.return(undefined);
    },
  };
}

/** Pages through the relay, one request at a time, without looking at what comes. */
export async function readAll(url: string, cap: number) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  let events = 0;
  const seconds = await secondsOf(async () => {
    let until: number | null = 2 ** 40;
    while (until !== null) {
      const page: { count: number; oldest: number } = await readPage(
        socket,
        { until, cap },
      );
      events += page.count;
      until = page.count === cap ? page.oldest : null;
    }
  });
  socket.close();
  await once(socket, "close");
  return { events, seconds };
}

async function readPage(
  socket: WebSocket,
  { until, cap }: { until: number; cap: number },
) {
  socket.send(JSON.stringify(["REQ", "bench", { until, limit: cap }]));
  let count = 0;
  let last = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  const onMessage = (data: { toString(): string }) => {
    const text = data.toString();
    if (text.startsWith('["EOSE"')) return resolve();
    count += 1;
    last = text;
  };
  socket.on("message", onMessage);
  await promise;
  socket.off("message", onMessage);
  return { count, oldest: Number(JSON.parse(last)[2].created_at) };
}
