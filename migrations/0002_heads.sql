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

-- Reads by key, as functions so that a plan made while a table was small stays good when it is not.

-- One row per name asked for, in that order; version null where nothing was ever appended.
CREATE FUNCTION load_heads(p_streams text[])
RETURNS TABLE (version integer, state bytea, state_version smallint, at timestamptz) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    read_at timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY SELECT h.version, h.state, h.state_version, read_at
        FROM unnest(p_streams) WITH ORDINALITY AS s (stream, n) LEFT JOIN heads h ON h.stream = s.stream ORDER BY s.n;
END $$;

-- One row per candidate, in order: the claim stream that owns it, or null.
CREATE FUNCTION find_claims(p_versions integer[], p_macs bytea[]) RETURNS TABLE (stream text) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY SELECT c.stream::text FROM unnest(p_versions, p_macs) WITH ORDINALITY AS k (version, mac, n)
        LEFT JOIN claim_index c ON c.index_version = k.version AND c.mac = k.mac ORDER BY k.n;
END $$;

-- One row per key, in order; nulls where the key is not known.
CREATE FUNCTION find_outcomes(p_keys bytea[]) RETURNS TABLE (digest bytea, outcome bytea) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY SELECT r.digest, r.outcome FROM unnest(p_keys) WITH ORDINALITY AS k (key, n)
        LEFT JOIN command_results r ON r.key = k.key ORDER BY k.n;
END $$;
