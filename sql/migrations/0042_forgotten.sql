-- What was deleted for good, and is refused ever after.

create table forgotten_author (
  until int8 not null,
  forgotten_at int8 not null,
  pubkey bytea primary key check (octet_length(pubkey) = 32),
  is_done boolean not null default false,
  cause text not null check (cause in ('operator', 'vanish'))
);
comment on table forgotten_author is 'Authors whose events are refused';
comment on column forgotten_author.until is 'Newest created_at that is refused; the largest number for all';
comment on column forgotten_author.forgotten_at is 'Unix seconds';
comment on column forgotten_author.pubkey is 'The author';
comment on column forgotten_author.is_done is 'Whether all there was of it is deleted; what was interrupted is finished by the next';
comment on column forgotten_author.cause is 'operator: bigbrotr forget; vanish: the author asked for it (NIP-62)';

create table forgotten_event (
  created_at int8,
  id bytea primary key check (octet_length(id) = 32)
);
comment on table forgotten_event is 'Events that were deleted for good, or refused for their author: who gives or lists one again tells nothing new';
comment on column forgotten_event.created_at is 'event.created_at; null for one that was never here';
comment on column forgotten_event.id is 'event.id';

create index forgotten_event_created_at on forgotten_event (created_at);
