-- One word for it everywhere: capability.

drop function if exists relay_ability_upsert(jsonb);

alter table relay_ability rename to relay_capability;
alter table relay_capability rename column ability to capability;
alter table relay_capability rename constraint relay_ability_pkey to relay_capability_pkey;
alter table relay_capability rename constraint relay_ability_ability_check to relay_capability_capability_check;
alter table relay_capability rename constraint relay_ability_judged_by_check to relay_capability_judged_by_check;
