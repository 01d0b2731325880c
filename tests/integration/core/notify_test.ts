import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { createNotifier } from "../../../src/core/lifecycle/notify.ts";
import { createLogger } from "../../../src/core/log/logger.ts";
import { testWith } from "../../support/installed.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { serviceManager } from "../../support/service_manager.ts";

function environment(values: Record<string, string>) {
  return (name: string) => values[name];
}

for (const kind of ["a path", "an abstract address"]) {
  const promise =
    `the service manager hears READY, STATUS, WATCHDOG and STOPPING on ${kind}`;
  await testWith("python3", promise, async () => {
    const directory = await Deno.makeTempDir();
    const socket = kind === "a path"
      ? `${directory}/notify`
      : `@bigbrotr-test-${crypto.randomUUID()}`;
    try {
      await using manager = await serviceManager(socket);
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

await testWith(
  "python3",
  "a start that takes long asks for more time again and again, until it is over",
  async () => {
    const socket = `@bigbrotr-test-${crypto.randomUUID()}`;
    await using manager = await serviceManager(socket);
    using notifier = createNotifier({
      log: silentLogger(),
      readEnv: environment({ NOTIFY_SOCKET: socket }),
      extendEveryMs: 10,
    });
    {
      using _starting = notifier.starting("starting: the database");
      equal(await manager.next(), "STATUS=starting: the database");
      for (let asked = 0; asked < 3; asked++) {
        equal(await manager.next(), "EXTEND_TIMEOUT_USEC=60000000");
      }
    }
    notifier.ready();
    let message = await manager.next();
    while (message.startsWith("EXTEND")) message = await manager.next();
    equal(message, "READY=1");
    notifier.stopping();
    equal(await manager.next(), "STOPPING=1");
  },
);

const ABSENT: readonly { what: string; socket: string; said: string[] }[] = [
  { what: "no service manager", socket: "", said: [] },
  {
    what: "a service manager that is gone",
    socket: "/nowhere/notify",
    said: ["READY=1", "WATCHDOG=1", "STATUS=fine", "STOPPING=1"].map(
      (message) =>
        `debug test service manager did not take a message notification="${message}"`,
    ),
  },
  {
    what: "a socket of another kind",
    socket: "vsock:2:1",
    said: [
      "warn test service manager not told: unsupported socket socket=vsock:2:1",
    ],
  },
];

for (const { what, socket, said } of ABSENT) {
  Deno.test(`with ${what} the service goes on, and the log says what was not told`, () => {
    const lines: string[] = [];
    using log = createLogger({
      level: "debug",
      format: "text",
      time: "unix",
      service: "test",
      sink: {
        write: (line) => lines.push(line.replace(/^[0-9.]+ /, "").trim()),
        [Symbol.dispose]: () => {},
      },
    });
    using notifier = createNotifier({
      log,
      readEnv: environment({
        NOTIFY_SOCKET: socket,
        WATCHDOG_USEC: "60000000",
      }),
    });
    notifier.ready();
    notifier.status("fine");
    notifier.stopping();
    deepStrictEqual(lines, said);
  });
}
