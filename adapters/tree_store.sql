-- name: tiles
SELECT t.level, t.tile, t.hashes FROM unnest($1::smallint[], $2::bigint[]) AS w (level, tile)
JOIN log_tiles t ON t.level = w.level AND t.tile = w.tile

-- name: roots
SELECT root FROM log_tiles WHERE level = $1 AND tile >= $2 AND tile < $2 + $3 ORDER BY tile

-- name: tiles_stored
-- So many full tiles of entries, and the last position whose entry may be away.
SELECT coalesce((SELECT max(t.tile) + 1 FROM log_tiles t WHERE t.level = 0), 0) AS stored,
       coalesce((SELECT max(p.last_position) FROM log_partitions p WHERE p.pruned > 0 OR p.detached_at IS NOT NULL), 0) AS gone

-- name: latest_time
SELECT latest FROM log_times WHERE tile = $1

-- name: store_tiles
-- Need not wait for the disk: what is lost of them in a power cut is made again from the log.
SELECT set_config('synchronous_commit', 'off', true), store_tiles($1, $2, $3, $4, $5)

-- name: newest_checkpoint
SELECT epoch, size, root, note, cosigned, signed_at, published_at FROM log_checkpoints
WHERE epoch = $1 ORDER BY size DESC LIMIT 1

-- name: newest_of_all
SELECT epoch, size, root, note, cosigned, signed_at, published_at FROM log_checkpoints ORDER BY epoch DESC, size DESC LIMIT 1

-- name: newest_cosigned
SELECT epoch, size, root, note, cosigned, signed_at, published_at FROM log_checkpoints
WHERE epoch = $1 AND cosigned IS NOT NULL ORDER BY size DESC LIMIT 1

-- name: covering_checkpoint
(
    SELECT epoch, size, root, note, cosigned, signed_at, published_at FROM log_checkpoints
    WHERE epoch = $1 AND size >= $2 AND cosigned IS NOT NULL ORDER BY size LIMIT 1
)
UNION ALL
(
    SELECT epoch, size, root, note, cosigned, signed_at, published_at FROM log_checkpoints
    WHERE epoch = $1 AND size >= $2 ORDER BY size LIMIT 1
)
LIMIT 1

-- name: store_checkpoint
-- Nor need this: the second place has it already, and who starts puts it here again.
SELECT set_config('synchronous_commit', 'off', true), store_checkpoint($1, $2, $3, $4, $5, $6)

-- name: thin_checkpoints
-- Need not wait for the disk: what is back after a power cut goes again.
SELECT t.* FROM set_config('synchronous_commit', 'off', true), thin_checkpoints($1, $2, $3) t

-- name: newest_within
SELECT size, note FROM log_checkpoints WHERE epoch = $1 AND size > $2 AND size <= $3 ORDER BY size DESC LIMIT 1

-- name: head
-- In the transaction of `entries`: its plan stays on the indexes however the tables grow, as that of `read_log` does.
SELECT size, epoch, set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)
FROM log_head WHERE only_row

-- name: entries
-- What entries are made of, ids as text and times as microseconds: of the positions after $1 up to $2. Not by `read_log`, which keeps all
-- rows before it gives the first one. Fewer rows come where events are away.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.stream, e.version, e.type, e.event_id::text,
       (extract(epoch FROM e.recorded_at) * 1000000)::bigint AS recorded_at, e.actor, e.session_id::text, e.command_id::text,
       e.correlation_id::text, e.causation_id::text, e.key_id::text, e.payload
FROM (
    SELECT l.position_start, l.append_start, l.n, least(h.size, $2::bigint) AS last FROM log_head h CROSS JOIN log_runs l
    WHERE h.only_row AND l.position_start <= least(h.size, $2::bigint)
        AND l.position_start >= coalesce((SELECT max(m.position_start) FROM log_runs m WHERE m.position_start <= $1::bigint + 1), 0)
    ORDER BY l.position_start
) r
CROSS JOIN LATERAL (
    SELECT * FROM events v
    WHERE v.append_id >= r.append_start + greatest($1::bigint + 1 - r.position_start, 0)
        AND v.append_id < r.append_start + least(r.n, r.last + 1 - r.position_start)
    ORDER BY v.append_id
) e

-- name: why_not
-- Raises where events lie elsewhere.
SELECT count(*) FROM read_log($1::bigint, $2::bigint)
