/**
 * A DNS client (RFC 1035): one question to a resolver by UDP, by TCP when the answer is too long for that.
 *
 * The runtime's own resolver will not do: it says "not found" of a name that does not exist, of a server that failed
 * and of one that refused alike, and tells no lifetimes of aliases.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { readFileSync } from "node:fs";
import { connect, isIPv6 } from "node:net";
// @ts-types="@types/dns-packet"
import dnsPacket, { type Answer, type DecodedPacket } from "dns-packet";
import { fail, ok, type Result } from "../models/result.ts";
import { type Deadline, deadlineIn, runStep, type Settle } from "./deadline.ts";
import { errorLine } from "../base/error_text.ts";
import type { RelayFailure } from "./failure.ts";

/** Address of a resolver. */
export interface DnsServer {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: "A" | "AAAA" | "CNAME" | "NS" | "PTR";
}

/** Answer of a resolver. */
export interface DnsReply {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, … (RFC 6895). */
  readonly rcode: string;
  readonly records: readonly DnsRecord[];
}

export interface DnsRecord {
  /** Lowercase, without the final dot; so is `data`. */
  readonly name: string;
  readonly type: string;
  /** Seconds that the answer may be kept. */
  readonly ttl: number;
  /** An address or a name. */
  readonly data: string;
}

/** Each server is asked so often before it is given up. */
const TRIES = 2;
const MAX_SERVERS = 3;
/** Size of an answer that fits into one packet everywhere (DNS flag day 2020). */
const UDP_BYTES = 1_232;
const MAX_RECORDS = 200;
const RECURSION_DESIRED = 0x0100;
/** RFC 1035, 4.1.1. */
const RCODES = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
] as const;

/** The resolvers of the system. */
export function systemDnsServers(): DnsServer[] {
  // Deno before 2.9 knows none.
  const known = getServers();
  // Deno names one of /etc/resolv.conf twice: for UDP and for TCP.
  const servers = [...new Set(known.length > 0 ? known : resolvConf())];
  return servers.map(parseDnsServer).filter((server) => server !== null);
}

/** A resolver written as `127.0.0.1`, `127.0.0.1:5353`, `::1` or `[::1]:5353`; null for anything else. */
export function parseDnsServer(text: string): DnsServer | null {
  const parts = /^\[([0-9a-f:.]+)\](?::(\d{1,5}))?$/i.exec(text) ??
    /^(\d+\.\d+\.\d+\.\d+)(?::(\d{1,5}))?$/.exec(text) ??
    /^([0-9a-f]*:[0-9a-f:.]+)$/i.exec(text);
  const [, address = "", port = "53"] = parts ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  return isPort && address !== "" ? { address, port: Number(port) } : null;
}

/**
 * Asks the servers in turn, each a few times, until one answers; SERVFAIL and REFUSED count as an answer of the last
 * one only. The failure is `timeout` when none answers within `timeoutMs`, `dns` when none can be asked.
 */
export async function askDns(
  question: DnsQuestion,
  servers: readonly DnsServer[],
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Result<DnsReply, RelayFailure>> {
  const rounds = Array.from({ length: TRIES })
    .flatMap(() => servers.slice(0, MAX_SERVERS));
  const noServer = { code: "dns", detail: "No resolver is known" } as const;
  let last: Result<DnsReply, RelayFailure> = fail(noServer);
  const { endsAt } = deadlineIn(timeoutMs, signal);
  for (const [i, server] of rounds.entries()) {
    const sliceMs = (endsAt - performance.now()) / (rounds.length - i);
    const deadline = { ...deadlineIn(sliceMs, signal), timeoutMs };
    last = await askServer(question, server, deadline);
    if (!last.ok && last.failure.code === "aborted") return last;
    if (last.ok && !isServersFault(last.value)) return last;
  }
  return last;
}

/** Another server may know what this one would not or could not say. */
function isServersFault({ rcode }: DnsReply): boolean {
  return rcode === "SERVFAIL" || rcode === "REFUSED";
}

function resolvConf(): string[] {
  try {
    const text = readFileSync("/etc/resolv.conf", "utf8");
    return [...text.matchAll(/^nameserver\s+(\S+)/gm)]
      .flatMap(([, address]) => address ?? []);
  } catch {
    return [];
  }
}

async function askServer(
  question: DnsQuestion,
  server: DnsServer,
  deadline: Deadline,
): Promise<Result<DnsReply, RelayFailure>> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const asked = { question, id, server };
  const byUdp = await runStep<DecodedPacket>(
    "dns",
    deadline,
    (settle) => sendDatagram(asked, settle),
  );
  const answer = byUdp.ok && byUdp.value.flag_tc
    ? await runStep<DecodedPacket>(
      "dns",
      deadline,
      (settle) => sendStream(asked, settle),
    )
    : byUdp;
  return answer.ok ? ok(readReply(answer.value)) : answer;
}

interface Asked {
  readonly question: DnsQuestion;
  readonly id: number;
  readonly server: DnsServer;
}

/** The socket is connected: what comes from elsewhere is not seen. Other garbage is waited out. */
function sendDatagram(asked: Asked, settle: Settle<DecodedPacket>) {
  const { address, port } = asked.server;
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.on("message", (bytes) => {
    const packet = readPacket(bytes, asked);
    if (packet !== null) settle(ok(packet));
  });
  socket.on("error", (error) => settle(fail(unasked(asked, error))));
  socket.connect(port, address, () => socket.send(requestOf(asked)));
  return () => socket.close();
}

/** The same with two bytes of length before each message (RFC 1035, 4.2.2). */
function sendStream(asked: Asked, settle: Settle<DecodedPacket>) {
  const { address, port } = asked.server;
  const socket = connect({ host: address, port });
  let received = Buffer.alloc(0);
  socket.on("error", (error) => settle(fail(unasked(asked, error))));
  socket.on("connect", () => {
    const request = requestOf(asked);
    const { length } = request;
    socket.write(Buffer.concat([Uint8Array.of(length >> 8, length), request]));
  });
  socket.on("data", (chunk: Uint8Array) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length < 2 ? Infinity : received.readUInt16BE(0);
    if (received.length < 2 + length) return;
    const packet = readPacket(received.subarray(2, 2 + length), asked);
    settle(packet === null ? fail(garbled(asked)) : ok(packet));
  });
  socket.on("close", () => settle(fail(garbled(asked))));
  return () => socket.destroy();
}

function requestOf({ question, id }: Asked): Uint8Array {
  return dnsPacket.encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED,
    questions: [question],
    additionals: [{
      type: "OPT",
      name: ".",
      udpPayloadSize: UDP_BYTES,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    }],
  });
}

/** Null for what does not answer this very question. */
function readPacket(bytes: Uint8Array, asked: Asked): DecodedPacket | null {
  try {
    const packet = dnsPacket.decode(Buffer.from(bytes));
    const { id, type, questions } = packet;
    const [question] = questions ?? [];
    const isOurs = id === asked.id && type === "response" &&
      question?.type === asked.question.type &&
      bareName(question.name) === bareName(asked.question.name);
    return isOurs ? packet : null;
  } catch {
    return null;
  }
}

function readReply({ flags = 0, answers = [] }: DecodedPacket): DnsReply {
  const code = flags & 0x0f;
  const rcode = RCODES[code] ?? `RCODE${code}`;
  const records = answers.slice(0, MAX_RECORDS).flatMap(readRecord);
  return { rcode, records };
}

function readRecord(answer: Answer): DnsRecord[] {
  switch (answer.type) {
    case "A":
    case "AAAA":
    case "CNAME":
    case "NS":
    case "PTR":
      return [{
        name: bareName(answer.name),
        type: answer.type,
        ttl: answer.ttl ?? 0,
        data: bareName(answer.data),
      }];
    default:
      return [];
  }
}

function bareName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function unasked({ server }: Asked, error: unknown): RelayFailure {
  const detail = `Cannot ask ${server.address}: ${errorLine(error)}`;
  return { code: "dns", detail };
}

function garbled({ server }: Asked): RelayFailure {
  const detail = `${server.address} did not answer what it was asked`;
  return { code: "dns", detail };
}
