-- Registrations that wait for their address to be proved. Outside the log, sealed, for a day.

CREATE TABLE pending_registrations (
    pending_id uuid PRIMARY KEY,
    content bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX pending_registrations_expires ON pending_registrations (expires_at);
GRANT SELECT, INSERT, DELETE ON pending_registrations TO minos_app;

-- As ask_mail, and the registration beside the mail that is about it: both, or neither.
CREATE FUNCTION ask_to_register(
    p_keys bytea[], p_most integer[], p_seconds integer[],
    p_pending uuid, p_letter text, p_address bytea, p_facts bytea, p_keep_s integer, p_content bytea, OUT wait_s integer
) LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    wait_s := public.ask_mail(p_keys, p_most, p_seconds, p_pending, p_letter, NULL, p_address, p_facts, p_keep_s);
    IF wait_s = 0 THEN
        INSERT INTO pending_registrations (pending_id, content, expires_at)
        VALUES (p_pending, p_content, clock_timestamp() + p_keep_s * interval '1 second');
    END IF;
END $$;

REVOKE ALL ON FUNCTION ask_to_register FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ask_to_register TO minos_app;
