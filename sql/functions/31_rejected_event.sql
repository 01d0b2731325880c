-- Rejected events.

-- p_rejections: [{reason, detail?, eventId?, raw?, events?}]. Each counts as so many events (1) of its relay; those
-- without detail are only counted. Keeps the newest 1000 of each relay (and of files), so that a relay that sends
-- nothing but garbage fills neither the disk nor the places of others. Returns the number of rows kept.
create or replace function rejected_event_insert(p_relay_id int4, p_rejections jsonb) returns int4
language plpgsql
as $$
declare
  v_inserted int4;
begin
  insert into rejected_event (relay_id, reason, detail, event_id, raw, rejected_at)
  select p_relay_id, reason, detail, case when "eventId" ~ '^([0-9a-f]{2})*$' then decode("eventId", 'hex') end, raw,
    unix_now()
  from jsonb_to_recordset(p_rejections) as new (reason text, detail text, "eventId" text, raw text)
  where detail is not null;
  get diagnostics v_inserted = row_count;

  insert into relay_rejection as r (relay_id, reason, events, first_at, last_at)
  select p_relay_id, reason, sum(coalesce(events, 1)), unix_now(), unix_now()
  from jsonb_to_recordset(p_rejections) as new (reason text, events int8)
  where p_relay_id is not null
  group by reason
  order by reason
  on conflict (relay_id, reason) do update
  set events = r.events + excluded.events, last_at = excluded.last_at;

  delete from rejected_event
  where id in (
    select id from rejected_event
    where relay_id is not distinct from p_relay_id and id <= (
      select id from rejected_event where relay_id is not distinct from p_relay_id
      order by id desc offset 1000 limit 1)
    for update skip locked);
  return v_inserted;
end
$$;
comment on function rejected_event_insert(int4, jsonb) is 'Counts rejections and stores samples within their bound; returns the number of samples';

-- Deletes up to p_limit rejections older than a moment. Returns their number.
create or replace function rejected_event_expire(p_before int8, p_limit int4) returns int4
language plpgsql
as $$
declare
  v_deleted int4;
begin
  delete from rejected_event
  where id in (select id from rejected_event where rejected_at < p_before order by id limit p_limit for update skip locked);
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function rejected_event_expire(int8, int4) is 'Deletes old rejections; returns their number';
