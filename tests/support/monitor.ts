/**
 * Monitors on loopback for tests: their configuration, and what they are made with.
 *
 * @module
 */
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import { parseRelayUrl } from "../../src/models/relay_url.ts";
import { fail } from "../../src/models/result.ts";
import { checkDueRelays, monitor } from "../../src/services/monitor/mod.ts";
import type { MonitorDeps } from "../../src/services/monitor/cycle.ts";
import { latestMetadata } from "./archive_reads.ts";
import type { TestArchive } from "./archive.ts";
import { AddressSlots } from "../../src/transport/politeness.ts";
import { testDialer } from "./dialing.ts";
import { testRelay } from "./test_relay.ts";
import type { HttpReply } from "./test_relay_script.ts";

/** The key of `monitorConfig`. */
export const monitorKey: Uint8Array = new Uint8Array(32).fill(0x17);

/** What the file of a monitor on loopback says; the key stands in a file, which disposal deletes. */
export async function monitorConfig(
  publish: Readonly<Record<string, unknown>>,
  { timeoutMs = 2_000, ...rest }: {
    readonly timeoutMs?: number;
    readonly [key: string]: unknown;
  } = {},
) {
  const secretKeyFile = await Deno.makeTempFile();
  await Deno.writeTextFile(secretKeyFile, `${"17".repeat(32)}\n`);
  return {
    config: {
      allowPrivate: true,
      networks: { clearnet: { maxConnections: 10, timeoutMs } },
      keys: { secretKeyFile },
      publish,
      ...rest,
    },
    [Symbol.asyncDispose]: () => Deno.remove(secretKeyFile),
  };
}

/** Stores a relay on loopback; gives its id. */
export async function addRelay(
  { database }: TestArchive,
  text: string,
): Promise<number> {
  const parsed = parseRelayUrl(text, { allowPrivate: true });
  if (!parsed.ok) throw new Error(parsed.failure.detail);
  await insertRelays(database, [parsed.value]);
  const ids = await relayIds(database, [parsed.value.url]);
  return ids.get(parsed.value.url) ?? 0;
}

/** Every relay is due again, but no document that is not due by itself. */
export async function visitAgain({ sql }: TestArchive): Promise<void> {
  await sql`update relay_lease set due_at = 0`;
  await sql`update relay_check set checked_at = checked_at - 100`;
  await sql`update relay_metadata set generated_at = generated_at - 100`;
}

/** Every relay and every document is due again; what happened so far happened a while ago, as seconds are keys. */
export async function againDue({ sql }: TestArchive): Promise<void> {
  await sql`update relay_lease set due_at = 0, memory = '{}'`;
  await sql`update relay_check set checked_at = checked_at - 100`;
  await sql`update relay_metadata set generated_at = generated_at - 100`;
  await sql`update outbox set created_at = created_at - 100`;
}

/** A NIP-11 document. */
export function reply(document: Readonly<Record<string, unknown>>): HttpReply {
  return {
    status: 200,
    headers: { "content-type": "application/nostr+json" },
    body: JSON.stringify(document),
  };
}

/** Nothing listens there now. */
export async function unusedPort(): Promise<number> {
  await using relay = await testRelay();
  return relay.port;
}

/** What checks are made with here, and nothing that looks outside. */
export function monitorDeps(deps: Partial<MonitorDeps> = {}): MonitorDeps {
  const none = () => fail({ detail: "There is no file" });
  return {
    dialer: testDialer(),
    slots: new AddressSlots(2),
    secretKey: null,
    dnsServers: [],
    databases: { city: none, asn: none },
    holder: crypto.randomUUID(),
    publisher: null,
    ...deps,
  };
}

/** The checks of the monitor alone, made with these means. */
export function monitorWith(deps: MonitorDeps): typeof monitor {
  return { ...monitor, run: (ctx) => checkDueRelays(ctx, deps) };
}

/** The newest documents of a relay by their type. */
export async function documentsOf(
  { database }: TestArchive,
  relayId: number,
): Promise<Map<string, unknown>> {
  const latest = await latestMetadata(database, relayId);
  return new Map(latest.map(({ type, data }) => [type, data]));
}
