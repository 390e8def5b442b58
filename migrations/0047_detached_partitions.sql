-- Of a partition that lies elsewhere, it is said which, rather than that something is missing.
CREATE FUNCTION refuse_detached(p_after bigint, p_last bigint) RETURNS void LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part log_partitions;
BEGIN
    SELECT * INTO part FROM log_partitions p
    WHERE p.detached_at IS NOT NULL AND p.first_position <= p_last AND p.last_position > p_after ORDER BY p.number DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% % %', part.number, part.first_position, part.last_position USING ERRCODE = 'MD001';
    END IF;
END $$;
REVOKE ALL ON FUNCTION refuse_detached FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_detached TO minos_app;

-- As before, but where events are not there it looks whether they were moved away.
CREATE OR REPLACE FUNCTION read_log(p_after bigint, p_limit bigint)
RETURNS TABLE (
    "position" bigint, append_id bigint, stream text, version integer, type text, event_id uuid, recorded_at timestamptz,
    actor text, session_id uuid, command_id uuid, correlation_id uuid, causation_id uuid, key_id uuid, payload bytea,
    size bigint, epoch integer
) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    first bigint;
    last bigint;
    whole boolean;
    given bigint := 0;
BEGIN
    SELECT h.size, h.epoch INTO size, epoch FROM log_head h WHERE h.only_row;
    last := least(size, p_after + p_limit);
    SELECT max(l.position_start) INTO first FROM log_runs l WHERE l.position_start <= p_after + 1;
    SELECT max(l.position_start + l.n) - first = sum(l.n) INTO whole FROM log_runs l
    WHERE l.position_start >= first AND l.position_start <= last;
    IF whole AND last > p_after THEN
        -- Runs in their order, and of each its events in theirs: the inner side of a lateral join is run for one after the other.
        RETURN QUERY
        SELECT r.position_start + (e.append_id - r.append_start), e.append_id, e.stream::text, e.version, e.type::text, e.event_id,
               e.recorded_at, e.actor::text, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload,
               read_log.size, read_log.epoch
        FROM (
            SELECT l.position_start, l.append_start, l.n FROM log_runs l
            WHERE l.position_start >= first AND l.position_start <= last
            ORDER BY l.position_start
        ) r
        CROSS JOIN LATERAL (
            SELECT * FROM events v
            WHERE v.append_id >= r.append_start + greatest(p_after + 1 - r.position_start, 0)
                AND v.append_id < r.append_start + least(r.n, last + 1 - r.position_start)
            ORDER BY v.append_id
        ) e;
        GET DIAGNOSTICS given = ROW_COUNT;
        IF given < last - p_after THEN
            PERFORM refuse_detached(p_after, last);
        END IF;
        IF given > 0 THEN
            RETURN;
        END IF;
    END IF;
    RETURN NEXT;
END $$;
