-- The one key that signs the log's checkpoints, once there is one.
ALTER TABLE log ADD COLUMN signer TEXT;
