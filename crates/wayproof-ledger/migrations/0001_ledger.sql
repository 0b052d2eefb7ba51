-- One text for SQLite and PostgreSQL. Only TEXT and BIGINT; flags are 0 or 1; unknown is NULL.
-- On SQLite a BIGINT PRIMARY KEY is spelled INTEGER PRIMARY KEY, so that it is the row's own number.

-- The log's one row: its identity and the growing edge of its Merkle tree.
CREATE TABLE log (
    one BIGINT PRIMARY KEY,
    origin TEXT NOT NULL,
    size BIGINT NOT NULL,
    frontier TEXT NOT NULL,
    checkpoint_size BIGINT NOT NULL,
    checkpoint_us BIGINT NOT NULL
);

-- The truth. Never updated, never deleted; everything below can be made from it.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    body TEXT NOT NULL
);

-- Merkle hashes, up to 256 a row, as base64.
CREATE TABLE tiles (
    level BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    hashes TEXT NOT NULL,
    PRIMARY KEY (level, idx)
);

CREATE TABLE checkpoints (
    size BIGINT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    note TEXT NOT NULL
);

-- How far each journal file is in here.
CREATE TABLE journals (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);

-- Content kept beside the log under its own digest: receipts, captured bodies.
CREATE TABLE contents (
    digest TEXT PRIMARY KEY,
    content TEXT NOT NULL
);

CREATE TABLE sessions (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    agent TEXT,
    agent_version TEXT,
    parent TEXT,
    cwd TEXT,
    repo TEXT,
    branch TEXT,
    started_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    exchanges BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    listed_nano_usd BIGINT,
    listed_unknown BIGINT NOT NULL,
    billed_nano_usd BIGINT,
    subscription_nano_usd BIGINT
);

CREATE TABLE jobs (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session TEXT,
    task TEXT,
    class TEXT,
    repo TEXT,
    base TEXT,
    agent TEXT,
    key_digest TEXT,
    opened_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    closed_us BIGINT,
    verdict TEXT,
    receipt_digest TEXT,
    escalations BIGINT NOT NULL,
    proofs BIGINT NOT NULL,
    exchanges BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    listed_nano_usd BIGINT,
    listed_unknown BIGINT NOT NULL,
    billed_nano_usd BIGINT,
    subscription_nano_usd BIGINT
);
CREATE INDEX jobs_session ON jobs (session, seq) WHERE session IS NOT NULL;
CREATE INDEX jobs_key ON jobs (key_digest) WHERE key_digest IS NOT NULL;

CREATE TABLE exchanges (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session TEXT,
    job TEXT,
    protocol TEXT,
    agent TEXT,
    task TEXT,
    class TEXT,
    requested_model TEXT,
    provider TEXT,
    model TEXT,
    opened_us BIGINT NOT NULL,
    settled_seq BIGINT,
    outcome TEXT,
    status BIGINT,
    attempts BIGINT,
    total_us BIGINT,
    input BIGINT,
    cache_read BIGINT,
    cache_write BIGINT,
    output BIGINT,
    reasoning BIGINT,
    listed_nano_usd BIGINT,
    billed_nano_usd BIGINT,
    subscription_nano_usd BIGINT
);
CREATE INDEX exchanges_session ON exchanges (session, seq) WHERE session IS NOT NULL;
CREATE INDEX exchanges_job ON exchanges (job, seq) WHERE job IS NOT NULL;

-- Every event that is not about a single exchange, to find a job's story by.
CREATE TABLE milestones (
    seq BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    session TEXT,
    job TEXT,
    digest TEXT
);
CREATE INDEX milestones_job ON milestones (job, seq) WHERE job IS NOT NULL;
CREATE INDEX milestones_digest ON milestones (digest) WHERE digest IS NOT NULL;

-- Spend by day, job and where it went. The empty text stands for what has no job, class or task.
CREATE TABLE spend (
    day BIGINT NOT NULL,
    job TEXT NOT NULL,
    task TEXT NOT NULL,
    class TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    exchanges BIGINT NOT NULL,
    listed_nano_usd BIGINT,
    listed_unknown BIGINT NOT NULL,
    billed_nano_usd BIGINT,
    subscription_nano_usd BIGINT,
    PRIMARY KEY (day, job, task, class, provider, model)
);
