/**
 * A script of ours in a process of its own, for as long as its stdin is open: relays that must not share a thread with
 * what they are measured or tested against.
 *
 * @module
 */
import { lines } from "./lines.ts";

/** A running script. Disposal ends its stdin and waits for its end. */
export interface ScriptProcess extends AsyncDisposable {
  /** The next line it prints. Throws when it has ended. */
  next(): Promise<string>;
  /** Gives it a line. */
  say(line: string): Promise<void>;
  /** Ends its stdin; what it prints then can still be read. */
  finish(): Promise<void>;
  /** Kills it on the spot. */
  kill(): void;
}

/** Starts a script with the permissions of tests. */
export function startScript(
  script: URL,
  args: readonly (string | number)[],
  env: Readonly<Record<string, string>> = {},
): ScriptProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=test", script.href, ...args.map(String)],
    env,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = lines(child.stdout);
  const input = child.stdin.getWriter();
  // One that has ended by itself has no stdin any more.
  const finish = () => input.close().catch(() => {});
  return {
    async next() {
      const { value } = await output.next();
      if (value === undefined) throw new Error(`${script.href} has ended`);
      return value;
    },
    say: (line) => input.write(new TextEncoder().encode(`${line}\n`)),
    finish,
    kill: () => child.kill("SIGKILL"),
    async [Symbol.asyncDispose]() {
      await finish();
      await Array.fromAsync(output);
      await child.status;
    },
  };
}
