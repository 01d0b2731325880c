/**
 * Hosts by name: one of them, or a domain and everything below it.
 *
 * @module
 */
import { canonicalAddress } from "./address.ts";
import { type HostFault, normalizeHost } from "./relay_host.ts";
import { fail, ok, type Result } from "./result.ts";

/** A list of hosts, each in the form that `parseHostPattern` gives. */
export class HostList {
  #hosts: ReadonlySet<string>;

  constructor(patterns: readonly string[]) {
    this.#hosts = new Set(patterns);
  }

  get patterns(): readonly string[] {
    return [...this.#hosts];
  }

  /** From now on these, and no others; gives those that are no more among them. */
  replace(patterns: readonly string[]): string[] {
    const before = this.#hosts;
    const after = new Set(patterns);
    this.#hosts = after;
    return [...before].filter((pattern) => !after.has(pattern));
  }

  /** Whether a host, in normal form, is one of them. */
  has(host: string): boolean {
    if (this.#hosts.has(host)) return true;
    const labels = host.split(".");
    return labels.some((_, first) =>
      this.#hosts.has(`*.${labels.slice(first).join(".")}`)
    );
  }
}

/** The normal form of `relay.damus.io`, of an IP address, or of `*.damus.io`: the domain and all names below it. */
export function parseHostPattern(text: string): Result<string, HostFault> {
  const isDomain = text.startsWith("*.");
  const name = isDomain ? text.slice(2) : text;
  const isBareIpv6 = /:.*:/.test(name) && !name.startsWith("[");
  const normal = normalizeHost(isBareIpv6 ? `[${name}]` : name, true);
  if (!normal.ok) return normal;
  const { host } = normal.value;
  if (!isDomain) return ok(host);
  if (canonicalAddress(host) === null) return ok(`*.${host}`);
  const detail = `Nothing is below an IP address: ${host}`;
  return fail({ code: "address", detail });
}
