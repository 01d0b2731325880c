/**
 * Evidence as `status` shows it: strengths, audits, what was taken back, and what relays withhold.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { leaseRelays, releaseRelays } from "../../../src/archive/leases.ts";
import { pipelineCounts } from "../../../src/archive/pipeline.ts";
import { relayReport } from "../../../src/archive/relay_health.ts";
import { recordListing } from "../../../src/archive/sync/relay_listing.ts";
import { recordAudit } from "../../../src/archive/sync/sync_audit.ts";
import { wantWalks } from "../../../src/archive/sync/sync_coverage.ts";
import { reportText } from "../../../src/cli/commands/status.ts";
import { pipelineReport } from "../../../src/cli/reports/pipeline_report.ts";
import { relayReportText } from "../../../src/cli/reports/relay_report.ts";
import { encodeKeys } from "../../../src/models/encoded_events.ts";
import { filterHash } from "../../../src/models/filter.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const factory = eventFactory("evidence status");
const HASH = filterHash({});
const URL = "wss://caught.example.com";
const NOW = Math.floor(Date.now() / 1_000);
const DAY = 86_400;
const START = NOW - 1_000 * DAY;
const WITHHELD = [3, 500].map((days) =>
  factory.sign({ createdAt: NOW - days * DAY })
);

/** Proven for 1,000 days, half of it strongly; caught once; withholds two events. */
async function caught(archive: TestArchive): Promise<number> {
  const { database } = archive;
  const relayId = await newRelay(archive, URL);
  const walk = { filterHash: HASH, filter: {} };
  await wantWalks(database, relayId, [{ ...walk, since: START, until: null }]);
  await storeBatch(
    database,
    syncBatch(relayId, [], {
      coverage: [
        {
          ...walk,
          since: START,
          until: NOW - 501 * DAY,
          method: "empty-page",
          strength: "weak",
        },
        {
          ...walk,
          since: NOW - 501 * DAY + 1,
          until: NOW,
          method: "negentropy",
          strength: "reconciled",
        },
      ],
      gaps: [
        { filterHash: HASH, since: 20, until: 29, reason: "timeout" },
      ],
    }),
  );
  const cause = {
    filterHash: HASH,
    since: START,
    until: START + 9 * DAY,
    kind: "hidden",
    question: "silence",
    eventIds: WITHHELD.map(({ id }) => id),
  };
  await recordAudit(database, {
    relayId,
    filterHash: HASH,
    audit: { asked: 12, confirmed: 11, contradictions: [cause] },
    retractions: [{
      filterHash: HASH,
      since: START,
      until: START + 100 * DAY - 1,
      cause,
    }],
  });
  await recordListing(database, { relayId, filterHash: HASH }, {
    state: "withheld",
    keys: encodeKeys(WITHHELD),
  });
  return relayId;
}

testOnEachServer(
  "status says how strongly what is proven is proven, and which relays were caught",
  async (archive) => {
    await caught(archive);
    const { coverage } = await pipelineCounts(archive.database);
    const { reconciled, weak } = coverage.strengths;
    assert.ok(Math.abs(weak - 399 / 900) < 0.001, `${weak}`);
    assert.ok(Math.abs(reconciled + weak - 1) < 0.00001);
    assert.equal(coverage.gapReasons["withheld"], 2);
    const report = await pipelineReport(archive.database);
    const text = reportText(report, Infinity);
    assert.match(text, /^proven +reconciled 55\.\d %, weak 44\.\d %$/m);
    assert.match(
      text,
      /^audit +12 asked, 11 confirmed, 1 contradicted, took back 100 d$/m,
    );
    assert.match(
      text,
      /^caught +1 relay \(hidden 1\), last wss:\/\/caught\.example\.com \d+ s ago: hidden, by silence; under audit: 1 window of 1 relay, 100 d$/m,
    );
    assert.match(text, /^coverage .*contradicted 1/m);
    for (const columns of [60, 80, 200]) {
      for (const line of reportText(report, columns).split("\n")) {
        assert.ok(line.length <= columns, `${columns}: ${line}`);
      }
    }
  },
);

testOnEachServer(
  "status --relay shows the evidence of one relay, and what it withholds",
  async (archive) => {
    const { database } = archive;
    await caught(archive);
    const report = await relayReport(database, URL, { outages: 1 });
    const [walk] = report!.coverage;
    assert.deepEqual(
      walk!.proven.map(({ strength, since, until }) => [
        strength,
        Math.round((until - since) / DAY),
      ]),
      [["reconciled", 3], ["reconciled", 497], ["reconciled", 1], [
        "weak",
        399,
      ]],
    );
    assert.equal(walk!.withheld, 2);
    const page = relayReportText(report!, { now: NOW, columns: Infinity });
    assert.match(page, /^proven +reconciled 55\.\d %, weak 44\.\d %$/m);
    assert.match(page, /^ +\d{4}-\d\d-\d\d … \d{4}-\d\d-\d\d weak$/m);
    assert.match(page, /^audit +12 asked, .*; last asked \d+ s ago$/m);
    assert.match(
      page,
      /^withheld +2 events that it lists and gives to nobody/m,
    );
    assert.match(
      page,
      /^caught +\d{4}-\d\d-\d\d \d\d:\d\d: hidden, by silence: 2 events in \d{4}-\d\d-\d\d … \d{4}-\d\d-\d\d, took back 100 d$/m,
    );
    assert.match(page, /^sync +never taken up$/m);
    const narrow = relayReportText(report!, { now: NOW, columns: 60 });
    for (const line of narrow.split("\n")) {
      assert.ok(line.length <= 60 || !line.trim().includes(" "), line);
    }

    const lease = { service: "synchronizer", holder: "host:1" };
    const [leased] = await leaseRelays(database, {
      ...lease,
      networks: ["clearnet"],
      limit: 1,
      leaseSeconds: 60,
    });
    const syncLine = async () => {
      const report = await relayReport(database, URL, { outages: 1 });
      const page = relayReportText(report!, { now: NOW, columns: Infinity });
      return page.split("\n").find((line) => line.startsWith("sync"));
    };
    assert.equal(await syncLine(), "sync          in work, by host:1");
    const { relayId } = leased!;
    const relays = [{ relayId, nextDueInSeconds: 600, failures: 2 }];
    await releaseRelays(database, { ...lease, relays });
    assert.equal(
      await syncLine(),
      "sync          due in 10 min, failed 2 times",
    );
  },
);

testOnEachServer(
  "status --relay --withheld lists what a relay lists and gives to nobody",
  async (archive) => {
    await caught(archive);
    await newRelay(archive, "wss://honest.example.com");
    const list = await status(archive, "--relay", URL, "--withheld");
    assert.equal(list.code, 0, list.stderr);
    const [first, blank, head, ...rows] = list.stdout.trimEnd().split("\n");
    assert.equal(first, `${URL} lists 2 events that it gives to nobody`);
    assert.equal(blank, "");
    assert.match(head!, /^listed at +id +filter$/);
    assert.deepEqual(
      rows.map((row) => row.split(/ +/)[1]),
      WITHHELD.map(({ id }) => id),
    );
    const json = await status(archive, "--relay", URL, "--withheld", "--json");
    const { url, withheld } = JSON.parse(json.stdout);
    assert.equal(url, URL);
    assert.deepEqual(Object.keys(withheld[0]), [
      "eventId",
      "createdAt",
      "filter",
      "notedAt",
    ]);
    assert.equal(withheld[1].createdAt, WITHHELD[1]!.created_at);
    const honest = ["--relay", "wss://honest.example.com", "--withheld"];
    const none = await status(archive, ...honest);
    assert.match(none.stdout, /not known to withhold anything/);
    assert.equal((await status(archive, "--withheld")).code, 2);
  },
);

async function status({ url }: TestArchive, ...args: readonly string[]) {
  await using folder = await temporaryDirectory();
  const line = ["status", ...args, "--database", url];
  return await runProgram(SOURCE, line, { cwd: folder.path });
}
