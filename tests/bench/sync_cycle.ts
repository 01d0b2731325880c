/**
 * A cycle of the synchronizer over relays that are caught up and have nothing new: the steady state of an archive.
 *
 * @module
 */
import { insertRelays } from "../../src/archive/relays.ts";
import { synchronizer } from "../../src/services/synchronizer/mod.ts";
import { runOnce, type TestArchive, testArchive } from "../support/archive.ts";
import { startScript } from "../support/script_process.ts";
import { figure, heading, secondsOf, whole } from "./figures.ts";
import type { Asked } from "./many_relays.ts";

const RELAYS = 2_000;

/** On each of them. */
const EVENTS = 100;

/** As it comes, and without the bound on new connections: what it costs us. */
const PACES = [3_000, 60_000];

/** Prints everything. */
export async function benchSyncCycle(): Promise<void> {
  heading(`Cycle over ${whole(RELAYS)} caught-up relays with nothing new`);
  for (const nip77 of [false, true]) {
    await using relays = await startRelays(nip77);
    await using archive = await testArchive();
    const clearnet = "clearnet" as const;
    await insertRelays(
      archive.database,
      relays.urls.map((url) => ({ url, network: clearnet })),
    );
    await cycle(archive, Math.max(...PACES));
    // The second look finds out who knows NIP-77 and who does not: the last thing to be new.
    await cycle(archive, Math.max(...PACES));
    for (const perMinute of PACES) {
      await relays.asked();
      const seconds = await cycle(archive, perMinute);
      const { connections, requests, worst } = await relays.asked();
      const how = nip77 ? "NIP-77" : "paging";
      figure(
        `${how}, at most ${whole(perMinute)} connections/min`,
        `${seconds.toFixed(1)} s`,
        `${connections} connections, ${requests} requests, at most ${worst} of one relay`,
      );
    }
  }
}

/** Looks at all of them once, due or not. */
async function cycle(
  { database, sql }: TestArchive,
  maxNewConnectionsPerMinute: number,
): Promise<number> {
  await sql`update relay_lease set due_at = 0`;
  const config = { allowPrivate: true, maxNewConnectionsPerMinute };
  const seconds = await secondsOf(async () => {
    const run = await runOnce(synchronizer, database, { config });
    const outcome = { network: "clearnet", outcome: "complete" };
    const complete = await run.metric("sync_relays_total", outcome);
    if (complete === RELAYS) return;
    throw new Error(`${complete} of ${RELAYS} relays were synced`);
  });
  return seconds;
}

interface ManyRelays extends AsyncDisposable {
  readonly urls: readonly string[];
  /** Since the last time. */
  asked(): Promise<Asked>;
}

async function startRelays(nip77: boolean): Promise<ManyRelays> {
  const script = new URL("./many_relays.ts", import.meta.url);
  const relays = startScript(script, [RELAYS, EVENTS, Number(nip77)]);
  return {
    urls: JSON.parse(await relays.next()),
    async asked() {
      await relays.say("");
      return JSON.parse(await relays.next());
    },
    [Symbol.asyncDispose]: () => relays[Symbol.asyncDispose](),
  };
}
