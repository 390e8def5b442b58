-- What witnesses signed below a checkpoint is evidence that nobody can make again: lines come to those that are there, and take none away.

-- As before, and besides: false where it lacks a line that is there. What comes is lines of signatures by their form; whether they are worth
-- anything is for its reader to see.
CREATE OR REPLACE FUNCTION store_cosigned(p_epoch integer, p_size bigint, p_cosigned text) RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    this log_checkpoints;
BEGIN
    SELECT c.* INTO this FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size = p_size FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF NOT starts_with(p_cosigned, this.note) IS TRUE
        OR substr(p_cosigned, length(this.note) + 1) !~ E'^(\u2014 [^\\s+]+ [A-Za-z0-9+/]+=*\n)+$' THEN
        RAISE EXCEPTION 'lines of signatures come below the note of a checkpoint, and nothing else' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE log_checkpoints c SET cosigned = p_cosigned
    WHERE c.epoch = p_epoch AND c.size = p_size AND starts_with(p_cosigned, coalesce(this.cosigned, this.note))
        AND p_cosigned IS DISTINCT FROM this.cosigned;
    RETURN FOUND;
END $$;
