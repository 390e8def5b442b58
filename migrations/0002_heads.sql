-- Where streams stand, who owns which name, and what known idempotency keys answered.

CREATE TABLE heads (
    stream text COLLATE "C" PRIMARY KEY CHECK (octet_length(stream) <= 96),
    version integer NOT NULL CHECK (version >= 0),
    state bytea,
    state_version smallint NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
COMMENT ON COLUMN heads.version IS '0 only inside an append that holds the name of a stream nobody has written yet; never committed.';

CREATE TABLE claim_index (
    index_version integer NOT NULL,
    mac bytea NOT NULL CHECK (octet_length(mac) BETWEEN 16 AND 64),
    stream text COLLATE "C" NOT NULL,
    PRIMARY KEY (index_version, mac)
);
CREATE INDEX claim_index_stream ON claim_index (stream);

CREATE TABLE command_results (
    key bytea PRIMARY KEY CHECK (octet_length(key) BETWEEN 16 AND 64),
    digest bytea NOT NULL,
    outcome bytea NOT NULL CHECK (octet_length(outcome) <= 8192),
    actor text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX command_results_created ON command_results (created_at);
CREATE INDEX command_results_actor ON command_results (actor, created_at);
