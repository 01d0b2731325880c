/**
 * The machine: room on its disks, resolvers that answer, files with secrets that only their owner reads.
 *
 * @module
 */
import { dirname } from "node:path";
import type { BrotrConfig } from "../../core/config/brotr_config.ts";
import { whyUnwritable } from "../../core/config/config_error.ts";
import { passwordFileFault } from "../../core/config/pgpass.ts";
import { serverAddress } from "../../core/database/connection/server_address.ts";
import {
  dataDirectory,
  freeBytes,
} from "../../core/database/embedded/data_directory.ts";
import {
  askDns,
  type DnsServer,
  systemDnsServers,
} from "../../transport/dns_client.ts";
import { failureText } from "../../transport/failure.ts";
import { byteSize } from "../terminal/numbers.ts";
import type { Configuration } from "./configuration.ts";
import { type Diagnosis, note, sound, wrong } from "./diagnosis.ts";

/** Less than this is full before anybody looks again. */
const LITTLE_BYTES = 2 * 1024 ** 3;
/** Less than this may fail with the next batch. */
const TOO_LITTLE_BYTES = 256 * 1024 ** 2;

/** Free space where the embedded PostgreSQL and the log write. */
export async function diskDiagnoses(config: BrotrConfig): Promise<Diagnosis[]> {
  const places = new Map<string, string>();
  if (serverAddress(config.database) === null) {
    const { root } = dataDirectory(config.embedded.dataDir);
    places.set(root, "the embedded PostgreSQL");
  }
  if (config.log.file !== undefined) {
    places.set(dirname(config.log.file), "the log");
  }
  return await Promise.all(
    [...places].map(([path, what]) => diskDiagnosis(path, what)),
  );
}

async function diskDiagnosis(wanted: string, what: string): Promise<Diagnosis> {
  let path: string;
  let free: number;
  try {
    path = existing(wanted);
    free = await freeBytes(path);
  } catch (error) {
    const why = `${wanted} cannot be used for ${what}: ${whyUnwritable(error)}`;
    return wrong("disk", why, "Choose another one: --data-dir, log.file");
  }
  const text = `${byteSize(free)} free for ${what} in ${path}`;
  const advice =
    "Make room: bigbrotr db cleanup deletes what is old, --data-dir moves the archive";
  if (free < TOO_LITTLE_BYTES) return wrong("disk", text, advice);
  return free < LITTLE_BYTES ? note("disk", text, advice) : sound("disk", text);
}

/** The path, or the nearest directory above it that is there. Throws where one cannot look. */
function existing(path: string): string {
  try {
    Deno.statSync(path);
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return existing(dirname(path));
  }
}

const DNS_TIMEOUT_MS = 4_000;

/** Each resolver of the system, or of those given, asked for the root's name servers: that concerns no third party. */
export async function dnsDiagnoses(
  signal: AbortSignal,
  servers: readonly DnsServer[] = systemDnsServers(),
): Promise<Diagnosis[]> {
  const advice = "Correct /etc/resolv.conf: relays are found by name";
  if (servers.length === 0) {
    return [wrong("dns", "this machine knows no resolver", advice)];
  }
  const diagnoses = await Promise.all(servers.map(async (server) => {
    const name = `${server.address} port ${server.port}`;
    const question = { name: ".", type: "NS" } as const;
    const limits = { timeoutMs: DNS_TIMEOUT_MS, signal };
    const answer = await askDns(question, [server], limits);
    if (!answer.ok) {
      return wrong("dns", `${name}: ${failureText(answer.failure)}`);
    }
    return answer.value.rcode === "NOERROR"
      ? sound("dns", `${name} answers`)
      : wrong("dns", `${name} answers ${answer.value.rcode}`);
  }));
  const isServed = diagnoses.some(({ grade }) => grade === "ok");
  return diagnoses.map((diagnosis) => {
    if (diagnosis.grade === "ok") return diagnosis;
    // The next one is asked instead.
    return isServed
      ? note("dns", diagnosis.text, advice)
      : wrong("dns", diagnosis.text, advice);
  });
}

/** Files with secrets: that of libpq where it is of no use, and those that everybody on the machine may read. */
export function secretFileDiagnoses(
  { brotr, services }: Pick<Configuration, "brotr" | "services">,
): Diagnosis[] {
  const fault = passwordFileFault(Deno.env.get);
  const files = [
    brotr?.database.passwordFile,
    ...services.map(({ config }) => keyFileOf(config)),
  ];
  const open = new Set(
    files.filter((path) => path !== undefined)
      .filter(isOpenToAll),
  );
  return [
    ...(fault === null ? [] : [note("password file", fault)]),
    ...[...open].map((path) =>
      note(
        "secret",
        `${path} may be read by everybody on this machine`,
        `chmod 600 ${path}`,
      )
    ),
  ];
}

function keyFileOf(config: object): string | undefined {
  const keys = new Map(Object.entries(config)).get("keys");
  if (typeof keys !== "object" || keys === null) return undefined;
  const path: unknown = Reflect.get(keys, "secretKeyFile");
  return typeof path === "string" ? path : undefined;
}

/** What cannot be looked at is told where it is read. */
function isOpenToAll(path: string): boolean {
  try {
    return ((Deno.statSync(path).mode ?? 0) & 0o004) !== 0;
  } catch {
    return false;
  }
}
