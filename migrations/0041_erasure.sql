-- Keys of people who are erased go for good, and nobody makes them new ones.

-- Whose keys were destroyed by an erasure. An id each; what it was the id of says the log.
CREATE TABLE vault.erased_subjects (
    subject text COLLATE "C" PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON vault.erased_subjects TO minos_app;

-- Destroy every key of a subject that was erased; gives how many went, null where the log does not say that it was. Safe to repeat.
--
-- The serving role may delete no key by itself (migration 11) and names none here: it names a stream, and the stream has to say that it
-- is over. A person's has to have an erasure that began besides, which is an event of another stream.
CREATE FUNCTION vault.destroy_keys_of_erased(p_subject text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'destroying needs READ COMMITTED: an older snapshot would not see a key made meanwhile';
    END IF;
    IF p_subject LIKE 'user-%' THEN
        IF NOT EXISTS (SELECT FROM events e WHERE e.stream = p_subject AND e.type = 'user.erased.v1')
            OR NOT EXISTS (SELECT FROM events e WHERE e.stream = 'erasure-' || substr(p_subject, 6) AND e.type = 'erasure.begun.v1') THEN
            RETURN NULL;
        END IF;
    ELSIF p_subject NOT LIKE 'invitation-%'
        OR NOT EXISTS (SELECT FROM events e WHERE e.stream = p_subject AND e.type = 'invitation.erased.v1') THEN
        RETURN NULL;
    END IF;
    -- Whoever is making a key for it has committed, and is seen below; whoever comes later is refused.
    PERFORM pg_advisory_xact_lock(hashtextextended('minos subject ' || p_subject, 0));
    INSERT INTO vault.erased_subjects (subject) VALUES (p_subject) ON CONFLICT DO NOTHING;
    DELETE FROM vault.subject_keys k WHERE k.subject = p_subject;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

REVOKE ALL ON FUNCTION vault.destroy_keys_of_erased FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.destroy_keys_of_erased TO minos_app;

-- A key of an erased subject is not made: as if another had taken its place, so that who wants one looks again and finds none.
CREATE FUNCTION vault.refuse_keys_of_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('minos subject ' || NEW.subject, 0));
    IF EXISTS (SELECT FROM vault.erased_subjects s WHERE s.subject = NEW.subject) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_keys_of_erased BEFORE INSERT ON vault.subject_keys FOR EACH ROW EXECUTE FUNCTION vault.refuse_keys_of_erased();

-- What is left of somebody outside the log is found by who they were.
CREATE INDEX mail_ledger_user ON mail_ledger (user_id) WHERE user_id IS NOT NULL;
