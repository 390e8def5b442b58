-- A checkpoint gets the lines of witnesses when it is there already: nothing else of it ever changes.

DROP TRIGGER log_checkpoints_stay ON log_checkpoints;
CREATE TRIGGER log_checkpoints_stay
    BEFORE UPDATE OF epoch, size, root, note, signed_at, published_at OR DELETE OR TRUNCATE ON log_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE log_checkpoints ADD CONSTRAINT log_checkpoints_cosigned_note CHECK (starts_with(cosigned, note));

CREATE INDEX log_checkpoints_cosigned ON log_checkpoints (epoch, size) WHERE cosigned IS NOT NULL;

-- Keep what witnesses signed below a checkpoint: the same note, with more lines. Whether they are worth anything is for its reader to see.
CREATE FUNCTION store_cosigned(p_epoch integer, p_size bigint, p_cosigned text) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    UPDATE log_checkpoints SET cosigned = p_cosigned WHERE epoch = p_epoch AND size = p_size AND cosigned IS DISTINCT FROM p_cosigned;
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION store_cosigned FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store_cosigned TO minos_app;
