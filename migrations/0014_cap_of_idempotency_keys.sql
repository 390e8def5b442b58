-- Answers to repeated requests are kept for 72 hours; of one principal, at most so many.

DROP FUNCTION find_outcomes(bytea[]);

-- One row per key, in order; nulls where the key is not known. For such a key `exhausted` says whether its actor has `p_cap`
-- others already, found by walking at most so many entries of an index; null for an actor asks nothing.
CREATE FUNCTION find_outcomes(p_keys bytea[], p_actors text[], p_cap integer)
RETURNS TABLE (digest bytea, outcome bytea, exhausted boolean) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY SELECT r.digest, r.outcome, CASE WHEN r.key IS NULL AND k.actor IS NOT NULL
            THEN EXISTS (SELECT FROM command_results c WHERE c.actor = k.actor OFFSET p_cap - 1) ELSE false END
        FROM unnest(p_keys, p_actors) WITH ORDINALITY AS k (key, actor, n)
        LEFT JOIN command_results r ON r.key = k.key ORDER BY k.n;
END $$;

REVOKE ALL ON FUNCTION find_outcomes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_outcomes TO minos_app;
