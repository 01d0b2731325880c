/**
 * Relay hints: every place an event can mention a relay in, and their bounds.
 *
 * @module
 */
import assert from "node:assert/strict";
import { naddrEncode, neventEncode, nprofileEncode } from "nostr-tools/nip19";
import {
  extractHints,
  type HintSource,
  type MentioningEvent,
} from "../../../src/models/relay_hints.ts";

const AUTHOR = "ab".repeat(32);
const URL_A = "wss://relay.damus.io";
const URL_B = "wss://nos.lol";

Deno.test("extractHints() finds relays in every place that means one", () => {
  const [e, p, q] = [AUTHOR, AUTHOR, AUTHOR];
  const a = `30023:${AUTHOR}:x`;
  const places: [HintSource, Partial<MentioningEvent>][] = [
    ["recommendation", { kind: 2, content: ` ${URL_A}/ ` }],
    ["contacts", { kind: 3, content: `{"${URL_A}":{"read":true}}` }],
    ["relay-list", { kind: 10_002, tags: [["r", URL_A, "write"]] }],
    ["message-relays", { kind: 10_050, tags: [["relay", URL_A]] }],
    ["monitor", { kind: 30_166, tags: [["d", `${URL_A}/`]] }],
    ["monitor", { kind: 10_166, tags: [["r", URL_A]] }],
    ["r-tag", { tags: [["r", URL_A]] }],
    ["relay-tag", { kind: 9734, tags: [["relays", "x", URL_A]] }],
    ["relay-tag", { kind: 22_242, tags: [["relay", URL_A]] }],
    ["list", { kind: 10_009, tags: [["group", "id", URL_A, "name"]] }],
    ["e-tag", { tags: [["e", e, URL_A, "reply"]] }],
    ["e-tag", { kind: 1111, tags: [["E", e, URL_A]] }],
    ["p-tag", { tags: [["p", p, URL_A]] }],
    ["p-tag", { kind: 1111, tags: [["P", p, URL_A]] }],
    ["a-tag", { tags: [["a", a, URL_A]] }],
    ["a-tag", { kind: 1111, tags: [["A", a, URL_A]] }],
    ["q-tag", { tags: [["q", q, URL_A]] }],
    ...[10_006, 10_007, 10_009, 10_012, 10_051, 10_102, 30_002].map((kind) =>
      ["list", { kind, tags: [["relay", URL_A], ["r", URL_A]] }] satisfies [
        HintSource,
        Partial<MentioningEvent>,
      ]
    ),
  ];
  for (const [source, event] of places) {
    assert.deepEqual(hintsOf(event), [`${source} ${URL_A}`]);
  }
});

Deno.test("extractHints() follows references in the content", () => {
  const profile = nprofileEncode({ pubkey: AUTHOR, relays: [URL_A, URL_B] });
  const note = neventEncode({ id: AUTHOR, relays: ["wss://purplepag.es"] });
  const article = naddrEncode({
    identifier: "x",
    pubkey: AUTHOR,
    kind: 30_023,
    relays: ["wss://nostr.wine/inbox"],
  });
  const content =
    `by nostr:${profile}, see nostr:${note} and nostr:${article}.\n` +
    `nostr:nprofile1${"q".repeat(100)} nostr:${profile.slice(0, -1)}`;
  assert.deepEqual(hintsOf({ content }), [
    `reference ${URL_A}`,
    `reference ${URL_B}`,
    "reference wss://purplepag.es",
    "reference wss://nostr.wine/inbox",
  ]);
});

Deno.test("extractHints() gives what candidates are budgeted by", () => {
  const [hint] = extractHints(event({ tags: [["r", "WSS://a.nostr.co.uk/"]] }));
  assert.deepEqual(hint, {
    url: "wss://a.nostr.co.uk",
    network: "clearnet",
    host: "a.nostr.co.uk",
    domain: "nostr.co.uk",
    source: "r-tag",
    author: AUTHOR,
  });
});

Deno.test("extractHints() counts a relay once per source", () => {
  const tags = [
    ["r", URL_A],
    ["r", `${URL_A}:443/`],
    ["e", AUTHOR, URL_A],
    ["e", AUTHOR, URL_A],
  ];
  assert.deepEqual(hintsOf({ tags }), [`r-tag ${URL_A}`, `e-tag ${URL_A}`]);
});

Deno.test("extractHints() folds paths of users into their relay", () => {
  const tags = [
    ["r", `wss://filter.nostr.wine/npub1${"q".repeat(58)}?broadcast=true`],
    ["r", `wss://filter.nostr.wine/${AUTHOR}`],
  ];
  assert.deepEqual(hintsOf({ tags }), ["r-tag wss://filter.nostr.wine"]);
});

Deno.test("extractHints() finds nothing where no relay is meant", () => {
  const events: Partial<MentioningEvent>[] = [
    { kind: 1, content: URL_A },
    { kind: 3, content: `["${URL_A}"]` },
    { kind: 3, content: `{"${URL_A}":` },
    { kind: 3, content: "{}".repeat(40_000) },
    { kind: 2, content: `${URL_A} is a relay` },
    { tags: [["r", "https://damus.io"], ["r"], [], ["r", ""]] },
    { tags: [["e", AUTHOR], ["e", AUTHOR, ""], ["e", URL_A]] },
    { tags: [["d", URL_A], ["group", "id", URL_A], ["x", "y", URL_A]] },
    { tags: [["r", "ws://127.0.0.1:7777"], ["r", "wss://relay.local"]] },
    { tags: [["r", `wss://${"a".repeat(3000)}.com`]] },
  ];
  for (const nothing of events) assert.deepEqual(hintsOf(nothing), []);
});

Deno.test("extractHints() takes private relays where they are allowed", () => {
  const url = "ws://127.0.0.1:7777";
  const hints = extractHints(event({ tags: [["r", url]] }), {
    allowPrivate: true,
  });
  assert.deepEqual(hints.map((hint) => hint.url), [url]);
});

Deno.test("extractHints() takes at most 100 relays from one event", () => {
  const tags = Array.from(
    { length: 10_000 },
    (_, i) => ["r", `wss://relay${i}.com`],
  );
  const hints = hintsOf({ tags });
  assert.equal(hints.length, 100);
  assert.equal(hints.at(-1), "r-tag wss://relay99.com");
});

Deno.test("extractHints() gives up on an event full of malformed relays", () => {
  const malformed = Array.from({ length: 10_000 }, () => ["r", "wss://-"]);
  assert.deepEqual(hintsOf({ tags: [...malformed, ["r", URL_A]] }), []);
});

function hintsOf(draft: Partial<MentioningEvent>): string[] {
  return extractHints(event(draft)).map(({ source, url }) =>
    `${source} ${url}`
  );
}

function event(draft: Partial<MentioningEvent>): MentioningEvent {
  return { pubkey: AUTHOR, kind: 1, tags: [], content: "", ...draft };
}
