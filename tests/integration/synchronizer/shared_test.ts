import assert from "node:assert/strict";
import { join } from "node:path";
import { insertRelays } from "../../../src/archive/relays.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { SOURCE, startProgram } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { TestReq } from "../../support/test_relay_script.ts";
import { until } from "../../support/until.ts";

const RELAYS = 50;

/** What the first process gets answered before it is killed. */
const ANSWERED = 12;

/** What each process has in work at once. */
const SLOTS = 4;

const factory = eventFactory("shared");
const EVENTS = Array.from({ length: 30 }, () => factory.sign());

Deno.test("two synchronizers share 50 relays; one is killed, nothing is lost, and no relay is synced by both at once", async () => {
  await using stack = new AsyncDisposableStack();
  const archive = stack.use(await testArchive());
  const folder = stack.use(await temporaryDirectory());
  const share = new Share();
  const relays = await Promise.all(
    Array.from({ length: RELAYS }, async (_, n) => {
      const relay = await testRelay({
        events: EVENTS.slice(n % 10),
        onReq: (req) => share.answer(n, req),
      });
      share.relays[n] = relay;
      return stack.use(relay);
    }),
  );
  await insertRelays(archive.database, relays.map(({ relay }) => relay));
  const start = async (contact: string) => {
    const config = join(folder.path, `${contact}.yaml`);
    await Deno.writeTextFile(config, configFor(contact));
    const args = ["--config", config, "--database", archive.url];
    return startProgram(SOURCE, ["synchronizer", ...args], {
      cwd: folder.path,
    });
  };
  await using first = await start("first");
  await using second = await start("second");
  await Promise.race([share.isMidway.promise, first.end(), second.end()]);
  await first.stop("SIGKILL");
  const killedAt = performance.now();
  share.isFirstDead = true;

  const held = relays.reduce((sum, _, n) => sum + EVENTS.length - n % 10, 0);
  await until(
    "the second has archived everything",
    async () => await archive.count("event_relay") === held,
  );
  const tookSeconds = (performance.now() - killedAt) / 1_000;
  await until(
    "the second has given everything back",
    async () => await archive.count(FREE) === RELAYS,
  );
  const { code, stderr } = await second.stop("SIGTERM");
  assert.equal(code, 0, stderr);

  assert.ok(share.orphans.size > 0, "the first had some in work");
  assert.ok(tookSeconds < 20, `taken over after ${tookSeconds} s`);
  let twice = 0;
  for (const [n, relay] of relays.entries()) {
    assert.equal(relay.peak, 1, `relay ${n} had ${relay.peak} visitors`);
    // The audit of a visit takes a connection of its own.
    const visits = [
      ...new Set(relay.requests.map(({ headers }) => headers["user-agent"])),
    ];
    assert.ok(visits.length <= 2, `${n}: ${visits.join(", ")}`);
    if (share.orphans.has(n)) assert.equal(visits.length, 2, `${n} is left`);
    if (visits.length < 2) continue;
    twice += 1;
    assert.match(visits.join(), /first.*second/);
  }
  // Whatever was synced is left alone for its interval, whoever did it.
  assert.ok(twice <= SLOTS, `${twice} relays were visited twice`);
  const complete = `sync_coverage where covered @> int8range(0, ${
    EVENTS.at(-1)!.created_at
  })`;
  assert.equal(await archive.count(complete), RELAYS);
});

const FREE =
  "relay_lease where claimed_until = 0 and due_at > unix_now() and failures = 0";

/** Who asked whom: the relays stop answering the first process when it has had its share. */
class Share {
  readonly relays: TestRelay[] = [];
  /** Relays that the first process had in work when it was killed. */
  readonly orphans = new Set<number>();
  /** The first has relays in work that do not answer, and the second works, too. */
  readonly isMidway = Promise.withResolvers<void>();
  isFirstDead = false;
  #answered = 0;
  #isSecondHere = false;

  async answer(n: number, req: TestReq): Promise<void> {
    const agent = this.relays[n]?.requests[req.connection - 1]
      ?.headers["user-agent"];
    const isFirst = agent?.includes("first") === true;
    if (!isFirst) this.#isSecondHere = true;
    else if (this.#answered >= ANSWERED) this.orphans.add(n);
    if (this.#isSecondHere && this.orphans.size > 1) this.isMidway.resolve();
    if (this.orphans.has(n) && !this.isFirstDead) return;
    if (isFirst && req.nth === 1) this.#answered += 1;
    // The second is slower than the first until it is alone, so that the first gets its share.
    if (!isFirst && !this.isFirstDead) await this.isMidway.promise;
    await req.serve();
  }
}

function configFor(contact: string): string {
  return `
allowPrivate: true
contact: ${contact}
intervalSeconds: 1
leaseSeconds: 3
negentropy: { enabled: false }
live: { enabled: false }
networks: { clearnet: { maxConnections: ${SLOTS}, timeoutMs: 60000 } }
`;
}
