-- The clock of this server, by which everything that is due, leased, claimed or forgotten goes.

-- Unix seconds with their fraction, for those who compare their own clock with it; everything else uses unix_now().
create or replace function clock_get() returns float8
language sql volatile parallel safe
as $$ select extract(epoch from clock_timestamp())::float8 $$;
comment on function clock_get() is 'Unix seconds by the clock of this server, with their fraction';
