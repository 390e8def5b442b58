-- What queries of read models ask of the log. Functions, so that a plan made while a partition was empty is not kept when it is full.

-- The events of a stream that a row has not seen: versions after p_after up to p_upto, in order. STABLE: it looks at the log as
-- the statement that calls it does, so row, head and events are of one moment.
CREATE FUNCTION events_between(p_stream text, p_after integer, p_upto integer)
RETURNS TABLE (
    version integer, type text, event_id uuid, recorded_at timestamptz, actor text, session_id uuid,
    command_id uuid, correlation_id uuid, causation_id uuid, payload bytea
) LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    IF p_after >= p_upto THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT e.version, e.type, e.event_id, e.recorded_at, e.actor, e.session_id,
        e.command_id, e.correlation_id, e.causation_id, e.payload
    FROM events e WHERE e.stream = p_stream AND e.version > p_after AND e.version <= p_upto ORDER BY e.version;
END $$;

-- The position of an event, null while it has none or does not exist.
CREATE FUNCTION position_of(p_stream text, p_version integer) RETURNS bigint LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    id bigint;
    run log_runs;
BEGIN
    SELECT e.append_id INTO id FROM events e WHERE e.stream = p_stream AND e.version = p_version;
    SELECT * INTO run FROM log_runs r WHERE r.append_start <= id ORDER BY r.append_start DESC LIMIT 1;
    RETURN CASE WHEN id < run.append_start + run.n THEN run.position_start + (id - run.append_start) END;
END $$;

-- When the first event after a position was recorded, sequenced or not; null when the log ends there.
CREATE FUNCTION recorded_after(p_position bigint) RETURNS timestamptz LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    run log_runs;
    found timestamptz;
BEGIN
    SELECT * INTO run FROM log_runs r WHERE r.position_start <= p_position + 1 ORDER BY r.position_start DESC LIMIT 1;
    -- Past the last run this is the first id after it, which is not sequenced yet.
    SELECT e.recorded_at INTO found FROM events e
    WHERE e.append_id >= coalesce(run.append_start + least(run.n, p_position + 1 - run.position_start), 0)
    ORDER BY e.append_id LIMIT 1;
    RETURN found;
END $$;

REVOKE ALL ON FUNCTION events_between, position_of, recorded_after FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_between, position_of, recorded_after TO minos_app;
