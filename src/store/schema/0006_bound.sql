-- 0006_bound.sql — which key a token was bound to first, kept among what may happen once.
ALTER TABLE once ADD COLUMN jkt TEXT; -- NULL: what happened is all there is to know

-- A click-to-call token of an earlier version leads to a resource that had an address and no row of its own.
INSERT OR IGNORE INTO resources (id, project, type, name, display_name, user, is_disabled, created_ms, updated_ms)
    SELECT resource, project, type, name, display_name, NULL, 0, created_ms, created_ms FROM addresses
    WHERE resource IS NOT NULL;

PRAGMA user_version = 6;
