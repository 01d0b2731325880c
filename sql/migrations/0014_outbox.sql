-- What a monitor has signed and still has to send, and what each relay answered.

create table outbox (
  id int8 generated always as identity primary key,
  created_at int8 not null,
  expires_at int8 not null,
  kind int4 not null,
  sender bytea not null,
  event_id bytea not null,
  fingerprint bytea not null,
  d text not null,
  event text not null,
  unique (sender, kind, d)
);
comment on table outbox is 'Signed events to publish; of each address the newest only, which stays until after its end so that the next can be compared with it';
comment on column outbox.id is 'Number';
comment on column outbox.created_at is 'Unix seconds: the age by which readers judge it';
comment on column outbox.expires_at is 'Unix seconds after which nobody tries to send it any more';
comment on column outbox.kind is 'Kind (NIP-01)';
comment on column outbox.sender is 'Public key of who publishes it: several with one key share the work';
comment on column outbox.event_id is 'Id of the event';
comment on column outbox.fingerprint is 'sha256 of what makes it differ from the one before';
comment on column outbox.d is 'The d tag of an addressable event, empty for a replaceable one, the id of any other';
comment on column outbox.event is 'The event as JSON, as it is sent';

create index outbox_expiry on outbox (expires_at);

create table outbox_target (
  id int4 generated always as identity primary key,
  failures int4 not null default 0,
  next_try_at int8 not null default 0,
  claimed_until int8 not null default 0,
  sender bytea not null,
  relay_url text not null,
  holder text,
  unique (sender, relay_url)
) with (fillfactor = 70);
comment on table outbox_target is 'Relays that events are sent to, and who is sending to them now';
comment on column outbox_target.id is 'Number';
comment on column outbox_target.failures is 'Rounds in a row in which it could not be used';
comment on column outbox_target.next_try_at is 'Unix seconds from which it may be dialled';
comment on column outbox_target.claimed_until is 'Unix seconds at which the claim ends; a dead holder loses it then';
comment on column outbox_target.sender is 'outbox.sender';
comment on column outbox_target.relay_url is 'Normalised URL; it need not be a relay of the archive';
comment on column outbox_target.holder is 'Who holds, or last held, the claim';

create table outbox_delivery (
  outbox_id int8 not null,
  next_try_at int8 not null default 0,
  settled_at int8,
  target_id int4 not null,
  attempts int4 not null default 0,
  result text check (result in ('accepted', 'refused', 'failed', 'expired')),
  reason text,
  primary key (outbox_id, target_id)
) with (fillfactor = 70);
comment on table outbox_delivery is 'What became of each event at each relay it is meant for';
comment on column outbox_delivery.outbox_id is 'outbox.id';
comment on column outbox_delivery.next_try_at is 'Unix seconds from which it is sent (again)';
comment on column outbox_delivery.settled_at is 'Unix seconds at which it came to its end; null while it is still to be sent';
comment on column outbox_delivery.target_id is 'outbox_target.id';
comment on column outbox_delivery.attempts is 'How often it was tried';
comment on column outbox_delivery.result is 'accepted, refused, failed (too often) or expired; null while it is still to be sent';
comment on column outbox_delivery.reason is 'What the relay said, or why it could not be asked';

create index outbox_delivery_pending on outbox_delivery (target_id, next_try_at) where result is null;
