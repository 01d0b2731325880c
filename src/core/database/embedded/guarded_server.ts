/**
 * A run of PostgreSQL that cannot outlive its owner: it is the child of a shell that holds the other end of a pipe
 * to us, and stops it when that pipe closes, however we went.
 *
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../log/logger.ts";
import type { Binaries } from "./binaries.ts";
import type { ChildUser } from "./child_user.ts";
import type { DataDirectory } from "./data_directory.ts";
import { CHILD_ENVIRONMENT, explainSpawn } from "./program.ts";

export interface GuardOptions {
  readonly directory: DataDirectory;
  readonly binaries: Binaries;
  readonly user: ChildUser;
  readonly log: Logger;
  /** Keeps what it says, a line at a time. */
  readonly record: (line: string) => void;
}

/**
 * $1 is the data directory, by which people find this process, the rest PostgreSQL's command. The subshell reads our pipe
 * until it ends. SIGINT is PostgreSQL's fast shutdown: open transactions roll back, everything is written, clients are
 * told. It is repeated, as a server that only begins to start does not hear it yet. A server that cannot do it (the disk
 * is full; or it recovers from a crash: then PostgreSQL 18 waits for ever) is told to drop everything by SIGQUIT, which
 * costs nothing but a recovery at the next start, and is killed at last: it must not outlive its owner. A line from us
 * gives it the time to write everything first.
 */
const GUARD = `
trap '' INT HUP TERM
exec 3<&0 </dev/null
shift
"$@" 3<&- &
server=$!
(
  cd /
  patience=10
  while read -r _ <&3; do patience=120; done
  tenths=0
  while kill -0 "$server"; do
    if [ $((tenths % 10)) -eq 0 ]; then
      signal=INT
      [ $((tenths / 10)) -ge "$patience" ] && signal=QUIT
      [ $((tenths / 10)) -ge $((patience + 5)) ] && signal=KILL
      kill "-$signal" "$server"
    fi
    tenths=$((tenths + 1))
    sleep 0.1
  done
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
status=$?
kill -KILL "$watcher" 2>/dev/null
exit "$status"
`;

/** PostgreSQL's sentence when it takes connections. */
const READY = "database system is ready to accept connections";

/** PostgreSQL's sentence when one of its processes died, and it begins anew. */
const CRASHED = "terminating any other active server processes";

/** The line that gives the server time for its shutdown. */
const PATIENCE = new TextEncoder().encode("\n");

/** How many of its last lines explain a failure. */
const LAST_LINES = 12;

/** A line of PostgreSQL's log: how bad, and what. Until it has read its settings there is a time in front. */
const LOG_LINE = /^(?:\d{4}-.*\] )?([A-Z]+):\s+(.*)$/;

export class GuardedServer {
  /** Resolves when it takes connections, false when it ended before it did. */
  readonly ready: Promise<boolean>;
  /** Resolves when the guard has ended, and with it, unless the guard was killed, the server. */
  readonly ended: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #log: Logger;
  readonly #record: (line: string) => void;
  readonly #ready = Promise.withResolvers<boolean>();
  readonly #lastLines: string[] = [];
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reading: Promise<void>;
  /** Whether it is worth to wait for an orderly shutdown: a server that recovers has nothing to write. */
  #isUp = false;

  constructor(options: GuardOptions) {
    const { directory, binaries, user } = options;
    this.#log = options.log;
    this.#record = options.record;
    try {
      this.#child = new Deno.Command("/bin/sh", {
        ...user.asChild,
        args: [
          "-c",
          GUARD,
          "bigbrotr-postgres",
          directory.cluster,
          binaries.postgres,
          "-D",
          directory.cluster,
          "-c",
          `config_file=${join(directory.conf, "postgresql.conf")}`,
        ],
        cwd: directory.root,
        clearEnv: true,
        env: { ...CHILD_ENVIRONMENT },
        // A session of its own: Ctrl-C at the terminal is for this process, which still has to write.
        detached: true,
        stdin: "piped",
        stdout: "null",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      throw explainSpawn(error, "/bin/sh", user);
    }
    this.#output = this.#child.stderr.getReader();
    this.#reading = this.#read();
    this.ready = this.#ready.promise;
    this.ended = this.#child.status.then(() => this.#ready.resolve(false));
  }

  /** The last lines it wrote, for the error that tells of its end. */
  get lastWords(): string {
    return this.#lastLines.join("\n");
  }

  /** Closes the pipe, as our death would, and waits for the shutdown. */
  async stop(): Promise<void> {
    const pipe = this.#child.stdin;
    if (this.#isUp) await write(pipe, PATIENCE);
    await pipe.close().catch(() => {});
    await this.ended;
  }

  /** To be called when all its processes are gone: they hold the pipe that we read. */
  async release(): Promise<void> {
    await this.stop();
    await this.#output.cancel().catch(() => {});
    await this.#reading;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await this.#output.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split(
        "\n",
      );
      rest = lines.pop() ?? "";
      for (const line of lines) this.#hear(line);
    }
  }

  #hear(line: string): void {
    if (line === "") return;
    this.#record(`${line}\n`);
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
    const [, level = "", sentence = line] = LOG_LINE.exec(line) ?? [];
    if (sentence === READY) this.#isUp = true;
    if (sentence === READY) this.#ready.resolve(true);
    if (sentence === CRASHED) this.#isUp = false;
    // PANIC concerns the whole server; of what concerns one connection, its client is told.
    if (level === "PANIC") this.#log.error("PostgreSQL panics", { sentence });
    else this.#log.debug("PostgreSQL says", { level, sentence });
  }
}

/** A guard that was killed reads nothing any more. */
async function write(
  pipe: WritableStream<Uint8Array>,
  bytes: Uint8Array,
): Promise<void> {
  const writer = pipe.getWriter();
  await writer.write(bytes).catch(() => {});
  writer.releaseLock();
}
