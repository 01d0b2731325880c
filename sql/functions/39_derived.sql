-- Which derived facts are kept, and how far they are.

-- Made from the start when somebody asks, or when facts were dropped: nobody is waited for.
create or replace function derived_lose() returns void
language plpgsql
as $$
begin
  perform from derived_lost limit 1 for share skip locked;
  if not found then
    insert into derived_lost (lost_at) values (unix_now());
  end if;
end
$$;
comment on function derived_lose() is 'Has derived facts made from the start';

create or replace function derived_clear(p_name text) returns void
language plpgsql
as $$
begin
  delete from derived_state where name = p_name;
  if p_name = 'contacts' then
    perform contact_clear();
  else
    perform author_fact_clear();
  end if;
end
$$;
comment on function derived_clear(text) is 'Forgets derived facts';

-- A lite archive has no tags, and so none of them: null. A number of an unfinished one is too small.
create or replace function derived_status() returns jsonb
language sql stable
as $$
  select case when archive_edition() = 'full' then jsonb_object_agg(name, (
    select case when upto is null then 'whole' else 'unfinished' end from derived_state s where s.name = known.name)) end
  from unnest(array['contacts', 'assertions']) as known (name)
$$;
comment on function derived_status() is 'How far each of the derived facts is: whole, unfinished, or null when it is not kept';
