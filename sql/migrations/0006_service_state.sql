-- Where services go on after a restart.

create table service_state (
  service_name text not null,
  state_type text not null,
  state_key text not null,
  state_value jsonb not null,
  updated_at int8 not null,
  primary key (service_name, state_type, state_key)
) with (fillfactor = 70);
comment on table service_state is 'Cursors, checkpoints and runtime statistics of services';
comment on column service_state.service_name is 'Name of the service';
comment on column service_state.state_type is 'cursor, checkpoint, runtime, …';
comment on column service_state.state_key is 'What it is about';
comment on column service_state.state_value is 'Any JSON';
comment on column service_state.updated_at is 'Unix seconds';
