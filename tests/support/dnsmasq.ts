/**
 * A DNS server for tests: Debian's dnsmasq on a loopback port of its own, with these records and no way outside.
 *
 * @module
 */
import type { DnsServer } from "../../src/transport/dns_client.ts";

/** Disposing ends it. */
export interface TestDnsServer extends DnsServer, AsyncDisposable {}

/** Starts it with options of its own language, such as `host-record=a.example,192.0.2.1`. */
export async function startDnsmasq(
  options: readonly string[],
): Promise<TestDnsServer> {
  for (;;) {
    const port = freePort();
    const child = new Deno.Command("dnsmasq", {
      args: [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--no-resolv",
        "--no-hosts",
        "--user=",
        "--log-facility=-",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        `--port=${port}`,
        ...options.map((option) => `--${option}`),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = child.stderr.pipeThrough(new TextDecoderStream());
    const started = await hasStarted(log);
    if (!started) {
      await child.status;
      continue;
    }
    return {
      address: "127.0.0.1",
      port,
      async [Symbol.asyncDispose]() {
        child.kill();
        await child.status;
        await log.cancel();
      },
    };
  }
}

/** Whether it says that it has; it ends at once when the port was taken meanwhile. */
async function hasStarted(log: ReadableStream<string>): Promise<boolean> {
  let text = "";
  for await (const part of log.values({ preventCancel: true })) {
    text += part;
    if (text.includes("started, version")) return true;
    if (text.includes("failed to create listening socket")) return false;
    if (/^dnsmasq: (?!started)/m.test(text) && text.includes("bad option")) {
      throw new Error(`Cannot start dnsmasq: ${text}`);
    }
  }
  return false;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
