-- Candidates.

-- Adds up mentions by source.
create or replace function candidate_hints_add(p_hints jsonb, p_more jsonb) returns jsonb
language sql immutable strict parallel safe
as $$
  select jsonb_object_agg(source, mentions)
  from (
    select source, sum(mentions::int8) as mentions
    from (
      select * from jsonb_each_text(p_hints)
      union all
      select * from jsonb_each_text(p_more)
    ) as hint (source, mentions)
    group by source
  ) as total
$$;
comment on function candidate_hints_add(jsonb, jsonb) is 'Sums {"source": mentions}';

-- Whether the budgets still have room for one more candidate. 0 is no bound.
create or replace function candidate_fits(p_host text, p_domain text, p_author bytea, p_budgets jsonb) returns boolean
language plpgsql stable
as $$
declare
  v_per_host int4 := p_budgets ->> 'maxPerHost';
  v_per_domain int4 := p_budgets ->> 'maxPerDomain';
  v_per_author int4 := p_budgets ->> 'maxPerAuthor';
begin
  return (v_per_host = 0 or v_per_host >
      (select count(*) from candidate where host = p_host) + (select count(*) from relay where host = p_host))
    and (v_per_domain = 0 or v_per_domain >
      (select count(*) from candidate where domain = p_domain) + (select count(*) from relay where domain = p_domain))
    and (v_per_author = 0 or p_author is null or v_per_author >
      (select count(*) from candidate where author = p_author));
end
$$;
comment on function candidate_fits(text, text, bytea, jsonb) is 'Whether a candidate is within the budgets';

-- p_hints: [{url, network, host, domain, source, author?, hints: {source: mentions}}], each URL once.
-- p_budgets: {maxPerHost, maxPerDomain, maxPerAuthor}.
-- Counts every mention of a candidate; a URL that is a relay in either form is left out.
create or replace function candidate_insert(
  p_hints jsonb, p_budgets jsonb, out inserted int4, out over_budget int4, out known int4)
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_hints jsonb;
  v_updated int4;
  v_hint record;
begin
  inserted := 0;
  over_budget := 0;
  known := jsonb_array_length(p_hints);
  -- Nearly all hints are about relays: those are gone after this.
  select jsonb_agg(hint) into v_hints
  from jsonb_array_elements(p_hints) as hint
  where not exists (select from relay where url = hint ->> 'url')
    and not exists (select from relay where url = relay_twin(hint ->> 'url'));
  if v_hints is null then
    return;
  end if;

  -- Budgets hold only when one writer at a time adds to them. The lock comes before any row is locked (no deadlock),
  -- and is not taken when there is nothing new.
  if exists (
    select from jsonb_array_elements(v_hints) as hint
    where not exists (select from candidate where url = hint ->> 'url')
  ) then
    perform pg_advisory_xact_lock(hashtextextended('bigbrotr candidate budget', 0));
  end if;

  with counted as (
    select c.url, hint -> 'hints' as hints
    from jsonb_array_elements(v_hints) as hint
    join candidate c on c.url = hint ->> 'url'
    order by c.url
    for update of c
  )
  update candidate c set hints = candidate_hints_add(c.hints, counted.hints)
  from counted
  where c.url = counted.url;
  get diagnostics v_updated = row_count;
  if v_updated = jsonb_array_length(v_hints) then
    return;
  end if;

  for v_hint in
    select url, network, host, domain, source, decode(author, 'hex') as author, hints
    from jsonb_to_recordset(v_hints) as hint (
      url text, network text, host text, domain text, source text, author text, hints jsonb)
    where not exists (select from candidate c where c.url = hint.url)
    order by url
  loop
    known := known - 1;
    if not candidate_fits(v_hint.host, v_hint.domain, v_hint.author, p_budgets) then
      over_budget := over_budget + 1;
      continue;
    end if;
    insert into candidate (url, network, host, domain, source, author, hints, discovered_at, due_at)
    values (v_hint.url, v_hint.network, v_hint.host, v_hint.domain, v_hint.source, v_hint.author, v_hint.hints,
      v_now, v_now);
    inserted := inserted + 1;
  end loop;
end
$$;
comment on function candidate_insert(jsonb, jsonb) is 'Stores mentioned URLs within the budgets and counts mentions; returns counts by URL';

-- Host and port as they stand in a URL: those who share them share an address.
create or replace function url_authority(p_url text) returns text
language sql immutable strict parallel safe
as $$
  select split_part(p_url, '/', 3)
$$;
comment on function url_authority(text) is 'Host and port of a URL, as they stand there';

-- The candidates that candidate_claim would choose from, in that order: fewest failures first, those of one authority
-- interleaved with the others, no more than perAuthority of it. Looks at so many of those that are due the longest, and
-- at ever more while a few authorities have all of them.
create or replace function candidate_due(p_request jsonb) returns text[]
language plpgsql stable
as $$
declare
  v_now int8 := unix_now();
  v_limit int4 := (p_request ->> 'limit')::int4;
  v_per_authority int4 := coalesce((p_request ->> 'perAuthority')::int4, 2147483647);
  v_except text[] := array(select jsonb_array_elements_text(p_request -> 'exceptAuthorities'));
  v_window int4 := 1000 + 2 * v_limit;
  v_seen int4;
  v_due text[];
begin
  loop
    with due as (
      select url, failures, due_at, url_authority(url) as authority from candidate
      where due_at <= v_now and claimed_until <= v_now and p_request -> 'networks' ? network
        and url_authority(url) <> all (v_except)
      order by failures, due_at, url
      limit v_window
    ), placed as (
      select due.*, row_number() over (partition by authority order by failures, due_at, url) as place from due
    )
    select (select count(*) from due),
      array_agg(url order by failures, place, due_at, url) filter (where place <= v_per_authority)
    into v_seen, v_due from placed;
    exit when v_seen < v_window or cardinality(v_due) >= v_limit;
    v_window := 8 * v_window;
  end loop;
  return coalesce(v_due, '{}');
end
$$;
comment on function candidate_due(jsonb) is 'Candidates that are due and free, those to be claimed first coming first';

-- p_request: {networks, limit, claimSeconds, holder, exceptAuthorities?, perAuthority?}. A claim ends by itself after claimSeconds.
create or replace function candidate_claim(p_request jsonb)
returns setof candidate
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_due text[];
begin
  -- One claimer at a time: two that chose the same few of a crowd would leave one of them with nothing.
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr candidate claim', 0));
  v_due := candidate_due(p_request);
  return query
  with free as (
    select c.url, chosen.place
    from unnest(v_due) with ordinality as chosen (url, place) join candidate c on c.url = chosen.url
    -- Another process may have claimed it meanwhile.
    where c.claimed_until <= v_now
    order by chosen.place
    limit (p_request ->> 'limit')::int4
    for update of c skip locked
  ), claimed as (
    update candidate c set claimed_until = v_now + (p_request ->> 'claimSeconds')::int8,
      holder = p_request ->> 'holder'
    from free where c.url = free.url
    returning c.*
  )
  select claimed.* from claimed join free on free.url = claimed.url order by free.place;
end
$$;
comment on function candidate_claim(jsonb) is 'Claims due candidates, fewest failures first; two claimers never get the same one';

-- p_promotions: [{candidateUrl, url, network}]: url is what answered. Returns the number of new relays.
create or replace function candidate_promote(p_promotions jsonb) returns int4
language plpgsql
as $$
declare
  v_promoted int4;
begin
  select relay_insert(jsonb_agg(jsonb_build_object('url', new.url, 'network', new.network, 'domain', c.domain)))
  into v_promoted
  from jsonb_to_recordset(p_promotions) as new ("candidateUrl" text, url text, network text)
  left join candidate c on c.url = new."candidateUrl";

  delete from candidate
  where url in (
    select c.url from candidate c
    where c.url in (select new ->> 'candidateUrl' from jsonb_array_elements(p_promotions) as new)
    order by c.url
    for update);
  return v_promoted;
end
$$;
comment on function candidate_promote(jsonb) is 'Makes relays of candidates that answered; returns the number of new relays';

-- p_failures: [{url, failure, waitSeconds}]. Due again after p_initial_seconds, doubled with each failure, at most p_max_seconds;
-- never before the wait that the relay asked for, where it did.
-- Returns the number of candidates found.
create or replace function candidate_fail(p_failures jsonb, p_initial_seconds int4, p_max_seconds int4) returns int4
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_failed int4;
begin
  with tried as (
    select c.url, min(new.failure) as failure, max(coalesce(new."waitSeconds", 0)) as wait
    from jsonb_to_recordset(p_failures) as new (url text, failure text, "waitSeconds" int4)
    join candidate c on c.url = new.url
    group by c.url
  ), locked as (
    select url from candidate where url in (select url from tried) order by url for update
  )
  update candidate c
  set failures = c.failures + 1,
    last_tried_at = v_now,
    last_failure = left(tried.failure, 1024),
    due_at = v_now + greatest(
      tried.wait, least(p_max_seconds, p_initial_seconds * 2::float8 ^ least(c.failures, 30)))::int8,
    claimed_until = 0
  from tried join locked using (url)
  where c.url = tried.url;
  get diagnostics v_failed = row_count;
  return v_failed;
end
$$;
comment on function candidate_fail(jsonb, int4, int4) is 'Counts failed tries and sets when they are due again; returns the number of candidates found';

-- p_urls: array of text. Returns the number of candidates that were claimed.
create or replace function candidate_release(p_urls jsonb) returns int4
language plpgsql
as $$
declare
  v_released int4;
begin
  with locked as (
    select url from candidate
    where url = any (array(select jsonb_array_elements_text(p_urls))) and claimed_until > 0
    order by url
    for update
  )
  update candidate c set claimed_until = 0 from locked where c.url = locked.url;
  get diagnostics v_released = row_count;
  return v_released;
end
$$;
comment on function candidate_release(jsonb) is 'Gives claims back without counting a try; returns their number';

-- Candidates a validator has in hand are left to it. Returns the number dropped.
create or replace function candidate_drop(p_max_failures int4) returns int4
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_dropped int4;
begin
  with locked as (
    select url from candidate
    where claimed_until <= v_now and (failures >= p_max_failures or relay_is_known(url))
    order by url
    for update
  )
  delete from candidate c using locked where c.url = locked.url;
  get diagnostics v_dropped = row_count;
  return v_dropped;
end
$$;
comment on function candidate_drop(int4) is 'Drops candidates that failed too often and those that are relays; returns their number';
