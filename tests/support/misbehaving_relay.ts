/**
 * Relays that misbehave as the rows of a table in `misbehaviours/` say, in a process of their own: what they do to
 * themselves slows nobody down, and what they do to us can be told from what they do to the test. One process has a whole
 * table, as each would have to sign its events first.
 *
 * @module
 */
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { relayAt } from "./dialing.ts";
import { startScript } from "./script_process.ts";

/** The relays of a table; disposing them ends the process. */
export interface MisbehavingRelays extends AsyncDisposable {
  /** Starts the relay of a row. */
  start(row: number): Promise<MisbehavingRelay>;
}

/** A running relay. */
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

export function misbehavingRelays(table: string): MisbehavingRelays {
  const env = { [VARIABLE]: String(BEGUN_AT) };
  const script = startScript(MAIN, [table], env);
  const ask = async (...words: readonly (string | number)[]) => {
    await script.say(words.join(" "));
    return await script.next();
  };
  return {
    async start(row) {
      const relay = relayAt(await ask("start", row));
      return {
        relay,
        count: async (type) => Number(await ask("count", row, type)),
        [Symbol.asyncDispose]: async () => void await ask("stop", row),
      };
    },
    [Symbol.asyncDispose]: () => script[Symbol.asyncDispose](),
  };
}
