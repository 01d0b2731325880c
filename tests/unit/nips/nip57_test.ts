import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { parseInvoice } from "../../../src/nips/bolt11.ts";
import { readZap, type ZapFault } from "../../../src/nips/nip57.ts";
import { loadVerifier } from "../../../src/nips/verify/verifier.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { invoice, type ZapDraft, zapReceipt } from "../../support/zaps.ts";

const factory = eventFactory("nip57_test");
const verifier = await loadVerifier();
const verify = (event: NostrEvent) => verifier.verify(event);

const POST = factory.sign({ author: 1 });
const ADDRESS = `30023:${factory.pubkey(1)}:essay`;
const DRAFT: ZapDraft = {
  sender: 2,
  wallet: 3,
  recipient: factory.pubkey(1),
  eventId: POST.id,
};

/** The example of NIP-57. */
const EXAMPLE = [
  ["p", "32e1827635450ebb3c5a7d12c1f8e7b2b514439ac10a67eef3d9fd9c5c68e245"],
  ["P", "97c70a44366a6535c145b333f973ea86dfdc2d7a99da618c40c64705ad98e322"],
  ["e", "3624762a1274dd9636e0c552b53086d70bc88c165bc4dc0f9e836a1eaf86c3b8"],
  [
    "bolt11",
    "lnbc10u1p3unwfusp5t9r3yymhpfqculx78u027lxspgxcr2n2987mx2j55nnfs95nxnzqpp5jmrh92pfld78spqs78v9euf2385t83uvpwk9ldrlvf6ch7tpascqhp5zvkrmemgth3tufcvflmzjzfvjt023nazlhljz2n9hattj4f8jq8qxqyjw5qcqpjrzjqtc4fc44feggv7065fqe5m4ytjarg3repr5j9el35xhmtfexc42yczarjuqqfzqqqqqqqqlgqqqqqqgq9q9qxpqysgq079nkq507a5tw7xgttmj4u990j7wfggtrasah5gd4ywfr2pjcn29383tphp4t48gquelz9z78p4cq7ml3nrrphw5w6eckhjwmhezhnqpy6gyf0",
  ],
  [
    "description",
    '{"pubkey":"97c70a44366a6535c145b333f973ea86dfdc2d7a99da618c40c64705ad98e322","content":"","id":"d9cc14d50fcb8c27539aacf776882942c1a11ea4472f8cdec1dea82fab66279d","created_at":1674164539,"sig":"77127f636577e9029276be060332ea565deaf89ff215a494ccff16ae3f757065e2bc59b2e8c113dd407917a010b3abd36c8d7ad84c0e3ab7dab3a0b0caa9835d","kind":9734,"tags":[["e","3624762a1274dd9636e0c552b53086d70bc88c165bc4dc0f9e836a1eaf86c3b8"],["p","32e1827635450ebb3c5a7d12c1f8e7b2b514439ac10a67eef3d9fd9c5c68e245"],["relays","wss://relay.damus.io","wss://nostr-relay.wlvs.space","wss://nostr.fmt.wiz.biz","wss://relay.nostr.bg","wss://nostr.oxtr.dev","wss://nostr.v0l.io","wss://brb.io","wss://nostr.bitcoiner.social","ws://monad.jb55.com:8080","wss://relay.snort.social"]]}',
  ],
] as const;

// Neither is the request's id the hash of what is printed there.
Deno.test("readZap() finds that the example of NIP-57 does not hash to what its invoice says", () => {
  const [, , , [, bolt11], [, description]] = EXAMPLE;
  assert.equal(parseInvoice(bolt11)?.msats, 1_000_000n);
  assert.deepEqual(readZap(EXAMPLE, verify), {
    ok: false,
    failure: "description",
  });
  const mended = EXAMPLE.map(([name, value]) =>
    name === "bolt11"
      ? [name, invoice({ amount: "10u", description })]
      : [name, value]
  );
  assert.deepEqual(readZap(mended, verify), { ok: false, failure: "request" });
});

Deno.test("readZap() says who zapped what, and how much", () => {
  const zap = { sender: factory.pubkey(2), recipient: factory.pubkey(1) };
  const { tags } = zapReceipt(factory, {
    ...DRAFT,
    address: ADDRESS,
    requested: "21000",
  });
  const read = readZap(tags, verify);
  assert.ok(read.ok);
  const { request: _, ...found } = read.value;
  const subject = { eventId: POST.id, address: ADDRESS };
  assert.deepEqual(found, { ...zap, ...subject, msats: 21_000 });
});

Deno.test("readZap() finds each fault of a receipt", () => {
  const other = "0".repeat(64);
  const faults: [ZapFault, Partial<ZapDraft>, string][] = [
    ["invoice", { amount: "" }, "no amount"],
    ["invoice", { amount: "99999999" }, "more than can be"],
    ["amount", { requested: "21001" }, "another amount"],
    ["subject", { spoil: ({ tags }) => ({ tags: tags.slice(1) }) }, "no p"],
    ["subject", { spoil: ({ tags }) => ({ tags: tags.slice(0, 1) }) }, "no e"],
    ["subject", {
      spoil: ({ tags }) => ({ tags: [...tags, ["a", ADDRESS]] }),
    }, "an address that was not zapped"],
    ["subject", {
      spoil: ({ tags }) => ({ tags: [["p", other], ...tags.slice(1)] }),
    }, "for another"],
    ["subject", {
      spoil: ({ tags }) => ({ tags: [...tags, ["p", other]] }),
    }, "for two"],
    ["subject", { recipient: "nobody" }, "no key"],
    ["request", {
      spoil: ({ request }) => ({ request: { ...request, content: "more" } }),
    }, "an id of something else"],
    ["request", {
      spoil: () => ({ request: factory.sign({ author: 2 }) }),
    }, "another kind"],
    ["signature", {
      spoil: ({ request }) => ({
        request: { ...request, sig: POST.sig },
      }),
    }, "a signature of something else"],
  ];
  for (const [fault, draft, name] of faults) {
    const { tags } = zapReceipt(factory, { ...DRAFT, ...draft });
    assert.deepEqual(
      readZap(tags, verify),
      { ok: false, failure: fault },
      name,
    );
  }
  const { tags } = zapReceipt(factory, DRAFT);
  const without = (name: string) => tags.filter(([key]) => key !== name);
  const replaced = (name: string, value: string) =>
    without(name).concat([[name, value]]);
  const description = tags.find(([key]) => key === "description")![1]!;
  for (
    const [fault, changed] of [
      ["invoice", without("bolt11")],
      ["invoice", replaced("bolt11", "lnbc1")],
      [
        "invoice",
        replaced("bolt11", invoice({ prefix: "lntb", description })),
      ],
      ["description", without("description")],
      ["description", replaced("description", `${description} `)],
      ["description", replaced("bolt11", invoice({ description: "another" }))],
      [
        "request",
        replaced("bolt11", invoice({ description: "[" }))
          .filter(([key]) => key !== "description")
          .concat([["description", "["]]),
      ],
    ] as const
  ) {
    assert.deepEqual(readZap(changed, verify), { ok: false, failure: fault });
  }
});
