import assert from "node:assert/strict";
import { withoutSecrets } from "../../../../src/core/log/secret_text.ts";

Deno.test("withoutSecrets() masks passwords and keys in URLs, however they are written", () => {
  const cases = [
    ["postgres://me:pw@host/db", "postgres://me:***@host/db"],
    [
      "postgresql://me:p@ss/w?or d@host:5432/db",
      "postgresql://me:***@host:5432/db",
    ],
    ["socks5://me:p@ss@proxy:9050", "socks5://me:***@proxy:9050"],
    [
      "https://x.test/a?api_key=abc&b=1#c",
      "https://x.test/a?api_key=***&b=1#c",
    ],
    [
      "https://x.test/a?b=1&ACCESS_TOKEN=abc",
      "https://x.test/a?b=1&ACCESS_TOKEN=***",
    ],
    ["wss://relay.test:4848/@user", "wss://relay.test:4848/@user"],
    ["wss://relay.test/?monkey", "wss://relay.test/?monkey"],
  ];
  for (const [text, shown] of cases) {
    assert.equal(withoutSecrets(text!), shown);
    assert.equal(withoutSecrets(`"${text}" failed`), `"${shown}" failed`);
  }
});
