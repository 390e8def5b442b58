-- What services elsewhere are told: the set of facts that hold, as it is now, and how far what was told is complete.

-- Who may read them is one class: `access`, and one for each audience. `count` is of the newest fact, `sent` of the newest that NATS has
-- acknowledged, as the stream's `sequence`; `first_sequence` is where this epoch begins in the stream, and until `resend_to` was sent anew the
-- stream is not what the table is. `told` is whether it hears of roles: whether the audience is or ever was for people.
CREATE TABLE signal_classes (
    class text COLLATE "C" PRIMARY KEY CHECK (octet_length(class) <= 96),
    told boolean NOT NULL DEFAULT true,
    epoch integer NOT NULL DEFAULT 1,
    count bigint NOT NULL DEFAULT 0,
    complete_to timestamptz NOT NULL DEFAULT 'epoch',
    beat bigint NOT NULL DEFAULT 0,
    sent bigint NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    first_sequence bigint NOT NULL DEFAULT 1,
    resend_to bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO signal_classes (class) VALUES ('access');

-- One row for each thing there is a fact of: the newest. `fact` is the body of its SET, without when it was signed.
CREATE TABLE live_signals (
    class text COLLATE "C" NOT NULL REFERENCES signal_classes (class),
    subject text COLLATE "C" NOT NULL CHECK (octet_length(subject) <= 192),
    count bigint NOT NULL,
    fact bytea NOT NULL CHECK (octet_length(fact) <= 131072),
    until timestamptz,
    PRIMARY KEY (class, subject)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX live_signals_count ON live_signals (class, count);
CREATE INDEX live_signals_until ON live_signals (until) WHERE until IS NOT NULL;

-- Whoever tells holds a lease, so that others do not do it all twice; nothing goes wrong where two hold it. `life`: the longest life of an
-- access token that was ever in force, in seconds.
CREATE TABLE signal_feed (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    holder uuid,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    life integer NOT NULL DEFAULT 0 CHECK (life BETWEEN 0 AND 3600)
);
INSERT INTO signal_feed DEFAULT VALUES;

-- Take in the facts of the events after `p_after` up to `p_through`, of each subject the newest, and give the count of each. Null where
-- somebody else has done it: then nothing was changed. An operator's new epoch of the log is one of every class.
CREATE FUNCTION fold_signals(
    p_after bigint, p_through bigint, p_epoch integer, p_life integer, p_audience text[], p_told boolean[],
    p_class text[], p_subject text[], p_fact bytea[], p_until bigint[]
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    earlier integer;
    counts bigint[];
BEGIN
    SELECT s.epoch INTO earlier FROM projection_state s
    WHERE s.name = 'signals' AND s.version = 1 AND s.slot_from = 0 AND s.position = p_after FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE projection_state SET position = p_through, epoch = p_epoch, status = 'live', reason = NULL, moved_at = clock_timestamp()
    WHERE name = 'signals' AND version = 1 AND slot_from = 0;
    UPDATE signal_feed SET life = p_life WHERE only_row AND life < p_life;
    IF p_epoch > earlier THEN
        UPDATE signal_classes SET epoch = next_signal_epoch(epoch), sent = 0, resend_to = greatest(count, 1), first_sequence = sequence + 1;
    END IF;
    IF cardinality(p_audience) > 0 THEN
        INSERT INTO signal_classes AS c (class, told) SELECT a, t FROM unnest(p_audience, p_told) AS n (a, t) ORDER BY a
        ON CONFLICT (class) DO UPDATE SET told = c.told OR excluded.told;
    END IF;
    IF cardinality(p_class) = 0 THEN
        -- Having read what tells nothing need not survive a power cut: it is read again.
        PERFORM set_config('synchronous_commit', 'off', true);
        RETURN '{}';
    END IF;
    WITH given AS (
        SELECT g.*, row_number() OVER (PARTITION BY g.class ORDER BY g.n) AS place
        FROM unnest(p_class, p_subject, p_fact, p_until) WITH ORDINALITY AS g (class, subject, fact, until, n)
    ), moved AS (
        UPDATE signal_classes c SET count = c.count + t.total
        FROM (SELECT g.class, count(*) AS total FROM given g GROUP BY g.class) t WHERE c.class = t.class
        RETURNING c.class, c.count - t.total AS before
    ), put AS (
        INSERT INTO live_signals AS l (class, subject, count, fact, until)
        SELECT g.class, g.subject, m.before + g.place, g.fact, to_timestamp(g.until) FROM given g JOIN moved m ON m.class = g.class
        ON CONFLICT (class, subject) DO UPDATE SET count = excluded.count, fact = excluded.fact, until = excluded.until
    )
    SELECT array_agg(m.before + g.place ORDER BY g.n) INTO counts FROM given g LEFT JOIN moved m ON m.class = g.class;
    IF array_position(counts, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a signal of a class that there is not' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN counts;
END $$;

-- A number that no database of this service has used for an epoch before, also one that was set back to an older state.
CREATE FUNCTION next_signal_epoch(epoch integer) RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT greatest(epoch + 1, extract(epoch FROM clock_timestamp() - timestamptz '2026-01-01 00:00:00+00')::integer)
$$;

-- Until when everything that was committed has a position, and the size of the log then. Null in another cluster than the sequencer's.
CREATE FUNCTION log_completeness(OUT size bigint, OUT epoch integer, OUT complete_to timestamptz) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    -- Before the snapshot: what was committed before this moment is seen by it.
    looked_at timestamptz := clock_timestamp();
    head log_head;
    seen pg_snapshot;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'completeness needs READ COMMITTED: the snapshot must be newer than the moment it is told for';
    END IF;
    SELECT * INTO head FROM log_head h WHERE h.only_row;
    SELECT pg_current_snapshot() INTO seen;
    size := head.size;
    epoch := head.epoch;
    IF pg_snapshot_xmax(head.snapshot) > pg_snapshot_xmax(seen)
        OR head.cluster <> (SELECT c.system_identifier FROM pg_control_system() c) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM committed_between(head.snapshot, seen, head.fence)) THEN
        complete_to := least(head.seen_at, looked_at);
    ELSE
        complete_to := looked_at;
    END IF;
END $$;

REVOKE ALL ON FUNCTION fold_signals, next_signal_epoch, log_completeness FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_signals, next_signal_epoch, log_completeness TO minos_app;
GRANT SELECT, INSERT, UPDATE ON signal_classes TO minos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON live_signals TO minos_app;
GRANT SELECT, UPDATE ON signal_feed TO minos_app;

ALTER TABLE log_head ADD COLUMN seen_at timestamptz NOT NULL DEFAULT 'epoch';

-- As before, and the moment of the look is kept with what it saw: everything committed before it has a position.
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
    looked_at timestamptz;
    ids bigint[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sequencing needs READ COMMITTED: the snapshot must be newer than the lock';
    END IF;
    -- A first look without a lock, so that an idle log costs no write.
    SELECT * INTO head FROM log_head h WHERE h.only_row;
    looked_at := clock_timestamp();
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
        looked_at := clock_timestamp();
        SELECT pg_current_snapshot() INTO seen;
        ids := ARRAY(SELECT committed_between(locked.snapshot, seen, locked.fence));
    END IF;
    added := store_runs(locked.size, ids);
    size := locked.size + added;
    epoch := locked.epoch;
    UPDATE log_head SET size = locked.size + added, snapshot = seen, seen_at = looked_at WHERE only_row AND added > 0;
END $$;
