/**
 * Ports that the configuration opens, and proxies that it goes through, tried as they stand now.
 *
 * @module
 */
import type { MetricsConfig } from "../../core/config/common_config.ts";
import { NETWORKS, type NetworkSettings } from "../../models/network.ts";
import { isOurs } from "../taken_port.ts";
import type { Configuration } from "./configuration.ts";
import { type Diagnosis, note, sound, wrong } from "./diagnosis.ts";

const UP = "up.metrics";

/** The ports of `up` and of the services that serve metrics of their own. */
export async function portDiagnoses(
  { brotr, services }: Configuration,
): Promise<Diagnosis[]> {
  const wanted: (readonly [string, MetricsConfig])[] = services.map(
    ({ service, config }) => [`${service.name}.metrics`, config.metrics],
  );
  if (brotr !== null) wanted.unshift([UP, brotr.up.metrics]);
  const open = wanted.filter(([, { enabled, port }]) => enabled && port !== 0);
  const diagnoses: Diagnosis[] = [];
  for (const [key, metrics] of open) {
    diagnoses.push(await tryPort(key, metrics));
  }
  return [...diagnoses, ...sharedPorts(open)];
}

async function tryPort(
  key: string,
  { host, port }: MetricsConfig,
): Promise<Diagnosis> {
  const where = `${host}:${port} (${key}.port)`;
  try {
    Deno.listen({ hostname: host, port }).close();
    return sound("port", `${where} is free`);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      return await isOurs(host, port)
        ? sound("port", `${where} is served by a bigbrotr that runs`)
        : wrong(
          "port",
          `${where} is in use by another program`,
          "Choose another port, or stop that program",
        );
    }
    const why = error instanceof Deno.errors.AddrNotAvailable
      ? "this machine does not have that address"
      : error instanceof Deno.errors.PermissionDenied
      ? "this user may not open that port"
      : error instanceof Error
      ? error.message
      : String(error);
    return wrong("port", `${where}: ${why}`, "Choose another host or port");
  }
}

/** How long a proxy may take to answer. */
const PROBE_MS = 2_000;

/** Services of one machine cannot share a port; those of several machines can. */
function sharedPorts(
  open: readonly (readonly [string, MetricsConfig])[],
): Diagnosis[] {
  const services = open.filter(([key]) => key !== UP);
  const byPort = Map.groupBy(
    services,
    ([, { host, port }]) => `${host}:${port}`,
  );
  return [...byPort].filter(([, users]) => users.length > 1).map((
    [where, users],
  ) =>
    note(
      "port",
      `${where} is the port of ${users.map(([key]) => key).join(", ")}`,
      "Give each a port of its own where they run on one machine",
    )
  );
}

/** The proxies of enabled networks, each asked for a greeting once. */
export async function proxyDiagnoses(
  { services }: Configuration,
): Promise<Diagnosis[]> {
  const users = new Map<string, string[]>();
  for (const { service, config } of services) {
    for (const network of NETWORKS) {
      const proxyUrl = proxyOf(config, network);
      if (proxyUrl === null) continue;
      const user = `${service.name}.networks.${network}`;
      users.set(proxyUrl, [...users.get(proxyUrl) ?? [], user]);
    }
  }
  return await Promise.all(
    [...users].map(([url, users]) => tryProxy(url, users.join(", "))),
  );
}

function proxyOf(config: object, network: string): string | null {
  if (!("networks" in config)) return null;
  const networks = new Map(Object.entries(Object(config.networks)));
  const settings = networks.get(network);
  if (!isNetwork(settings) || !settings.enabled) return null;
  return settings.proxyUrl ?? null;
}

function isNetwork(
  value: unknown,
): value is Pick<NetworkSettings, "enabled" | "proxyUrl"> {
  return typeof value === "object" && value !== null && "enabled" in value;
}

/** RFC 1928: version 5, one method, no authentication. */
const GREETING = new Uint8Array([5, 1, 0]);

async function tryProxy(url: string, users: string): Promise<Diagnosis> {
  const { hostname, port } = new URL(url);
  const advice = "Start it, correct proxyUrl, or disable the network";
  const connecting = Deno.connect({ hostname, port: Number(port) });
  const timer = Promise.withResolvers<null>();
  const timeout = setTimeout(() => timer.resolve(null), PROBE_MS);
  try {
    const reply = await Promise.race([greet(connecting), timer.promise]);
    if (reply === 5) return sound("proxy", `${url} answers (${users})`);
    return wrong(
      "proxy",
      reply === null
        ? `${url} does not answer (${users})`
        : `${url} is no SOCKS5 proxy (${users})`,
      advice,
    );
  } catch {
    return wrong("proxy", `${url} cannot be reached (${users})`, advice);
  } finally {
    clearTimeout(timeout);
    connecting.then((socket) => socket.close(), () => {});
  }
}

/** The version that the proxy answers with. */
async function greet(connecting: Promise<Deno.Conn>): Promise<number> {
  const socket = await connecting;
  await socket.write(GREETING);
  const reply = new Uint8Array(2);
  await socket.read(reply);
  return reply[0] ?? 0;
}
