-- Ranges of meta.lastModified, which clients ask for to read what changed since. Blocks writers of scim_user while
-- it is built: seconds for a million users.

create index scim_user_by_updated_at on scim_user (tenant_id, updated_at);
