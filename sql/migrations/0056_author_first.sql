-- How many authors appeared when: neither counting authors nor new ones reads millions of rows.
create table author_first (
  authors int4 not null check (authors > 0),
  day int4 primary key
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table author_first is 'New authors by day: the sum is the number of authors';
comment on column author_first.authors is 'Authors whose first event is of that day, without kinds whose keys are thrown away';
comment on column author_first.day is 'author.first_at / 86400';

-- Nobody has an event yet, but for authors of an archive whose statistics were begun before.
insert into author_first (day, authors)
select least(first_at / 86400, 36525), count(*) from author where events > 0 group by 1;
