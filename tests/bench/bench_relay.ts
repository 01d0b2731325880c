/**
 * The relay of the benchmarks of the synchronizer.
 *
 * @module
 */
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { relayAt } from "../support/dialing.ts";
import { startScript } from "../support/script_process.ts";
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
  const server = startScript(script, [events, seed, cap, latencyMs]);
  return {
    relay: relayAt(await server.next()),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
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
