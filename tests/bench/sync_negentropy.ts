/**
 * The second sync of a relay with a million events over NIP-77, nothing new: seconds, and bytes on the wire.
 *
 * @module
 */
import { relayVector } from "../../src/archive/sync/relay_listing.ts";
import { filterHash } from "../../src/models/filter.ts";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { relayAt } from "../support/dialing.ts";
import { startScript } from "../support/script_process.ts";
import { idOf, syncOnce } from "../support/sync.ts";
import { figure, heading, medianOf, secondsOf, whole } from "./figures.ts";
import { manyKeys, SECONDS_APART } from "./many_keys.ts";

const RUNS = 5;
const EVENTS = 1_000_000;

/** Everything the relay holds is looked at again. */
const CONFIG = { lookbackSeconds: 31_536_000 };

/** Prints everything. */
export async function benchSyncNegentropy(): Promise<void> {
  const first = Math.floor(Date.now() / 1_000) - (EVENTS + 1) * SECONDS_APART;
  await using relay = await startRelay(first);
  await using archive = await testArchive();
  await load(archive, relay.relay, first);
  heading(`Second sync of ${whole(EVENTS)} events over NIP-77, nothing new`);
  const read = await medianOf(RUNS, () => readVector(archive, relay.relay));
  figure("what is archived, read", `${read.toFixed(1)} s`);
  let bytes = 0;
  let messages = 0;
  let peak = 0;
  const seconds = await medianOf(RUNS, () => {
    const before = relay.bytes();
    return secondsOf(async () => {
      const config = CONFIG;
      const result = await syncOnce({ archive, relay: relay.relay, config });
      if (result.received > 0 || result.method !== "negentropy") {
        throw new Error(`It was no second sync: ${JSON.stringify(result)}`);
      }
      messages = result.requests;
      bytes = relay.bytes() - before;
      peak = Math.max(peak, Deno.memoryUsage().rss);
    });
  });
  figure(
    "second sync",
    `${seconds.toFixed(1)} s`,
    `${whole(bytes / 1_000)} kB both ways, ${messages} requests, 0 events; ${
      whole(peak / 1e6)
    } MB resident`,
  );
}

async function load(
  archive: TestArchive,
  relay: RelayUrl,
  first: number,
): Promise<void> {
  const { ids, createdAt } = manyKeys(EVENTS, first);
  const relayId = await idOf(archive, relay);
  for (let at = 0; at < EVENTS; at += 10_000) {
    const part = ids.subarray(32 * at, 32 * (at + 10_000));
    const times = createdAt.slice(at, at + 10_000);
    // Sightings only: comparing takes no more of an event than its key.
    await archive.sql`select event_relay_insert(${relayId}::int, ${first}::int8,
      ${`{${times.join()}}`}::text::int8[],
      ${`\\x${part.toHex()}`}::text::bytea)`;
  }
  await archive.sql`vacuum (analyze) sighting_page`;
}

function readVector(archive: TestArchive, relay: RelayUrl): Promise<number> {
  return secondsOf(async () => {
    const relayId = await idOf(archive, relay);
    let before = null;
    let size = 0;
    do {
      const window = { since: 0, until: 2 ** 40 };
      const vector = await relayVector(archive.database, {
        relayId,
        filterHash: filterHash({}),
        filter: {},
        window,
        before,
        limit: 50_000,
        withheldSince: 0,
      });
      size += vector?.keys.createdAt.length ?? 0;
      before = vector?.next ?? null;
    } while (before !== null);
    if (size !== EVENTS) throw new Error(`${size} keys were read`);
  });
}

interface BenchRelay extends AsyncDisposable {
  readonly relay: RelayUrl;
  /** Both ways so far. */
  bytes(): number;
}

async function startRelay(first: number): Promise<BenchRelay> {
  const script = new URL("./listing_relay.ts", import.meta.url);
  const server = startScript(script, [EVENTS, first]);
  const counter = countBytes(Number(new URL(await server.next()).port));
  return {
    relay: relayAt(counter.url),
    bytes: () => counter.bytes,
    async [Symbol.asyncDispose]() {
      counter.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Stands before a port and counts what goes through. */
function countBytes(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const counter = {
    bytes: 0,
    url: `ws://127.0.0.1:${listener.addr.port}`,
    close: () => listener.close(),
  };
  const counted = () =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        counter.bytes += chunk.length;
        controller.enqueue(chunk);
      },
    });
  (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      const ways = [[client, server], [server, client]] as const;
      for (const [from, to] of ways) {
        from.readable.pipeThrough(counted()).pipeTo(to.writable)
          .catch(() => {});
      }
    }
  })();
  return counter;
}
