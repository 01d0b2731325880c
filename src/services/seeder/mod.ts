/**
 * Seeder: puts the relays of a list into the pipeline, once.
 *
 * @module
 */
import {
  type CandidateHint,
  insertCandidates,
} from "../../archive/candidates.ts";
import { insertRelays } from "../../archive/relays.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import { registrableDomain } from "../../models/relay_url.ts";
import { type SeederConfig, seederConfig } from "./config.ts";
import { parseSeed, readSeedLines, type SeedLine } from "./seed_lines.ts";
import { checkSeeds, openSeeds, seedSourceName } from "./seed_source.ts";

export const seeder: Service<SeederConfig> = {
  name: "seeder",
  summary: "Puts the relays of a list into the pipeline, once",
  config: seederConfig,
  readNamed: ({ filePath }) => checkSeeds(filePath),
  run: (ctx) => {
    const once = ctx.once || ctx.config.intervalSeconds === 0;
    return repeat({ ...ctx, once }, seed);
  },
};

/** An operator chose every seed, so no budget bounds them. */
const NO_BUDGETS = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };

/** A file of the wrong kind is explained by so many of its lines, at the log's level `debug`. */
const MAX_REPORTED_LINES = 100;

interface SeedCounts {
  /** Lines that named a relay. */
  seeds: number;
  /** New ones among them. */
  stored: number;
  malformed: number;
  /** The first line that was refused, and why. */
  refused: Refusal | null;
}

interface Refusal {
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
}

async function seed(ctx: Context<SeederConfig>): Promise<void> {
  const { config, signal } = ctx;
  const counts: SeedCounts = {
    seeds: 0,
    stored: 0,
    malformed: 0,
    refused: null,
  };
  const lines = readSeedLines(await openSeeds(config.filePath), signal);
  for await (const batch of batchesOf(lines, config.batchSize)) {
    const hints = parseLines(ctx, batch, counts);
    counts.seeds += hints.length;
    counts.stored += await store(ctx, hints);
  }
  report(ctx, counts);
}

function report(
  { config, log, metrics }: Context<SeederConfig>,
  { seeds, stored, malformed, refused }: SeedCounts,
): void {
  const outcomes = metrics.counter(
    "seeds_total",
    "Lines of the seed file by outcome; of malformed ones the log has the first",
    [
      "outcome",
    ],
  );
  outcomes.inc({ outcome: "stored" }, stored);
  outcomes.inc({ outcome: "known" }, seeds - stored);
  outcomes.inc({ outcome: "malformed" }, malformed);
  const source = seedSourceName(config.filePath);
  if (refused !== null) {
    log.warn("seeds refused", {
      seeds: malformed,
      source,
      ...refused,
    });
  }
  log.info("seeds read", { source, seeds, stored, malformed });
}

async function* batchesOf<T>(
  items: AsyncIterable<T>,
  size: number,
): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** The relays of a batch of lines; those that name none are reported and counted. */
function parseLines(
  { config, log }: Context<SeederConfig>,
  lines: readonly SeedLine[],
  counts: SeedCounts,
): CandidateHint[] {
  const { allowPrivate, seedAs } = config;
  const hints: CandidateHint[] = [];
  for (const line of lines) {
    const parsed = parseSeed(line, {
      allowPrivate,
      fold: seedAs === "candidate",
    });
    if (parsed.ok) {
      const domain = registrableDomain(parsed.value);
      hints.push({ ...parsed.value, domain, source: "seed" });
      continue;
    }
    const { code: reason, detail } = parsed.failure;
    const refusal = { line: line.number, reason, detail };
    counts.refused ??= refusal;
    counts.malformed += 1;
    if (counts.malformed > MAX_REPORTED_LINES) continue;
    log.debug("seed refused", refusal);
  }
  return hints;
}

async function store(
  { config, database }: Context<SeederConfig>,
  hints: readonly CandidateHint[],
): Promise<number> {
  if (config.seedAs === "relay") return await insertRelays(database, hints);
  const { inserted } = await insertCandidates(database, hints, NO_BUDGETS);
  return inserted;
}
