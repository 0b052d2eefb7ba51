-- What the dashboard's pages are found by. Partial where most rows have nothing to find, so that recording an exchange
-- costs no more than before: a job's verdict and task are set once or twice in its life.

CREATE INDEX jobs_verdict ON jobs (verdict, seq) WHERE verdict IS NOT NULL;
CREATE INDEX milestones_receipts ON milestones (seq) WHERE digest IS NOT NULL;
