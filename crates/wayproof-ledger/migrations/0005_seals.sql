-- Rows that change and are not made from events carry a digest of what they hold, so that damage to them is found.
-- Filled where a ledger is older by `fold/seal.rs`.

ALTER TABLE checkpoints ADD COLUMN seal TEXT;
ALTER TABLE journals ADD COLUMN seal TEXT;
ALTER TABLE rebuilt ADD COLUMN seal TEXT;
ALTER TABLE books ADD COLUMN seal TEXT;
ALTER TABLE virtual_keys ADD COLUMN seal TEXT;
ALTER TABLE people ADD COLUMN seal TEXT;
ALTER TABLE budgets ADD COLUMN seal TEXT;
ALTER TABLE accounts ADD COLUMN seal TEXT;
ALTER TABLE holds ADD COLUMN seal TEXT;
ALTER TABLE holders ADD COLUMN seal TEXT;
