-- The serving role stores tiles and checkpoints, and whoever has its password stores what fits nothing. The database refuses what it can
-- tell at no cost; what it cannot, the integrator does not believe, and the owner takes back.

-- As before, and besides: a tile above level 0 is made of the roots below it, and no log time is before its predecessor's. That a tile of
-- entries is the log's is for the integrator to see: hashing it here would cost a fifth of what making it costs.
CREATE OR REPLACE FUNCTION store_tiles(p_level smallint[], p_tile bigint[], p_hashes bytea[], p_root bytea[], p_latest timestamptz[])
RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    stored integer;
    log_size bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'tiles need READ COMMITTED: what another integrator stored meanwhile has to be seen';
    END IF;
    INSERT INTO log_tiles (level, tile, hashes, root)
    SELECT g.level, g.tile, g.hashes, g.root FROM unnest(p_level, p_tile, p_hashes, p_root) AS g (level, tile, hashes, root)
    ORDER BY g.level, g.tile
    ON CONFLICT (level, tile) DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    INSERT INTO log_times (tile, latest)
    SELECT g.tile, g.latest FROM unnest(p_level, p_tile, p_latest) AS g (level, tile, latest) WHERE g.level = 0 ORDER BY g.tile
    ON CONFLICT (tile) DO NOTHING;
    IF EXISTS (
        SELECT FROM unnest(p_level, p_tile, p_hashes, p_root, p_latest) AS g (level, tile, hashes, root, latest)
        JOIN log_tiles t ON t.level = g.level AND t.tile = g.tile
        LEFT JOIN log_times s ON g.level = 0 AND s.tile = g.tile
        WHERE t.hashes <> g.hashes OR t.root <> g.root OR s.latest IS DISTINCT FROM CASE WHEN g.level = 0 THEN g.latest END
    ) THEN
        RAISE EXCEPTION 'another tile is there already' USING ERRCODE = 'data_corrupted';
    END IF;
    SELECT h.size INTO log_size FROM log_head h WHERE h.only_row;
    IF EXISTS (
        SELECT FROM unnest(p_level, p_tile, p_hashes, p_latest) AS g (level, tile, hashes, latest)
        WHERE (g.tile > 0 AND NOT EXISTS (SELECT FROM log_tiles t WHERE t.level = g.level AND t.tile = g.tile - 1))
            OR (g.level = 0 AND ((g.tile + 1) * 256 > log_size OR g.latest < (SELECT s.latest FROM log_times s WHERE s.tile = g.tile - 1)))
            OR (g.level > 0 AND g.hashes IS DISTINCT FROM (
                SELECT string_agg(t.root, ''::bytea ORDER BY t.tile) FROM log_tiles t
                WHERE t.level = g.level - 1 AND t.tile >= g.tile * 256 AND t.tile < (g.tile + 1) * 256))
            OR (g.tile % 256 = 255 AND NOT EXISTS (SELECT FROM log_tiles t WHERE t.level = g.level + 1 AND t.tile = g.tile / 256))
    ) THEN
        RAISE EXCEPTION 'a tile is stored when it is the next, and fits what is below it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN stored;
END $$;

-- As before, and besides: its full tiles are there, and its note says the same as its columns, under the log's name. Whether it is signed
-- is for its reader to see.
CREATE OR REPLACE FUNCTION store_checkpoint(
    p_epoch integer, p_size bigint, p_root bytea, p_note text, p_cosigned text, p_signed_at timestamptz)
RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    INSERT INTO log_checkpoints (epoch, size, root, note, cosigned, signed_at)
    SELECT p_epoch, p_size, p_root, p_note, p_cosigned, p_signed_at FROM log_head h
    WHERE h.only_row AND h.epoch = p_epoch AND h.size >= p_size
        AND NOT EXISTS (SELECT FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size > p_size)
        AND (p_size < 256 OR EXISTS (SELECT FROM log_tiles t WHERE t.level = 0 AND t.tile = p_size / 256 - 1))
        AND starts_with(p_note, format(E'%s\n%s\n%s\n', (SELECT k.name FROM vault.log_keys k) || CASE WHEN p_epoch > 1 THEN '/' || p_epoch ELSE '' END,
                                       p_size, encode(p_root, 'base64')))
    ON CONFLICT (epoch, size) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    IF EXISTS (SELECT FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size = p_size AND c.root = p_root) THEN
        RETURN false;
    END IF;
    RAISE EXCEPTION 'a checkpoint is stored when it is the newest of what the log holds, and its note says so'
        USING ERRCODE = 'check_violation';
END $$;

-- Take back the tiles that go beyond the first `p_known` entries, except those of entries that are not there any more, and the checkpoints
-- named, which the log's key did not sign: all of it can be made again, or was never worth anything. The owner's.
CREATE FUNCTION take_back_tree(p_known bigint, p_epochs integer[], p_sizes bigint[], OUT tiles bigint, OUT checkpoints bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '60s'
AS $$
DECLARE
    kept bigint;
BEGIN
    SELECT greatest(p_known, (coalesce(max(p.last_position), 0) + 255) / 256 * 256) INTO kept
    FROM log_partitions p WHERE p.pruned > 0 OR p.detached_at IS NOT NULL;
    ALTER TABLE log_tiles DISABLE TRIGGER log_tiles_stay;
    ALTER TABLE log_times DISABLE TRIGGER log_times_stay;
    ALTER TABLE log_checkpoints DISABLE TRIGGER log_checkpoints_stay;
    DELETE FROM log_tiles t WHERE (t.tile + 1) * 256::numeric ^ (t.level + 1) > kept;
    GET DIAGNOSTICS tiles = ROW_COUNT;
    DELETE FROM log_times t WHERE (t.tile + 1) * 256 > kept;
    DELETE FROM log_checkpoints c USING unnest(p_epochs, p_sizes) AS g (epoch, size) WHERE c.epoch = g.epoch AND c.size = g.size;
    GET DIAGNOSTICS checkpoints = ROW_COUNT;
    ALTER TABLE log_tiles ENABLE TRIGGER log_tiles_stay;
    ALTER TABLE log_times ENABLE TRIGGER log_times_stay;
    ALTER TABLE log_checkpoints ENABLE TRIGGER log_checkpoints_stay;
END $$;
REVOKE ALL ON FUNCTION take_back_tree FROM PUBLIC;
