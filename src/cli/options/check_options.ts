/**
 * Options of `check`, and what they mean for the monitor's checks.
 *
 * @module
 */
import { resolveSecretKey } from "../../core/config/secret_key.ts";
import { whyUnreadable } from "../../core/config/config_error.ts";
import type { Networks } from "../../models/network.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { fail, type Result } from "../../models/result.ts";
import { type Mmdb, type MmdbFault, openMmdb } from "../../nips/nip66/mmdb.ts";
import {
  CHECK_NAMES,
  type CheckDeps,
  type CheckName,
} from "../../services/monitor/checks/check.ts";
import type { MonitorConfig } from "../../services/monitor/config.ts";
import {
  type DnsServer,
  parseDnsServer,
  systemDnsServers,
} from "../../transport/dns_client.ts";
import type { Option } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import type { OptionValues } from "./option_values.ts";

export const CHECK_OPTIONS: readonly Option[] = [
  {
    name: "only",
    value: "LIST",
    description: `some of the checks: ${CHECK_NAMES.join(",")}`,
    repeatable: true,
  },
  {
    name: "timeout",
    value: "SECONDS",
    description: "for each step of each check (default: the monitor's)",
  },
  {
    name: "allow-private",
    description: "relays on private and loopback addresses, too",
  },
  {
    name: "proxy",
    value: "URL",
    description: "reach the relays through this one, socks5://host:port",
  },
  {
    name: "dns-server",
    value: "ADDRESS",
    description: "ask this resolver, not the system's; may be given thrice",
    repeatable: true,
  },
  {
    name: "city-database",
    value: "PATH",
    description: "MMDB file that knows where addresses are, for geo",
    completes: "files",
  },
  {
    name: "asn-database",
    value: "PATH",
    description: "MMDB file that knows whose networks they are in, for net",
    completes: "files",
  },
  {
    name: "secret-key-env",
    value: "NAME",
    description:
      "environment variable with a key, hex or nsec, to test writing with",
  },
  { name: "json", description: "print one JSON object a relay" },
];

/** The monitor's networks under the options. A network that was named is enabled by that. Throws {@linkcode UsageError}. */
export function networksToCheck(
  { networks }: MonitorConfig,
  options: OptionValues,
  relays: readonly RelayUrl[],
): Networks {
  const proxyUrl = options.text("proxy");
  if (proxyUrl !== undefined && !/^socks5h?:\/\/\S+:\d{1,5}$/.test(proxyUrl)) {
    throw new UsageError(
      `--proxy must be socks5://host:port: given was ${
        JSON.stringify(proxyUrl)
      }`,
    );
  }
  const seconds = options.integer("timeout", { min: 1, max: 300 });
  const changed = { ...networks };
  for (const { network } of relays) {
    changed[network] = {
      ...networks[network],
      enabled: true,
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
      ...(seconds === undefined ? {} : { timeoutMs: seconds * 1_000 }),
    };
  }
  return changed;
}

/** The monitor's checks under the options: made once, and within the time that was given. */
export function checksToMake(
  { checks }: MonitorConfig,
  options: OptionValues,
): MonitorConfig["checks"] {
  const given = options.text("timeout") !== undefined;
  const once = <T extends { timeoutMs: number | null }>(check: T) => ({
    ...check,
    retries: 0,
    timeoutMs: given ? null : check.timeoutMs,
  });
  return {
    rtt: { ...once(checks.rtt), write: true },
    nip11: once(checks.nip11),
    tls: once(checks.tls),
    dns: once(checks.dns),
    geo: once(checks.geo),
    net: once(checks.net),
    http: once(checks.http),
  };
}

/** The checks named, or all of them. Throws {@linkcode UsageError}. */
export function wantedChecks(options: OptionValues): ReadonlySet<CheckName> {
  const list = options.items("only");
  if (list === undefined) return new Set(CHECK_NAMES);
  return new Set(
    list.map((text) => {
      const name = CHECK_NAMES.find((it) => it === text.toLowerCase());
      if (name !== undefined) return name;
      throw new UsageError(
        `--only must be a list of ${CHECK_NAMES.join(", ")}: given was ${
          JSON.stringify(text)
        }`,
      );
    }),
  );
}

/** Deps that are the same for every relay of the command. Throws {@linkcode UsageError} and `ConfigError`. */
export function checkDepsOf(
  { checks, keys }: MonitorConfig,
  options: OptionValues,
): Omit<CheckDeps, "dialer"> {
  const given = options.text("secret-key-env");
  const env = given ?? keys.secretKeyEnv;
  const file = given === undefined ? keys.secretKeyFile : undefined;
  const what = "the key (--secret-key-env)";
  const city = openDatabase("city-database", options);
  const asn = openDatabase("asn-database", options);
  const named = options.list("dns-server");
  return {
    secretKey: resolveSecretKey({ env, file, what }),
    dnsServers: dnsServers(named.length > 0 ? named : checks.dns.servers),
    databases: { city: () => city, asn: () => asn },
  };
}

function dnsServers(addresses: readonly string[]): readonly DnsServer[] {
  if (addresses.length === 0) return systemDnsServers();
  return addresses.map((text) => {
    const server = parseDnsServer(text);
    if (server !== null) return server;
    throw new UsageError(
      `--dns-server must be an IP address, with a port if not 53: given was ${
        JSON.stringify(text)
      }`,
    );
  });
}

/** A file that is no database costs one check, not the others; one that is not there was misspelt. */
function openDatabase(
  option: "city-database" | "asn-database",
  options: OptionValues,
): Result<Mmdb, MmdbFault> {
  const path = options.text(option);
  if (path === undefined) return fail({ detail: `needs --${option} PATH` });
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    throw new UsageError(
      `--${option}: cannot read ${path}: ${whyUnreadable(error)}`,
    );
  }
  return openMmdb(bytes);
}
