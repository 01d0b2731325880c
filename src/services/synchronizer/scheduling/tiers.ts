/**
 * The relays of each tier, as the configuration and its files name them now.
 *
 * @module
 */
import {
  ConfigError,
  whyUnreadable,
} from "../../../core/config/config_error.ts";
import type { Logger } from "../../../core/log/logger.ts";
import { parseRelayUrl } from "../../../models/relay_url.ts";
import { type Tier, TIERS, type TiersConfig } from "../config/tiers.ts";

/** Files are checked for changes at most so often. */
const CHECK_EVERY_MS = 1_000;

/** The lists and intervals of all tiers. A file is read again when it has changed; while it cannot be, what it said last holds. */
export class Tiers {
  #config: TiersConfig;
  readonly #log: Logger;
  #files: Map<Tier, PriorityFile>;
  #checkedAtMs = -Infinity;
  /** Whether the configuration was replaced since the last refresh. */
  #isNew = false;
  #urls = new Map<Tier, readonly string[]>();
  #tierOf = new Map<string, Tier>();

  /** Reads the files. Throws {@linkcode ConfigError} when one cannot be read, or has a line that is no relay. */
  constructor(config: TiersConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#files = readPriorityFiles(config);
    this.#arrange();
  }

  /** Takes the lists, files and intervals of another configuration. Throws as the constructor does, and then nothing has changed. */
  replace(config: TiersConfig): void {
    this.#files = readPriorityFiles(config);
    this.#config = config;
    this.#arrange();
    this.#isNew = true;
  }

  /** The relays of all tiers. */
  get urls(): readonly string[] {
    return [...this.#tierOf.keys()];
  }

  /** Seconds from the end of one sync of a relay of the tier to the next. */
  intervalOf(tier: Tier): number {
    return this.#config[tier].intervalSeconds;
  }

  /** The relays that no higher tier has. */
  relaysOf(tier: Tier): readonly string[] {
    return this.#urls.get(tier) ?? [];
  }

  /** Reads again the files that have changed; says whether any has, or the configuration. */
  refresh(nowMs = performance.now()): boolean {
    if (this.#isNew) {
      this.#isNew = false;
      return true;
    }
    if (nowMs - this.#checkedAtMs < CHECK_EVERY_MS) return false;
    this.#checkedAtMs = nowMs;
    let hasChanged = false;
    for (const [tier, file] of this.#files) {
      if (stampOf(file.path) === file.stamp) continue;
      this.#files.set(tier, this.#readAgain(file));
      hasChanged = true;
    }
    if (hasChanged) this.#arrange();
    return hasChanged;
  }

  #readAgain(file: PriorityFile): PriorityFile {
    try {
      const read = readPriorityFile(file.path);
      this.#log.info("priority file read", {
        file: file.path,
        relays: read.urls.length,
      });
      return read;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#log.warn("priority file not read, its last content holds", {
        error,
      });
      return { ...file, stamp: stampOf(file.path) };
    }
  }

  #arrange(): void {
    this.#tierOf = new Map();
    for (const tier of TIERS) {
      const named = this.#config[tier].relays;
      const urls = [...named, ...this.#files.get(tier)?.urls ?? []]
        .filter((url) => !this.#tierOf.has(url));
      for (const url of urls) this.#tierOf.set(url, tier);
      this.#urls.set(tier, [...new Set(urls)]);
    }
  }
}

/** The file of each tier that has one. Throws {@linkcode ConfigError} as {@linkcode Tiers} does. */
export function readPriorityFiles(
  config: TiersConfig,
): Map<Tier, PriorityFile> {
  const files = new Map<Tier, PriorityFile>();
  for (const tier of TIERS) {
    const path = config[tier].priorityFile;
    if (path !== undefined) files.set(tier, readPriorityFile(path));
  }
  return files;
}

interface PriorityFile {
  readonly path: string;
  readonly urls: readonly string[];
  /** By what a change is noticed; null while there is no such file. */
  readonly stamp: string | null;
}

function stampOf(path: string): string | null {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return null;
  }
}

/** Reads a file with one relay a line; `#` begins a comment. */
function readPriorityFile(path: string): PriorityFile {
  const stamp = stampOf(path);
  const problems: string[] = [];
  const urls = readText(path).split("\n").flatMap((line, index) => {
    const text = line.replace(/(^|\s)#.*/, "").trim();
    if (text === "") return [];
    const relay = parseRelayUrl(text, { allowPrivate: true });
    if (relay.ok) return [relay.value.url];
    const { detail } = relay.failure;
    problems.push(`line ${index + 1} must be a relay URL: ${detail}`);
    return [];
  });
  if (problems.length > 0) throw new ConfigError(path, problems);
  return { path, urls, stamp };
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const why = `cannot get "priorityFile": ${whyUnreadable(error)}`;
    throw new ConfigError(path, [why]);
  }
}
