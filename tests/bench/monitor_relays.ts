/**
 * The benchmark's relays, in a process of their own, each on an address of its own: some that answer, some that take a
 * connection and are silent for ever.
 *
 * Arguments: how many answer, how many are silent. Prints their URLs as JSON when they listen; when stdin ends, the
 * moments (Unix ms) at which each that answers was first asked something.
 *
 * @module
 */
const [answering = 0, silent = 0] = Deno.args.map(Number);
const NIP11 = JSON.stringify({ name: "A relay", supported_nips: [1, 11] });
const PORT = 7_777;

const askedAt = new Map<number, number>();
const servers = Array.from({ length: answering }, (_, i) => {
  const listen = { hostname: address(1, i), port: PORT, onListen: () => {} };
  return Deno.serve(listen, (request) => answer(request, i));
});
// Nobody accepts: the kernel does, and that is all.
const listeners = Array.from(
  { length: silent },
  (_, i) => Deno.listen({ hostname: address(2, i), port: PORT }),
);
print({
  answering: servers.map((_, i) => `ws://${address(1, i)}:${PORT}`),
  silent: listeners.map((_, i) => `ws://${address(2, i)}:${PORT}`),
});
for await (const _ of Deno.stdin.readable);
print([...askedAt.values()]);
for (const listener of listeners) listener.close();
Deno.exit(0);

function answer(request: Request, i: number): Response {
  if (request.headers.get("upgrade") !== "websocket") {
    const headers = { "content-type": "application/nostr+json" };
    return new Response(NIP11, { headers });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => {
    if (!askedAt.has(i)) askedAt.set(i, Date.now());
    const [type, id] = JSON.parse(String(data));
    if (type === "REQ") socket.send(JSON.stringify(["EOSE", id]));
  };
  return response;
}

function address(group: number, i: number): string {
  return `127.${group}.${Math.floor(i / 250)}.${i % 250 + 1}`;
}

function print(value: unknown): void {
  const line = `${JSON.stringify(value)}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
