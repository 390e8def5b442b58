-- The log: events in partitions, the guards that keep them as written, and the partitions ahead.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'minos_app') THEN
        CREATE ROLE minos_app LOGIN;
        -- A handler that dies mid-way must not hold locks: nothing this role does in one transaction takes longer.
        ALTER ROLE minos_app SET transaction_timeout = '5s';
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'role minos_app does not exist and this role may not create it'
        USING HINT = 'As an administrator: CREATE ROLE minos_app LOGIN PASSWORD ''...'', then migrate again.';
END $$;

CREATE TABLE events (
    -- CACHE 1: a session that kept ids in store would hand out older ids after newer ones, and break stream order.
    append_id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    stream text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    type text COLLATE "C" NOT NULL,
    slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 63),
    event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text COLLATE "C" NOT NULL,
    session_id uuid,
    command_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    key_id uuid,
    payload bytea NOT NULL CHECK (octet_length(payload) <= 32768)
) PARTITION BY RANGE (append_id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The same for every stream at every time, on every server: the first byte of the name's SHA-256, modulo 64.
CREATE FUNCTION stream_slot(stream text) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (get_byte(sha256(convert_to(stream, 'UTF8')), 0) & 63)::smallint
$$;

CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    size bigint NOT NULL,
    snapshot pg_snapshot NOT NULL,
    epoch integer NOT NULL,
    -- Ids up to here were sequenced after a restore: their transaction ids belong to another cluster and say nothing.
    fence bigint NOT NULL,
    cluster bigint NOT NULL
);
INSERT INTO log_head (size, snapshot, epoch, fence, cluster)
SELECT 0, pg_current_snapshot(), 1, 0, system_identifier FROM pg_control_system();

CREATE TABLE log_runs (
    position_start bigint PRIMARY KEY CHECK (position_start > 0),
    append_start bigint NOT NULL UNIQUE,
    n bigint NOT NULL CHECK (n > 0)
) WITH (fillfactor = 90);

-- A partition is made apart and then attached, which blocks no reader and no writer of the others.
CREATE FUNCTION make_partition(number bigint) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part text := format('events_p%s', lpad(number::text, 6, '0'));
    low bigint := number << 24;
    high bigint := (number + 1) << 24;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('ALTER TABLE public.%I ADD PRIMARY KEY (append_id)', part);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT bounds CHECK (append_id >= %s AND append_id < %s)', part, low, high);
    EXECUTE format('CREATE UNIQUE INDEX %I ON public.%I (stream, version)', part || '_stream', part);
    EXECUTE format('CREATE INDEX %I ON public.%I (xid)', part || '_xid', part);
    EXECUTE format('CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', part);
    EXECUTE format('ALTER TABLE public.events ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)', part, low, high);
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT bounds', part);
END $$;

-- Keep the partition being written and two more in place; give how many were made. Two callers take turns at log_head.
CREATE FUNCTION ensure_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    here bigint := coalesce(pg_sequence_last_value(pg_get_serial_sequence('public.events', 'append_id')), 1) >> 24;
    made integer := 0;
BEGIN
    IF to_regclass(format('public.events_p%s', lpad((here + 2)::text, 6, '0'))) IS NOT NULL THEN
        RETURN 0;
    END IF;
    PERFORM FROM log_head FOR UPDATE;
    FOR number IN here .. here + 2 LOOP
        IF to_regclass(format('public.events_p%s', lpad(number::text, 6, '0'))) IS NULL THEN
            PERFORM make_partition(number);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

SELECT ensure_partitions();

CREATE VIEW event_log AS
SELECT r.position_start + (e.append_id - r.append_start) AS position,
       e.append_id, e.stream, e.version, e.type, e.slot, e.event_id, e.recorded_at, e.actor, e.session_id,
       e.command_id, e.correlation_id, e.causation_id, e.key_id, convert_from(e.payload, 'UTF8')::jsonb AS payload
FROM events e
LEFT JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l
    WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r ON e.append_id < r.append_start + r.n;
COMMENT ON VIEW event_log IS 'For people: payloads as JSON, positions null until sequenced. Programs read events.';
