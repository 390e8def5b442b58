-- How much of their limits callers have used up, over all processes. Unlogged: a crash empties it, and everybody begins with full
-- buckets. A row whose moment has passed says nothing any more.
CREATE UNLOGGED TABLE rate_limits (
    key bytea PRIMARY KEY,
    full_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN rate_limits.key IS 'Keyed digest of the rule and of whom it counts: no address, no account.';

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO minos_app;
