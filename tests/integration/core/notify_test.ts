import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { createNotifier } from "../../../src/core/lifecycle/notify.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { serviceManager } from "../../support/service_manager.ts";

function environment(values: Record<string, string>) {
  return (name: string) => values[name];
}

for (const kind of ["a path", "an abstract address"]) {
  Deno.test(`the service manager hears READY, STATUS, WATCHDOG and STOPPING on ${kind}`, async () => {
    if (Deno.build.os !== "linux") return;
    const directory = await Deno.makeTempDir();
    const socket = kind === "a path"
      ? `${directory}/notify`
      : `@bigbrotr-test-${crypto.randomUUID()}`;
    try {
      await using manager = await serviceManager(socket);
      if (manager === null) return;
      using notifier = createNotifier({
        log: silentLogger(),
        readEnv: environment({
          NOTIFY_SOCKET: socket,
          WATCHDOG_USEC: "150000",
          WATCHDOG_PID: String(Deno.pid),
        }),
      });
      notifier.ready();
      equal(await manager.next(), "READY=1");
      // Fed at once and again by itself, three times per deadline.
      deepStrictEqual(
        [await manager.next(), await manager.next(), await manager.next()],
        ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"],
      );
      notifier.status("two\nlines");
      notifier.stopping();
      const rest = new Set<string>();
      while (!rest.has("STOPPING=1")) rest.add(await manager.next());
      ok(rest.has("STATUS=two lines"));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("without a service manager, or with one that is gone, nothing happens", () => {
  const log = silentLogger();
  const sockets = ["", "/nowhere/notify", "vsock:2:1"];
  for (const socket of sockets) {
    using notifier = createNotifier({
      log,
      readEnv: environment({ NOTIFY_SOCKET: socket }),
    });
    notifier.ready();
    notifier.status("fine");
    notifier.stopping();
  }
});
