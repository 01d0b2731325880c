/**
 * What a request to vanish does by itself, beside the services.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { insertEvents } from "../../../src/archive/events.ts";
import { keepForgetting } from "../../../src/cli/vanishing.ts";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("vanishing");

for (const vanish of ["forget", "hide"] as const) {
  Deno.test(`serving.vanish: ${vanish} ${vanish === "hide" ? "deletes nothing" : "deletes who asks to vanish from us"}`, async () => {
    await using archive = await testArchive();
    const { database } = archive;
    const note = factory.sign();
    const tags = [["relay", "wss://Archive.example.com"]];
    const request = factory.sign({ kind: 62, tags });
    await insertEvents(database, encodeEvents([note, request]));
    const config = brotrConfig.parse({
      serving: { vanish, url: "wss://archive.example.com/" },
    });
    {
      await using _forgetting = keepForgetting({
        database,
        config,
        log: silentLogger(),
      });
      if (vanish === "forget") {
        await until(
          "it is gone",
          async () => await archive.count("event") === 1,
        );
      }
    }
    equal(await archive.count("event"), vanish === "forget" ? 1 : 2);
    equal(await archive.count("event_served()"), vanish === "forget" ? 1 : 2);
    equal(
      await archive.count("event_served('{}', 'wss://archive.example.com')"),
      1,
    );
  });
}
