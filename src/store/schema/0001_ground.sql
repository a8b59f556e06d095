-- 0001_ground.sql — projects with what belongs to them, users, replay protection, the key ring.
--
-- Times are ms since 1970 unless the name says _s; identifiers are 16 bytes; an absent value is NULL. Projects and
-- users have a number besides their identifier: an index entry by number is short, and rows of users are appended
-- where random identifiers as the key would spread each commit over the whole file.
PRAGMA application_id = 1131372916; -- "Coat"

-- version is raised by every commit that changes facts: a process that sees it move rebuilds its snapshot.
CREATE TABLE meta (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    epoch   INTEGER NOT NULL
) STRICT;
INSERT INTO meta (one, version, epoch) VALUES (1, 1, 1);

CREATE TABLE projects (
    number           INTEGER PRIMARY KEY,
    id               BLOB NOT NULL UNIQUE,
    name             TEXT,
    is_test          INTEGER NOT NULL,
    sat_life_s       INTEGER NOT NULL,
    sat_life_max_s   INTEGER NOT NULL,
    family_max_age_s INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    public_id   TEXT PRIMARY KEY,
    project     INTEGER NOT NULL REFERENCES projects,
    kind        INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    permissions INTEGER NOT NULL,
    is_retired  INTEGER NOT NULL,
    resource    BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE origins (
    project INTEGER NOT NULL REFERENCES projects,
    origin  TEXT NOT NULL,
    PRIMARY KEY (project, origin)
) STRICT, WITHOUT ROWID;

-- Of resources. A name is unique in its project among these and the addresses of users; the writer sees to it.
CREATE TABLE addresses (
    id           BLOB PRIMARY KEY,
    project      INTEGER NOT NULL REFERENCES projects,
    resource     BLOB,
    name         TEXT NOT NULL,
    display_name TEXT,
    type         INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE studies (
    id             BLOB PRIMARY KEY,
    project        INTEGER NOT NULL REFERENCES projects,
    title          TEXT,
    questions_json TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    number               INTEGER PRIMARY KEY,
    id                   BLOB NOT NULL UNIQUE,
    project              INTEGER NOT NULL REFERENCES projects,
    kind                 INTEGER NOT NULL,
    reference            TEXT NOT NULL,
    created_ms           INTEGER NOT NULL,
    updated_ms           INTEGER NOT NULL,
    address_id           BLOB,
    address_resource     BLOB,
    address_name         TEXT,
    address_display_name TEXT,
    address_type         INTEGER NOT NULL,
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
    UNIQUE (project, reference),
    UNIQUE (project, address_name)
) STRICT;

-- What may happen once. A bucket is forgotten whole.
CREATE TABLE once (
    bucket_s INTEGER NOT NULL,
    id       BLOB NOT NULL,
    PRIMARY KEY (bucket_s, id)
) STRICT, WITHOUT ROWID;

-- Private material is wrapped under the master key.
CREATE TABLE ring_keys (
    id         TEXT PRIMARY KEY,
    use        INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    algorithm  TEXT,
    wrapped    BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
