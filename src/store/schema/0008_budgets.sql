-- 0008_budgets.sql — how often a credential was used, where that is bounded, and what a click-to-call token's bounds are.
--
-- One row for each credential and span of time: 0 is its whole life. Of no use any more after until_s.
CREATE TABLE uses (
    of      BLOB NOT NULL,
    span_s  INTEGER NOT NULL,
    from_s  INTEGER NOT NULL,
    project INTEGER NOT NULL REFERENCES projects,
    until_s INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (of, span_s, from_s, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_by_end ON uses (until_s);

-- 0: as the project says.
ALTER TABLE resources ADD COLUMN budget_uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN budget_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN budget_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN budget_sessions INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 8;
