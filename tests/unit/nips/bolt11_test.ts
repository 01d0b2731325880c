import assert from "node:assert/strict";
import { bech32 } from "@scure/base";
import { createHash } from "node:crypto";
import { parseInvoice } from "../../../src/nips/bolt11.ts";
import { invoice } from "../../support/zaps.ts";

/** Examples of BOLT 11, and what it says of each. */
const EXAMPLES = {
  anyAmount:
    "lnbc1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq8rkx3yf5tcsyz3d73gafnh3cax9rn449d9p5uxz9ezhhypd0elx87sjle52x86fux2ypatgddc6k63n7erqz25le42c4u4ecky03ylcqca784w",
  coffee:
    "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp",
  hashed:
    "lnbc20m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqscc6gd6ql3jrc5yzme8v4ntcewwz5cnw92tz0pc8qcuufvq7khhr8wpald05e92xw006sq94mg8v2ndf4sefvf9sygkshp5zfem29trqq2yxxz7",
  testnet:
    "lntb20m1pvjluezhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqfpp3x9et2e20v6pu37c5d9vax37wxq72un98kmzzhznpurw9sgl2v0nklu2g4d0keph5t7tj9tcqd8rexnd07ux4uv2cjvcqwaxgj7v4uwn5wmypjd5n69z2xm3xgksg28nwht7f6zspwp3f9t",
  routed:
    "lnbc20m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqsfpp3qjmp7lwpagxun9pygexvgpjdc4jdj85fr9yq20q82gphp2nflc7jtzrcazrra7wwgzxqc8u7754cdlpfrmccae92qgzqvzq2ps8pqqqqqqpqqqqq9qqqvpeuqafqxu92d8lr6fvg0r5gv0heeeqgcrqlnm6jhphu9y00rrhy4grqszsvpcgpy9qqqqqqgqqqqq7qqzqj9n4evl6mr5aj9f58zp6fyjzup6ywn3x6sk8akg5v4tgn2q8g4fhx05wf6juaxu9760yp46454gpg5mtzgerlzezqcqvjnhjh8z3g2qqdhhwkj",
} as const;

const CAKE = createHash("sha256").update(
  "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon",
).digest("hex");

Deno.test("parseInvoice() reads the examples of BOLT 11", () => {
  const none = { network: "bc", descriptionHash: null };
  assert.deepEqual(parseInvoice(EXAMPLES.anyAmount), { ...none, msats: null });
  assert.deepEqual(parseInvoice(EXAMPLES.coffee), {
    ...none,
    msats: 250_000_000n,
  });
  const hashed = {
    network: "bc",
    msats: 2_000_000_000n,
    descriptionHash: CAKE,
  };
  assert.deepEqual(parseInvoice(EXAMPLES.hashed), hashed);
  assert.deepEqual(parseInvoice(EXAMPLES.hashed.toUpperCase()), hashed);
  assert.deepEqual(parseInvoice(EXAMPLES.routed), hashed);
  assert.deepEqual(parseInvoice(EXAMPLES.testnet), {
    ...hashed,
    network: "tb",
  });
});

Deno.test("parseInvoice() refuses wrong checksums, amounts, prefixes and fields", () => {
  const { coffee } = EXAMPLES;
  assert.equal(parseInvoice(`${coffee.slice(0, -1)}q`), null);
  assert.equal(parseInvoice(coffee.replace("2500u", "2400u")), null);
  assert.equal(parseInvoice(coffee.slice(0, 40)), null);
  assert.equal(parseInvoice("L" + coffee.slice(1)), null);
  for (const text of ["", "lnbc", "1", coffee.repeat(50)]) {
    assert.equal(parseInvoice(text), null, text.slice(0, 20));
  }
  const description = "x";
  assert.equal(parseInvoice(invoice({ description }))?.msats, 21_000n);
  const amounts: [string, bigint | null | undefined][] = [
    ["", null],
    ["1", 100_000_000_000n],
    ["20p", 2n],
    ["2500000001p", undefined],
    ["2500x", undefined],
    ["010u", undefined],
    ["0u", undefined],
    ["1.5u", undefined],
    ["99999999999999999999m", undefined],
  ];
  for (const [amount, msats] of amounts) {
    assert.equal(
      parseInvoice(invoice({ amount, description }))?.msats,
      msats,
      amount,
    );
  }
  for (const prefix of ["bc", "lnxx", "xnbc"]) {
    assert.equal(parseInvoice(invoice({ prefix, description })), null, prefix);
  }
  const short = bech32.encode("lnbc1u", Array(110).fill(0), false);
  assert.equal(parseInvoice(short), null);
  const overlong = [...Array(7).fill(0), 23, 31, 31, ...Array(104).fill(0)];
  assert.equal(parseInvoice(bech32.encode("lnbc1u", overlong, false)), null);
});
