/**
 * How relays are reached: the configuration shared by validator, monitor and synchronizer.
 *
 * @module
 */
import { z } from "zod";
import type { NetworkSettings } from "../../models/network.ts";
import { optOutKeys } from "./opt_out.ts";

const proxyUrl = z.string()
  .regex(/^socks5h?:\/\/[^\s/]+:\d{1,5}\/?$/, "must be socks5://host:port");

/** Default addresses of the overlays' daemons. */
const TOR_PROXY = "socks5://127.0.0.1:9050";
const I2P_PROXY = "socks5://127.0.0.1:4447";
const LOKI_PROXY = "socks5://127.0.0.1:1080";

/** The settings of the four networks; the output fits `Networks` of the models. */
function networksConfig(maxConnections: number) {
  return z.strictObject({
    clearnet: network({ enabled: true, maxConnections, timeoutMs: 10_000 }),
    tor: network({
      enabled: false,
      proxyUrl: TOR_PROXY,
      maxConnections: 10,
      timeoutMs: 30_000,
    }),
    i2p: network({
      enabled: false,
      proxyUrl: I2P_PROXY,
      maxConnections: 5,
      timeoutMs: 45_000,
    }),
    loki: network({
      enabled: false,
      proxyUrl: LOKI_PROXY,
      maxConnections: 5,
      timeoutMs: 30_000,
    }),
  });
}

/** The way into the four networks, for a service that fetches a document now and then and paces itself. */
export const routesConfig = z.strictObject({
  clearnet: z.strictObject(route({ enabled: true })).prefault({}),
  tor: z.strictObject(route({ enabled: false, proxyUrl: TOR_PROXY }))
    .prefault({}),
  i2p: z.strictObject(route({ enabled: false, proxyUrl: I2P_PROXY }))
    .prefault({}),
  loki: z.strictObject(route({ enabled: false, proxyUrl: LOKI_PROXY }))
    .prefault({}),
});

/**
 * The keys of a service that dials relays, to be spread into its `z.strictObject`
 * beside `commonConfig()`. `maxConnections` is the default of the clearnet.
 */
export function dialConfig({ maxConnections = 50 } = {}) {
  return {
    networks: networksConfig(maxConnections).prefault({}),
    allowPrivate: z.boolean().default(false)
      .describe("Dial relays on private, loopback and reserved addresses too"),
    allowInsecureTls: z.boolean().default(false)
      .describe("Accept certificates that do not hold"),
    contact: z.string().max(200).regex(/^[\x20-\x7e]*$/, "must be plain ASCII")
      .default("")
      .describe(
        "How a relay's operator reaches you (URL or address); part of the User-Agent",
      ),
    ...optOutKeys,
  };
}

function network(defaults: NetworkSettings) {
  return z.strictObject({
    ...route(defaults),
    maxConnections: z.int().min(1).max(1_000).default(defaults.maxConnections)
      .describe("Relays of this network in work at the same time"),
    timeoutMs: z.int().min(100).max(300_000).default(defaults.timeoutMs)
      .describe("Deadline of one step in ms: connecting, one answer"),
  }).prefault({});
}

function route(defaults: Pick<NetworkSettings, "enabled" | "proxyUrl">) {
  const proxy = defaults.proxyUrl === undefined
    ? proxyUrl.optional()
    : proxyUrl.default(defaults.proxyUrl);
  return {
    enabled: z.boolean().default(defaults.enabled)
      .describe("What is in a disabled network is neither claimed nor dialled"),
    proxyUrl: proxy.describe("SOCKS5 proxy as socks5://host:port"),
  };
}
