/**
 * The process of the misbehaving relays of one table. Each line that comes is answered by one: `start ROW` by the URL of
 * that relay, `count ROW TYPE` by how many messages of that type it has received, `stop ROW` when it has ended. The process
 * ends when stdin does.
 *
 * @module
 */
import { lines } from "./lines.ts";
import { type TestRelay, testRelay } from "./test_relay.ts";
import type { RelayScript } from "./test_relay_script.ts";

const [table] = Deno.args;
const { MISBEHAVIOURS }: {
  readonly MISBEHAVIOURS: readonly { readonly script: RelayScript }[];
} = await import(`./misbehaviours/${table}.ts`);

const relays = new Map<number, TestRelay>();
for await (const line of lines(Deno.stdin.readable)) {
  const [verb, row, type = ""] = line.split(" ");
  say(await answer(`${verb}`, Number(row), type));
}
for (const relay of relays.values()) await relay[Symbol.asyncDispose]();

async function answer(
  verb: string,
  row: number,
  type: string,
): Promise<string | number> {
  if (verb === "start") {
    const misbehaviour = MISBEHAVIOURS[row];
    if (misbehaviour === undefined) {
      throw new Error(`No row ${row} in ${table}`);
    }
    const started = await testRelay(misbehaviour.script);
    relays.set(row, started);
    return started.url;
  }
  const relay = relays.get(row);
  if (relay === undefined) throw new Error(`Row ${row} was not started`);
  if (verb === "count") return relay.count(type);
  relays.delete(row);
  await relay[Symbol.asyncDispose]();
  return "stopped";
}

function say(what: string | number): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${what}\n`));
}
