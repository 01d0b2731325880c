-- Claims of candidates name who holds them, as leases do: those of a process that is gone can be freed at once.

drop function if exists candidate_claim(jsonb, int4, int4);

alter table candidate add column holder text;
comment on column candidate.holder is 'Who holds, or last held, the claim';
