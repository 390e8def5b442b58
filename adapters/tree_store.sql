-- name: tiles
SELECT t.level, t.tile, t.hashes FROM unnest($1::smallint[], $2::bigint[]) AS w (level, tile)
JOIN log_tiles t ON t.level = w.level AND t.tile = w.tile

-- name: roots
SELECT root FROM log_tiles WHERE level = $1 AND tile >= $2 AND tile < $2 + $3 ORDER BY tile

-- name: counts
SELECT l.level::smallint, (SELECT max(t.tile) + 1 FROM log_tiles t WHERE t.level = l.level) AS full_tiles FROM generate_series(0, 7) AS l (level)

-- name: latest_time
SELECT latest FROM log_times WHERE tile = $1

-- name: store_tiles
SELECT store_tiles($1, $2, $3, $4, $5)

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
SELECT store_checkpoint($1, $2, $3, $4, $5, $6)

-- name: newest_within
SELECT size, note FROM log_checkpoints WHERE epoch = $1 AND size > $2 AND size <= $3 ORDER BY size DESC LIMIT 1

-- name: entries
-- What entries are made of, ids as text and times as microseconds, of at most $2 positions after $1: one row of nulls where there are none.
SELECT position, stream, version, type, event_id::text, (extract(epoch FROM recorded_at) * 1000000)::bigint, actor, session_id::text,
       command_id::text, correlation_id::text, causation_id::text, key_id::text, payload, size, epoch
FROM read_log($1::bigint, $2::bigint)
