/**
 * The dialer: every connection of this program to the network outside is opened here, by one policy.
 *
 * Addresses are looked up once and vetted, the vetted one is dialled; overlays go through their proxies; TLS is
 * verified first; few sockets per address, few connections per minute; every wait has a deadline.
 *
 * @module
 */
import { HostList } from "../models/host_list.ts";
import type { Network, Networks } from "../models/network.ts";
import { authorityOf, type RelayUrl } from "../models/relay_url.ts";
import { fail, type Result } from "../models/result.ts";
import { deadlineIn } from "./deadline.ts";
import type { RelayFailure } from "./failure.ts";
import { get, type GetOptions, type HttpAnswer } from "./http/http_get.ts";
import { printable, withoutQuery } from "./printable.ts";
import { type HttpUrl, parseHttpUrl } from "./http/http_url.ts";
import { type ConnectionLimiter, limiterOf, Politeness } from "./politeness.ts";
import {
  type ReadBound,
  UnfinishedMessages,
} from "./websocket/held_message.ts";
import type { RelaySocket } from "./websocket/relay_socket.ts";
import { resolveHost, type Resolver, systemResolver } from "./resolve.ts";
import {
  openStream,
  optedOut,
  type RoutePolicy,
  type Target,
} from "./route.ts";
import { examineTlsPeer, type TlsPeer } from "./tls_peer.ts";
import { upgrade } from "./websocket/web_socket.ts";

export type { GetOptions, HttpAnswer } from "./http/http_get.ts";
export type { Resolver } from "./resolve.ts";
export type { TlsPeer } from "./tls_peer.ts";

/** The policy of a dialer. */
export interface DialerOptions {
  readonly networks: Networks;
  /** Dial private, loopback and reserved addresses too. */
  readonly allowPrivate: boolean;
  /** When a certificate does not hold, try again without asking for one that does. */
  readonly allowInsecureTls: boolean;
  /** Names the software and whom to complain to; printable ASCII. */
  readonly userAgent: string;
  /** Sockets open at once to one address (to one host behind a proxy; to one port of a private address). Default: 2. */
  readonly maxSocketsPerAddress?: number;
  /** How long to wait for one of those, ms; then the failure is `busy`. Default: 60 000. */
  readonly slotTimeoutMs?: number;
  /** A sixth of them may be opened at once. Default: 1200. */
  readonly maxNewConnectionsPerMinute?: number;
  /** Limits shared with other dialers: its slots instead of own ones, its rate beside the own. Default: none. */
  readonly politeness?: Politeness | undefined;
  /** The limiter to ask instead of all these. Default: none. */
  readonly limiter?: ConnectionLimiter;
  /** Hosts that are neither looked up nor dialled, in the form `HostList` takes, or as a list that may change. Default: none. */
  readonly optOut?: readonly string[] | HostList;
  /** What large messages that have not come to their ends may hold in memory together. Default: 16 MiB. */
  readonly maxUnfinishedBytes?: number;
  /** Default: the system's. */
  readonly resolve?: Resolver;
  /** PEM certificates of the authorities to trust instead of the usual ones. Default: the usual ones. */
  readonly caCertificates?: readonly string[];
}

/** How one WebSocket is opened. */
export interface OpenOptions {
  /** Ends the opening; an open socket has to be closed. */
  readonly signal: AbortSignal;
  /** Until the upgrade is answered, waiting in our own queues not counted. Default: the network's. */
  readonly timeoutMs?: number;
  /** Larger messages end the connection. Default: 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Of a message that is longer, by how it begins, only the ends are given. Default: nothing is cut. */
  readonly boundOf?: ReadBound;
  /** Silence after which the relay is asked whether it is alive, ms; after as much again it is not. Default: 30 000. */
  readonly pingAfterMs?: number;
  /** How long to wait for a slot at the address, ms; 0 for whoever has other work. Default: the dialer's. */
  readonly slotTimeoutMs?: number | undefined;
}

/** Bounds of an examination of a relay. */
export interface ExamineOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Opens connections. */
export interface Dialer {
  /** A WebSocket to a relay. */
  open(
    relay: RelayUrl,
    options: OpenOptions,
  ): Promise<Result<RelaySocket, RelayFailure>>;
  /** A document by HTTP or HTTPS, whatever its status; redirects are followed on the same host and port only (from 80 to 443, too). */
  get(
    url: string,
    options: GetOptions,
  ): Promise<Result<HttpAnswer, RelayFailure>>;
  /** The certificates of a `wss` relay, and whether they hold. */
  examineTls(
    relay: RelayUrl,
    options: ExamineOptions,
  ): Promise<Result<TlsPeer, RelayFailure>>;
  /** Whether its operator does not want to be visited: then everything here answers `opted-out`. */
  isOptedOut(relay: RelayUrl): boolean;
  /** Whether its host is dialled from here. Behind a proxy, no resolver of ours may even be asked about it. */
  isDirect(relay: RelayUrl): boolean;
  /** The addresses that would be dialled, at least one; the failure `proxy` for a relay that is not reached directly. */
  addresses(
    relay: RelayUrl,
    options: ExamineOptions,
  ): Promise<Result<readonly string[], RelayFailure>>;
}

const MAX_REDIRECTS = 3;

/** Makes a dialer. It holds no resources but the sockets it gives away. */
export function createDialer(options: DialerOptions): Dialer {
  const { networks, allowPrivate, allowInsecureTls, userAgent } = options;
  if (!/^[ -~]*$/.test(userAgent)) {
    throw new Error(
      `Cannot dial as the user agent must be printable ASCII: ${userAgent}`,
    );
  }
  const policy: RoutePolicy = {
    networks,
    allowPrivate,
    resolve: options.resolve ?? systemResolver,
    caCertificates: options.caCertificates ?? [],
    limiter: options.limiter ??
      limiterOf(new Politeness(options), options.politeness),
    slotTimeoutMs: options.slotTimeoutMs ?? 60_000,
    optedOut: options.optOut instanceof HostList
      ? options.optOut
      : new HostList(options.optOut ?? []),
  };
  const memory = new UnfinishedMessages(
    options.maxUnfinishedBytes ?? 16 * 1024 * 1024,
  );
  const dialing = { policy, userAgent, allowInsecureTls, memory };
  return {
    open: (relay, openOptions) => open(relay, dialing, openOptions),
    get: (url, getOptions) => getFollowing(url, dialing, getOptions),
    examineTls: (relay, attempt) =>
      examineTlsPeer({
        target: targetOf(relay),
        policy,
        attempt,
        openVerified: () =>
          open(relay, { ...dialing, allowInsecureTls: false }, attempt),
      }),
    isOptedOut: ({ host }) => policy.optedOut.has(host),
    isDirect: ({ network }) => isDirect(network, policy),
    addresses: (relay, examine) => addressesOf(relay, policy, examine),
  };
}

interface Dialing {
  readonly policy: RoutePolicy;
  readonly userAgent: string;
  readonly allowInsecureTls: boolean;
  readonly memory: UnfinishedMessages;
}

function open(
  relay: RelayUrl,
  dialing: Dialing,
  options: OpenOptions,
): Promise<Result<RelaySocket, RelayFailure>> {
  const { policy, userAgent, memory } = dialing;
  const target = targetOf(relay);
  const attempt = {
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? policy.networks[relay.network].timeoutMs,
  };
  return verifiedFirst(dialing, async (verify) => {
    const stream = await openStream(target, policy, {
      ...attempt,
      ...patience(options, verify),
      verify,
    });
    if (!stream.ok) return stream;
    return await upgrade(stream.value, relay, {
      maxMessageBytes: 4 * 1024 * 1024,
      ...options,
      userAgent,
      memory,
    });
  });
}

function addressesOf(
  { network, host }: RelayUrl,
  policy: RoutePolicy,
  { signal, timeoutMs }: ExamineOptions,
): Promise<Result<readonly string[], RelayFailure>> {
  if (policy.optedOut.has(host)) return Promise.resolve(optedOut(host));
  if (isDirect(network, policy)) {
    return resolveHost(host, policy, deadlineIn(timeoutMs, signal));
  }
  const detail = `${host} is reached through a proxy, its address is not ours`;
  return Promise.resolve(fail({ code: "proxy", detail }));
}

function isDirect(network: Network, { networks }: RoutePolicy): boolean {
  return network === "clearnet" && networks.clearnet.proxyUrl === undefined;
}

function targetOf(relay: RelayUrl): Target {
  const { network, host, port, scheme } = relay;
  const tls = scheme === "wss";
  const authority = authorityOf(relay);
  return { network, host, port: port ?? (tls ? 443 : 80), authority, tls };
}

/** Whoever has had a slot waits for the second one: it is his own, as soon as his socket has closed. */
function patience(
  { slotTimeoutMs }: Pick<OpenOptions, "slotTimeoutMs">,
  isFirst: boolean,
): { readonly slotTimeoutMs?: number } {
  return isFirst && slotTimeoutMs !== undefined ? { slotTimeoutMs } : {};
}

/** A second attempt without verification, where the configuration allows it and only the certificate stood in the way. */
async function verifiedFirst<T>(
  { allowInsecureTls }: Dialing,
  attempt: (verify: boolean) => Promise<Result<T, RelayFailure>>,
): Promise<Result<T, RelayFailure>> {
  const verified = await attempt(true);
  const again = allowInsecureTls && !verified.ok &&
    verified.failure.code === "tls";
  return again ? await attempt(false) : verified;
}

async function getFollowing(
  text: string,
  dialing: Dialing,
  options: GetOptions,
): Promise<Result<HttpAnswer, RelayFailure>> {
  let url = parseHttpUrl(text);
  const { slotTimeoutMs: _, ...patient } = options;
  for (let redirects = 0;; redirects++) {
    if (!url.ok) return url;
    const from = url.value;
    const answer = await verifiedFirst(
      dialing,
      (verify) =>
        get(from, dialing, {
          ...patient,
          ...patience(options, verify && redirects === 0),
          verify,
        }),
    );
    if (!answer.ok || !isRedirect(answer.value)) return answer;
    if (redirects === MAX_REDIRECTS) {
      return refuseRedirect(answer.value, "is one too many");
    }
    url = followed(from, answer.value);
  }
}

function isRedirect({ status, headers }: HttpAnswer): boolean {
  return [301, 302, 303, 307, 308].includes(status) &&
    headers["location"] !== undefined;
}

/** The URL of a redirect, if it stays on the host and does not give up TLS. The host is looked up and vetted anew. */
function followed(
  from: HttpUrl,
  answer: HttpAnswer,
): Result<HttpUrl, RelayFailure> {
  const to = parseHttpUrl(answer.headers["location"] ?? "", from.href);
  if (!to.ok || to.value.host !== from.host) {
    return refuseRedirect(answer, "leads to another host");
  }
  if (!isSamePlace(from, to.value)) {
    return refuseRedirect(answer, "leads to another port");
  }
  return from.tls && !to.value.tls
    ? refuseRedirect(answer, "gives up TLS")
    : to;
}

/** The port may change with the scheme, from the usual one to the usual one: who is asked must not send us elsewhere. */
function isSamePlace(from: HttpUrl, to: HttpUrl): boolean {
  return to.port === from.port || (from.port === 80 && to.port === 443);
}

function refuseRedirect(
  { status, headers }: HttpAnswer,
  why: string,
): Result<never, RelayFailure> {
  // Servers repeat the query that they were asked with.
  const to = printable(withoutQuery(headers["location"] ?? ""));
  return fail({ code: "http", status, detail: `A redirect ${why}: ${to}` });
}
