-- What became of partitions that are written no more. Retention works as the owner; the serving role reads this, and does what is left
-- to do in the read models, which are its own.

CREATE TABLE log_partitions (
    number bigint PRIMARY KEY CHECK (number >= 0),
    first_position bigint NOT NULL CHECK (first_position > 0),
    last_position bigint NOT NULL CHECK (last_position >= first_position),
    events bigint NOT NULL CHECK (events > 0),
    latest timestamptz NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_at timestamptz,
    pruned bigint NOT NULL DEFAULT 0,
    journals_clean boolean NOT NULL DEFAULT true,
    detached_at timestamptz
);
COMMENT ON TABLE log_partitions IS 'Sealed ones only. Positions are those of its first and last event; where it borders on another, some between are of that one.';
GRANT SELECT ON log_partitions TO minos_app;

-- Partitions that were taken out of the log lie here.
CREATE SCHEMA detached;

-- Have what is written next go into the next partition, and give the number of the one that is left; null where it is nearly full, and
-- soon left by itself: two steps of the counter that are not one could then meet. Ids have gaps anyway, and rise as before.
CREATE FUNCTION close_partition() RETURNS bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    counter regclass := pg_get_serial_sequence('public.events', 'append_id');
    last bigint := coalesce(pg_sequence_last_value(counter), 0);
    here bigint := last >> 24;
BEGIN
    PERFORM ensure_partitions();
    IF last > ((here + 1) << 24) - (1 << 20) THEN
        RETURN NULL;
    END IF;
    PERFORM setval(counter, (here + 1) << 24);
    PERFORM ensure_partitions();
    RETURN here;
END $$;
REVOKE ALL ON FUNCTION close_partition FROM PUBLIC;

-- Said by the serving role once no journal has a row of a pruned event of this partition.
CREATE FUNCTION journals_are_clean(p_number bigint) RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE log_partitions SET journals_clean = true WHERE number = p_number AND NOT journals_clean
$$;
REVOKE ALL ON FUNCTION journals_are_clean FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journals_are_clean TO minos_app;

-- As before, but said so that partitions wholly behind the fence are left out before anything is looked at.
CREATE OR REPLACE FUNCTION committed_between(since pg_snapshot, seen pg_snapshot, fence bigint) RETURNS SETOF bigint
LANGUAGE sql VOLATILE AS $$
    SELECT e.append_id FROM events e
    WHERE e.xid >= pg_snapshot_xmax(since) AND e.xid < pg_snapshot_xmax(seen)
        AND pg_visible_in_snapshot(e.xid, seen) AND e.append_id >= fence + 1
    UNION ALL
    SELECT e.append_id FROM events e
    WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(since)))
        AND pg_visible_in_snapshot(e.xid, seen) AND e.append_id >= fence + 1
$$;
