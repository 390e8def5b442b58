-- name: size
SELECT size, epoch FROM log_head WHERE only_row

-- name: by_the_indexes
-- The runs say which rows are wanted: never a walk through all of them.
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_sort', 'off', false), set_config('jit', 'off', false),
       set_config('transaction_timeout', '0', false), set_config('default_transaction_read_only', 'on', false)

-- name: entries
-- Positions after $1 up to $2. The reader sorts: they come in order almost always.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.stream, e.version, e.type, e.event_id::text, e.recorded_at,
       e.actor, e.session_id::text, e.command_id::text, e.correlation_id::text, e.causation_id::text, e.key_id::text, e.payload
FROM log_runs r
JOIN events e ON e.append_id >= r.append_start + greatest(0, $1::bigint + 1 - r.position_start)
    AND e.append_id <= r.append_start + least(r.n - 1, $2::bigint - r.position_start)
WHERE r.position_start >= coalesce((SELECT max(l.position_start) FROM log_runs l WHERE l.position_start <= $1::bigint + 1), 0)
    AND r.position_start <= $2::bigint

-- name: tiles
SELECT t.tile, t.hashes, t.root, s.latest FROM log_tiles t LEFT JOIN log_times s ON t.level = 0 AND s.tile = t.tile
WHERE t.level = $1 AND t.tile >= $2 AND t.tile < $3 ORDER BY t.tile

-- name: broken_runs
-- Where positions are left out or given twice: each run begins behind the one before it, in positions and in what they stand for.
SELECT r.position_start, r.before FROM (
    SELECT l.position_start, l.append_start, l.n,
           coalesce(lag(l.position_start + l.n) OVER w, 1) AS before
    FROM log_runs l WINDOW w AS (ORDER BY l.position_start)
) r WHERE r.position_start <> r.before ORDER BY r.position_start LIMIT 100

-- name: overlapping_runs
SELECT r.position_start FROM (
    SELECT l.position_start, l.append_start, coalesce(lag(l.append_start + l.n) OVER w, 0) AS free_from
    FROM log_runs l WINDOW w AS (ORDER BY l.append_start)
) r WHERE r.append_start < r.free_from ORDER BY r.position_start LIMIT 100

-- name: never_sequenced
-- Events between the runs that get no position any more: the sequencer has looked past their transactions, or they are of none yet, which
-- $1 says of a database that runs on (in a copy, numbers of transactions begin anew).
SELECT e.stream, e.version FROM (
    SELECT 0 AS low, min(l.append_start) AS high FROM log_runs l
    UNION ALL
    SELECT l.append_start + l.n, lead(l.append_start) OVER (ORDER BY l.append_start) FROM log_runs l
) gap
CROSS JOIN log_head h
CROSS JOIN LATERAL (
    SELECT v.stream, v.version FROM events v
    WHERE v.append_id >= gap.low AND v.append_id < coalesce(gap.high, 9223372036854775807)
        AND (v.append_id <= h.fence OR pg_visible_in_snapshot(v.xid, h.snapshot)
            OR ($1 AND v.xid >= pg_snapshot_xmax(pg_current_snapshot())))
    ORDER BY v.append_id LIMIT 100
) e
WHERE gap.low < coalesce(gap.high, 9223372036854775807) LIMIT 100

-- name: ends
-- Where the runs end and where the log does, as of one moment.
SELECT coalesce((SELECT max(l.position_start + l.n - 1) FROM log_runs l), 0), h.size FROM log_head h WHERE h.only_row

-- name: tiles_beyond
-- Full tiles of entries that there are not.
SELECT l.level, t.tile FROM log_head h CROSS JOIN generate_series(0, 7) l (level)
JOIN log_tiles t ON t.level = l.level AND t.tile >= floor(h.size / 256::numeric ^ (l.level + 1))::bigint ORDER BY 1, 2 LIMIT 100

-- name: times_beyond
SELECT t.tile FROM log_head h JOIN log_times t ON t.tile >= h.size / 256 OR t.tile < 0 ORDER BY 1 LIMIT 100

-- name: checkpoints_beyond
-- Those of epochs that there are not.
SELECT c.epoch, c.size FROM log_head h JOIN log_checkpoints c ON c.epoch > h.epoch OR c.epoch < 1 ORDER BY 1, 2 LIMIT 100

-- name: keys
SELECT name, public FROM vault.log_keys ORDER BY name

-- name: checkpoints
SELECT size, root, note, coalesce(cosigned, note) AS cosigned FROM log_checkpoints WHERE epoch = $1 AND size > $2 AND size <= $3
ORDER BY size LIMIT $4

-- name: newest
SELECT size, coalesce(cosigned, note) AS note FROM log_checkpoints WHERE epoch = $1 ORDER BY size DESC LIMIT 1

-- name: log_stream
SELECT type, payload FROM events WHERE stream = 'log' AND octet_length(payload) > 0 ORDER BY version

-- name: log_stream_within
SELECT e.type, e.payload FROM events e
CROSS JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r
WHERE e.stream = 'log' AND octet_length(e.payload) > 0 AND e.append_id < r.append_start + r.n
    AND r.position_start + (e.append_id - r.append_start) <= $1
ORDER BY e.version

-- name: covered
SELECT coalesce(max(c.size), 0), h.epoch FROM log_head h LEFT JOIN log_checkpoints c ON c.epoch = h.epoch WHERE h.only_row GROUP BY h.epoch
