/**
 * The options by which `export` chooses events, as one NIP-01 filter.
 *
 * @module
 */
import { type Entity, parseEntity } from "../../models/entity.ts";
import { type Filter, parseFilter } from "../../models/filter.ts";
import type { Option } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import type { OptionValues } from "./option_values.ts";
import { TIME_FORMS } from "./time_text.ts";

/** Chooses by kind, author, id, address and time; `filter` can say everything that NIP-01 can. */
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
    name: "ids",
    value: "LIST",
    description: "ids, in hex or as note or nevent",
    repeatable: true,
  },
  {
    name: "address",
    value: "NADDR",
    description: "versions of one event, as naddr or kind:pubkey:identifier",
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
    authors: options.items("authors")?.map(authorOf),
    ...eventsNamed(options),
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

/** The key in hex; anything else is left to the filter, which says what is wrong with it. */
function authorOf(text: string): string {
  const entity = parseEntity(text);
  return entity?.type === "author" ? entity.pubkey : text;
}

/** Conditions that `--ids` and `--address` make. */
function eventsNamed(options: OptionValues): Record<string, unknown> {
  const address = options.text("address");
  const ids = options.items("ids")?.map((text) => {
    const entity = parseEntity(text);
    return entity?.type === "event" ? entity.id : text;
  });
  if (address === undefined) return { ids };
  const entity = parseEntity(address) ?? coordinate(address);
  if (entity?.type !== "address") {
    throw new UsageError(
      `--address must be naddr1… or kind:pubkey:identifier: given was ${
        JSON.stringify(address)
      }`,
    );
  }
  for (const name of ["kinds", "authors"]) {
    if (options.items(name) === undefined) continue;
    throw new UsageError(`--address and --${name} both say "${name}"`);
  }
  const { kind, pubkey, identifier } = entity;
  return { ids, kinds: [kind], authors: [pubkey], "#d": [identifier] };
}

/** NIP-01's form of an address. */
function coordinate(text: string): Entity | null {
  const [, kind, pubkey = "", identifier = ""] =
    /^(\d{1,5}):([0-9a-f]{64}):(.*)$/s.exec(text) ?? [];
  return kind === undefined
    ? null
    : { type: "address", kind: Number(kind), pubkey, identifier };
}
