/**
 * The way to a host: direct to a vetted address, or through the proxy of its network; under TLS when wanted.
 *
 * @module
 */
import type { Socket } from "node:net";
import { isPublicAddress } from "../models/address.ts";
import type { HostList } from "../models/host_list.ts";
import type { Network, Networks } from "../models/network.ts";
import { fail, ok, type Result } from "../models/result.ts";
import { connectFirst } from "./connect.ts";
import { sleep } from "../base/sleep.ts";
import { type Deadline, deadlineIn } from "./deadline.ts";
import type { RelayFailure } from "./failure.ts";
import type { ConnectionLimiter } from "./politeness.ts";
import { resolveHost, type Resolver } from "./resolve.ts";
import { connectThroughProxy } from "./socks_proxy.ts";
import { secure, type TlsInfo } from "./tls.ts";

/** The host to reach, and how. */
export interface Target {
  readonly network: Network;
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Host and port as they stand in the URL. */
  readonly authority: string;
  readonly tls: boolean;
}

/** Policy of all connections of a dialer. */
export interface RoutePolicy {
  readonly networks: Networks;
  readonly allowPrivate: boolean;
  readonly resolve: Resolver;
  readonly caCertificates: readonly string[];
  readonly limiter: ConnectionLimiter;
  readonly slotTimeoutMs: number;
  /** Neither looked up nor dialled. */
  readonly optedOut: HostList;
}

/** The bounds of one attempt. */
export interface Attempt {
  /** For everything up to the first byte of the protocol; waiting in our own queues not counted. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether the certificate must hold. Overlays are never verified: there the name itself is the peer's key. */
  readonly verify: boolean;
  /** How long to wait for a slot at the address, ms. Default: the policy's. */
  readonly slotTimeoutMs?: number;
}

/** An open byte stream to a target. */
export interface Stream {
  readonly socket: Socket;
  /** The vetted address that was dialled; null behind a proxy. */
  readonly address: string | null;
  readonly tls: TlsInfo | null;
  /** The rest of the attempt's time, for what comes next. */
  readonly deadline: Deadline;
  /** When the attempt began, on the clock of `performance.now()`, our own queues not counted. */
  readonly startedAt: number;
}

/** Opens a stream. The slots it takes at its address are given back when its socket closes. */
export async function openStream(
  target: Target,
  policy: RoutePolicy,
  attempt: Attempt,
): Promise<Result<Stream, RelayFailure>> {
  if (policy.optedOut.has(target.host)) return optedOut(target.host);
  const { proxyUrl, enabled } = policy.networks[target.network];
  if (!enabled) return proxyFailure(target, "is not enabled");
  if (proxyUrl !== undefined) {
    return await throughProxy(target, policy, { ...attempt, proxyUrl });
  }
  return target.network === "clearnet"
    ? await directly(target, policy, attempt)
    : proxyFailure(target, "has no proxy");
}

async function directly(
  target: Target,
  policy: RoutePolicy,
  attempt: Attempt,
): Promise<Result<Stream, RelayFailure>> {
  const lookup = deadlineIn(attempt.timeoutMs, attempt.signal);
  const began = performance.now();
  const addresses = await resolveHost(target.host, policy, lookup);
  if (!addresses.ok) return addresses;
  const lookupMs = performance.now() - began;

  const slotOf = (address: string) => slotAt(address, target.port);
  const slots = await acquireSlots(addresses.value.map(slotOf), {
    target,
    policy,
    attempt,
  });
  if (!slots.ok) return slots;
  const reserve = () => reserved(policy, attempt);
  await reserve();
  const startedAt = performance.now() - lookupMs;
  const deadline = { ...lookup, endsAt: startedAt + attempt.timeoutMs };
  const connected = await connectFirst(
    addresses.value.filter((address) => slots.value.includes(slotOf(address))),
    { port: target.port, reserve },
    deadline,
  );
  if (!connected.ok) {
    policy.limiter.release(slots.value);
    return connected;
  }
  const { socket, address } = connected.value;
  const slot = slotOf(address);
  policy.limiter.release(slots.value.filter((it) => it !== slot));
  socket.once("close", () => policy.limiter.release([slot]));
  const stream = { socket, address, tls: null, deadline, startedAt };
  return await underTls(stream, target, { policy, attempt });
}

async function throughProxy(
  target: Target,
  policy: RoutePolicy,
  { proxyUrl, ...attempt }: Attempt & { proxyUrl: string },
): Promise<Result<Stream, RelayFailure>> {
  const slots = await acquireSlots([target.host], { target, policy, attempt });
  if (!slots.ok) return slots;
  await reserved(policy, attempt);
  const startedAt = performance.now();
  const deadline = deadlineIn(attempt.timeoutMs, attempt.signal);
  const { host, port } = target;
  const connected = await connectThroughProxy(
    proxyUrl,
    { host, port },
    deadline,
  );
  if (!connected.ok) {
    policy.limiter.release(slots.value);
    return connected;
  }
  const socket = connected.value;
  socket.once("close", () => policy.limiter.release(slots.value));
  const stream = { socket, address: null, tls: null, deadline, startedAt };
  return await underTls(stream, target, { policy, attempt });
}

function acquireSlots(
  slots: readonly string[],
  { target: { authority }, policy, attempt }: {
    readonly target: Target;
    readonly policy: RoutePolicy;
    readonly attempt: Attempt;
  },
): Promise<Result<readonly string[], RelayFailure>> {
  const { signal, slotTimeoutMs: timeoutMs = policy.slotTimeoutMs } = attempt;
  return policy.limiter.acquire(slots, { timeoutMs, signal, authority });
}

/** Takes a connection from the budget, and waits until it may be made. */
async function reserved(
  { limiter }: RoutePolicy,
  { signal }: Attempt,
): Promise<void> {
  await sleep(await limiter.reserve(), signal);
}

/** A private address is a machine of our own or a test, where several relays share it by port. */
function slotAt(address: string, port: number): string {
  return isPublicAddress(address) ? address : `${address} port ${port}`;
}

async function underTls(
  stream: Stream,
  { host, tls, network }: Target,
  { policy, attempt }: { policy: RoutePolicy; attempt: Attempt },
): Promise<Result<Stream, RelayFailure>> {
  if (!tls) return ok(stream);
  const { caCertificates } = policy;
  const verify = attempt.verify && network === "clearnet";
  const secured = await secure(stream.socket, {
    host,
    trust: { verify, caCertificates },
    deadline: stream.deadline,
  });
  if (!secured.ok) {
    stream.socket.destroy();
    return secured;
  }
  const { socket, info } = secured.value;
  return ok({ ...stream, socket, tls: info });
}

/** The failure for a host whose operator opted out. */
export function optedOut(host: string): Result<never, RelayFailure> {
  const detail = `${host} is on the opt-out list`;
  return fail({ code: "opted-out", detail });
}

function proxyFailure(
  { network }: Target,
  reason: string,
): Result<never, RelayFailure> {
  return fail({ code: "proxy", detail: `The network ${network} ${reason}` });
}
