-- The order of lists with what says who may see them, so that a page that begins after 100,000 users passes them in this
-- index alone and reads none of their rows. scim_user_by_directory stays: it counts, it is a tenth as large because equal
-- keys are kept once, and by it the users of a small directory, or of one that is to be deleted, are found among a
-- million. Blocks writers of scim_user while it is built: seconds for a million users.

create index scim_user_by_id_with_directory on scim_user (tenant_id, id) include (directory_id);

-- A directory's users are its tenant's. PostgreSQL would take both for independent: of a tenant with a hundredth of all
-- users it would expect a hundredth of those, and rather sort their rows than pass them. Known after the next analysis.
create statistics scim_user_of_directory (mcv) on tenant_id, directory_id from scim_user;
