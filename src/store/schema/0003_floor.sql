-- 0003_floor.sql — what outlives a clock that is set back. floor_ms: no engine time beyond it was ever decided by; 0:
-- nothing was decided yet. pruned_through_s: of buckets up to it nobody knows any more what was used.
ALTER TABLE meta ADD COLUMN floor_ms INTEGER NOT NULL DEFAULT 0 CHECK (floor_ms >= 0);
ALTER TABLE meta ADD COLUMN pruned_through_s INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 3;
