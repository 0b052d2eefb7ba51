-- Who made an exchange, as the key they showed tells. Ledgers that are older never recorded it.
ALTER TABLE exchanges ADD COLUMN person TEXT;
ALTER TABLE exchanges ADD COLUMN team TEXT;
ALTER TABLE exchanges ADD COLUMN key_name TEXT;

-- The empty text stands for what nobody's key was shown for.
ALTER TABLE usage_days RENAME TO usage_days_before;
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
    person TEXT NOT NULL,
    team TEXT NOT NULL,
    key_name TEXT NOT NULL,
    PRIMARY KEY (day, session, job, task, class, provider, model, source, person, team, key_name)
) /* kept in the order of its key */;
INSERT INTO usage_days SELECT usage_days_before.*, '', '', '' FROM usage_days_before;
DROP TABLE usage_days_before;
