-- Keys that a refused registration made stay behind, of a user who never came to be. They are looked for in the order in which
-- keys were made, each key once: a year of keys costs nothing a second time.

CREATE INDEX subject_keys_created ON vault.subject_keys (created_at, key_id);

-- The last key that was looked at.
CREATE TABLE vault.swept_keys (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    created_at timestamptz NOT NULL,
    key_id uuid NOT NULL
);
INSERT INTO vault.swept_keys (created_at, key_id) VALUES ('-infinity', '00000000-0000-0000-0000-000000000000');

-- Look at the next keys, at most `p_limit` (of 10,000); gives how many were deleted, and whether there may be more to look at now.
--
-- Why no key in use can go: a user's id is drawn by the command that makes its first keys and its stream. That command is over
-- within minutes, and a stream once there never goes; so a user without one an hour later will never have one, and nothing that
-- is sealed for it is ever appended. Not so with roles: a name refused today may be defined tomorrow, under the key it has.
--
-- The serving role may delete no key by itself, and can choose no shorter time here (0011).
CREATE FUNCTION vault.sweep_orphaned_keys(p_age interval, p_limit integer, OUT deleted bigint, OUT more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    last vault.swept_keys;
    until timestamptz := clock_timestamp() - greatest(p_age, interval '1 hour');
    most integer := least(coalesce(p_limit, 1000), 10000);
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sweeping needs READ COMMITTED: an older snapshot would not see who has come to be since';
    END IF;
    SELECT * INTO last FROM vault.swept_keys FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        deleted := 0;
        more := false;
        RETURN;
    END IF;
    WITH looked AS MATERIALIZED (
        SELECT k.created_at, k.key_id, k.subject FROM vault.subject_keys k
        WHERE (k.created_at, k.key_id) > (last.created_at, last.key_id) AND k.created_at < until
        ORDER BY k.created_at, k.key_id LIMIT most
    ), gone AS (
        DELETE FROM vault.subject_keys k USING looked l
        WHERE k.key_id = l.key_id AND l.subject LIKE 'user-%' AND NOT EXISTS (SELECT FROM heads h WHERE h.stream = l.subject)
        RETURNING 1
    ), moved AS (
        UPDATE vault.swept_keys s SET created_at = l.created_at, key_id = l.key_id
        FROM (SELECT * FROM looked ORDER BY looked.created_at DESC, looked.key_id DESC LIMIT 1) l
    )
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM looked) = most INTO deleted, more;
END $$;

REVOKE ALL ON FUNCTION vault.sweep_orphaned_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.sweep_orphaned_keys TO minos_app;
