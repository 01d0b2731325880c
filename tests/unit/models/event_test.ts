/**
 * Events: their shape, and what their id is the hash of.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  type EventFault,
  eventId,
  hasValidId,
  type NostrEvent,
  parseEvent,
  serializeEvent,
} from "../../../src/models/event.ts";
import { edgeCaseEvents } from "../../support/edge_case_events.ts";
import { eventFactory } from "../../support/event_factory.ts";

const factory = eventFactory("event_test");
const event = factory.sign({ tags: [["t", "nostr"]] });

Deno.test("parseEvent() takes real events of many kinds, and their ids hold", () => {
  for (const line of fixture("events.jsonl")) {
    const parsed = parseEvent(line);
    assert.ok(parsed.ok, JSON.stringify(line));
    assert.deepEqual(parsed.value, line);
    assert.ok(hasValidId(parsed.value), parsed.value.id);
  }
});

Deno.test("parseEvent() takes every valid event, however strange", () => {
  for (const [name, strange] of Object.entries(edgeCaseEvents(factory))) {
    // Over the wire and back, as a relay would send it.
    const parsed = parseEvent(JSON.parse(JSON.stringify(strange)));
    assert.ok(parsed.ok, name);
    assert.deepEqual(parsed.value, strange, name);
    assert.ok(hasValidId(parsed.value), name);
  }
});

Deno.test("parseEvent() keeps the seven fields of NIP-01 and drops others", () => {
  const parsed = parseEvent({ ...event, seen_on: ["wss://nos.lol"], ots: 1 });
  assert.deepEqual(parsed, { ok: true, value: event });
});

Deno.test("parseEvent() says which field is missing or of the wrong type", () => {
  for (const field of Object.keys(event)) {
    for (const wrong of [undefined, null, true, {}, "x", [1], -1, 1.5]) {
      const fault = faultOf({ ...event, [field]: wrong });
      if (fault === null) {
        assert.deepEqual([field, wrong], ["content", "x"]);
        continue;
      }
      assert.match(fault.detail, new RegExp(`^"${field}"`));
    }
  }
});

Deno.test("parseEvent() refuses what is not an object", () => {
  for (const value of [undefined, null, 1, "text", true, [], [event]]) {
    assert.equal(faultOf(value)?.code, "shape");
  }
});

Deno.test("parseEvent() refuses hex that is uppercase, short or long", () => {
  for (const field of ["id", "pubkey", "sig"] as const) {
    const hex = event[field];
    const wrong = [hex.toUpperCase(), hex.slice(1), `${hex}0`, `g${hex}`];
    for (const text of [...wrong, ""]) {
      assert.equal(faultOf({ ...event, [field]: text })?.code, "shape");
    }
  }
});

Deno.test("parseEvent() refuses tags that are not arrays of strings", () => {
  for (const tags of ["t", {}, ["t"], [["t", 1]], [["t", null]], [[["t"]]]]) {
    assert.deepEqual(faultOf({ ...event, tags }), {
      code: "shape",
      detail: '"tags" are not arrays of strings',
    });
  }
});

Deno.test("parseEvent() refuses kinds beyond 65535 and below 0, by a code of their own", () => {
  for (const kind of [65_536, 641_204, 1e300, -1]) {
    assert.equal(faultOf({ ...event, kind })?.code, "kind");
  }
  for (const kind of [1.5, NaN, Infinity, "1"]) {
    assert.equal(faultOf({ ...event, kind })?.code, "shape");
  }
});

Deno.test("parseEvent() refuses times that are no seconds, by a code of their own", () => {
  for (const created_at of [-1, 1.5, 2 ** 53, NaN, Infinity]) {
    assert.equal(faultOf({ ...event, created_at })?.code, "created-at");
  }
  assert.equal(faultOf({ ...event, created_at: "1" })?.code, "shape");
});

Deno.test("parseEvent() takes times in milliseconds and in the far future", () => {
  for (const created_at of [0, 1_725_188_436_112, 2 ** 53 - 1]) {
    assert.equal(faultOf({ ...event, created_at }), null);
  }
});

Deno.test("parseEvent() keeps the detail of a fault short", () => {
  const fault = faultOf({ ...event, id: "x".repeat(1_000_000) });
  assert.ok(fault !== null && fault.detail.length < 300);
});

Deno.test("parseEvent() never throws, whatever JSON it gets", () => {
  const fields = Object.keys(event).map((field) => [field, fc.jsonValue()]);
  const nearly = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
  const changed = nearly.map((change) => ({ ...event, ...change }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), changed), (value) => {
      const parsed = parseEvent(value);
      if (parsed.ok) assert.deepEqual(parsed.value, value);
      else assert.ok(parsed.failure.detail.length < 300);
    }),
    { seed: 1 },
  );
});

Deno.test("eventId() of any text survives the wire", () => {
  // Halves of surrogate pairs included.
  const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code));
  const text = fc.string({ unit });
  fc.assert(
    fc.property(text, fc.array(fc.array(text)), (content, tags) => {
      const id = eventId({ ...event, content, tags });
      const sent = JSON.stringify({ ...event, id, content, tags });
      const parsed = parseEvent(JSON.parse(sent));
      assert.ok(parsed.ok && hasValidId(parsed.value));
    }),
    { seed: 1 },
  );
});

Deno.test("serializeEvent() escapes as JSON does, and nothing more", () => {
  const content = '\n"\\\r\t\b\f\x00\x1f\x7f/\u2028é\ud83d\ude00\ud83d';
  const text = serializeEvent({ ...event, tags: [], content });
  const escaped = '"\\n\\"\\\\\\r\\t\\b\\f\\u0000\\u001f\x7f/\u2028é😀\\ud83d"';
  assert.equal(
    text,
    `[0,"${event.pubkey}",${event.created_at},1,[],${escaped}]`,
  );
});

Deno.test("hasValidId() refuses an event of which one field was changed", () => {
  assert.ok(hasValidId(event));
  const changes: Partial<NostrEvent>[] = [
    { content: `${event.content} ` },
    { created_at: event.created_at + 1 },
    { kind: event.kind + 1 },
    { tags: [["t", "nostr", ""]] },
    { tags: [] },
    { pubkey: factory.pubkey(1) },
  ];
  for (const change of changes) {
    assert.equal(hasValidId({ ...event, ...change }), false);
  }
});

Deno.test("hasValidId() takes control characters hashed verbatim, as NIP-01 has it", () => {
  const content = "a\x00b\x1bc\n\\u0000";
  const spelled = `"a\x00b\x1bc\\n\\\\u0000"`;
  assert.ok(hasValidId(withContent(content, spelled)));
});

Deno.test("hasValidId() takes U+007F hashed as an escape, as strfry has it", () => {
  const content = "a\x7fb\x01\\u007f";
  const spelled = '"a\\u007fb\\u0001\\\\u007f"';
  assert.ok(hasValidId(withContent(content, spelled)));
});

Deno.test("hasValidId() refuses lone surrogates hashed as U+FFFD: the id would mean two events", () => {
  assert.ok(hasValidId(withContent("\ufffd", '"\ufffd"')));
  assert.equal(hasValidId(withContent("\ud800", '"\ufffd"')), false);
  assert.ok(hasValidId(withContent("\ud800", '"\\ud800"')));
});

Deno.test("hasValidId() refuses spellings that no relay takes", () => {
  for (const spelled of ['"caf\\u00e9/"', '"café\\/"', '"caf\xe9/" ']) {
    assert.equal(hasValidId(withContent("café/", spelled)), false);
  }
});

Deno.test("eventId() is the sha256 of the canonical serialisation", () => {
  assert.equal(eventId(event), event.id);
});

function withContent(content: string, spelled: string): NostrEvent {
  const { pubkey, created_at, kind, tags } = event;
  const text = `[0,"${pubkey}",${created_at},${kind},${
    JSON.stringify(tags)
  },${spelled}]`;
  const id = createHash("sha256").update(text).digest("hex");
  return { ...event, id, content };
}

function faultOf(value: unknown): EventFault | null {
  const parsed = parseEvent(value);
  return parsed.ok ? null : parsed.failure;
}

function fixture(name: string): unknown[] {
  const path = new URL(`../../fixtures/${name}`, import.meta.url);
  return Deno.readTextFileSync(path).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}
