-- An import of many people in one transaction takes few locks; and a database knows whether the list of the erased was read for it.

-- As before (migration 41), but with one of 64 locks, not one each: the table of locks is as long as its server was told at its start.
CREATE FUNCTION vault.lock_of_subject(p_subject text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT 0x6d696e6f00000000 + (hashtextextended(p_subject, 0) & 63) $$;

CREATE OR REPLACE FUNCTION vault.refuse_keys_of_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a key is made in READ COMMITTED: an older snapshot would not see an erasure meanwhile';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(vault.lock_of_subject(NEW.subject));
    IF EXISTS (SELECT FROM vault.erased_subjects s WHERE s.subject = NEW.subject) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vault.destroy_keys_of_erased(p_subject text) RETURNS bigint
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
    PERFORM pg_advisory_xact_lock(vault.lock_of_subject(p_subject));
    INSERT INTO vault.erased_subjects (subject) VALUES (p_subject) ON CONFLICT DO NOTHING;
    DELETE FROM vault.subject_keys k WHERE k.subject = p_subject;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- What this database is: a dump that is brought into another one, a backup that is recovered, and an epoch that is opened, each make it
-- another. Files that were copied while the server stood still and put back do not.
CREATE FUNCTION vault.this_database() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT concat_ws('/', c.system_identifier, d.oid, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), h.epoch)
    FROM pg_control_system() c, pg_database d, log_head h
    WHERE d.datname = current_database() AND h.only_row
$$;

-- For which of these the list of the erased, which lies elsewhere, was read.
CREATE TABLE vault.erased_list_reads (
    database text COLLATE "C" PRIMARY KEY,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT (database) ON vault.erased_list_reads TO minos_app;

REVOKE ALL ON FUNCTION vault.this_database, vault.lock_of_subject FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.this_database, vault.lock_of_subject TO minos_app;
