/**
 * The monitor: one cycle over 2000 relays, of which most are dead, with its defaults.
 *
 * @module
 */
import { insertRelays } from "../../src/archive/relays.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { startScript } from "../support/script_process.ts";
import { figure, heading, whole } from "./figures.ts";

const RUNS = 3;
const ANSWERING = 200;
const SILENT = 300;
/** Nothing listens there. */
const REFUSED = 1_500;

/** Prints everything. */
export async function benchMonitor(): Promise<void> {
  heading(
    `One cycle of the monitor: ${ANSWERING} relays answer, ${REFUSED} refuse, ${SILENT} take the connection and are silent`,
  );
  for (let run = 0; run < RUNS; run++) await bench({ silent: SILENT });
  heading("The same without the silent ones");
  await bench({ silent: 0 });
}

async function bench(
  { silent: count }: { readonly silent: number },
): Promise<void> {
  await using archive = await testArchive();
  await using relays = await startRelays(count);
  const { answering, silent } = relays.urls;
  const refused = Array.from(
    { length: REFUSED },
    (_, i) => `ws://127.3.${Math.floor(i / 250)}.${i % 250 + 1}:7777`,
  );
  const urls = [...answering, ...silent, ...refused];
  await insertRelays(
    archive.database,
    urls.map((url) => ({ url, network: "clearnet" })),
  );
  // All are due, in an order that favours nobody, the same each time.
  await archive.sql`
    insert into relay_lease (service, relay_id, due_at)
    select 'monitor', id, unix_now() - 1000 - abs(hashtext(url)) % 1000 from relay`;
  const { startedAt, seconds, peakMb } = await runCycle(archive);
  const waits = (await relays.askedAt()).map((at) => at - startedAt);
  waits.sort((a, b) => a - b);
  const online = await archive.count("relay_check where online");
  const all = await archive.count("relay_check");
  if (online !== ANSWERING || all !== urls.length) {
    throw new Error(`Checked were ${all}, online ${online}: that is wrong`);
  }
  figure("cycle", `${seconds.toFixed(1)} s`);
  figure("memory at most", `${whole(peakMb)} MB`);
  const wait = (share: number) =>
    `${((waits[Math.floor(waits.length * share)] ?? 0) / 1_000).toFixed(1)} s`;
  figure("wait of those that answer, median", wait(0.5));
  figure("wait of those that answer, 95 of 100", wait(0.95));
}

async function runCycle(
  { url }: TestArchive,
): Promise<{ startedAt: number; seconds: number; peakMb: number }> {
  const script = new URL("./monitor_cycle.ts", import.meta.url);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=test", script.href, url],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("The monitor failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function startRelays(silent: number) {
  const script = new URL("./monitor_relays.ts", import.meta.url);
  const relays = startScript(script, [ANSWERING, silent]);
  const next = async () => JSON.parse(await relays.next());
  const urls: { answering: string[]; silent: string[] } = await next();
  let asked: number[] | null = null;
  const end = async () => {
    if (asked !== null) return asked;
    await relays.finish();
    return asked = await next();
  };
  return {
    urls,
    /** When each was first asked; ends them all. */
    askedAt: async (): Promise<readonly number[]> => await end(),
    async [Symbol.asyncDispose]() {
      await end();
      await relays[Symbol.asyncDispose]();
    },
  };
}
