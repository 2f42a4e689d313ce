-- A change of the mapping writes every grant anew. With room for that in its page the new row lies beside the old one, and
-- no index is written: of pages that are filled from now on. Locks the table for a moment.

alter table access_grant set (fillfactor = 45);
