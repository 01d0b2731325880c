import { deepStrictEqual, ok } from "node:assert/strict";
import plugin from "./layers.ts";

/** What the plugin says of a file with this source, as messages. */
function lint(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `/anywhere/${file}`, source)
    .map((diagnostic) => diagnostic.message);
}

const REFUSED: readonly [file: string, source: string][] = [
  [
    "src/nips/nip42.ts",
    `import { x } from "../archive/relays.ts";`,
  ],
  ["src/nips/nip66/rtt.ts", `import { x } from "../../core/log/logger.ts";`],
  [
    "src/nips/nip42.ts",
    `import type { X } from "../core/log/logger.ts";`,
  ],
  [
    "src/nips/nip42.ts",
    `await import("../archive/relays.ts");`,
  ],
  ["src/nips/nip42.ts", `export * from "../workers/host/worker_pool.ts";`],
  [
    "src/nips/nip42.ts",
    `export { x } from "../services/finder/mod.ts";`,
  ],
  [
    "src/nips/nip42.ts",
    `type X = import("../core/log/logger.ts").Logger;`,
  ],
  ["src/core/config/load.ts", `import { x } from "../../transport/dialer.ts";`],
  ["src/core/config/load.ts", `import { x } from "../../nips/nip11.ts";`],
  ["src/core/config/load.ts", `import { x } from "../../cli/command.ts";`],
  ["src/models/event.ts", `import { x } from "../core/log/logger.ts";`],
  ["src/transport/dialer.ts", `import { x } from "../nips/nip11.ts";`],
  [
    "src/workers/host/worker_pool.ts",
    `import { x } from "../../archive/events.ts";`,
  ],
  ["src/services/finder/mod.ts", `import { x } from "../validator/mod.ts";`],
  ["src/services/finder/mod.ts", `import { x } from "../../cli/command.ts";`],
  ["src/cli/program.ts", `import { x } from "../../tests/support/lines.ts";`],
  ["main.ts", `import { x } from "./src/core/log/logger.ts";`],
  ["src/services/finder/mod.ts", `import postgres from "postgres";`],
  ["src/cli/main.ts", `import postgres from "npm:postgres@3.4.9";`],
  ["src/nips/nip42.ts", `import { WebSocket } from "ws";`],
  ["src/core/config/load.ts", `import { Command } from "npm:commander";`],
  ["src/core/log/logger.ts", `import { x } from "../../archive/relays.ts";`],
  ["src/base/sleep.ts", `import { x } from "../models/event.ts";`],
  [
    "src/services/synchronizer/mod.ts",
    `import { x } from "../../workers/walk/walk.ts";`,
  ],
  [
    "src/workers/host/worker_pool.ts",
    `import { x } from "../worker/session.ts";`,
  ],
  ["src/workers/walk/walk.ts", `import { x } from "../host/worker_pool.ts";`],
  ["src/workers/protocol/job.ts", `import { x } from "../walk/walk.ts";`],
  ["src/models/utils.ts", ``],
  ["src/nips/common/budget.ts", ``],
  ["src/cli/helpers.ts", ``],
  ["src/core/database/types.ts", ``],
  ["src/core/database/index.ts", ``],
  ["src/core/database/mod.ts", ``],
  ["src/models/relayUrl.ts", ``],
];

const ALLOWED: readonly [file: string, source: string][] = [
  [
    "src/nips/nip42.ts",
    `import { x } from "../transport/dialer.ts";`,
  ],
  ["src/nips/nip42.ts", `import { x } from "./nip11.ts";`],
  ["src/core/database/migrate.ts", `import postgres from "postgres";`],
  ["src/archive/relays.ts", `import { x } from "../core/log/logger.ts";`],
  [
    "src/services/synchronizer/mod.ts",
    `import { x } from "../../workers/host/worker_pool.ts";`,
  ],
  [
    "src/workers/walk/walk.ts",
    `import type { X } from "../protocol/report.ts";`,
  ],
  ["src/transport/websocket/web_socket.ts", `import { WebSocket } from "ws";`],
  ["src/services/finder/mod.ts", `import { x } from "./config.ts";`],
  [
    "src/services/finder/mod.ts",
    `import { x } from "../../core/log/logger.ts";`,
  ],
  ["src/services/finder/mod.ts", `import { z } from "zod";`],
  ["src/cli/program.ts", `import { Command } from "cli";`],
  [
    "src/cli/commands/up.ts",
    `import { x } from "../../services/finder/mod.ts";`,
  ],
  [
    "src/cli/version.ts",
    `import x from "../../deno.json" with { type: "json" };`,
  ],
  ["main.ts", `import { main } from "./src/cli/main.ts";`],
  ["src/core/config/common_config.ts", ``],
  ["tests/integration/any_test.ts", `import postgres from "postgres";`],
];

Deno.test("layers refuses imports against the order and names that say nothing", () => {
  for (const [file, source] of REFUSED) {
    const messages = lint(file, source);
    deepStrictEqual(messages.length, 1, `${file}: ${source}: ${messages}`);
  }
});

Deno.test("layers lets imports pass that point down", () => {
  for (const [file, source] of ALLOWED) {
    deepStrictEqual(lint(file, source), [], `${file}: ${source}`);
  }
});

Deno.test("deno lint itself refuses an import from nips to archive", async () => {
  const directory = await Deno.makeTempDir({ prefix: "bigbrotr-lint-" });
  try {
    const file = `${directory}/src/nips/wrong.ts`;
    await Deno.mkdir(`${directory}/src/nips`, { recursive: true });
    await Deno.writeTextFile(
      file,
      `import { a } from "../archive/relays.ts";\nexport const b = a;\n`,
    );
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["lint", "--config", config, file],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    ok(code === 1 && text.includes("nips never imports archive"), text);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
