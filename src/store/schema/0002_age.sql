-- 0002_age.sql — how far a test project's clock has been moved. It only grows; a live project's stays 0.
ALTER TABLE projects ADD COLUMN age_ms INTEGER NOT NULL DEFAULT 0 CHECK (age_ms = 0 OR (age_ms > 0 AND is_test = 1));

PRAGMA user_version = 2;
