-- An epoch is opened in one transaction of the owner: the log is held, what has no position is counted, the event that tells of it is
-- appended, and then everything gets its position, that event the last.

-- Hold the log as it is: nobody appends until the transaction ends. In the order in which everybody takes these locks; and no id is given
-- out again that the log has, whatever the sequence was restored to. `unnumbered`: events without a position.
CREATE FUNCTION hold_log(OUT size bigint, OUT epoch integer, OUT unnumbered bigint) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '60s'
AS $$
DECLARE
    last_id bigint;
BEGIN
    SELECT h.size, h.epoch INTO size, epoch FROM log_head h WHERE h.only_row FOR UPDATE;
    PERFORM FROM heads h WHERE h.stream = 'log' FOR UPDATE;
    LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(max(e.append_id), 0) INTO last_id FROM events e;
    IF last_id > coalesce(pg_sequence_last_value(pg_get_serial_sequence('public.events', 'append_id')), 0) THEN
        PERFORM setval(pg_get_serial_sequence('public.events', 'append_id'), last_id);
    END IF;
    SELECT count(*) INTO unnumbered FROM events e
    WHERE NOT EXISTS (
        SELECT FROM log_runs r WHERE r.append_start = (
            SELECT max(l.append_start) FROM log_runs l WHERE l.append_start <= e.append_id
        ) AND e.append_id < r.append_start + r.n);
END $$;

DROP FUNCTION resequence;

-- Give positions to what is in no run, in id order, and begin the epoch, or a later one. Writers wait meanwhile, so that everything at or
-- below the fence is known; its transaction ids are never looked at again.
CREATE FUNCTION resequence(p_epoch integer, OUT added bigint, OUT size bigint, OUT epoch integer) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET transaction_timeout = 0 SET lock_timeout = '60s'
AS $$
DECLARE
    head log_head;
    last_id bigint;
BEGIN
    SELECT * INTO head FROM log_head h WHERE h.only_row FOR UPDATE;
    LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE;
    SELECT coalesce(max(e.append_id), 0) INTO last_id FROM events e;
    added := store_runs(head.size, ARRAY(
        SELECT e.append_id FROM events e
        WHERE NOT EXISTS (
            SELECT FROM log_runs r WHERE r.append_start = (
                SELECT max(l.append_start) FROM log_runs l WHERE l.append_start <= e.append_id
            ) AND e.append_id < r.append_start + r.n)));
    size := head.size + added;
    epoch := greatest(head.epoch + 1, p_epoch);
    UPDATE log_head h SET size = resequence.size, snapshot = pg_current_snapshot(), epoch = resequence.epoch, fence = last_id,
        cluster = (SELECT c.system_identifier FROM pg_control_system() c)
    WHERE h.only_row;
END $$;

REVOKE ALL ON FUNCTION hold_log, resequence FROM PUBLIC;
