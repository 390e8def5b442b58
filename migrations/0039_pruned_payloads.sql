-- An event whose payload has gone, its time being over, has an empty one: `minos retention` makes a copy of a partition with such
-- rows and lets it take the partition's place. Nobody can write an event like that.

-- Rows that are there have payloads: the function that wrote them encodes an object, which is never shorter.
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT i.inhrelid::regclass FROM pg_inherits i WHERE i.inhparent = 'public.events'::regclass LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT says_something CHECK (octet_length(payload) >= 2) NOT VALID', part);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION make_partition(number bigint) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part text := format('events_p%s', lpad(number::text, 6, '0'));
    low bigint := number << 24;
    high bigint := (number + 1) << 24;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('ALTER TABLE public.%I ADD PRIMARY KEY (append_id)', part);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT bounds CHECK (append_id >= %s AND append_id < %s)', part, low, high);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT says_something CHECK (octet_length(payload) >= 2)', part);
    EXECUTE format('CREATE UNIQUE INDEX %I ON public.%I (stream, version)', part || '_stream', part);
    EXECUTE format('CREATE INDEX %I ON public.%I (xid)', part || '_xid', part);
    EXECUTE format('CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', part);
    EXECUTE format('ALTER TABLE public.events ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)', part, low, high);
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT bounds', part);
END $$;

CREATE OR REPLACE VIEW event_log AS
SELECT r.position_start + (e.append_id - r.append_start) AS position,
       e.append_id, e.stream, e.version, e.type, e.slot, e.event_id, e.recorded_at, e.actor, e.session_id,
       e.command_id, e.correlation_id, e.causation_id, e.key_id,
       CASE WHEN octet_length(e.payload) > 0 THEN convert_from(e.payload, 'UTF8')::jsonb END AS payload
FROM events e
LEFT JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l
    WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r ON e.append_id < r.append_start + r.n;
COMMENT ON VIEW event_log IS 'For people: payloads as JSON and null once pruned, positions null until sequenced. Programs read events.';
