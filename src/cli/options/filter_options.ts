/**
 * The options by which `export` chooses events, as one NIP-01 filter.
 *
 * @module
 */
import { type Filter, parseFilter } from "../../models/filter.ts";
import type { Option } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import type { OptionValues } from "./option_values.ts";
import { TIME_FORMS } from "./time_text.ts";

/** Chooses by kind, author and time; `filter` can say everything that NIP-01 can. */
export const FILTER_OPTIONS: readonly Option[] = [
  {
    name: "filter",
    value: "JSON",
    description: `a NIP-01 filter, such as '{"kinds":[1],"#t":["nostr"]}'`,
  },
  {
    name: "kinds",
    value: "LIST",
    description: "kinds, such as 0,1,30023",
    repeatable: true,
  },
  {
    name: "authors",
    value: "LIST",
    description: "public keys, in hex or as npub or nprofile",
    repeatable: true,
  },
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
];

/** The filter that the options make together; empty when none is given. Throws {@linkcode UsageError}. */
export function readFilter(options: OptionValues): Filter {
  const named = {
    kinds: options.items("kinds")?.map(Number),
    authors: options.items("authors"),
    since: options.time("since"),
    until: options.time("until"),
  };
  const said = parseFilterOption(options.text("filter") ?? "{}");
  const filter = new Map<string, unknown>(Object.entries(said));
  for (const [field, value] of Object.entries(named)) {
    if (value === undefined) continue;
    if (filter.has(field)) {
      throw new UsageError(`--filter and --${field} both say "${field}"`);
    }
    filter.set(field, value);
  }
  const parsed = parseFilter(Object.fromEntries(filter));
  if (parsed.ok) return parsed.value;
  throw new UsageError(`Not a NIP-01 filter: ${parsed.failure.detail}`);
}

/** The filter that one `--filter` says. Throws {@linkcode UsageError}. */
export function parseFilterOption(text: string): Filter {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`--filter is not JSON: ${error.message}`);
  }
  const parsed = parseFilter(value);
  if (parsed.ok) return parsed.value;
  throw new UsageError(`--filter: ${parsed.failure.detail}`);
}
