/**
 * A reader of NIP-66 events as a stranger would write it, from the text of the NIP alone: it shares nothing with what
 * writes them here.
 *
 * @module
 */

/** A relay discovery event, kind 30166, understood. */
export interface DiscoveredRelay {
  readonly url: string;
  readonly seenAt: number;
  readonly network: string | undefined;
  readonly rtt: Readonly<Record<string, number>>;
  readonly nips: readonly number[];
  readonly requirements: Readonly<Record<string, boolean>>;
  readonly types: readonly string[];
  readonly topics: readonly string[];
  /** Whether they are accepted. */
  readonly kinds: Readonly<Record<string, boolean>>;
  readonly geohashes: readonly string[];
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly info: unknown;
}

/** A monitor announcement, kind 10166, understood. */
export interface AnnouncedMonitor {
  readonly frequencySeconds: number;
  readonly checks: readonly string[];
  readonly timeoutsMs: Readonly<Record<string, number>>;
  readonly geohashes: readonly string[];
}

interface Readable {
  readonly kind: number;
  readonly created_at: number;
  readonly tags: readonly (readonly string[])[];
  readonly content: string;
}

/** Throws at the first thing that the NIP does not allow. */
export function readDiscovery(event: Readable): DiscoveredRelay {
  expect(event.kind === 30_166, "the kind is 30166");
  const url = only(event, "d") ?? "";
  const parsed = new URL(url);
  expect(parsed.href === url, `"d" is normalised: ${url}`);
  expect(/^wss?:$/.test(parsed.protocol), `"d" is a relay's URL`);
  const network = only(event, "n");
  const networks = ["clearnet", "tor", "i2p", "loki", undefined];
  expect(networks.includes(network), `"n" is a network`);
  const rtt = Object.fromEntries(
    ["rtt-open", "rtt-read", "rtt-write"].flatMap((name) => {
      const value = only(event, name);
      return value === undefined ? [] : [[name.slice(4), natural(value)]];
    }),
  );
  return {
    url,
    seenAt: event.created_at,
    network,
    rtt,
    nips: values(event, "N").map(natural),
    requirements: requirements(values(event, "R")),
    types: values(event, "T").map((type) => {
      expect(/^([A-Z][a-z0-9]*)+$/.test(type), `"T" is PascalCase: ${type}`);
      return type;
    }),
    topics: values(event, "t"),
    kinds: Object.fromEntries(
      values(event, "k").map((kind) => {
        const isRefused = kind.startsWith("!");
        return [natural(isRefused ? kind.slice(1) : kind), !isRefused];
      }),
    ),
    geohashes: values(event, "g").map(geohash),
    labels: labels(event),
    info: event.content === "" ? null : JSON.parse(event.content),
  };
}

/** Throws at the first thing that the NIP does not allow. */
export function readAnnouncement(event: Readable): AnnouncedMonitor {
  expect(event.kind === 10_166, "the kind is 10166");
  const timeouts = event.tags.filter(([name]) => name === "timeout");
  return {
    frequencySeconds: natural(only(event, "frequency") ?? ""),
    checks: values(event, "c").map((check) => {
      expect(check === check.toLowerCase(), `"c" is lowercase: ${check}`);
      return check;
    }),
    // The example has the test first, the prose the milliseconds: whichever is a number is the time.
    timeoutsMs: Object.fromEntries(
      timeouts.map(([, one = "", two = ""]) =>
        /^\d+$/.test(one) ? [two, natural(one)] : [one, natural(two)]
      ),
    ),
    geohashes: values(event, "g").map(geohash),
  };
}

function requirements(texts: readonly string[]): Record<string, boolean> {
  const known = ["auth", "writes", "pow", "payment"];
  return Object.fromEntries(texts.map((text) => {
    const isNegated = text.startsWith("!");
    const name = isNegated ? text.slice(1) : text;
    expect(known.includes(name), `"R" is known: ${text}`);
    return [name, !isNegated];
  }));
}

/** NIP-32: a label names its namespace, and the event that namespace. */
function labels(event: Readable): Record<string, string[]> {
  const namespaces = values(event, "L");
  const found: Record<string, string[]> = {};
  for (const [name, label = "", namespace = ""] of event.tags) {
    if (name !== "l") continue;
    expect(namespaces.includes(namespace), `"L" has ${namespace}`);
    (found[namespace] ??= []).push(label);
  }
  return found;
}

function values({ tags }: Readable, name: string): string[] {
  return tags.filter((tag) => tag[0] === name).map((tag) => {
    expect(tag.length === 2, `"${name}" has one value: ${tag.join()}`);
    return tag[1] ?? "";
  });
}

function only(event: Readable, name: string): string | undefined {
  const found = values(event, name);
  expect(found.length <= 1, `"${name}" stands once`);
  return found[0];
}

function natural(text: string): number {
  expect(/^(0|[1-9]\d*)$/.test(text), `a whole number: ${text}`);
  return Number(text);
}

function geohash(text: string): string {
  expect(/^[0-9b-hjkmnp-z]{1,12}$/.test(text), `a geohash: ${text}`);
  return text;
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`NIP-66 wants that ${what}`);
}
