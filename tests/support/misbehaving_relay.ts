/**
 * A relay that misbehaves as a row of a table in `misbehaviours/` says, in a process of its own: what it does to itself
 * slows nobody down, and what it does to us can be told from what it does to the test.
 *
 * @module
 */
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { relayAt } from "./dialing.ts";
import { startScript } from "./script_process.ts";

/** A running relay; disposing it ends the process. */
export interface MisbehavingRelay extends AsyncDisposable {
  readonly relay: RelayUrl;
  /** How many messages of a type (`REQ`, `NEG-OPEN`, …) came so far. */
  count(type: string): Promise<number>;
}

const VARIABLE = "MISBEHAVIOUR_BEGUN_AT";

/** When the test began, Unix seconds: the same in the processes of its relays. */
export const BEGUN_AT = Number(
  Deno.env.get(VARIABLE) ?? Math.floor(Date.now() / 1_000),
);

const MAIN = new URL("./misbehaving_relay_main.ts", import.meta.url);

/** Starts the relay of a row. */
export async function misbehavingRelay(
  table: string,
  row: number,
): Promise<MisbehavingRelay> {
  const env = { [VARIABLE]: String(BEGUN_AT) };
  const script = startScript(MAIN, [table, row], env);
  return {
    relay: relayAt(await script.next()),
    count: async (type) => {
      await script.say(type);
      return Number(await script.next());
    },
    [Symbol.asyncDispose]: () => script[Symbol.asyncDispose](),
  };
}
