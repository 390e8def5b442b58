-- A password that left its user's history is lost for good: the key its hash was sealed under goes.

-- The last event that was looked at, by append_id.
CREATE TABLE vault.swept_passwords (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    append_id bigint NOT NULL
);
INSERT INTO vault.swept_passwords (append_id) SELECT coalesce(max(append_id), 0) FROM events;

-- Destroy the keys of a user's passwords that its head remembers no more; gives how many.
--
-- Why nothing else can go: only keys that password events of this very stream name are looked at. The head that no longer holds
-- one was written with, or after, the event that put another in its place, and a key that was once left is never used again. What
-- is sealed and not yet appended is named by no event. A head without a state says nothing, and nothing goes.
CREATE FUNCTION vault.destroy_left_passwords(p_subject text) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM vault.subject_keys k USING heads h
        WHERE k.subject = p_subject AND k.seal_class = 'credential' AND p_subject LIKE 'user-%' AND h.stream = p_subject
            AND octet_length(h.state) > 0 AND position(convert_to(k.key_id::text, 'UTF8') IN h.state) = 0
            AND k.key_id IN (
                SELECT e.key_id FROM events e
                WHERE e.stream = p_subject AND e.type IN ('user.password_set.v1', 'user.password_rehashed.v1'))
        RETURNING 1
    ) SELECT count(*) FROM gone
$$;

-- Who changes a password calls the above at once; this finds what a crash between the append and that call left behind. Looks at the
-- next events, at most `p_limit` (of 10,000), none younger than an hour, each once; gives how many keys went, and whether to go on.
CREATE FUNCTION vault.sweep_left_passwords(p_age interval, p_limit integer, OUT deleted bigint, OUT more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    last bigint;
    until timestamptz := clock_timestamp() - greatest(p_age, interval '1 hour');
    most integer := least(coalesce(p_limit, 1000), 10000);
    users text[];
    seen bigint;
    upto bigint;
BEGIN
    SELECT append_id INTO last FROM vault.swept_passwords FOR UPDATE SKIP LOCKED;
    deleted := 0;
    more := false;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH next AS MATERIALIZED (
        SELECT e.append_id, e.stream, e.type, e.recorded_at FROM events e WHERE e.append_id > last ORDER BY e.append_id LIMIT most
    ), old AS (
        SELECT * FROM next n
        WHERE n.append_id < coalesce((SELECT min(y.append_id) FROM next y WHERE y.recorded_at >= until), 9223372036854775807)
    )
    SELECT array_agg(DISTINCT o.stream) FILTER (
               WHERE o.type IN ('user.password_set.v1', 'user.password_rehashed.v1', 'user.passwords_forgotten.v1')),
           count(*), max(o.append_id)
    INTO users, seen, upto FROM old o;
    IF seen = 0 THEN
        RETURN;
    END IF;
    SELECT coalesce(sum(vault.destroy_left_passwords(u)), 0) INTO deleted FROM unnest(users) u;
    UPDATE vault.swept_passwords SET append_id = upto;
    more := seen = most;
END $$;

REVOKE ALL ON FUNCTION vault.destroy_left_passwords, vault.sweep_left_passwords FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.destroy_left_passwords, vault.sweep_left_passwords TO minos_app;
