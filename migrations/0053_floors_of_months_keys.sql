-- What the serving role may do to the keys of people has floors that it cannot move: how far ahead a month is, how long an old key stays,
-- and what a key was wrapped in before, which is looked at as soon as it was moved and not only at the end.

-- How old a backup may get, as the owner says; `minos migrate` and `minos up` say what MINOS_BACKUP_DAYS does.
CREATE TABLE vault.backups (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    days integer NOT NULL CHECK (days BETWEEN 1 AND 3660)
);
INSERT INTO vault.backups (days) VALUES (30);
GRANT SELECT ON vault.backups TO minos_app;

ALTER TABLE vault.earlier_wrappings ADD COLUMN moved_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE vault.earlier_wrappings ALTER COLUMN moved_at SET DEFAULT clock_timestamp();
CREATE INDEX earlier_wrappings_moved ON vault.earlier_wrappings (moved_at, kek_id, key_id);

-- A month is registered eight days ahead at most, unless by the owner: a later one would let this one be closed, and stand in the way of
-- its own key.
CREATE FUNCTION vault.refuse_months_ahead() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION 'the month of % is not near yet', NEW.kek_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_months_ahead BEFORE INSERT ON vault.subject_keks
    FOR EACH ROW WHEN (NEW.month > (clock_timestamp() + interval '8 days') AT TIME ZONE 'UTC') EXECUTE FUNCTION vault.refuse_months_ahead();

-- As before, and besides notes when a key was moved last.
CREATE OR REPLACE FUNCTION vault.rewrap_subject_keys(p_keys uuid[], p_old text[], p_old_wrapped bytea[], p_new text, p_new_wrapped bytea[])
RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    changed bigint;
BEGIN
    PERFORM FROM vault.subject_keks k WHERE k.kek_id = p_new AND k.month IS NOT NULL AND k.closed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing may be wrapped by % any more, or yet', p_new USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO vault.subject_keks (kek_id, closed_at)
    SELECT DISTINCT w.old, clock_timestamp() FROM unnest(p_old) AS w (old) WHERE w.old <> p_new ON CONFLICT DO NOTHING;
    WITH wanted AS MATERIALIZED (
        SELECT k.key_id, k.kek_id, k.wrapped, w.new_wrapped
        FROM unnest(p_keys, p_old, p_old_wrapped, p_new_wrapped) AS w (key_id, old, old_wrapped, new_wrapped)
        JOIN vault.subject_keys k ON k.key_id = w.key_id AND k.kek_id = w.old AND k.wrapped = w.old_wrapped
        WHERE octet_length(w.new_wrapped) = octet_length(w.old_wrapped)
        ORDER BY k.key_id FOR UPDATE OF k
    ), kept AS (
        INSERT INTO vault.earlier_wrappings AS e (kek_id, key_id, wrapped)
        SELECT w.kek_id, w.key_id, w.wrapped FROM wanted w
        ON CONFLICT (kek_id, key_id) DO UPDATE SET moved_at = excluded.moved_at
    ), moved AS (
        UPDATE vault.subject_keys k SET kek_id = p_new, wrapped = w.new_wrapped FROM wanted w WHERE k.key_id = w.key_id RETURNING 1
    ) SELECT count(*) INTO changed FROM moved;
    RETURN changed;
END $$;

-- Note that a key is gone, before it goes. Never sooner than backups are old that were made while something hung on it: as long, whoever
-- got hold of the serving role, and had all keys wrapped in nonsense, has destroyed none. Gives whether it may go.
CREATE OR REPLACE FUNCTION vault.destroy_kek(p_kek text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        UPDATE vault.subject_keks k SET destroyed_at = coalesce(k.destroyed_at, clock_timestamp())
        FROM vault.backups b
        WHERE k.kek_id = p_kek AND k.emptied_at < clock_timestamp() - make_interval(hours => 24 * b.days)
            AND NOT EXISTS (SELECT FROM vault.subject_keys s WHERE s.kek_id = p_kek)
        RETURNING 1
    ) SELECT EXISTS (SELECT FROM gone)
$$;
