import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../src/core/config/config_error.ts";
import { createLogger } from "../../../src/core/log/logger.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { Tiers } from "../../../src/services/synchronizer/scheduling/tiers.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("a priority file is read again when it changes; while it is no good its last content holds", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "high.txt");
  const lines: string[] = [];
  using log = createLogger({
    level: "info",
    format: "text",
    time: "iso",
    service: "test",
    sink: {
      write: (line) => void lines.push(line),
      [Symbol.dispose]: () => {},
    },
  });
  const { tiers: config } = synchronizerConfig.parse({
    tiers: {
      high: { relays: ["wss://a.damus.io"], priorityFile: path },
      medium: { relays: ["wss://b.damus.io", "wss://c.damus.io"] },
    },
  });
  assert.throws(() => new Tiers(config, log), ConfigError);
  await Deno.writeTextFile(path, "WSS://B.damus.io/ # ours\n\n");
  const tiers = new Tiers(config, log);
  let nowMs = 0;
  const isNews = () => tiers.refresh(nowMs += 10_000);
  assert.deepEqual(tiers.relaysOf("high"), [
    "wss://a.damus.io",
    "wss://b.damus.io",
  ]);
  assert.deepEqual(tiers.relaysOf("medium"), ["wss://c.damus.io"]);
  assert.equal(isNews(), false);

  await Deno.writeTextFile(path, "wss://c.damus.io\nwss://d.damus.io\n");
  assert.equal(tiers.refresh(nowMs), false, "it was looked at just now");
  assert.equal(isNews(), true);
  assert.equal(tiers.urls.length, 4);
  assert.deepEqual(tiers.relaysOf("medium"), ["wss://b.damus.io"]);

  await Deno.writeTextFile(path, "not a relay\n");
  isNews();
  assert.match(lines.at(-1) ?? "", /not read.*line 1 must be a relay URL/);
  assert.equal(tiers.relaysOf("high").length, 3);
  assert.equal(isNews(), false, "it is complained about once");
  await Deno.remove(path);
  isNews();
  assert.match(lines.at(-1) ?? "", /there is no such file/);
  assert.equal(tiers.relaysOf("high").length, 3);
});
