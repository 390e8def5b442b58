-- Reading events, as functions for the same reason as load_heads: a plan made early must stay good.

CREATE FUNCTION read_stream(p_stream text, p_after integer, p_limit integer)
RETURNS TABLE (
    "position" bigint, append_id bigint, stream text, version integer, type text, event_id uuid, recorded_at timestamptz,
    actor text, session_id uuid, command_id uuid, correlation_id uuid, causation_id uuid, key_id uuid, payload bytea
) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT CASE WHEN e.append_id < r.append_start + r.n THEN r.position_start + (e.append_id - r.append_start) END,
           e.append_id, e.stream::text, e.version, e.type::text, e.event_id, e.recorded_at,
           e.actor::text, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload
    FROM events e
    LEFT JOIN LATERAL (
        SELECT l.position_start, l.append_start, l.n FROM log_runs l
        WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
    ) r ON true
    WHERE e.stream = p_stream AND e.version > p_after
    ORDER BY e.version LIMIT p_limit;
END $$;

-- Events of the given stretches, each from id `p_low` to `p_high`, the first of them at position `p_first`.
CREATE FUNCTION read_stretches(p_first bigint[], p_low bigint[], p_high bigint[], p_slot_from smallint, p_slot_to smallint)
RETURNS TABLE (
    "position" bigint, append_id bigint, stream text, version integer, type text, event_id uuid, recorded_at timestamptz,
    actor text, session_id uuid, command_id uuid, correlation_id uuid, causation_id uuid, key_id uuid, payload bytea
) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT s.first + (e.append_id - s.low), e.append_id, e.stream::text, e.version, e.type::text, e.event_id, e.recorded_at,
           e.actor::text, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload
    FROM unnest(p_first, p_low, p_high) AS s (first, low, high)
    CROSS JOIN LATERAL (
        SELECT * FROM events v WHERE v.append_id BETWEEN s.low AND s.high AND v.slot BETWEEN p_slot_from AND p_slot_to
        ORDER BY v.append_id
    ) e;
END $$;

-- The size of the log, and the runs that hold the positions after `p_after`, at most `p_limit` of them; one row of nulls if none.
CREATE FUNCTION find_runs(p_after bigint, p_limit bigint)
RETURNS TABLE (size bigint, epoch integer, position_start bigint, append_start bigint, n bigint) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT h.size, h.epoch, r.position_start, r.append_start, r.n
    FROM log_head h
    LEFT JOIN log_runs r
        ON r.position_start >= (SELECT max(l.position_start) FROM log_runs l WHERE l.position_start <= p_after + 1)
        AND r.position_start <= p_after + p_limit
    WHERE h.only_row
    ORDER BY r.position_start;
END $$;

REVOKE ALL ON FUNCTION read_stream, read_stretches, find_runs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_stream, read_stretches, find_runs TO minos_app;
