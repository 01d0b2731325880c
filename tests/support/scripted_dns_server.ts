/**
 * A DNS server that knows nothing, in the way it is told to.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import type { DnsServer } from "../../src/transport/dns_client.ts";

/** Answers everything with one code and no records, or not at all; and before that, with garbage. */
export async function scriptedDnsServer(
  rcode: number | null,
): Promise<DnsServer & AsyncDisposable & { asked(): number }> {
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", (bytes: Uint8Array, { port, address }) => {
    asked++;
    if (rcode === null) return;
    const answer = bytes.slice();
    answer[2] = 0x81;
    answer[3] = 0x80 | rcode;
    socket.send(Uint8Array.of(1, 2, 3), port, address);
    socket.send(answer, port, address);
  });
  await new Promise<void>((resolve) =>
    socket.bind(0, "127.0.0.1", () => resolve())
  );
  return {
    address: "127.0.0.1",
    port: socket.address().port,
    asked: () => asked,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => void socket.close(() => resolve())),
  };
}
