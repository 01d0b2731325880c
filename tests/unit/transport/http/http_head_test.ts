import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHead } from "../../../../src/transport/http/http_head.ts";

Deno.test("parseHead() reads status and headers", () => {
  const head = parseHead(
    "HTTP/1.1 200 All is well\r\nX-A:  1 \r\nx-a: 2\r\nEmpty:",
  );
  assert.deepEqual(head, {
    ok: true,
    value: { status: 200, headers: { "x-a": "1, 2", empty: "" } },
  });
});

Deno.test("parseHead() is not fooled by names that objects have", () => {
  const head = parseHead("HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y");
  assert(head.ok);
  assert.equal(Object.hasOwn(head.value.headers, "__proto__"), true);
  assert.equal(head.value.headers["constructor"], "y");
});

Deno.test("parseHead() never throws and names what it saw in print", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const head = parseHead(text);
    if (!head.ok && head.failure.code === "protocol") {
      assert.match(head.failure.detail, /^[ -~]{1,200}$/);
    }
  }));
});
