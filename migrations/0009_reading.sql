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

REVOKE ALL ON FUNCTION read_stream, read_stretches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_stream, read_stretches TO minos_app;
