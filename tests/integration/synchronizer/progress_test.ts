import assert from "node:assert/strict";
import { recordProgress } from "../../../src/archive/leases.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { relayReport } from "../../../src/archive/relay_health.ts";
import { relayReportText } from "../../../src/cli/reports/relay_report.ts";
import { Leases } from "../../../src/services/synchronizer/scheduling/leases.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { until } from "../../support/until.ts";

const URL = "wss://relay.example.com";
const NOW = Math.floor(Date.now() / 1_000);

Deno.test("a lease tells what its walk does until it is given back, and nobody but its holder can", async () => {
  await using archive = await testArchive();
  const { database } = archive;
  await insertRelays(database, [{ url: URL, network: "clearnet" }]);
  await using leases = new Leases({
    database,
    log: silentLogger(),
    leaseSeconds: 3,
    longestWaitSeconds: () => 86_400,
  });
  const [lease] = await leases.take({ networks: ["clearnet"] }, 1);
  const { relayId } = lease!;
  await recordProgress(database, {
    service: "synchronizer",
    holder: "somebody else",
    walks: [{ relayId, doing: ["auditing"], until: null }],
  });
  assert.match(await syncLine(archive), /in work, by \S+:\d+$/);

  const doing = ["paging", "paging", "confirming-end"];
  leases.report({ relayId, doing, until: 1_709_251_200 });
  await until(
    "the progress is recorded",
    async () =>
      (await syncLine(archive)).endsWith(
        ": paging ×2, confirming end, down to 2024-03-01",
      ),
  );
  // Before the first page the walk asks down from the end of time.
  leases.report({ relayId, doing: ["paging"], until: 2 ** 60 });
  await until(
    "it goes on",
    async () => (await syncLine(archive)).endsWith(": paging"),
  );

  await leases.release({ relayId, nextDueInSeconds: 0 });
  const report = await relayReport(database, URL, { outages: 1 });
  assert.equal(report?.sync?.progress, null);
});

async function syncLine({ database }: TestArchive): Promise<string> {
  const report = await relayReport(database, URL, { outages: 1 });
  const page = relayReportText(report!, { now: NOW, columns: Infinity });
  return page.split("\n").find((line) => line.startsWith("sync")) ?? "";
}
