-- Statistics follow growth. By default a table is analyzed when a tenth of it has changed: of a customer who came today
-- PostgreSQL then expects no row, any index that begins with tenant_id looks as good as any other, and finding one of
-- their users by id reads all of them. Locks tables for a moment, writes none.

alter table scim_user set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table scim_group set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table group_member set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table team set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table mapping_row set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table access_grant set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table access_grant_history set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
alter table jit_sync set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000);
