-- Functions that nothing calls any more, or that come again with another result.

drop function if exists relay_rejection_get(int4);
drop function if exists sync_batch_store(
  int4, int8, bytea, int8[], int4[], jsonb, jsonb, jsonb, int8[], bytea, jsonb, jsonb, jsonb, jsonb, jsonb);

-- For status: the relay itself can say nothing of how far a walk is.
alter table relay_lease add column progress jsonb;
comment on column relay_lease.progress is
  'What the walk of the holder does, {doing: [state of each range], until: Unix seconds of the last question}; null for none';
