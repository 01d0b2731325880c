-- The contact graph: who follows whom by their newest contact list (kind 3), as pairs of authors' numbers.

create table contact (
  follower int4 not null,
  followed int4 not null,
  primary key (follower, followed)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);
comment on table contact is 'Who follows whom, by the newest contact list of each; nobody himself';
comment on column contact.follower is 'author.id';
comment on column contact.followed is 'author.id; he may never have written';

create index contact_followed on contact (followed, follower);

create table contact_list (
  created_at int8 not null,
  author int4 primary key,
  follows int4 not null check (follows >= 0),
  id bytea not null
) with (fillfactor = 85);
comment on table contact_list is 'The version of each author''s contact list that contact was made of';
comment on column contact_list.created_at is 'event.created_at';
comment on column contact_list.author is 'author.id';
comment on column contact_list.follows is 'How many rows of contact it made';
comment on column contact_list.id is 'event.id';

create table contact_total (
  author int4 primary key,
  followers int4 not null check (followers > 0)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table contact_total is 'How many follow an author: the number of his rows in contact';
comment on column contact_total.author is 'author.id';
comment on column contact_total.followers is 'How many';
