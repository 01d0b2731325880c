/**
 * The process of a misbehaving relay: prints its URL, then for each line that comes how many messages of that type it
 * has received; ends when stdin does.
 *
 * @module
 */
import { lines } from "./lines.ts";
import { testRelay } from "./test_relay.ts";
import type { RelayScript } from "./test_relay_script.ts";

const [table, row] = Deno.args;
const { MISBEHAVIOURS }: {
  readonly MISBEHAVIOURS: readonly { readonly script: RelayScript }[];
} = await import(`./misbehaviours/${table}.ts`);
const misbehaviour = MISBEHAVIOURS[Number(row)];
if (misbehaviour === undefined) throw new Error(`No such row: ${table} ${row}`);

await using relay = await testRelay(misbehaviour.script);
say(relay.url);
for await (const type of lines(Deno.stdin.readable)) say(relay.count(type));

function say(what: string | number): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${what}\n`));
}
