-- What operators set and what budgets have left. Unlike the events these rows change.

-- One row; whoever writes below updates it first, so that writers take turns and readers see a new version.
CREATE TABLE books (
    one BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO books (one, version) VALUES (1, 0);

-- Keys of the gateway by their public part: digests and what they are good for, as JSON. Never a key itself.
CREATE TABLE virtual_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
);

CREATE TABLE people (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

CREATE TABLE budgets (
    subject TEXT NOT NULL,
    period TEXT NOT NULL,
    limit_nano_usd BIGINT NOT NULL,
    soft_nano_usd BIGINT,
    PRIMARY KEY (subject, period)
);

-- What was spent and what is held back within one span of a budget's window.
CREATE TABLE accounts (
    subject TEXT NOT NULL,
    span TEXT NOT NULL,
    held_nano_usd BIGINT NOT NULL,
    spent_nano_usd BIGINT NOT NULL,
    PRIMARY KEY (subject, span)
);

-- What an exchange under way may cost at most, on each account it draws on.
CREATE TABLE holds (
    exchange TEXT NOT NULL,
    subject TEXT NOT NULL,
    span TEXT NOT NULL,
    amount_nano_usd BIGINT NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (exchange, subject, span)
);
CREATE INDEX holds_holder ON holds (holder);

-- The gateways that hold something, with the last sign of life.
CREATE TABLE holders (
    id TEXT PRIMARY KEY,
    seen_us BIGINT NOT NULL
);
