-- The audit tree: full tiles of hashes (C2SP tlog-tiles), the checkpoints that were published, and what time it was in the log.

-- Positions never change, so a full tile never does either, in whatever epoch of the log. `hashes` are 256 of 32 bytes: of the entries
-- (level 0), or of the full tiles of the level below.
CREATE TABLE log_tiles (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    tile bigint NOT NULL CHECK (tile >= 0),
    hashes bytea STORAGE EXTERNAL NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, tile)
);

-- `latest`: the newest `recorded_at` of all events up to the end of that tile of level 0. Clocks run backwards; this time does not.
CREATE TABLE log_times (
    tile bigint PRIMARY KEY CHECK (tile >= 0),
    latest timestamptz NOT NULL
);
CREATE INDEX log_times_latest ON log_times (latest, tile);

-- `note` is the checkpoint as it was signed; `cosigned` the same with the lines of witnesses, where there are any.
CREATE TABLE log_checkpoints (
    epoch integer NOT NULL CHECK (epoch > 0),
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL CHECK (octet_length(note) <= 4096),
    cosigned text CHECK (octet_length(cosigned) <= 65536),
    signed_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (epoch, size)
);

CREATE TRIGGER log_tiles_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON log_tiles FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_times_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON log_times FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_checkpoints_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON log_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The key that signs checkpoints and nothing else (Ed25519).
CREATE TABLE vault.log_keys (
    name text COLLATE "C" PRIMARY KEY,
    public bytea NOT NULL CHECK (octet_length(public) = 32),
    wrapped bytea NOT NULL,
    kek_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Store the tiles that come next, and give how many were new. Two integrators may say the same; another hash at the same place is refused,
-- and so is a tile before its predecessor, before those it is made of, or without the one that it completes. `p_latest` is null above level 0.
CREATE FUNCTION store_tiles(p_level smallint[], p_tile bigint[], p_hashes bytea[], p_latest timestamptz[]) RETURNS integer
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
    INSERT INTO log_tiles (level, tile, hashes)
    SELECT g.level, g.tile, g.hashes FROM unnest(p_level, p_tile, p_hashes) AS g (level, tile, hashes) ORDER BY g.level, g.tile
    ON CONFLICT (level, tile) DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;
    INSERT INTO log_times (tile, latest)
    SELECT g.tile, g.latest FROM unnest(p_level, p_tile, p_latest) AS g (level, tile, latest) WHERE g.level = 0 ORDER BY g.tile
    ON CONFLICT (tile) DO NOTHING;
    IF EXISTS (
        SELECT FROM unnest(p_level, p_tile, p_hashes, p_latest) AS g (level, tile, hashes, latest)
        JOIN log_tiles t ON t.level = g.level AND t.tile = g.tile
        LEFT JOIN log_times s ON g.level = 0 AND s.tile = g.tile
        WHERE t.hashes <> g.hashes OR s.latest IS DISTINCT FROM CASE WHEN g.level = 0 THEN g.latest END
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

-- Store what was published. Saying the same again changes nothing; another root for a size is refused, and so is a smaller size.
CREATE FUNCTION store_checkpoint(p_epoch integer, p_size bigint, p_root bytea, p_note text, p_cosigned text, p_signed_at timestamptz)
RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
    INSERT INTO log_checkpoints (epoch, size, root, note, cosigned, signed_at)
    SELECT p_epoch, p_size, p_root, p_note, p_cosigned, p_signed_at FROM log_head h
    WHERE h.only_row AND h.epoch = p_epoch AND h.size >= p_size
        AND NOT EXISTS (SELECT FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size > p_size)
    ON CONFLICT (epoch, size) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    IF EXISTS (SELECT FROM log_checkpoints c WHERE c.epoch = p_epoch AND c.size = p_size AND c.root = p_root) THEN
        RETURN false;
    END IF;
    RAISE EXCEPTION 'a checkpoint is stored when it is the newest of what the log holds' USING ERRCODE = 'check_violation';
END $$;

-- A moment becomes a position: the last one whose log time is not after it, and 0 where there is none. Log time is the newest
-- `recorded_at` of all events up to there. From the ends of the full tiles, at most 256 events are looked at, and what comes after the last.
CREATE FUNCTION position_at(at timestamptz) RETURNS bigint LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    known bigint;
    later bigint;
    log_size bigint;
BEGIN
    SELECT (t.tile + 1) * 256 INTO known FROM log_times t WHERE t.latest <= at ORDER BY t.latest DESC, t.tile DESC LIMIT 1;
    known := coalesce(known, 0);
    SELECT h.size INTO log_size FROM log_head h WHERE h.only_row;
    WHILE known < log_size LOOP
        SELECT min(e."position") INTO later FROM read_log(known, 256) e WHERE e.recorded_at > at;
        IF later IS NOT NULL THEN
            RETURN later - 1;
        END IF;
        known := least(known + 256, log_size);
    END LOOP;
    RETURN known;
END $$;

-- The log time of a position; null for one that is not given yet, and for 0.
CREATE FUNCTION log_time(p_position bigint) RETURNS timestamptz LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    known bigint := 0;
    latest timestamptz;
BEGIN
    IF p_position < 1 OR p_position > (SELECT h.size FROM log_head h WHERE h.only_row) THEN
        RETURN NULL;
    END IF;
    SELECT (t.tile + 1) * 256, t.latest INTO known, latest FROM log_times t
    WHERE t.tile < p_position / 256 ORDER BY t.tile DESC LIMIT 1;
    known := coalesce(known, 0);
    IF known < p_position THEN
        SELECT greatest(latest, max(e.recorded_at)) INTO latest FROM read_log(known, p_position - known) e;
    END IF;
    RETURN latest;
END $$;

REVOKE ALL ON FUNCTION store_tiles, store_checkpoint, position_at, log_time FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store_tiles, store_checkpoint, position_at, log_time TO minos_app;
GRANT SELECT ON log_tiles, log_times, log_checkpoints TO minos_app;
GRANT SELECT, INSERT ON vault.log_keys TO minos_app;
