-- The first signals of a class after a count, in order, with the seconds they still hold. A function, so that a plan made while the set was
-- small is not kept when a million sessions have been revoked.
CREATE FUNCTION signals_after(p_class text, p_after bigint, p_limit bigint)
RETURNS TABLE (subject text, count bigint, fact bytea, ttl bigint) LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT s.subject::text, s.count, s.fact, ceil(extract(epoch FROM s.until - clock_timestamp()))::bigint
    FROM live_signals s WHERE s.class = p_class AND s.count > p_after ORDER BY s.count LIMIT p_limit;
END $$;

REVOKE ALL ON FUNCTION signals_after FROM PUBLIC;
GRANT EXECUTE ON FUNCTION signals_after TO minos_app;
