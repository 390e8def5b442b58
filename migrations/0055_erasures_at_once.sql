-- Keys of who is erased go at once, but not of everybody within a minute: the serving role appends the events that an erasure is told by.

-- `at_once`: the log had told of it for less than a day.
ALTER TABLE vault.erased_subjects ADD COLUMN at_once boolean NOT NULL DEFAULT false;
CREATE INDEX erased_subjects_at_once ON vault.erased_subjects (erased_at) WHERE at_once;

-- Whether the log has told for a day that this subject is to be erased, and nobody took it back.
CREATE FUNCTION vault.erasure_is_known(p_subject text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM events e
        WHERE e.stream = CASE WHEN p_subject LIKE 'user-%' THEN 'erasure-' || substr(p_subject, 6) ELSE p_subject END
            AND e.type IN ('erasure.asked.v1', 'erasure.begun.v1', 'invitation.erased.v1')
            AND e.recorded_at < clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT FROM events w WHERE w.stream = e.stream AND w.version > e.version AND w.type = 'erasure.withdrawn.v1'))
$$;

-- As before, and besides: of subjects of which the log has told for less than a day, 100 an hour. Null for one more; call it again later.
CREATE OR REPLACE FUNCTION vault.destroy_keys_of_erased(p_subject text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    gone bigint;
    known boolean;
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
    PERFORM pg_advisory_xact_lock(vault.lock_of_subject(p_subject));
    IF NOT EXISTS (SELECT FROM vault.erased_subjects s WHERE s.subject = p_subject) THEN
        known := vault.erasure_is_known(p_subject);
        IF NOT known THEN
            PERFORM pg_advisory_xact_lock(hashtextextended('minos erasures at once', 0));
            IF (SELECT count(*) FROM vault.erased_subjects s WHERE s.at_once AND s.erased_at > clock_timestamp() - interval '1 hour') >= 100 THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO vault.erased_subjects (subject, at_once) VALUES (p_subject, NOT known);
    END IF;
    DELETE FROM vault.subject_keys k WHERE k.subject = p_subject;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION vault.erasure_is_known FROM PUBLIC;

-- A start over an empty database adds the first root key and no other: one that no KMS opens would let nothing start any more.
REVOKE INSERT ON vault.root_keys FROM minos_app;
GRANT INSERT (generation, kek_id, wrapped, kms) ON vault.root_keys TO minos_app;
CREATE FUNCTION vault.refuse_later_root_keys() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION 'a root key is added when there is none' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_later_root_keys BEFORE INSERT ON vault.root_keys
    FOR EACH ROW WHEN (NEW.generation <> 1) EXECUTE FUNCTION vault.refuse_later_root_keys();
