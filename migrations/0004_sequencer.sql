-- Positions are given after commit, to whatever became visible between two snapshots.

-- Ids of committed events that `seen` sees and `since` did not.
CREATE FUNCTION committed_between(since pg_snapshot, seen pg_snapshot, fence bigint) RETURNS SETOF bigint
LANGUAGE sql VOLATILE AS $$
    SELECT e.append_id FROM events e
    WHERE e.xid >= pg_snapshot_xmax(since) AND e.xid < pg_snapshot_xmax(seen)
        AND pg_visible_in_snapshot(e.xid, seen) AND e.append_id > fence
    UNION ALL
    SELECT e.append_id FROM events e
    WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(since)))
        AND pg_visible_in_snapshot(e.xid, seen) AND e.append_id > fence
$$;

-- Give positions to everything committed since the last step. `added` is null when another sequencer is at it, and -1 when
-- the stored snapshot was taken in another cluster (a restore): then only resequence() may go on.
CREATE FUNCTION sequence_step(OUT added bigint, OUT size bigint, OUT epoch integer) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
    -- The first step after a long pause may have millions to do.
    SET transaction_timeout = 0
AS $$
DECLARE
    head log_head;
    seen pg_snapshot;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sequencing needs READ COMMITTED: the snapshot must be newer than the lock';
    END IF;
    -- A first look without a lock, so that an idle log costs no write.
    SELECT * INTO head FROM log_head h WHERE h.only_row;
    SELECT pg_current_snapshot() INTO seen;
    added := 0;
    size := head.size;
    epoch := head.epoch;
    IF pg_snapshot_xmax(head.snapshot) > pg_snapshot_xmax(seen)
        OR head.cluster <> (SELECT c.system_identifier FROM pg_control_system() c) THEN
        added := -1;
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM committed_between(head.snapshot, seen, head.fence)) THEN
        RETURN;
    END IF;
    SELECT * INTO head FROM log_head h WHERE h.only_row FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        added := NULL;
        RETURN;
    END IF;
    -- A statement of its own, after the lock: later than every snapshot stored before.
    SELECT pg_current_snapshot() INTO seen;
    added := store_runs(head.size, ARRAY(SELECT committed_between(head.snapshot, seen, head.fence)));
    size := head.size + added;
    epoch := head.epoch;
    UPDATE log_head SET size = head.size + added, snapshot = seen WHERE only_row AND added > 0;
END $$;

-- Store ids, sorted, as runs of consecutive ones after position `size`. A run that goes on where the last one ends prolongs it.
CREATE FUNCTION store_runs(size bigint, ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last log_runs;
    grown bigint := 0;
BEGIN
    IF cardinality(ids) = 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM log_runs r ORDER BY r.position_start DESC LIMIT 1;
    WITH placed AS (
        SELECT id, row_number() OVER (ORDER BY id) AS rank FROM unnest(ids) AS id
    ), runs AS (
        SELECT size + min(rank) AS position_start, min(id) AS append_start, count(*) AS n FROM placed GROUP BY id - rank
    ), prolonged AS (
        UPDATE log_runs l SET n = l.n + r.n FROM runs r
        WHERE l.position_start = last.position_start AND r.append_start = last.append_start + last.n
            AND r.position_start = size + 1
        RETURNING r.position_start
    )
    INSERT INTO log_runs (position_start, append_start, n)
    SELECT r.position_start, r.append_start, r.n FROM runs r
    WHERE r.position_start NOT IN (SELECT position_start FROM prolonged) ORDER BY r.position_start;
    RETURN cardinality(ids);
END $$;

-- After a restore: give positions to what is in no run, in id order, and begin a new epoch. Writers wait meanwhile, so that
-- everything at or below the fence is known; its transaction ids are never looked at again.
CREATE FUNCTION resequence(OUT added bigint, OUT size bigint, OUT epoch integer) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET transaction_timeout = 0 SET lock_timeout = '60s'
AS $$
DECLARE
    head log_head;
    last_id bigint;
BEGIN
    SELECT * INTO head FROM log_head h WHERE h.only_row FOR UPDATE;
    LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(max(e.append_id), 0) INTO last_id FROM events e;
    IF last_id > coalesce(pg_sequence_last_value(pg_get_serial_sequence('public.events', 'append_id')), 0) THEN
        PERFORM setval(pg_get_serial_sequence('public.events', 'append_id'), last_id);
    END IF;
    added := store_runs(head.size, ARRAY(
        SELECT e.append_id FROM events e
        WHERE NOT EXISTS (
            SELECT FROM log_runs r WHERE r.append_start = (
                SELECT max(l.append_start) FROM log_runs l WHERE l.append_start <= e.append_id
            ) AND e.append_id < r.append_start + r.n)));
    size := head.size + added;
    epoch := head.epoch + 1;
    UPDATE log_head h SET size = resequence.size, snapshot = pg_current_snapshot(), epoch = resequence.epoch, fence = last_id,
        cluster = (SELECT c.system_identifier FROM pg_control_system() c)
    WHERE h.only_row;
END $$;
