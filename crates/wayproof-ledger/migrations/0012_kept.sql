-- The id under which a provider keeps an answer, so that whoever continues from it is sent there.
ALTER TABLE exchanges ADD COLUMN kept TEXT;
CREATE INDEX exchanges_by_kept ON exchanges (kept) WHERE kept IS NOT NULL;
