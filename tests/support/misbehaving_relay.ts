/**
 * A relay that misbehaves as a row of a table in `misbehaviours/` says, in a process of its own: what it does to itself
 * slows nobody down, and what it does to us can be told from what it does to the test.
 *
 * @module
 */
import { parseRelayUrl, type RelayUrl } from "../../src/models/relay_url.ts";
import { lines } from "./lines.ts";

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
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=test", MAIN.href, table, String(row)],
    env: { [VARIABLE]: String(BEGUN_AT) },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = lines(child.stdout);
  const input = child.stdin.getWriter();
  const answer = async () => {
    const { value } = await output.next();
    if (value === undefined) {
      throw new Error(`The relay ended: ${table} ${row}`);
    }
    return value;
  };
  return {
    relay: relayAt(await answer()),
    count: async (type) => {
      await input.write(new TextEncoder().encode(`${type}\n`));
      return Number(await answer());
    },
    [Symbol.asyncDispose]: async () => {
      await input.close().catch(() => {});
      await Array.fromAsync(output);
      await child.status;
    },
  };
}

function relayAt(url: string): RelayUrl {
  const parsed = parseRelayUrl(url, { allowPrivate: true });
  if (!parsed.ok) throw new Error(`No relay's URL: ${url}`);
  return parsed.value;
}
