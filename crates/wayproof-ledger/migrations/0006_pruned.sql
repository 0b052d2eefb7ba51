-- Up to where events are pruned, and the digest of what verification needs instead of them. The hashes of their leaves
-- stay in the tiles, so every checkpoint can still be proven.
CREATE TABLE pruned (
    before BIGINT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    seal TEXT
);
