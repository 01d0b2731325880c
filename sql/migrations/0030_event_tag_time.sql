-- The tag index in the order of time, as far as GIN can have one: the hash of a tag is another in each bucket of 2^21
-- seconds (24 days), so that a reader goes from bucket to bucket, newest first, and stops when it has enough.

-- What is older than 2019-12 or newer than 2038-01 is one bucket each: nobody walks through centuries without events.
create function event_tag_bucket(p_created_at int8) returns int8
language sql immutable strict parallel safe
as $$ select least(greatest(p_created_at >> 21, 752), 1024) $$;
comment on function event_tag_bucket(int8) is 'The bucket of time that the tag index has an event in';

-- One-letter tags (NIP-01 filters ask for no others) as hashes of name:value: no value is too long for the index.
-- Queries compare the tags themselves again.
create function event_tag_hashes(p_created_at int8, p_tags jsonb) returns int8[]
language sql immutable strict parallel safe
as $$
  select array(
    select hashtextextended(tag ->> 0 || ':' || (tag ->> 1), least(greatest(p_created_at >> 21, 752), 1024))
    from jsonb_array_elements(p_tags) as tag
    where length(tag ->> 0) = 1 and tag ->> 1 is not null)
$$;
comment on function event_tag_hashes(int8, jsonb) is
  'Hashes of name:value of the one-letter tags in the bucket of created_at, for the tag index';

-- Without the list of pending entries: every look-up reads it from end to end, which at its 4 MB costs 60 ms a statement.
drop index event_tag;
create index event_tag on event using gin (event_tag_hashes(created_at, tags)) with (fastupdate = off)
where tags is not null;
drop function event_tag_hashes(jsonb);
drop function if exists event_tag_hash(text, text);
