-- 0005_ring.sql — since when a key of the ring is in its state: it may take its next step only after a while. All the
-- keys there are have been in theirs since they were made.
ALTER TABLE ring_keys ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
UPDATE ring_keys SET since_ms = created_ms;

PRAGMA user_version = 5;
