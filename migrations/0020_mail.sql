-- Mail goes out because of events: how far the mailer has read, and what it has to send, sent, or could not.

-- Parts that react to events with effects outside. They are never replayed: no rebuild touches them.
CREATE TABLE reactor_state (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- It begins at the end of the log: nobody is written to about what happened before there was mail.
INSERT INTO reactor_state (name, position) SELECT 'mailer', size FROM log_head;

-- One row for each mail. Nothing in it says who a person is: addresses are looked up when it is sent, or sealed in `address`.
CREATE TABLE mail_ledger (
    mail_id uuid PRIMARY KEY,
    letter text COLLATE "C" NOT NULL CHECK (letter ~ '^[a-z_]{1,40}$'),
    user_id uuid,
    address bytea,
    -- Ids and times, as JSON.
    facts bytea NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
    reason text CHECK (reason ~ '^[a-z0-9_]{1,60}$'),
    attempts integer NOT NULL DEFAULT 0,
    -- When it may be tried next. Whoever takes it to try moves this ahead first: what a dead mailer took comes up again.
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- From then on it would be of no use.
    until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX mail_ledger_due ON mail_ledger (due_at) WHERE state = 'waiting';
CREATE INDEX mail_ledger_done ON mail_ledger (done_at) WHERE state <> 'waiting';

GRANT SELECT, UPDATE ON reactor_state TO minos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_ledger TO minos_app;

-- Events of some types among the `p_limit` positions after `p_after`; one row of nulls but for the size where there are none.
CREATE FUNCTION read_log_of(p_after bigint, p_limit bigint, p_types text[])
RETURNS TABLE (
    "position" bigint, append_id bigint, stream text, version integer, type text, event_id uuid, recorded_at timestamptz,
    actor text, session_id uuid, command_id uuid, correlation_id uuid, causation_id uuid, key_id uuid, payload bytea,
    size bigint
) LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    first bigint;
    last bigint;
    whole boolean;
BEGIN
    SELECT h.size INTO size FROM log_head h WHERE h.only_row;
    last := least(size, p_after + p_limit);
    IF last > p_after THEN
        SELECT max(l.position_start) INTO first FROM log_runs l WHERE l.position_start <= p_after + 1;
        SELECT max(l.position_start + l.n) - first = sum(l.n) INTO whole FROM log_runs l
        WHERE l.position_start >= first AND l.position_start <= last;
        IF whole IS NOT TRUE THEN
            RAISE EXCEPTION 'positions are missing after %', p_after USING ERRCODE = 'data_corrupted';
        END IF;
        RETURN QUERY
        SELECT r.position_start + (e.append_id - r.append_start), e.append_id, e.stream::text, e.version, e.type::text, e.event_id,
               e.recorded_at, e.actor::text, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload,
               read_log_of.size
        FROM (
            SELECT l.position_start, l.append_start, l.n FROM log_runs l
            WHERE l.position_start >= first AND l.position_start <= last
            ORDER BY l.position_start
        ) r
        CROSS JOIN LATERAL (
            SELECT * FROM events v
            WHERE v.append_id >= r.append_start + greatest(p_after + 1 - r.position_start, 0)
                AND v.append_id < r.append_start + least(r.n, last + 1 - r.position_start) AND v.type = ANY (p_types)
            ORDER BY v.append_id
        ) e;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION read_log_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_log_of TO minos_app;
