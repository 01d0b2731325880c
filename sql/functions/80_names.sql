-- Names that people have for bytes and seconds: hex, NIP-19 and timestamps, both ways. All are immutable: of a constant
-- they are computed once, before the plan is made, so that `pubkey = from_npub('npub1…')` uses the index of pubkey.

create or replace function hex(p_bytes bytea) returns text
language sql immutable strict parallel safe
as $$ select encode(p_bytes, 'hex') $$;
comment on function hex(bytea) is 'Lower-case hex digits, as NIP-01 writes ids and keys';

create or replace function from_hex(p_hex text) returns bytea
language sql immutable strict parallel safe
as $$ select decode(p_hex, 'hex') $$;
comment on function from_hex(text) is 'Bytes of hex digits';

-- Seconds beyond what PostgreSQL can show as a time are infinity: any event may claim any second.
create or replace function from_unix(p_seconds int8) returns timestamptz
language sql immutable strict parallel safe
as $$ select case when p_seconds between 0 and 8000000000000 then to_timestamp(p_seconds) else 'infinity' end $$;
comment on function from_unix(int8) is 'Moment of Unix seconds';

-- The session's time zone has no part in it, although PostgreSQL counts extract() among the functions that look at it.
create or replace function unix(p_time timestamptz) returns int8
language sql immutable strict parallel safe
as $$
  select case p_time
    when 'infinity' then 9223372036854775807
    when '-infinity' then 0
    else floor(extract(epoch from p_time))::int8
  end
$$;
comment on function unix(timestamptz) is 'Unix seconds of a moment: created_at >= unix(now() - interval ''7 days'')';

-- The checksum of bech32 (BIP-173) is a remainder of polynomials; c_generator has the terms for five bits at a time.
create or replace function nip19_encode(p_prefix text, p_bytes bytea) returns text
language plpgsql immutable strict parallel safe
as $$
declare
  c_digits constant text := 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  c_generator constant int4[] := '{0,996825010,642813549,490396127,513874426,634080840,955357079,60538917,1027748829,103310447,454213040,544795138,602090023,411663765,95659082,1054471160,705979059,293483777,205843678,925809516,884308809,266284283,317060388,697279126,391532910,742131420,822533891,174885041,167200916,849157926,799524601,349016395}';
  v_text text := p_prefix || '1';
  v_check int4 := bech32_prefix_check(p_prefix);
  v_held int4 := 0;
  v_bits int4 := 0;
  v_digit int4;
begin
  if octet_length(p_bytes) <> 32 then
    raise exception 'Cannot write these bytes as %: it has 32 bytes, not %', p_prefix, octet_length(p_bytes)
      using errcode = 'invalid_parameter_value';
  end if;
  for i in 0 .. 31 loop
    v_held := ((v_held << 8) | get_byte(p_bytes, i)) & 4095;
    v_bits := v_bits + 8;
    while v_bits >= 5 loop
      v_bits := v_bits - 5;
      v_digit := (v_held >> v_bits) & 31;
      v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
      v_text := v_text || substr(c_digits, v_digit + 1, 1);
    end loop;
  end loop;
  -- 256 bits are 51 digits and a bit.
  v_digit := (v_held << 4) & 31;
  v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
  v_text := v_text || substr(c_digits, v_digit + 1, 1);
  for i in 1 .. 6 loop
    v_check := ((v_check & 33554431) << 5) # c_generator[(v_check >> 25) + 1];
  end loop;
  v_check := v_check # 1;
  for i in reverse 5 .. 0 loop
    v_text := v_text || substr(c_digits, ((v_check >> (5 * i)) & 31) + 1, 1);
  end loop;
  return v_text;
end
$$;
comment on function nip19_encode(text, bytea) is '32 bytes as bech32 with a prefix of NIP-19: npub or note';

create or replace function bech32_prefix_check(p_prefix text) returns int4
language plpgsql immutable strict parallel safe
as $$
declare
  c_generator constant int4[] := '{0,996825010,642813549,490396127,513874426,634080840,955357079,60538917,1027748829,103310447,454213040,544795138,602090023,411663765,95659082,1054471160,705979059,293483777,205843678,925809516,884308809,266284283,317060388,697279126,391532910,742131420,822533891,174885041,167200916,849157926,799524601,349016395}';
  v_check int4 := 1;
  v_codes int4[];
  v_digit int4;
begin
  select array_agg(ascii(letter) order by i) into v_codes
  from unnest(string_to_array(p_prefix, null)) with ordinality as letters (letter, i);
  foreach v_digit in array
    array(select code >> 5 from unnest(v_codes) as code) || 0 || array(select code & 31 from unnest(v_codes) as code)
  loop
    v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
  end loop;
  return v_check;
end
$$;
comment on function bech32_prefix_check(text) is 'State of the checksum of bech32 (BIP-173) after the prefix';

-- Raises for a wrong digit, checksum, prefix or length, and never repeats what it was given: it may be a secret.
create or replace function nip19_decode(p_prefix text, p_text text) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
  c_digits constant text := 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  c_generator constant int4[] := '{0,996825010,642813549,490396127,513874426,634080840,955357079,60538917,1027748829,103310447,454213040,544795138,602090023,411663765,95659082,1054471160,705979059,293483777,205843678,925809516,884308809,266284283,317060388,697279126,391532910,742131420,822533891,174885041,167200916,849157926,799524601,349016395}';
  v_text text := lower(p_text);
  v_first int4 := length(p_prefix) + 2;
  v_last int4 := length(p_text) - 6;
  v_check int4 := bech32_prefix_check(p_prefix);
  v_bytes bytea := '';
  v_held int4 := 0;
  v_bits int4 := 0;
  v_digit int4;
begin
  if p_text not in (v_text, upper(p_text)) or not starts_with(v_text, p_prefix || '1')
    or v_last < v_first or length(p_text) > 5000 then
    raise exception 'Cannot read this as %: it is not bech32 (NIP-19)', p_prefix
      using errcode = 'invalid_parameter_value';
  end if;
  for i in v_first .. length(v_text) loop
    v_digit := strpos(c_digits, substr(v_text, i, 1)) - 1;
    if v_digit < 0 then
      raise exception 'Cannot read this as %: its character % is not of bech32 (NIP-19)', p_prefix, i
        using errcode = 'invalid_parameter_value';
    end if;
    v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
    if i <= v_last then
      v_held := ((v_held << 5) | v_digit) & 4095;
      v_bits := v_bits + 5;
      if v_bits >= 8 then
        v_bits := v_bits - 8;
        v_bytes := v_bytes || set_byte('\x00', 0, (v_held >> v_bits) & 255);
      end if;
    end if;
  end loop;
  if v_check <> 1 then
    raise exception 'Cannot read this as %: its checksum is wrong, so that a character is wrong or missing', p_prefix
      using errcode = 'invalid_parameter_value';
  end if;
  return v_bytes;
end
$$;
comment on function nip19_decode(text, text) is 'Bytes of a bech32 text with this prefix (NIP-19)';

-- The 32 bytes that a NIP-19 entity is about: of npub and note the whole, of the others their part of type 0.
create or replace function nip19_subject(p_plain text, p_entity text, p_what text, p_text text) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
  v_text text := regexp_replace(p_text, '^\s*(nostr:)?|\s+$', '', 'gi');
  v_bytes bytea;
  v_at int4 := 0;
begin
  if v_text ~ '^[0-9a-fA-F]{64}$' then
    return decode(v_text, 'hex');
  elsif starts_with(lower(v_text), p_plain || '1') then
    v_bytes := nip19_decode(p_plain, v_text);
    if octet_length(v_bytes) = 32 then
      return v_bytes;
    end if;
  elsif starts_with(lower(v_text), p_entity || '1') then
    v_bytes := nip19_decode(p_entity, v_text);
    while v_at + 2 <= octet_length(v_bytes) loop
      if get_byte(v_bytes, v_at) = 0 and get_byte(v_bytes, v_at + 1) = 32 and v_at + 34 <= octet_length(v_bytes) then
        return substr(v_bytes, v_at + 3, 32);
      end if;
      v_at := v_at + 2 + get_byte(v_bytes, v_at + 1);
    end loop;
  end if;
  raise exception 'Cannot read this as %: expected is %1…, %1… or 64 hex digits', p_what, p_plain, p_entity
    using errcode = 'invalid_parameter_value';
end
$$;
comment on function nip19_subject(text, text, text, text) is 'The key or id that hex digits or a NIP-19 text name';

create or replace function npub(p_pubkey bytea) returns text
language sql immutable strict parallel safe
as $$ select nip19_encode('npub', p_pubkey) $$;
comment on function npub(bytea) is 'Public key as npub1… (NIP-19)';

create or replace function from_npub(p_text text) returns bytea
language sql immutable strict parallel safe
as $$ select nip19_subject('npub', 'nprofile', 'a public key', p_text) $$;
comment on function from_npub(text) is 'Public key of npub1…, nprofile1… or hex digits';

create or replace function note(p_id bytea) returns text
language sql immutable strict parallel safe
as $$ select nip19_encode('note', p_id) $$;
comment on function note(bytea) is 'Id of an event as note1… (NIP-19)';

create or replace function from_note(p_text text) returns bytea
language sql immutable strict parallel safe
as $$ select nip19_subject('note', 'nevent', 'the id of an event', p_text) $$;
comment on function from_note(text) is 'Id of an event of note1…, nevent1… or hex digits';
