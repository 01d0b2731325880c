-- Functions that nothing calls any more, or that come again with another result.

drop function if exists relay_rejection_get(int4);
drop function if exists sync_batch_store(
  int4, int8, bytea, int8[], int4[], jsonb, jsonb, jsonb, int8[], bytea, jsonb, jsonb, jsonb, jsonb, jsonb);

-- For status, as a long walk would look like one that hangs.
alter table relay_lease add column progress jsonb;
comment on column relay_lease.progress is
  'What the walk of the holder does, {doing: [state of each range], until: Unix seconds of the last question}; null for none';

-- Comments in the words of today.
comment on column relay_lease.interval_seconds is 'Seconds between visits; null for a relay that was never given back with an interval';
comment on column relay_lease.yield is 'New events of a visit lately: a mean in which the last one counts half';
comment on table relay_check is 'The numbers of each check of a relay, for uptime and history';
comment on table sync_coverage is 'Windows of created_at that are archived and proven complete, by relay and filter';
comment on table sync_proof is 'The method and the strength by which each second of sync_coverage was last proven; together they are exactly the coverage';
comment on column sync_proof.method is
  'negentropy (NIP-77), finish (NIP-67 hint), count (NIP-45), paging, split, empty-page, live (an open subscription; the next sync walks it again)';
comment on column sync_proof.strength is
  'By the audit of the session: reconciled (NIP-77), counted (exact COUNT), paged (answers showed an event that must be there), weak (not audited, or live)';
comment on table sync_gap is 'Windows that could not be proven complete; no part of one is covered, and none overlap';
comment on table sync_audit is 'The totals of audits of proven time, by relay and filter';
comment on column sync_audit.asked is 'Questions asked in time that was proven';
comment on column sync_audit.confirmed is 'Answers that agreed with the proof';
comment on table sync_contradiction is 'Answers that contradicted a proof: the newest 100 of each relay';
comment on column sync_contradiction.since is 'Unix seconds, inclusive: the window that was proven';
