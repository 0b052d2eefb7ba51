-- Jobs in every order that pages offer, so that a page costs what it looks at and not what there is.
CREATE INDEX jobs_listed ON jobs (COALESCE(listed_nano_usd, -1), seq);
CREATE INDEX jobs_exchanges ON jobs (exchanges, seq);
CREATE INDEX jobs_escalations ON jobs (escalations, seq);
