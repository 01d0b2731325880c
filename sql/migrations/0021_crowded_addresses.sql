-- Claims take a request, as leases do: it names the addresses at which there is no place just now.

drop function if exists candidate_claim(jsonb, int4, int4);
drop function if exists candidate_claim(jsonb, int4, int4, text);
