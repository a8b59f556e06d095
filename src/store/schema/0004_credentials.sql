-- 0004_credentials.sql — settings, resources, users without a reference, families, cutoffs, interviews.
--
-- Everything before this step was made with the settings of its day; what a bound came to exclude later is moved to the
-- bound.
-- Only what differs from the default.
CREATE TABLE settings (
    project INTEGER NOT NULL REFERENCES projects,
    name    TEXT NOT NULL,
    value   INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;
INSERT INTO settings SELECT number, 'sat_life', min(max(sat_life_s, 60), 86400) FROM projects WHERE sat_life_s <> 7200;
INSERT INTO settings SELECT number, 'sat_life_max', max(sat_life_max_s, 60) FROM projects WHERE sat_life_max_s < 86400;
INSERT INTO settings SELECT number, 'family_max_age', min(max(family_max_age_s, 3600), 31536000)
    FROM projects WHERE family_max_age_s <> 2592000;
ALTER TABLE projects DROP COLUMN sat_life_s;
ALTER TABLE projects DROP COLUMN sat_life_max_s;
ALTER TABLE projects DROP COLUMN family_max_age_s;

ALTER TABLE keys ADD COLUMN name TEXT;
ALTER TABLE keys ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX keys_of_resources ON keys (project, resource) WHERE resource IS NOT NULL;

CREATE TABLE resources (
    id           BLOB PRIMARY KEY,
    project      INTEGER NOT NULL REFERENCES projects,
    type         INTEGER NOT NULL,
    name         TEXT,
    display_name TEXT,
    user         BLOB,
    is_disabled  INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A user without a reference is found by its identifier alone. Without an address, address_type is NULL.
ALTER TABLE users RENAME TO users_before;
CREATE TABLE users (
    number               INTEGER PRIMARY KEY,
    id                   BLOB NOT NULL,
    project              INTEGER NOT NULL REFERENCES projects,
    kind                 INTEGER NOT NULL,
    reference            TEXT,
    external_id          TEXT,
    payload              TEXT,
    created_ms           INTEGER NOT NULL,
    updated_ms           INTEGER NOT NULL,
    address_id           BLOB,
    address_resource     BLOB,
    address_name         TEXT,
    address_display_name TEXT,
    address_type         INTEGER,
    address_created_ms   INTEGER NOT NULL,
    first_name           TEXT,
    last_name            TEXT,
    display_name         TEXT,
    job_title            TEXT,
    time_zone            TEXT,
    country              TEXT,
    region               TEXT,
    company_name         TEXT,
    password_hash        BLOB,
    UNIQUE (id, project),
    UNIQUE (project, reference),
    UNIQUE (project, address_name)
) STRICT;
INSERT INTO users SELECT number, id, project, kind, reference, NULL, NULL, created_ms, updated_ms, address_id,
    address_resource, address_name, address_display_name, address_type, address_created_ms, first_name, last_name,
    display_name, job_title, time_zone, country, region, company_name, password_hash FROM users_before;
DROP TABLE users_before;
CREATE INDEX users_by_external_id ON users (project, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_in_order ON users (project) WHERE kind = 1;
CREATE INDEX users_by_resource ON users (address_resource) WHERE address_resource IS NOT NULL;
CREATE INDEX users_by_address_id ON users (address_id) WHERE address_id IS NOT NULL;

-- From the first refresh on. A bucket is forgotten whole.
CREATE TABLE families (
    bucket_s        INTEGER NOT NULL,
    id              BLOB NOT NULL,
    project         INTEGER NOT NULL REFERENCES projects,
    user            BLOB NOT NULL,
    state           INTEGER NOT NULL,
    generation      INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 4294967295),
    rotated_ms      INTEGER NOT NULL,
    succ_exp_s      INTEGER NOT NULL,
    age_ms          INTEGER NOT NULL, -- of the project, at that rotation
    holder          TEXT,
    holder_is_bound INTEGER NOT NULL,
    seal_key        TEXT,
    PRIMARY KEY (bucket_s, id, project)
) STRICT, WITHOUT ROWID;

-- Append-only; each t of a project is greater than all before it. Of no use any more after until_s.
CREATE TABLE cutoffs (
    project INTEGER NOT NULL REFERENCES projects,
    t_ms    INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    id      BLOB NOT NULL,
    until_s INTEGER NOT NULL,
    PRIMARY KEY (project, t_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX cutoffs_by_end ON cutoffs (until_s);

CREATE TABLE interviews (
    id           BLOB NOT NULL,
    project      INTEGER NOT NULL REFERENCES projects,
    study        BLOB NOT NULL,
    user         BLOB NOT NULL,
    state        INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    completed_ms INTEGER NOT NULL,
    PRIMARY KEY (id, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX interviews_by_user ON interviews (user);

CREATE TABLE answers (
    interview  BLOB NOT NULL,
    project    INTEGER NOT NULL REFERENCES projects,
    question   TEXT NOT NULL,
    answer     TEXT NOT NULL,
    written_ms INTEGER NOT NULL,
    PRIMARY KEY (interview, project, question)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 4;
