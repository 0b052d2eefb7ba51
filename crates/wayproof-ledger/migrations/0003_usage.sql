-- Usage by day with its session, what agents' own logs tell, and how far those are read.
-- Filled from the events by `rebuild.rs` where a ledger is older than these tables.

ALTER TABLE exchanges ADD COLUMN provider_request_id TEXT;
ALTER TABLE exchanges ADD COLUMN imported BIGINT;

-- The empty text stands for what has no session, job, task or class. The source is empty or `imported`.
CREATE TABLE usage_days (
    day BIGINT NOT NULL,
    session TEXT NOT NULL,
    job TEXT NOT NULL,
    task TEXT NOT NULL,
    class TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    source TEXT NOT NULL,
    exchanges BIGINT NOT NULL,
    with_usage BIGINT NOT NULL,
    input BIGINT,
    cache_read BIGINT,
    cache_write BIGINT,
    output BIGINT,
    reasoning BIGINT,
    listed_nano_usd BIGINT,
    listed_unknown BIGINT NOT NULL,
    billed_nano_usd BIGINT,
    subscription_nano_usd BIGINT,
    PRIMARY KEY (day, session, job, task, class, provider, model, source)
);

-- What agents did, as their own logs tell.
CREATE TABLE activity (
    day BIGINT NOT NULL,
    session TEXT NOT NULL,
    agent TEXT NOT NULL,
    asks BIGINT NOT NULL,
    tool_calls BIGINT NOT NULL,
    tool_failures BIGINT NOT NULL,
    edits BIGINT NOT NULL,
    lines_added BIGINT NOT NULL,
    lines_removed BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    PRIMARY KEY (day, session, agent)
);

-- How far each log file is read.
CREATE TABLE import_files (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    position BIGINT NOT NULL,
    state TEXT,
    read_us BIGINT NOT NULL
);

-- Projections made again from the events after they were added or changed.
CREATE TABLE rebuilt (
    name TEXT PRIMARY KEY,
    at_us BIGINT NOT NULL
);
