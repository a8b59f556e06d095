-- 0003_floor.sql — the floor of time: no engine time beyond it was ever decided by. 0: nothing was decided yet.
ALTER TABLE meta ADD COLUMN floor_ms INTEGER NOT NULL DEFAULT 0 CHECK (floor_ms >= 0);

PRAGMA user_version = 3;
