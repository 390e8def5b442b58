-- What sessions were at a position of the log: how they began, and the last token each was given up to there.

-- The last version of a stream that is at a position or before it; 0 where none is. Positions of a stream rise with its versions, so half of
-- what is left is ruled out with each look.
CREATE FUNCTION version_at(p_stream text, p_position bigint) RETURNS integer LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    low integer := 0;
    high integer := coalesce((SELECT h.version FROM heads h WHERE h.stream = p_stream), 0);
    middle integer;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF position_of(p_stream, middle) <= p_position THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Of each stream that had begun: the payloads of its first event and of the last one of a type up to the position, and when that was recorded.
CREATE FUNCTION first_and_last(p_streams text[], p_type text, p_position bigint)
RETURNS TABLE (stream text, first bytea, last bytea, last_at timestamptz) LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT f.stream::text, f.payload, l.payload, l.recorded_at
    FROM unnest(p_streams) AS s (stream)
    CROSS JOIN LATERAL (SELECT version_at(s.stream, p_position) AS version) AS v
    JOIN events f ON f.stream = s.stream AND f.version = 1 AND v.version > 0
    LEFT JOIN LATERAL (
        SELECT e.payload, e.recorded_at FROM events e
        WHERE e.stream = s.stream AND e.version <= v.version AND e.type = p_type ORDER BY e.version DESC LIMIT 1
    ) l ON true;
END $$;

REVOKE ALL ON FUNCTION version_at, first_and_last FROM PUBLIC;
GRANT EXECUTE ON FUNCTION version_at, first_and_last TO minos_app;
