-- Jobs take turns. The table is small: it is locked for the moment that this takes.

alter table job
  -- When its last chunk was done; null: none was.
  add column advanced_at timestamptz;
