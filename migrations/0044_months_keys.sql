-- Keys that wrap others: which there are, who has them, and since when nothing hangs on one any more. None of them lies here in clear,
-- and those of the months not at all (threats.md 17).

-- Keys that a KMS wrapped; the newest wraps. A process has it unwrapped once and asks no more.
CREATE TABLE vault.root_keys (
    generation integer PRIMARY KEY CHECK (generation > 0),
    kek_id text COLLATE "C" NOT NULL UNIQUE,
    wrapped text NOT NULL,
    kms text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT ON vault.root_keys TO minos_app;

-- What wraps or wrapped subject keys. `month` is null for a master key, which did before there were months.
CREATE TABLE vault.subject_keks (
    kek_id text COLLATE "C" PRIMARY KEY,
    month date UNIQUE CHECK (extract(day FROM month) = 1),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Nothing is wrapped by it from then on; no subject key hangs on it from then on; nothing opens what it wrapped from then on.
    closed_at timestamptz,
    emptied_at timestamptz,
    destroyed_at timestamptz
);
GRANT SELECT, INSERT (kek_id, month) ON vault.subject_keks TO minos_app;

-- What was wrapped before, as long as the key that wrapped it is there. The serving role may have a subject key wrapped anew, and the
-- database cannot see what it was given for that: until somebody has compared, nothing is lost by nonsense.
CREATE TABLE vault.earlier_wrappings (
    kek_id text COLLATE "C" NOT NULL,
    key_id uuid NOT NULL REFERENCES vault.subject_keys ON DELETE CASCADE,
    wrapped bytea NOT NULL,
    PRIMARY KEY (kek_id, key_id)
);
CREATE INDEX earlier_wrappings_of_key ON vault.earlier_wrappings (key_id);
GRANT SELECT ON vault.earlier_wrappings TO minos_app;

CREATE INDEX subject_keys_kek ON vault.subject_keys (kek_id COLLATE "C", key_id);

-- Which root keys the processes that run have, so that nothing is wrapped by one that somebody lacks.
CREATE UNLOGGED TABLE vault.key_holders (
    process uuid PRIMARY KEY,
    place text NOT NULL,
    kek_ids text[] NOT NULL,
    seen_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.key_holders TO minos_app;

-- Let nothing be wrapped by a month's key any more. Only where a later one is there.
CREATE FUNCTION vault.close_month(p_kek text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH closed AS (
        UPDATE vault.subject_keks k SET closed_at = clock_timestamp()
        WHERE k.kek_id = p_kek AND k.closed_at IS NULL
            AND EXISTS (SELECT FROM vault.subject_keks n WHERE n.month > k.month AND n.closed_at IS NULL)
        RETURNING 1
    ) SELECT EXISTS (SELECT FROM closed)
$$;

-- Put other wrappings in the place of those given, where these are still there, and keep these. By a key of a month that is not closed.
-- Gives how many were changed.
CREATE FUNCTION vault.rewrap_subject_keys(p_keys uuid[], p_old text[], p_old_wrapped bytea[], p_new text, p_new_wrapped bytea[])
RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM FROM vault.subject_keks k WHERE k.kek_id = p_new AND k.month IS NOT NULL AND k.closed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing may be wrapped by % any more, or yet', p_new USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO vault.subject_keks (kek_id, closed_at)
    SELECT DISTINCT w.old, clock_timestamp() FROM unnest(p_old) AS w (old) WHERE w.old <> p_new ON CONFLICT DO NOTHING;
    WITH wanted AS MATERIALIZED (
        SELECT k.key_id, k.kek_id, k.wrapped, w.new_wrapped
        FROM unnest(p_keys, p_old, p_old_wrapped, p_new_wrapped) AS w (key_id, old, old_wrapped, new_wrapped)
        JOIN vault.subject_keys k ON k.key_id = w.key_id AND k.kek_id = w.old AND k.wrapped = w.old_wrapped
        WHERE octet_length(w.new_wrapped) = octet_length(w.old_wrapped)
        ORDER BY k.key_id FOR UPDATE OF k
    ), kept AS (
        INSERT INTO vault.earlier_wrappings (kek_id, key_id, wrapped)
        SELECT w.kek_id, w.key_id, w.wrapped FROM wanted w ON CONFLICT DO NOTHING
    ), moved AS (
        UPDATE vault.subject_keys k SET kek_id = p_new, wrapped = w.new_wrapped FROM wanted w WHERE k.key_id = w.key_id RETURNING 1
    ) SELECT count(*) INTO changed FROM moved;
    RETURN changed;
END $$;

-- Note since when no subject key hangs on a closed one; a transaction that saw it open is over 10 s later, as none of the serving
-- role lasts longer than 5. Gives whether none does.
CREATE FUNCTION vault.settle_kek(p_kek text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    needed boolean := EXISTS (SELECT FROM vault.subject_keys s WHERE s.kek_id = p_kek);
BEGIN
    UPDATE vault.subject_keks k SET emptied_at = CASE WHEN needed THEN NULL ELSE coalesce(k.emptied_at, clock_timestamp()) END
    WHERE k.kek_id = p_kek AND k.destroyed_at IS NULL AND k.closed_at < clock_timestamp() - interval '10 seconds'
        AND (k.emptied_at IS NULL) IS DISTINCT FROM needed;
    RETURN NOT needed;
END $$;

-- Note that a key is gone, before it goes. Never sooner than a day after nothing hangs on it, so that whoever got hold of the serving
-- role, and had all keys wrapped in nonsense, has not destroyed them before somebody noticed. Gives whether it may go.
CREATE FUNCTION vault.destroy_kek(p_kek text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        UPDATE vault.subject_keks k SET destroyed_at = coalesce(k.destroyed_at, clock_timestamp())
        WHERE k.kek_id = p_kek AND k.emptied_at < clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT FROM vault.subject_keys s WHERE s.kek_id = p_kek)
        RETURNING 1
    ) SELECT EXISTS (SELECT FROM gone)
$$;

-- Forget, at most so many at a time, what was wrapped by a key that is gone. Gives how many.
CREATE FUNCTION vault.forget_wrappings(p_kek text, p_limit integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM vault.earlier_wrappings e WHERE e.kek_id = p_kek AND e.key_id IN (
            SELECT o.key_id FROM vault.earlier_wrappings o
            WHERE o.kek_id = p_kek AND EXISTS (SELECT FROM vault.subject_keks k WHERE k.kek_id = p_kek AND k.destroyed_at IS NOT NULL)
            ORDER BY o.key_id LIMIT least(coalesce(p_limit, 1000), 10000))
        RETURNING 1
    ) SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION vault.close_month, vault.rewrap_subject_keys, vault.settle_kek, vault.destroy_kek, vault.forget_wrappings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.close_month, vault.rewrap_subject_keys, vault.settle_kek, vault.destroy_kek, vault.forget_wrappings
    TO minos_app;
