-- Signing in and keeping read models up to date asked the database one thing at a time. On a busy machine each question costs a
-- turn of two processes, whatever is asked; so what is always asked together is one question now.

-- One row per candidate, in order: the head of the claim stream that owns it, or nulls; then the heads of `p_beside`, in order.
-- A name nobody owns costs the look for a head as well, so that the clock does not tell.
DROP FUNCTION find_claims(integer[], bytea[]);
CREATE FUNCTION find_claims(p_versions integer[], p_macs bytea[], p_beside text[])
RETURNS TABLE (version integer, state bytea, state_version smallint, at timestamptz, stream text) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    read_at timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY SELECT h.version, h.state, h.state_version, read_at, c.stream::text
        FROM unnest(p_versions, p_macs) WITH ORDINALITY AS k (version, mac, n)
        LEFT JOIN claim_index c ON c.index_version = k.version AND c.mac = k.mac
        LEFT JOIN heads h ON h.stream = coalesce(c.stream, 'claim-') ORDER BY k.n;
    RETURN QUERY SELECT h.version, h.state, h.state_version, read_at, s.stream
        FROM unnest(p_beside) WITH ORDINALITY AS s (stream, n) LEFT JOIN heads h ON h.stream = s.stream ORDER BY s.n;
END $$;

REVOKE ALL ON FUNCTION find_claims FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_claims TO minos_app;

-- The log's size, and the events at the positions after `p_after`, at most `p_limit` of them; one row without an event if none.
-- Runs that do not follow one another hold nothing anybody may rely on: then there are no events, and the reader misses them.
DROP FUNCTION find_runs(bigint, bigint);
DROP FUNCTION read_stretches(bigint[], bigint[], bigint[], smallint, smallint);
CREATE FUNCTION read_log(p_after bigint, p_limit bigint)
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
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION read_log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_log TO minos_app;

-- Take the feeds that nobody else is at until the transaction ends, and say which of `p_streams` each of them holds back. Looked up
-- in a statement after the lock: what an operator let go again in between must be seen, or its events would be passed over.
-- The transaction need not wait for the disk: losing the last of them in a power cut is the same as not having done it.
CREATE FUNCTION take_feeds(p_names text[], p_versions integer[], p_slots smallint[], p_streams text[])
RETURNS TABLE (name text, version integer, slot_from smallint, slot_to smallint, "position" bigint, back text[]) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    taken record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'feeds need READ COMMITTED: what is held back must be looked up after the lock';
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR taken IN
        SELECT s.* FROM projection_state s
        JOIN unnest(p_names, p_versions, p_slots) AS f (name, version, slot_from)
            ON f.name = s.name AND f.version = s.version AND f.slot_from = s.slot_from
        WHERE s.status = 'live'
        ORDER BY s.name, s.version, s.slot_from FOR UPDATE OF s SKIP LOCKED
    LOOP
        name := taken.name;
        version := taken.version;
        slot_from := taken.slot_from;
        slot_to := taken.slot_to;
        "position" := taken."position";
        back := ARRAY(
            SELECT p.stream FROM projection_parked p
            WHERE p.name = taken.name AND p.version = taken.version AND p.stream = ANY (p_streams)
        );
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION take_feeds FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_feeds TO minos_app;

-- Give positions to everything committed since the last step. `added` is null when another sequencer is at it, and -1 when
-- the stored snapshot was taken in another cluster (a restore): then only resequence() may go on.
CREATE OR REPLACE FUNCTION sequence_step(OUT added bigint, OUT size bigint, OUT epoch integer) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
    -- The first step after a long pause may have millions to do.
    SET transaction_timeout = 0
AS $$
DECLARE
    head log_head;
    locked log_head;
    seen pg_snapshot;
    ids bigint[];
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
    -- Which cluster this is cannot change under a connection; asking takes longer than all the rest of an idle step. Anybody may say
    -- it for their own connection: so before anything is written, it is asked.
    IF current_setting('minos.cluster', true) IS DISTINCT FROM head.cluster::text THEN
        PERFORM set_config('minos.cluster', c.system_identifier::text, false) FROM pg_control_system() c;
    END IF;
    IF pg_snapshot_xmax(head.snapshot) > pg_snapshot_xmax(seen) OR head.cluster::text <> current_setting('minos.cluster') THEN
        added := -1;
        RETURN;
    END IF;
    ids := ARRAY(SELECT committed_between(head.snapshot, seen, head.fence));
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    SELECT * INTO locked FROM log_head h WHERE h.only_row FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        added := NULL;
        RETURN;
    END IF;
    IF locked.cluster <> (SELECT c.system_identifier FROM pg_control_system() c) THEN
        added := -1;
        RETURN;
    END IF;
    -- Where another sequencer was here since the look, look again: what counts is what was not seen by the snapshot stored now,
    -- and the new one, taken in a statement of its own, has to be later than that.
    IF locked.snapshot::text <> head.snapshot::text OR locked.epoch <> head.epoch THEN
        SELECT pg_current_snapshot() INTO seen;
        ids := ARRAY(SELECT committed_between(locked.snapshot, seen, locked.fence));
    END IF;
    added := store_runs(locked.size, ids);
    size := locked.size + added;
    epoch := locked.epoch;
    UPDATE log_head SET size = locked.size + added, snapshot = seen WHERE only_row AND added > 0;
END $$;

-- Store ids, sorted, as runs of consecutive ones after position `size`. A run that goes on where the last one ends prolongs it,
-- and mostly that is all there is to do.
CREATE OR REPLACE FUNCTION store_runs(size bigint, ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last log_runs;
    first_id bigint;
    last_id bigint;
BEGIN
    IF cardinality(ids) = 0 THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM log_runs r ORDER BY r.position_start DESC LIMIT 1;
    SELECT min(id), max(id) INTO first_id, last_id FROM unnest(ids) AS id;
    IF first_id = last.append_start + last.n AND last_id - first_id + 1 = cardinality(ids) AND last.position_start + last.n = size + 1 THEN
        UPDATE log_runs r SET n = r.n + cardinality(ids) WHERE r.position_start = last.position_start;
        RETURN cardinality(ids);
    END IF;
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
