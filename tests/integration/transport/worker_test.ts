import assert from "node:assert/strict";
import { eventFactory } from "../../support/event_factory.ts";
import { testRelay } from "../../support/test_relay.ts";
import { makeCertificate } from "../../support/tls.ts";

Deno.test("dialling, TLS and authentication work in a worker that may do nothing but that", async () => {
  const certificate = await makeCertificate({ names: ["localhost"] });
  const event = eventFactory("worker").sign();
  await using relay = await testRelay({
    certificate,
    host: "localhost",
    events: [event],
    authRequired: "req",
  });
  const worker = new Worker(
    import.meta.resolve("../../support/dial_worker.ts"),
    {
      type: "module",
      deno: {
        permissions: {
          net: true,
          // npm:ws looks at these when it is loaded.
          env: ["WS_NO_BUFFER_UTIL", "WS_NO_UTF_8_VALIDATE"],
          read: false,
          write: false,
          run: false,
          ffi: false,
          sys: false,
          import: false,
        },
      },
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<MessageEvent>();
  worker.onmessage = resolve;
  worker.onerror = (error) => {
    error.preventDefault();
    reject(new Error(error.message));
  };
  worker.postMessage({ url: relay.url, ca: certificate.ca });
  const { data } = await promise.finally(() => worker.terminate());
  assert.deepEqual(data, {
    events: [event],
    outcome: { type: "eose" },
    verified: true,
  });
  assert.equal(relay.count("AUTH"), 1);
});
