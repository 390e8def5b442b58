-- A checkpoint that a later one took over may go: all stay for an hour, one of each minute for a day, one of each hour after that.
-- What a checkpoint says is shown of any kept later one by a consistency proof, which needs tiles alone (docs/adr/0066).

-- Whether one of the same time stays behind it: the next of its epoch is, and where this one bears lines of witnesses, one that does.
-- The newest of an epoch never may.
CREATE FUNCTION checkpoint_may_go(p_epoch integer, p_size bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    this log_checkpoints;
    behind timestamptz;
    age interval;
BEGIN
    SELECT c.* INTO this FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size = p_size;
    age := clock_timestamp() - this.published_at;
    IF this IS NULL OR age < interval '1 hour' THEN
        RETURN false;
    ELSIF this.cosigned IS NULL THEN
        SELECT c.published_at INTO behind FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size > p_size ORDER BY c.size LIMIT 1;
    ELSE
        SELECT c.published_at INTO behind FROM log_checkpoints c
        WHERE c.epoch = p_epoch AND c.size > p_size AND c.cosigned IS NOT NULL ORDER BY c.size LIMIT 1;
    END IF;
    RETURN coalesce(
        date_bin(CASE WHEN age < interval '1 day' THEN interval '1 minute' ELSE interval '1 hour' END, this.published_at, timestamptz 'epoch')
        = date_bin(CASE WHEN age < interval '1 day' THEN interval '1 minute' ELSE interval '1 hour' END, behind, timestamptz 'epoch'), false);
END $$;

-- The owner deletes no other, either.
CREATE FUNCTION refuse_lasting_checkpoint() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT checkpoint_may_go(OLD.epoch, OLD.size) THEN
        RAISE EXCEPTION 'the log is append-only: % on % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;

DROP TRIGGER log_checkpoints_stay ON log_checkpoints;
CREATE TRIGGER log_checkpoints_stay BEFORE DELETE ON log_checkpoints FOR EACH ROW EXECUTE FUNCTION refuse_lasting_checkpoint();
CREATE TRIGGER log_checkpoints_say_the_same
    BEFORE UPDATE OF epoch, size, root, note, signed_at, published_at OR TRUNCATE ON log_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Look at so many checkpoints behind this one, and let go what may. Gives how many were looked at, the last of them, and how many went.
CREATE FUNCTION thin_checkpoints(
    p_epoch integer, p_size bigint, p_rows integer, OUT seen integer, OUT epoch integer, OUT size bigint, OUT gone integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    each record;
BEGIN
    seen := 0;
    gone := 0;
    FOR each IN
        SELECT c.epoch, c.size FROM log_checkpoints c WHERE (c.epoch, c.size) > (p_epoch, p_size) ORDER BY c.epoch, c.size LIMIT p_rows
    LOOP
        seen := seen + 1;
        epoch := each.epoch;
        size := each.size;
        IF checkpoint_may_go(each.epoch, each.size) THEN
            DELETE FROM log_checkpoints c WHERE c.epoch = each.epoch AND c.size = each.size;
            gone := gone + 1;
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION checkpoint_may_go, refuse_lasting_checkpoint, thin_checkpoints FROM PUBLIC;
GRANT EXECUTE ON FUNCTION thin_checkpoints TO minos_app;
