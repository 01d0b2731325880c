/**
 * The program as its users have it: a process with arguments, two streams and an exit code. From source, and as the
 * compiled binary where `BIGBROTR_BINARY` names one (.ci/run builds it).
 *
 * @module
 */
import { unless } from "./installed.ts";
import { join } from "node:path";
import deno from "../../deno.json" with { type: "json" };
import { lines } from "./lines.ts";

/** A way to run it. */
export interface Program {
  readonly name: "source" | "binary";
  /** The command and its first arguments. */
  readonly command: readonly [string, ...string[]];
}

export interface ProgramOptions {
  readonly cwd: string;
  /** Beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Hears each line of stderr as it comes. */
  readonly onLine?: (line: string) => void;
  /** Out of the reach of the terminal's Ctrl-C, which is then its owner's to pass on. */
  readonly detached?: boolean;
  /** Only root can be somebody else. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** How a run ended. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that goes on. Disposal kills what is left of it. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  readonly hasEnded: boolean;
  /** The first line on stderr that matches. Throws when the program ends before there is one. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal and waits for the end. */
  stop(signal: Deno.Signal): Promise<ProgramResult>;
  /** Waits for the end. */
  end(): Promise<ProgramResult>;
}

const MAIN = join(`${import.meta.dirname}`, "../../main.ts");

/** `deno run`, its options, and `main.ts`. */
const [, ...TASK] = deno.tasks.bigbrotr.command.split(" ");

/** The program as it stands in the work tree. */
export const SOURCE: Program = {
  name: "source",
  command: [Deno.execPath(), ...TASK.slice(0, -1), MAIN],
};

/** Source first, then the binary; where it is absent, a test that is ignored says so. */
export function programs(): Program[] {
  const binary = Deno.env.get("BIGBROTR_BINARY");
  if (binary) return [SOURCE, { name: "binary", command: [binary] }];
  const obstacle = "BIGBROTR_BINARY is not set";
  Deno.test({ ...unless(obstacle, "the compiled binary"), fn() {} });
  return [SOURCE];
}

/** Runs it to its end. */
export async function runProgram(
  program: Program,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  await using running = startProgram(program, args, options);
  return await running.end();
}

/** Starts it and returns at once. */
export function startProgram(
  { command: [command, ...first] }: Program,
  args: readonly string[],
  { cwd, env = {}, stdin, user, detached = false, onLine }: ProgramOptions,
): RunningProgram {
  const child = new Deno.Command(command, {
    args: [...first, ...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    detached,
    ...user,
  }).spawn();
  if (stdin !== undefined) feed(child, stdin);
  return new ChildProgram(child, onLine);
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  // A program that does not read to the end has its reasons, which the test will see.
  await ReadableStream.from([new TextEncoder().encode(text)])
    .pipeTo(child.stdin).catch(() => {});
}

class ChildProgram implements RunningProgram {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  readonly #reading: Promise<void>;
  #stderr: string[] = [];
  #hasEnded = false;
  #heard = Promise.withResolvers<void>();

  constructor(child: Deno.ChildProcess, onLine?: (line: string) => void) {
    this.#child = child;
    this.#stdout = new Response(child.stdout).text();
    this.#reading = this.#readStderr(onLine);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (let next = 0;;) {
      const line = this.#stderr[next];
      if (line !== undefined) {
        const match = pattern.exec(line);
        if (match !== null) return match;
        next++;
      } else if (this.#hasEnded) {
        throw new Error(
          `The program ended without saying ${pattern}:\n${this.#text()}`,
        );
      } else await this.#heard.promise;
    }
  }

  async stop(signal: Deno.Signal): Promise<ProgramResult> {
    this.#child.kill(signal);
    return await this.end();
  }

  async end(): Promise<ProgramResult> {
    const { code } = await this.#child.status;
    await this.#reading;
    return { code, stdout: await this.#stdout, stderr: this.#text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself, as it should.
    }
    await this.end();
  }

  async #readStderr(onLine?: (line: string) => void): Promise<void> {
    for await (const line of lines(this.#child.stderr)) {
      onLine?.(line);
      this.#stderr.push(line);
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    }
    this.#hasEnded = true;
    this.#heard.resolve();
  }

  #text(): string {
    return this.#stderr.map((line) => `${line}\n`).join("");
  }
}
