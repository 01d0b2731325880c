-- A subscription that stays open proves, too: whatever arrived while its line was alive has come.

alter table sync_proof drop constraint sync_proof_method_check;
alter table sync_proof add constraint sync_proof_method_check
  check (method in ('negentropy', 'finish', 'count', 'paging', 'split', 'empty-page', 'live'));
comment on column sync_proof.method is 'negentropy (NIP-77), finish (NIP-67 hint), count (NIP-45), paging, split, empty-page (weak), live (an open subscription; looked at again within the lookback)';
