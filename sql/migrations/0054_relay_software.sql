-- What relays say they run, by the newest document of each.

create table relay_software (
  generated_at int8 not null,
  relay_id int4 primary key,
  software text not null,
  version text not null,
  nips int4[] not null
) with (fillfactor = 80);
comment on table relay_software is 'What each relay says it runs, by its newest nip11_info';
comment on column relay_software.generated_at is 'relay_metadata.generated_at of that document';
comment on column relay_software.relay_id is 'relay.id';
comment on column relay_software.software is 'As the relay has it, cut to 200 characters; unknown when it says nothing';
comment on column relay_software.version is 'Likewise';
comment on column relay_software.nips is 'Numbers in supported_nips, ascending, each once; the lowest 200';

-- As relay_software_update() does from now on.
insert into relay_software (generated_at, relay_id, software, version, nips)
select m.generated_at, r.id,
  case when jsonb_typeof(d.data #> '{data,software}') = 'string'
    then coalesce(nullif(left(d.data #>> '{data,software}', 200), ''), 'unknown') else 'unknown' end,
  case when jsonb_typeof(d.data #> '{data,version}') = 'string'
    then coalesce(nullif(left(d.data #>> '{data,version}', 200), ''), 'unknown') else 'unknown' end,
  array(
    select distinct nip::text::int4
    from jsonb_array_elements(
      case when jsonb_typeof(d.data #> '{data,supported_nips}') = 'array' then d.data #> '{data,supported_nips}' else '[]' end) as nip
    where jsonb_typeof(nip) = 'number' and nip::text ~ '^\d{1,5}$'
    order by 1 limit 200)
from relay r
cross join lateral (
  select generated_at, metadata_id from relay_metadata
  where relay_id = r.id and metadata_type = 'nip11_info'
  order by generated_at desc limit 1) as m
join metadata d on d.id = m.metadata_id and d.type = 'nip11_info';
