-- Usage by day says all that this table said.
DROP TABLE spend;

-- Its key is most of a row: kept once, in the rows themselves, instead of a second time in an index.
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
    PRIMARY KEY (day, session, job, task, class, provider, model, source)
) /* kept in the order of its key */;
INSERT INTO usage_days SELECT * FROM usage_days_before;
DROP TABLE usage_days_before;
