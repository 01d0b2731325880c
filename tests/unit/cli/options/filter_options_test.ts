/**
 * Options become a filter, or an explanation.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  naddrEncode,
  neventEncode,
  noteEncode,
  nprofileEncode,
  npubEncode,
} from "nostr-tools/nip19";
import { UsageError } from "../../../../src/cli/usage_error.ts";
import { readFilter } from "../../../../src/cli/options/filter_options.ts";
import { OptionValues } from "../../../../src/cli/options/option_values.ts";

const AUTHOR = "a".repeat(64);

Deno.test("readFilter() gives everything when nothing is said", () => {
  assert.deepEqual(read({}), {});
});

Deno.test("readFilter() puts the options into one filter", () => {
  const filter = read({
    kinds: "0, 3,10002",
    authors: AUTHOR,
    since: "1700000000",
    until: "2026-01-01T00:00:00Z",
    filter: '{"#t":["nostr"]}',
  });
  assert.deepEqual(filter, {
    kinds: [0, 3, 10002],
    authors: [AUTHOR],
    since: 1_700_000_000,
    until: 1_767_225_600,
    "#t": ["nostr"],
  });
});

Deno.test("readFilter() takes an option that is given twice as one list", () => {
  const [one, other] = [AUTHOR, "c".repeat(64)];
  assert.deepEqual(read({ kinds: ["1", "3,7"], authors: [one, other] }), {
    kinds: [1, 3, 7],
    authors: [one, other],
  });
});

Deno.test("readFilter() takes keys, ids and addresses as people paste them", () => {
  const id = "b".repeat(64);
  assert.deepEqual(
    read({
      authors: `${npubEncode(AUTHOR)},nostr:${
        nprofileEncode({ pubkey: AUTHOR, relays: ["wss://relay.example"] })
      },${AUTHOR}`,
      ids: `${noteEncode(id)}, ${neventEncode({ id })},${id}`,
    }),
    { authors: [AUTHOR, AUTHOR, AUTHOR], ids: [id, id, id] },
  );
  const address = { kind: 30_023, pubkey: AUTHOR, identifier: "a:b" };
  const filter = { kinds: [30_023], authors: [AUTHOR], "#d": ["a:b"] };
  for (const text of [naddrEncode(address), `30023:${AUTHOR}:a:b`]) {
    assert.deepEqual(read({ address: text }), filter);
  }
});

Deno.test("readFilter() says what is wrong with an option", () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ kinds: "1,,2" }, /--kinds must be a list separated by commas/],
    [{ kinds: "note" }, /"kinds" must be a list of integers/],
    [{ authors: "npub1xyz" }, /"authors" must be a list of 64 lowercase hex/],
    [{ authors: noteEncode(AUTHOR) }, /"authors" must be a list of 64/],
    [{ address: "30023" }, /--address must be naddr1… or kind:pubkey:ident/],
    [
      { address: `1:${AUTHOR}:`, kinds: "1" },
      /--address and --kinds both say "kinds"/,
    ],
    [{ since: "tomorrow" }, /--since must be Unix seconds, 2026-02-05/],
    [{ filter: "[]" }, /--filter: A filter is a JSON object/],
    [{ filter: "{kinds:[1]}" }, /--filter is not JSON/],
    [{ filter: '{"kind":[1]}' }, /--filter: Unknown filter field "kind"/],
    [{ filter: '{"kinds":[1]}', kinds: "2" }, /both say "kinds"/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => read(options), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
});

function read(options: Record<string, string | string[]>) {
  return readFilter(new OptionValues(new Map(Object.entries(options))));
}
