-- As before, but a stream of which a part was moved away is refused: read without it, it would say something else. An empty answer too can be
-- such a part. The head is read first: whatever it says was written by then, its events are there to be found. Of the log's own stream each
-- event says all that it says, and who folds it counts them.
CREATE OR REPLACE FUNCTION read_stream(p_stream text, p_after integer, p_limit integer)
RETURNS TABLE (
    "position" bigint, append_id bigint, stream text, version integer, type text, event_id uuid, recorded_at timestamptz,
    actor text, session_id uuid, command_id uuid, correlation_id uuid, causation_id uuid, key_id uuid, payload bytea
) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    part log_partitions;
    reached integer := 0;
    given bigint;
BEGIN
    SELECT * INTO part FROM log_partitions p WHERE p.detached_at IS NOT NULL ORDER BY p.number DESC LIMIT 1;
    IF part.number IS NOT NULL THEN
        SELECT h.version INTO reached FROM heads h WHERE h.stream = p_stream;
    END IF;
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
    GET DIAGNOSTICS given = ROW_COUNT;
    IF part.number IS NOT NULL AND p_stream <> 'log' AND given < least(coalesce(reached, 0) - p_after, p_limit) THEN
        RAISE EXCEPTION '% % %', part.number, part.first_position, part.last_position USING ERRCODE = 'MD001';
    END IF;
END $$;
