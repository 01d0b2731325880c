import assert from "node:assert/strict";
import { upsertCapabilities } from "../../../src/archive/relay_capabilities.ts";
import { insertChecks } from "../../../src/archive/checks.ts";
import { insertRelayMetadata } from "../../../src/archive/metadata.ts";
import {
  countRelayStates,
  relayHealth,
  relayReport,
} from "../../../src/archive/relay_health.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { storeBatch } from "../../../src/archive/events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const HOUR = 3_600;
const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1_000);
const SINCE = NOW - DAY;

testOnEachServer(
  "relayHealth() names who came, who went and who is new, the latest first",
  async (archive) => {
    const { database, sql } = archive;
    const empty = await relayHealth(database, { since: SINCE, names: 2 });
    assert.deepEqual(empty, {
      since: SINCE,
      cameOnline: NOBODY,
      wentOffline: NOBODY,
      discovered: NOBODY,
      medianUptime: { "24h": null, "7d": null, "30d": null },
    });

    await history(archive, "came-1", [[9, false], [8, true], [1, true]]);
    await history(archive, "came-2", [[9, false], [7, true]]);
    await history(archive, "came-3", [[9, false], [6, true]]);
    await history(archive, "went", [[30, true], [5, false], [4, false]]);
    await history(archive, "long-gone", [[50, true], [40, false]]);
    await history(archive, "steady", [[50, true], [1, true]]);
    await history(archive, "first-seen", [[2, false]]);
    await sql`update relay set discovered_at = ${NOW - 9 * DAY}
      where url <> 'wss://first-seen.example.com'`;

    const health = await relayHealth(database, { since: SINCE, names: 2 });
    assert.deepEqual(health.cameOnline, {
      count: 3,
      urls: ["wss://came-3.example.com", "wss://came-2.example.com"],
    });
    assert.deepEqual(health.wentOffline, {
      count: 1,
      urls: ["wss://went.example.com"],
    });
    assert.deepEqual(health.discovered, {
      count: 1,
      urls: ["wss://first-seen.example.com"],
    });
    // Of 24 h: came 8/9, 7/9, 6/9; went 19/24; long-gone 0; steady 1. Nobody ever saw first-seen online.
    const median = health.medianUptime["24h"]!;
    assert.ok(Math.abs(median - 7 / 9) < 0.001, `${median}`);
  },
);

testOnEachServer(
  "countRelayStates() counts by network, and zero where there is none",
  async (archive) => {
    const { database } = archive;
    await history(archive, "up", [[2, true]]);
    await history(archive, "down", [[3, true], [2, false]]);
    await history(archive, "never", [[2, false]]);
    const onion = `ws://${"a".repeat(56)}.onion`;
    await insertRelays(database, [{ url: onion, network: "tor" }]);
    const counts = await countRelayStates(database);
    assert.deepEqual(counts.get("clearnet"), {
      online: 1,
      offline: 2,
      outages: 1,
    });
    assert.deepEqual(counts.get("tor"), {
      online: 0,
      offline: 0,
      outages: 0,
    });
  },
);

testOnEachServer(
  "relayReport() tells all about one relay",
  async (archive) => {
    const { database } = archive;
    const [relayId, at] = await reported(archive);
    const url = "wss://told.example.com";
    const report = await relayReport(database, url, { outages: 1 });
    assert.deepEqual(report?.state, {
      online: false,
      since: at(2),
      streak: 2,
      lastCheckedAt: at(1),
      lastOnlineAt: at(3),
      openMs: null,
      readMs: null,
      writeMs: null,
      failure: "refused: again",
    });
    const [outage, ...others] = report.outages;
    assert.deepEqual(others, []);
    const { seconds, ...rest } = outage!;
    assert.deepEqual(rest, {
      since: at(2),
      until: null,
      checks: 2,
      cause: "refused: no",
    });
    assert.ok(seconds >= 2 * HOUR && seconds < 2 * HOUR + 600);
    assert.deepEqual(report.documents, [
      { type: "nip11_info", generatedAt: at(3) },
      { type: "nip66_rtt", generatedAt: at(1) },
    ]);
    assert.deepEqual(report.capabilities, [
      { capability: "auth", value: false, judgedBy: "nip11", since: at(3) },
    ]);
    assert.deepEqual(report.coverage, [{
      filter: {},
      until: 9,
      windows: 1,
      strengths: { reconciled: 0, counted: 0, paged: 0, weak: 0 },
      proven: [{ since: 0, until: 9, strength: "paged" }],
      gaps: 1,
      gapReasons: { timeout: 1 },
      withheld: 0,
      audit: null,
    }]);
    assert.deepEqual(report.contradictions, []);
    assert.equal(report.sync, null);
    // Seven hours and one, of twenty.
    assert.ok(Math.abs(report.uptime!["7d"]! - 8 / 20) < 0.001);
    assert.equal(relayId, 1);
    assert.equal(
      await relayReport(database, "wss://none.example", { outages: 1 }),
      null,
    );
    await newRelay(archive, "wss://unchecked.example.com");
    const unchecked = "wss://unchecked.example.com";
    const never = await relayReport(database, unchecked, { outages: 1 });
    assert.deepEqual([never?.state, never?.uptime], [null, null]);
  },
);

testOnEachServer(
  "status --relay is a page about one relay, and says when there is none",
  async (archive) => {
    await reported(archive);
    const page = await status(archive, "--relay", "wss://told.example.com/");
    assert.equal(page.code, 0, page.stderr);
    assert.match(page.stdout, /^relay +wss:\/\/told\.example\.com \(clear/m);
    assert.match(page.stdout, /^state +offline since .*Z \(2 checks in a row/m);
    assert.match(page.stdout, /^uptime +24 h 40\.\d %, 7 d 40\.\d %, 30 d/m);
    assert.match(page.stdout, /^capabilities +auth no \(nip11\)$/m);
    assert.match(page.stdout, /^documents +nip11_info 3\.\d h ago, nip66_rtt/m);
    assert.match(
      page.stdout,
      /^coverage +\{\}: proven up to .*, 1 gap \(timeout 1\)$/m,
    );
    assert.match(page.stdout, / now +2\.\d h +2 +refused: no$/m);
    const json = await status(
      archive,
      "--json",
      "--relay",
      "wss://told.example.com",
    );
    assert.equal(JSON.parse(json.stdout).state.streak, 2);
    const none = await status(archive, "--relay", "wss://none.example.com");
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no such relay in this archive/);
    assert.equal((await status(archive, "--relay", "nonsense")).code, 2);
    const all = await status(archive);
    assert.match(
      all.stdout,
      /^offline +1 \(wss:\/\/told\.example\.com\) went/m,
    );
  },
);

const NOBODY = { count: 0, urls: [] };

/** A relay that was up twice and is down now, known to the second. */
async function reported(
  archive: TestArchive,
): Promise<[number, (hoursAgo: number) => number]> {
  const { database } = archive;
  const relayId = await newRelay(archive, "wss://told.example.com");
  const at = (hoursAgo: number) => NOW - hoursAgo * HOUR;
  const down = { relayId, online: false };
  await insertChecks(database, [
    { relayId, checkedAt: at(20), online: true },
    { ...down, checkedAt: at(13), failure: "timeout: slow" },
    { relayId, checkedAt: at(3), online: true, openMs: 9 },
    { ...down, checkedAt: at(2), failure: "refused: no" },
    { ...down, checkedAt: at(1), failure: "refused: again" },
  ]);
  await insertRelayMetadata(database, [
    { relayId, type: "nip11_info", generatedAt: at(3), data: { a: 1 } },
  ]);
  await upsertCapabilities(database, [{
    relayId,
    capability: "auth",
    value: false,
    judgedBy: "nip11",
    judgedAt: at(3),
  }]);
  const hash = filterHash({});
  await storeBatch(
    database,
    syncBatch(relayId, [], {
      coverage: [{
        filterHash: hash,
        filter: {},
        since: 0,
        until: 9,
        method: "finish",
        strength: "paged",
      }],
      gaps: [{ filterHash: hash, since: 20, until: 29, reason: "timeout" }],
    }),
  );
  return [relayId, at];
}

async function history(
  archive: TestArchive,
  name: string,
  checks: readonly (readonly [hoursAgo: number, online: boolean])[],
): Promise<void> {
  const relayId = await newRelay(archive, `wss://${name}.example.com`);
  await insertChecks(
    archive.database,
    checks.map(([hoursAgo, online]) => ({
      relayId,
      checkedAt: NOW - hoursAgo * HOUR,
      online,
    })),
  );
}

async function status({ url }: TestArchive, ...args: readonly string[]) {
  await using folder = await temporaryDirectory();
  const line = ["status", ...args, "--database", url];
  return await runProgram(SOURCE, line, { cwd: folder.path });
}
