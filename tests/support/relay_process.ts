/**
 * A relay of third-party code in a process of its own, on loopback: somebody else's idea of Nostr.
 *
 * Habits to know: pages of at most 1000 events (100 without a limit), `since: 0` and `until: 0` ignored, a bad
 * request is answered by NOTICE alone, no NIP-42, 45, 67 or 77.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import { lines } from "./lines.ts";

/** What the relay counted since it started. */
export interface RelayCounters {
  /** Events it holds: of a replaceable event only the newest version. */
  readonly held: number;
  /** WebSocket connections taken. */
  readonly connections: number;
  /** REQs answered. */
  readonly requests: number;
  /** Events sent in answer to REQs. */
  readonly sent: number;
}

/** A running relay; disposing it ends the process. */
export interface RelayProcess extends AsyncDisposable {
  /** `ws://127.0.0.1:PORT` */
  readonly url: string;
  /** Gives the relay events to hold, unchecked (ephemeral ones too); returns when it holds them. */
  load(events: Iterable<NostrEvent>): Promise<RelayCounters>;
  counters(): Promise<RelayCounters>;
}

const FOLDER = `${import.meta.dirname}/third_party_relay`;

/** Starts a relay; `port` 0 (the default) is any free one, `name` is what its NIP-11 document says. */
export async function relayProcess(
  { port = 0, name = "relay" }: { port?: number; name?: string } = {},
): Promise<RelayProcess> {
  const child = spawnRelay(String(port), name);
  const output = lines(child.stdout);
  const input = child.stdin.getWriter();
  const ask = (question: string) => exchange(input, output, question);

  const { value: first } = await output.next();
  if (first === undefined) {
    throw new Error(`Cannot start ${FOLDER}/main.ts: it ended at once`);
  }
  const { url } = JSON.parse(first);
  return {
    url,
    load: (events) => ask(`${[...events].map(toLine).join("")}\n`),
    counters: () => ask("\n"),
    [Symbol.asyncDispose]: async () => {
      await input.close().catch(() => {});
      await Array.fromAsync(output);
      await child.status;
    },
  };
}

function spawnRelay(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--allow-net=127.0.0.1",
      "--allow-env",
      // A configuration of its own: these packages lean on a dependency that they do not declare, and find
      // the version they need only where nothing else asks for another.
      `--config=${FOLDER}/deno.json`,
      `${FOLDER}/main.ts`,
      ...args,
    ],
    // A signal for the terminal's whole group is the owner's to handle.
    detached: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

async function exchange(
  input: WritableStreamDefaultWriter<Uint8Array>,
  output: AsyncGenerator<string, undefined>,
  question: string,
): Promise<RelayCounters> {
  await input.write(new TextEncoder().encode(question));
  const { value: answer } = await output.next();
  if (answer === undefined) throw new Error("The relay process has ended");
  return JSON.parse(answer);
}

function toLine(event: NostrEvent): string {
  return `${JSON.stringify(event)}\n`;
}
