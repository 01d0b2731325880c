/**
 * From a host name to the addresses that may be dialled. The name is looked up once, every address is vetted,
 * and what comes out is what gets dialled: a name that changes its mind in between (DNS rebinding) changes nothing.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { canonicalAddress, isPublicAddress } from "../models/address.ts";
import { fail, ok, type Result } from "../models/result.ts";
import { type Deadline, runStep } from "./deadline.ts";
import { errorLine } from "../base/error_text.ts";
import type { RelayFailure } from "./failure.ts";

/** Looks up all addresses of a name; rejects when there are none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** How many addresses of one name are considered. */
const MAX_ADDRESSES = 16;

/** The resolver of the system, with its hosts file and its search order. */
export async function systemResolver(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/**
 * The addresses of a host that may be dialled, at least one, families alternating.
 * Without `allowPrivate` only public ones are left; when that leaves none, the failure is `address`.
 */
export async function resolveHost(
  host: string,
  { resolve, allowPrivate }: { resolve: Resolver; allowPrivate: boolean },
  deadline: Deadline,
): Promise<Result<readonly string[], RelayFailure>> {
  const literal = canonicalAddress(host);
  const found = literal === null
    ? await lookUp(host, resolve, deadline)
    : ok([literal]);
  if (!found.ok) return found;

  const addresses = found.value.map(canonicalAddress).filter((address) =>
    address !== null
  );
  if (addresses.length === 0) {
    return fail({ code: "dns", detail: `${host} has no address` });
  }
  const allowed = allowPrivate ? addresses : addresses.filter(isPublicAddress);
  if (allowed.length === 0) {
    const detail = `${host} is at no public address: ${addresses.join(", ")}`;
    return fail({ code: "address", detail });
  }
  return ok(alternateFamilies([...new Set(allowed)]).slice(0, MAX_ADDRESSES));
}

function lookUp(
  host: string,
  resolve: Resolver,
  deadline: Deadline,
): Promise<Result<readonly string[], RelayFailure>> {
  return runStep<readonly string[]>("dns", deadline, (settle) => {
    resolve(host).then(
      (addresses) => settle(ok(addresses)),
      (error) =>
        settle(fail({ code: "dns", detail: `${host}: ${errorLine(error)}` })),
    );
    // A look-up in the system's resolver cannot be called back; its answer is ignored.
    return () => {};
  });
}

/** Keeps the resolver's preference, but tries the other family second (RFC 8305). */
function alternateFamilies(addresses: readonly string[]): string[] {
  const preferred = addresses[0]?.includes(":") ?? false;
  const first = addresses.filter((it) => it.includes(":") === preferred);
  const second = addresses.filter((it) => it.includes(":") !== preferred);
  return first.flatMap((address, i) => {
    const other = second[i];
    return other === undefined ? [address] : [address, other];
  }).concat(second.slice(first.length));
}
