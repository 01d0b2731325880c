/**
 * Microsocks (Debian package `microsocks`), somebody else's SOCKS5 proxy, with a hosts file of its own.
 *
 * @module
 */
import { missing } from "./installed.ts";
import { lines } from "./lines.ts";

/** Microsocks, running. */
export interface Microsocks extends AsyncDisposable {
  readonly url: string;
  /** Its next log line that says where it connected: `client[4] 127.0.0.1: connected to name:port`. */
  nextConnection(): Promise<string>;
}

/** Why it cannot be started here; null where it can. */
export async function noMicrosocks(): Promise<string | null> {
  const script = "mount --bind /etc/hosts /etc/hosts && command -v microsocks";
  const obstacle = await missing("unshare", ["-rm", "sh", "-c", script]);
  return obstacle && "no microsocks in a mount namespace of its own";
}

/**
 * Starts microsocks in a mount namespace of its own, where a hosts file gives `name` to this machine:
 * outside nobody can resolve it.
 */
export async function microsocks(name: string): Promise<Microsocks> {
  const port = freePort();
  const hosts = await Deno.makeTempFile();
  await Deno.writeTextFile(hosts, `127.0.0.1 localhost ${name}\n`);
  const script = `mount --bind ${hosts} /etc/hosts && ` +
    `exec microsocks -i 127.0.0.1 -p ${port}`;
  const child = spawn("unshare", ["-rm", "sh", "-c", script]);
  if (!await listens(port, child)) {
    const { stderr } = await child.output();
    await Deno.remove(hosts);
    const why = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot start microsocks: ${why}`);
  }
  const log = lines(child.stderr);
  return {
    url: `socks5://127.0.0.1:${port}`,
    async nextConnection() {
      for (;;) {
        const line = await log.next();
        if (line.done || line.value.includes("connected to")) {
          return line.value ?? "";
        }
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
      await log.return(undefined);
      await Deno.remove(hosts);
    },
  };
}

function spawn(command: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Microsocks cannot be told to choose a port itself. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Tries to connect until it can, or the process has ended. */
async function listens(
  port: number,
  child: Deno.ChildProcess,
): Promise<boolean> {
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  while (!hasEnded) {
    try {
      using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
  }
  return false;
}
