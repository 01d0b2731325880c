/**
 * Options of `sync`, and what they mean for the synchronizer.
 *
 * @module
 */
import { type Filter, filterHash, parseFilter } from "../../models/filter.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { SynchronizerConfig } from "../../services/synchronizer/config/config.ts";
import type { WantedFilter } from "../../services/synchronizer/plan.ts";
import type { Option } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import { parseFilterOption } from "./filter_options.ts";
import type { OptionValues } from "./option_values.ts";
import { relayArguments } from "./relay_arguments.ts";
import { TIME_FORMS } from "./time_text.ts";

export const SYNC_OPTIONS: readonly Option[] = [
  {
    name: "since",
    value: "TIME",
    description: `oldest created_at: ${TIME_FORMS}`,
  },
  {
    name: "until",
    value: "TIME",
    description:
      "newest created_at, in the same forms; a date is its first second, UTC",
  },
  {
    name: "kinds",
    value: "LIST",
    description: "kinds, such as 0,1,30023",
    repeatable: true,
  },
  {
    name: "filter",
    value: "JSON",
    description:
      `a NIP-01 filter, such as '{"kinds":[1]}'; may be given several times`,
    repeatable: true,
  },
  {
    name: "allow-private",
    description: "relays on private and loopback addresses, too",
  },
  {
    name: "workers",
    value: "COUNT",
    description: "threads at most (default: one per processor)",
  },
  { name: "json", description: "print one JSON object at the end" },
];

/** The relays named, each once. Throws {@linkcode UsageError}. */
export function readRelays(
  urls: readonly string[],
  options: OptionValues,
  config: SynchronizerConfig,
): RelayUrl[] {
  const allowPrivate = config.allowPrivate || options.flag("allow-private");
  return relayArguments(urls, { verb: "sync", allowPrivate });
}

/** The configuration of the service under the options. A network that was named is enabled by that. */
export function configWith(
  config: SynchronizerConfig,
  options: OptionValues,
  relays: readonly RelayUrl[],
): SynchronizerConfig {
  const networks = { ...config.networks };
  for (const { network } of relays) {
    networks[network] = { ...networks[network], enabled: true };
  }
  return {
    ...config,
    networks,
    allowPrivate: config.allowPrivate || options.flag("allow-private"),
    workers: options.integer("workers", { min: 1, max: 64 }) ?? config.workers,
  };
}

/** The filters to walk: those given, or those of the service. Throws {@linkcode UsageError}. */
export function wantedFilters(
  options: OptionValues,
  config: SynchronizerConfig,
): WantedFilter[] {
  const since = options.time("since");
  const until = options.time("until");
  const wanted = givenFilters(options, config).map((given) => {
    const { since: ownSince, until: ownUntil, limit, ...filter } = given;
    if (limit !== undefined) {
      throw new UsageError(
        `--filter must not have a limit: given was ${limit}`,
      );
    }
    return {
      filter,
      since: once("since", since, ownSince) ?? config.since,
      until: once("until", until, ownUntil) ?? config.until,
    };
  });
  checkWanted(wanted);
  return wanted;
}

function givenFilters(
  options: OptionValues,
  config: SynchronizerConfig,
): readonly Filter[] {
  const kinds = options.items("kinds")?.map(Number);
  const given = options.list("filter").map(parseFilterOption);
  if (kinds === undefined) return given.length > 0 ? given : config.filters;
  if (given.some((filter) => filter.kinds !== undefined)) {
    throw new UsageError(`--filter and --kinds both say "kinds"`);
  }
  const named = parseFilter({ kinds });
  if (!named.ok) throw new UsageError(`--kinds: ${named.failure.detail}`);
  const bases = given.length > 0 ? given : [{}];
  return bases.map((filter) => ({ ...filter, ...named.value }));
}

function once(
  name: "since" | "until",
  option: number | undefined,
  own: number | undefined,
): number | undefined {
  if (option !== undefined && own !== undefined) {
    throw new UsageError(`--filter and --${name} both say "${name}"`);
  }
  return option ?? own;
}

function checkWanted(wanted: readonly WantedFilter[]): void {
  for (const { since, until } of wanted) {
    if (until !== null && until < since) {
      throw new UsageError(
        `--until must not be before --since: ${until} < ${since}`,
      );
    }
  }
  const hashes = new Set(wanted.map(({ filter }) => filterHash(filter)));
  if (hashes.size < wanted.length) {
    throw new UsageError("The same --filter is given twice");
  }
}
