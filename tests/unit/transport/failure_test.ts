import assert from "node:assert/strict";
import {
  countsAgainstRelay,
  failureText,
  isTransient,
  type RelayFailure,
} from "../../../src/transport/failure.ts";

const detail = "seen";

Deno.test("isTransient() is true of what may go well a little later", () => {
  const transient: RelayFailure[] = [
    { code: "timeout", detail },
    { code: "refused", detail },
    { code: "closed", status: 1006, detail },
    { code: "http", status: 429, detail },
    { code: "http", status: 503, detail },
    { code: "busy", detail },
    { code: "aborted" },
  ];
  for (const failure of transient) assert(isTransient(failure), failure.code);
  const lasting: RelayFailure[] = [
    { code: "address", detail },
    { code: "opted-out", detail },
    { code: "tls", detail },
    { code: "http", status: 404, detail },
    { code: "protocol", detail },
    { code: "restricted", detail },
  ];
  for (const failure of lasting) assert(!isTransient(failure), failure.code);
});

Deno.test("countsAgainstRelay() is false of what we did ourselves", () => {
  assert(!countsAgainstRelay({ code: "aborted" }));
  assert(!countsAgainstRelay({ code: "busy", detail }));
  assert(!countsAgainstRelay({ code: "proxy", detail }));
  assert(!countsAgainstRelay({ code: "opted-out", detail }));
  assert(countsAgainstRelay({ code: "timeout", detail }));
});

Deno.test("failureText() is one line with what was seen", () => {
  assert.equal(failureText({ code: "aborted" }), "aborted");
  assert.equal(failureText({ code: "dns", detail }), "dns: seen");
  const closed = { code: "closed", status: 1006, detail } as const;
  assert.equal(failureText(closed), "closed 1006: seen");
});
