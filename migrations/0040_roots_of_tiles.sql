-- What a full tile hashes to is kept with it: the tile above is read from these while it is not full itself. No tile was stored before.

ALTER TABLE log_tiles ADD COLUMN root bytea NOT NULL CHECK (octet_length(root) = 32);

DROP FUNCTION store_tiles;

-- Store the tiles that come next, and give how many were new. Two integrators may say the same; another hash at the same place is refused,
-- and so is a tile before its predecessor, before those it is made of, or without the one that it completes. `p_latest` is null above level 0.
CREATE FUNCTION store_tiles(p_level smallint[], p_tile bigint[], p_hashes bytea[], p_root bytea[], p_latest timestamptz[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
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
        SELECT FROM unnest(p_level, p_tile) AS g (level, tile)
        WHERE (g.tile > 0 AND NOT EXISTS (SELECT FROM log_tiles t WHERE t.level = g.level AND t.tile = g.tile - 1))
            OR (g.level = 0 AND (g.tile + 1) * 256 > log_size)
            OR (g.level > 0 AND NOT EXISTS (SELECT FROM log_tiles t WHERE t.level = g.level - 1 AND t.tile = g.tile * 256 + 255))
            OR (g.tile % 256 = 255 AND NOT EXISTS (SELECT FROM log_tiles t WHERE t.level = g.level + 1 AND t.tile = g.tile / 256))
    ) THEN
        RAISE EXCEPTION 'a tile is stored when it is the next' USING ERRCODE = 'check_violation';
    END IF;
    RETURN stored;
END $$;

REVOKE ALL ON FUNCTION store_tiles FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store_tiles TO minos_app;
