-- Leases: one holder of a service a relay.

-- Relays that a service has no lease of yet get one, due at once. Relays come in the order of their ids, but for those
-- whose transaction was overtaken by a later one: for their sake all are compared now and then.
create or replace function relay_lease_enroll(p_service text) returns void
language plpgsql
as $$
begin
  if coalesce((select max(id) from relay), 0)
      > coalesce((select max(l.relay_id) from relay_lease l where l.service = p_service), 0)
    or random() < 0.01
  then
    insert into relay_lease (service, relay_id)
    select p_service, r.id from relay r
    where not exists (select from relay_lease l where l.service = p_service and l.relay_id = r.id)
    order by r.id
    on conflict do nothing;
  end if;
end
$$;
comment on function relay_lease_enroll(text) is 'Makes relays that are new to a service due at once';

-- Relays are never set due later than p_longest_seconds from now. One that is was set by a wrong clock: it is made due
-- now, instead of being left alone for as long as that clock was ahead.
create or replace function relay_lease_correct(p_service text, p_longest_seconds int8) returns void
language plpgsql
as $$
declare
  v_now int8 := unix_now();
begin
  with wrong as (
    select relay_id from relay_lease
    where service = p_service and due_at > v_now + p_longest_seconds
    order by relay_id
    for update skip locked
  )
  update relay_lease l set due_at = v_now from wrong
  where l.service = p_service and l.relay_id = wrong.relay_id;
end
$$;
comment on function relay_lease_correct(text, int8) is 'Makes relays due that only a wrong clock can have set due so late';

-- The relays that relay_lease_take would choose from, in that order. Of those that are due the longest, the ones that are
-- overdue by the most of their own intervals come first: so each gets its share when there are more than can be visited.
-- Relays of one authority are interleaved with the others: the n-th of them counts as overdue by an n-th; and no more than
-- perAuthority are chosen, as they could not be dialled side by side.
create or replace function relay_lease_due(p_request jsonb) returns int4[]
language plpgsql stable
as $$
declare
  v_now int8 := unix_now();
  v_service text := p_request ->> 'service';
  v_online boolean := coalesce((p_request ->> 'onlineOnly')::boolean, false);
  v_checked_since int8 := v_now - (p_request ->> 'checkedWithinSeconds')::int8;
  v_networks text[] := array(select jsonb_array_elements_text(p_request -> 'networks'));
  v_urls text[] := array(select jsonb_array_elements_text(p_request -> 'urls'));
  v_except_urls text[] := array(select jsonb_array_elements_text(p_request -> 'exceptUrls'));
  v_except int4[] := array(select id from relay where url = any (v_except_urls));
  v_crowded text[] := array(select jsonb_array_elements_text(p_request -> 'exceptAuthorities'));
  v_per_authority int4 := coalesce((p_request ->> 'perAuthority')::int4, 2147483647);
  v_limit int4 := (p_request ->> 'limit')::int4;
  v_window int4 := 500 + v_limit;
  v_seen int4;
  v_due int4[];
begin
  -- Two statements: named relays are found by their URLs, the others by when they are due.
  if p_request -> 'urls' is not null then
    return array(
      select relay_id from (
        select relay_id, overdue, row_number() over (partition by authority order by overdue desc, relay_id) as place
        from (
          select l.relay_id, url_authority(r.url) as authority,
            (v_now - l.due_at)::float8 / coalesce(l.interval_seconds, 900) as overdue
          from relay r join relay_lease l on l.service = v_service and l.relay_id = r.id
          where r.url = any (v_urls) and r.network = any (v_networks) and r.id <> all (v_except)
            and l.claimed_until <= v_now and l.due_at <= v_now
        ) as named
        where authority <> all (v_crowded)
      ) as placed
      where place <= v_per_authority
      order by overdue / place desc, relay_id);
  end if;
  -- Ever more are looked at while a few authorities have all of them.
  loop
    with longest as (
      select l.relay_id, url_authority(r.url) as authority,
        (v_now - l.due_at)::float8 / coalesce(l.interval_seconds, 900) as overdue
      from relay_lease l join relay r on r.id = l.relay_id
      where l.service = v_service and l.claimed_until <= v_now and l.due_at <= v_now
        and r.network = any (v_networks) and l.relay_id <> all (v_except)
        and url_authority(r.url) <> all (v_crowded)
        and (not v_online or exists (select from relay_state s where s.relay_id = l.relay_id and s.online))
        and (v_checked_since is null or exists (
          select from relay_state s where s.relay_id = l.relay_id and s.last_checked_at >= v_checked_since))
      order by l.due_at
      limit v_window
    ), placed as (
      select longest.*, row_number() over (partition by authority order by overdue desc, relay_id) as place from longest
    )
    select (select count(*) from longest),
      array_agg(relay_id order by overdue / place desc, relay_id) filter (where place <= v_per_authority)
    into v_seen, v_due from placed;
    exit when v_seen < v_window or cardinality(v_due) >= v_limit;
    v_window := 8 * v_window;
  end loop;
  return coalesce(v_due, '{}');
end
$$;
comment on function relay_lease_due(jsonb) is 'Relays that are due and free, those to be leased first coming first';

-- p_request: {service, holder, networks, limit, leaseSeconds, longestWaitSeconds?, urls?, exceptUrls?, onlineOnly?,
-- checkedWithinSeconds?, exceptAuthorities?, perAuthority?}; onlineOnly and checkedWithinSeconds do not concern relays that
-- are named by their URLs.
create or replace function relay_lease_take(p_request jsonb)
returns table (
  relay_id int4, url text, network text, failures int4, due_at int8, interval_seconds int4, yield float4,
  memory jsonb)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_service text := p_request ->> 'service';
  v_now int8 := unix_now();
  v_due int4[];
begin
  perform relay_lease_enroll(v_service);
  if p_request -> 'longestWaitSeconds' is not null then
    perform relay_lease_correct(v_service, (p_request ->> 'longestWaitSeconds')::int8);
  end if;
  -- One process at a time: two that chose the same few of a crowd would leave one of them with nothing.
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr lease of ' || v_service, 0));
  v_due := relay_lease_due(p_request);

  return query
  with free as (
    select l.relay_id, chosen.place
    from unnest(v_due) with ordinality as chosen (id, place)
      join relay_lease l on l.service = v_service and l.relay_id = chosen.id
    -- Another process may have taken it meanwhile.
    where l.claimed_until <= v_now
    order by chosen.place
    limit (p_request ->> 'limit')::int4
    for update of l skip locked
  ), taken as (
    update relay_lease l
    set holder = p_request ->> 'holder', claimed_until = v_now + (p_request ->> 'leaseSeconds')::int8,
      live_since = null, progress = null
    from free
    where l.service = v_service and l.relay_id = free.relay_id
    returning l.relay_id, l.failures, l.due_at, l.interval_seconds, l.yield, l.memory, free.place
  )
  select t.relay_id, r.url, r.network, t.failures, t.due_at, t.interval_seconds, t.yield, t.memory
  from taken t join relay r on r.id = t.relay_id
  order by t.place;
end
$$;
comment on function relay_lease_take(jsonb) is 'Leases relays that are due and free, the longest due first';

-- p_request: {urls?, hosts?, withinSeconds}. Relays of these URLs are due within so many seconds at the latest, unless they
-- wait because they failed; relays of these hosts (*.domain: of all below it, too) are so in any case.
create or replace function relay_lease_hasten(p_service text, p_request jsonb) returns int4
language plpgsql
as $$
declare
  v_latest int8 := unix_now() + (p_request ->> 'withinSeconds')::int8;
  v_urls text[] := array(select jsonb_array_elements_text(p_request -> 'urls'));
  v_hosts text[] := array(select jsonb_array_elements_text(p_request -> 'hosts'));
  v_hastened int4;
begin
  with late as (
    select l.relay_id from relay_lease l join relay r on r.id = l.relay_id
    where l.service = p_service and l.due_at > v_latest
      and (l.failures = 0 and r.url = any (v_urls)
        or exists (
          select from unnest(v_hosts) as named (host)
          where r.host = named.host
            or starts_with(named.host, '*.')
              and (r.host = substr(named.host, 3) or right(r.host, length(named.host) - 1) = substr(named.host, 2))))
    order by l.relay_id
    for update of l
  )
  update relay_lease l set due_at = v_latest from late
  where l.service = p_service and l.relay_id = late.relay_id;
  get diagnostics v_hastened = row_count;
  return v_hastened;
end
$$;
comment on function relay_lease_hasten(text, jsonb) is 'Makes relays due sooner than they were given back for; returns how many';

create or replace function relay_lease_go_live(p_service text, p_holder text, p_relay_id int4) returns void
language sql
as $$
  update relay_lease set live_since = unix_now()
  where service = p_service and relay_id = p_relay_id and holder = p_holder and claimed_until > 0
$$;
comment on function relay_lease_go_live(text, text, int4) is 'Records that the holder of a lease is live with the relay, until it gives the lease back';

-- p_walks: [{relayId, doing, until}]. Leases that belong to somebody else by now are left alone.
create or replace function relay_lease_report(p_service text, p_holder text, p_walks jsonb) returns void
language plpgsql
as $$
begin
  with held as (
    select l.relay_id, jsonb_build_object('doing', doing, 'until', until) as progress
    from relay_lease l join jsonb_to_recordset(p_walks) as walk ("relayId" int4, doing jsonb, until int8)
      on l.relay_id = "relayId"
    where l.service = p_service and l.holder = p_holder and l.claimed_until > 0
    order by l.relay_id
    for update of l
  )
  update relay_lease l set progress = held.progress
  from held
  where l.service = p_service and l.relay_id = held.relay_id;
end
$$;
comment on function relay_lease_report(text, text, jsonb) is 'Records what the walks of leased relays do, for status';

-- p_relay_ids: array of relay.id. Returns those still held; the others belong to somebody else by now.
create or replace function relay_lease_renew(p_service text, p_holder text, p_relay_ids jsonb, p_lease_seconds int4)
returns table (relay_id int4)
language plpgsql
as $$
#variable_conflict use_column
begin
  return query
  with held as (
    select l.relay_id from relay_lease l
    where service = p_service and holder = p_holder and claimed_until > 0
      and l.relay_id in (select id::int4 from jsonb_array_elements_text(p_relay_ids) as wanted (id))
    order by l.relay_id
    for update
  )
  update relay_lease l set claimed_until = unix_now() + p_lease_seconds
  from held
  where l.service = p_service and l.relay_id = held.relay_id
  returning l.relay_id;
end
$$;
comment on function relay_lease_renew(text, text, jsonb, int4) is 'Extends leases; returns the relays still held';

-- p_relays: [{relayId, nextDueInSeconds?, failures?, intervalSeconds?, newEvents?, memory?}]; what is left out stays.
-- Returns the number of leases that were still held.
create or replace function relay_lease_release(p_service text, p_holder text, p_relays jsonb) returns int4
language plpgsql
as $$
declare
  v_released int4;
begin
  with given as (
    select "relayId" as relay_id, max("nextDueInSeconds") as due_in, max(failures) as failures,
      max("intervalSeconds") as interval_seconds, max("newEvents") as new_events,
      (array_agg(memory) filter (where memory is not null))[1] as memory
    from jsonb_to_recordset(p_relays)
      as new ("relayId" int4, "nextDueInSeconds" int8, failures int4, "intervalSeconds" int4, "newEvents" int8, memory jsonb)
    group by 1
  ), held as (
    select l.relay_id from relay_lease l
    where service = p_service and holder = p_holder and claimed_until > 0
      and l.relay_id in (select relay_id from given)
    order by l.relay_id
    for update
  )
  update relay_lease l
  set due_at = coalesce(unix_now() + given.due_in, l.due_at), failures = coalesce(given.failures, l.failures),
    claimed_until = 0, holder = null, live_since = null, progress = null,
    memory = coalesce(given.memory, l.memory),
    interval_seconds = coalesce(given.interval_seconds, l.interval_seconds),
    yield = coalesce((l.yield + given.new_events) / 2, l.yield),
    yielded_at = case when given.new_events > 0 then unix_now() else l.yielded_at end
  from held join given using (relay_id)
  where l.service = p_service and l.relay_id = held.relay_id;
  get diagnostics v_released = row_count;
  return v_released;
end
$$;
comment on function relay_lease_release(text, text, jsonb) is 'Gives leases back and sets when the relays are due again; returns how many were held';
