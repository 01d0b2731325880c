-- Current versions (NIP-01), under the names of the prior art; nothing is hidden. Each row costs a probe of an index.

create or replace view events_replaceable_latest as
select e.created_at, e.seen_at, e.kind, e.id, e.pubkey, e.sig, e.tags, e.content
from event e
where (e.kind in (0, 3) or e.kind between 10000 and 19999)
  -- A limit keeps it a probe, whatever the planner thinks of the number of rows.
  and (
    select true from event n
    where n.pubkey = e.pubkey and n.kind = e.kind and n.created_at >= e.created_at
      and (n.created_at > e.created_at or n.id < e.id)
    limit 1) is null;
comment on view events_replaceable_latest is 'The newest event of each author and replaceable kind; of those of one second the lowest id';

-- Without tags nobody can tell addresses apart: in a lite archive it is empty.
create or replace view events_addressable_latest as
select e.created_at, e.seen_at, e.kind, e.id, e.pubkey, e.sig, e.tags, e.content, event_identifier(e.tags) as d_tag
from event e
where e.kind between 30000 and 39999 and e.tags is not null
  and (
    select true from event n
    where event_address(n.kind, n.pubkey, event_identifier(n.tags)) = event_address(e.kind, e.pubkey, event_identifier(e.tags))
      and n.kind between 30000 and 39999 and n.created_at >= e.created_at
      and (n.created_at > e.created_at or n.id < e.id)
    limit 1) is null;
comment on view events_addressable_latest is 'The newest event of each address; of those of one second the lowest id; none in a lite archive';
comment on column events_addressable_latest.d_tag is 'The value of its first d tag; empty without one';
