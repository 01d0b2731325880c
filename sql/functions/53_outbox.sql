-- Events to publish, and the outcomes of their deliveries.

-- p_events: [{eventId, kind, d, event: JSON as text, createdAt, expiresAt, fingerprint, relays: [url]}]. A newer event of
-- the same sender, kind and d takes the place of the one before, sent or not; one that is not newer is left out.
-- Returns the number taken.
create or replace function outbox_add(p_sender text, p_events jsonb) returns int4
language plpgsql
as $$
declare
  v_sender bytea := decode(p_sender, 'hex');
  v_ids int8[];
begin
  insert into outbox_target (sender, relay_url)
  select distinct v_sender, url
  from jsonb_array_elements(p_events) as item, jsonb_array_elements_text(item -> 'relays') as url
  where not exists (select from outbox_target t where t.sender = v_sender and t.relay_url = url)
  order by url
  on conflict do nothing;

  with stored as (
    insert into outbox as old (created_at, expires_at, kind, sender, event_id, fingerprint, d, event)
    select distinct on (kind, d) "createdAt", "expiresAt", kind, v_sender, decode("eventId", 'hex'),
      decode(fingerprint, 'hex'), d, event
    from jsonb_to_recordset(p_events) as new (
      "eventId" text, kind int4, d text, event text, "createdAt" int8, "expiresAt" int8, fingerprint text)
    order by kind, d, "createdAt" desc
    on conflict (sender, kind, d) do update
    set created_at = excluded.created_at, expires_at = excluded.expires_at, event_id = excluded.event_id,
      fingerprint = excluded.fingerprint, event = excluded.event
    where old.created_at < excluded.created_at
    returning id
  )
  select coalesce(array_agg(id), '{}') into v_ids from stored;

  delete from outbox_delivery where outbox_id = any (v_ids);
  insert into outbox_delivery (outbox_id, target_id)
  select distinct o.id, t.id
  from jsonb_array_elements(p_events) as item
  cross join jsonb_array_elements_text(item -> 'relays') as url
  join outbox o on o.sender = v_sender and o.kind = (item ->> 'kind')::int4 and o.d = item ->> 'd'
    and o.event_id = decode(item ->> 'eventId', 'hex')
  join outbox_target t on t.sender = v_sender and t.relay_url = url
  where o.id = any (v_ids)
  order by 1, 2;
  return cardinality(v_ids);
end
$$;
comment on function outbox_add(text, jsonb) is 'Takes signed events to be sent to relays; a newer one supersedes that of the same address';

-- p_keys: [{kind, d}]. Returns the newest of each address, sent or not; addresses that are not there have no row.
create or replace function outbox_latest(p_sender text, p_keys jsonb)
returns table (kind int4, d text, fingerprint text, created_at int8)
language sql stable
as $$
  select o.kind, o.d, encode(o.fingerprint, 'hex'), o.created_at
  from jsonb_to_recordset(p_keys) as wanted (kind int4, d text)
  join outbox o on o.sender = decode(p_sender, 'hex') and o.kind = wanted.kind and o.d = wanted.d
$$;
comment on function outbox_latest(text, jsonb) is 'The newest event of each address, for comparison';

-- Claims one relay that somebody has something for, the longest due first, and returns what is due there: private
-- messages first, then by kind and age. No rows: nothing is due. p_request: {holder, leaseSeconds, limit,
-- exceptAuthorities?}: those cannot be dialled now, and others are not to wait for them.
create or replace function outbox_claim(p_sender text, p_request jsonb)
returns table (target_id int4, relay_url text, failures int4, outbox_id int8, event_id text, kind int4, attempts int4,
  event text)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_now int8 := unix_now();
  v_except text[] := array(select jsonb_array_elements_text(p_request -> 'exceptAuthorities'));
  v_target int4;
begin
  select t.id into v_target
  from outbox_target t
  where t.sender = decode(p_sender, 'hex') and t.claimed_until <= v_now and t.next_try_at <= v_now
    and url_authority(t.relay_url) <> all (v_except) and exists (
    select from outbox_delivery d join outbox o on o.id = d.outbox_id
    where d.target_id = t.id and d.result is null and d.next_try_at <= v_now and o.expires_at > v_now)
  order by t.next_try_at, t.id
  limit 1
  for update of t skip locked;
  if not found then
    return;
  end if;
  update outbox_target
  set holder = p_request ->> 'holder', claimed_until = v_now + (p_request ->> 'leaseSeconds')::int8
  where id = v_target;
  return query
  select t.id, t.relay_url, t.failures, o.id, encode(o.event_id, 'hex'), o.kind, d.attempts, o.event
  from outbox_target t
  join outbox_delivery d on d.target_id = t.id
  join outbox o on o.id = d.outbox_id
  where t.id = v_target and d.result is null and d.next_try_at <= v_now and o.expires_at > v_now
  order by o.kind <> 1059, o.kind, o.created_at, o.id
  limit (p_request ->> 'limit')::int4;
end
$$;
comment on function outbox_claim(text, jsonb) is 'Claims a relay and returns the events that are due there';

-- p_round: {targetId, holder, failures, nextTryInSeconds,
-- results: [{outboxId, eventId, attempts, nextTryInSeconds, result?, reason?}]}.
-- Without a result it is tried again. What was superseded meanwhile is left alone. The claim ends if it is still held.
-- Returns the number of deliveries written down.
create or replace function outbox_settle(p_round jsonb) returns int4
language plpgsql
as $$
declare
  v_target int4 := p_round ->> 'targetId';
  v_settled int4;
begin
  with given as (
    select g.*
    from jsonb_to_recordset(p_round -> 'results') as g (
      "outboxId" int8, "eventId" text, attempts int4, "nextTryInSeconds" int8, result text, reason text)
  ), held as (
    select d.outbox_id from outbox_delivery d
    join given g on g."outboxId" = d.outbox_id
    join outbox o on o.id = d.outbox_id and o.event_id = decode(g."eventId", 'hex')
    where d.target_id = v_target and d.result is null
    order by d.outbox_id
    for update of d
  )
  update outbox_delivery d
  set attempts = g.attempts, next_try_at = unix_now() + g."nextTryInSeconds", result = g.result,
    reason = left(g.reason, 500),
    settled_at = case when g.result is not null then unix_now() end
  from given g join held on held.outbox_id = g."outboxId"
  where d.outbox_id = g."outboxId" and d.target_id = v_target;
  get diagnostics v_settled = row_count;

  update outbox_target
  set claimed_until = 0, failures = (p_round ->> 'failures')::int4,
    next_try_at = unix_now() + (p_round ->> 'nextTryInSeconds')::int8
  where id = v_target and holder = p_round ->> 'holder' and claimed_until > 0;
  return v_settled;
end
$$;
comment on function outbox_settle(jsonb) is 'Writes down what a relay answered and gives the claim back';

-- Ends deliveries of events whose time is over, and deletes up to p_limit events whose time was over before p_before.
create or replace function outbox_expire(p_before int8, p_limit int4, out expired int4, out deleted int4)
language plpgsql
as $$
declare
  v_ids int8[];
begin
  update outbox_delivery d set result = 'expired', settled_at = unix_now()
  from outbox o
  where d.result is null and o.id = d.outbox_id and o.expires_at <= unix_now();
  get diagnostics expired = row_count;

  with gone as (
    delete from outbox
    where id in (select id from outbox where expires_at < p_before limit p_limit for update skip locked)
    returning id
  )
  select coalesce(array_agg(id), '{}') into v_ids from gone;
  delete from outbox_delivery where outbox_id = any (v_ids);
  deleted := cardinality(v_ids);
end
$$;
comment on function outbox_expire(int8, int4) is 'Ends what is too old to be sent and deletes what is long past';

-- Returns {pending, oldestSeconds, accepted, refused, failed, expired}: deliveries; oldestSeconds is null when none is
-- pending. A null sender: of all.
create or replace function outbox_count(p_sender text) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'pending', count(*) filter (where d.result is null),
    'oldestSeconds', unix_now() - min(o.created_at) filter (where d.result is null),
    'accepted', count(*) filter (where d.result = 'accepted'),
    'refused', count(*) filter (where d.result = 'refused'),
    'failed', count(*) filter (where d.result = 'failed'),
    'expired', count(*) filter (where d.result = 'expired'))
  from outbox_delivery d join outbox o on o.id = d.outbox_id
  where p_sender is null or o.sender = decode(p_sender, 'hex')
$$;
comment on function outbox_count(text) is 'How many deliveries wait, since when, and how the others ended';
