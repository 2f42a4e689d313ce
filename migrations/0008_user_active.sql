-- A client may take `active` away (RFC 7644 section 3.5.2.2): then it has no value, and the user no access.
-- Changes the catalogue only.

alter table scim_user alter column active drop not null;
