-- What relays run: kept as documents come, so that counting it reads no documents.

create or replace function relay_software_of(p_document jsonb, out software text, out version text, out nips int4[])
language sql immutable parallel safe
as $$
  select
    case when jsonb_typeof(p_document #> '{data,software}') = 'string'
      then coalesce(nullif(left(p_document #>> '{data,software}', 200), ''), 'unknown') else 'unknown' end,
    case when jsonb_typeof(p_document #> '{data,version}') = 'string'
      then coalesce(nullif(left(p_document #>> '{data,version}', 200), ''), 'unknown') else 'unknown' end,
    array(
      select distinct nip::text::int4
      from jsonb_array_elements(
        case when jsonb_typeof(p_document #> '{data,supported_nips}') = 'array' then p_document #> '{data,supported_nips}'
          else '[]' end) as nip
      where jsonb_typeof(nip) = 'number' and nip::text ~ '^\d{1,5}$'
      order by 1 limit 200)
$$;
comment on function relay_software_of(jsonb) is 'Software, version and NIPs that a nip11_info document gives';

-- The newest document of each of these relays counts, in whatever order they came.
create or replace function relay_software_update(p_relays int4[]) returns void
language sql
as $$
  insert into relay_software as s (generated_at, relay_id, software, version, nips)
  select newest.generated_at, wanted.id, said.software, said.version, said.nips
  from (select distinct unnest(p_relays) as id) as wanted
  cross join lateral (
    select m.generated_at, m.metadata_id from relay_metadata m
    where m.relay_id = wanted.id and m.metadata_type = 'nip11_info'
    order by m.generated_at desc limit 1) as newest
  join metadata d on d.id = newest.metadata_id and d.type = 'nip11_info'
  cross join lateral relay_software_of(d.data) as said
  order by wanted.id
  on conflict (relay_id) do update
  set generated_at = excluded.generated_at, software = excluded.software, version = excluded.version, nips = excluded.nips
  where s.generated_at <= excluded.generated_at
$$;
comment on function relay_software_update(int4[]) is 'Reads the newest documents of relays again';

create or replace view relay_software_counts as
select software, version, count(*) as relay_count
from relay_software
group by software, version;
comment on view relay_software_counts is 'Relays by the software and version they say they run; unknown where they say nothing';
comment on column relay_software_counts.software is 'relay_software.software';
comment on column relay_software_counts.version is 'relay_software.version';
comment on column relay_software_counts.relay_count is 'How many relays with a document';

create or replace view supported_nip_counts as
select nip, count(*) as relay_count
from relay_software cross join lateral unnest(nips) as nip
group by nip;
comment on view supported_nip_counts is 'Relays by the NIPs they say they support';
comment on column supported_nip_counts.nip is 'Number of the NIP';
comment on column supported_nip_counts.relay_count is 'How many relays';
