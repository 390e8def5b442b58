-- name: log_size
SELECT size, epoch FROM log_head WHERE only_row

-- name: find_runs
SELECT h.size, h.epoch, r.position_start, r.append_start, r.n
FROM log_head h
LEFT JOIN log_runs r
    ON r.position_start >= (SELECT max(l.position_start) FROM log_runs l WHERE l.position_start <= $1::bigint + 1)
    AND r.position_start <= $1::bigint + $2::bigint
WHERE h.only_row
ORDER BY r.position_start

-- name: read_stretches
SELECT position, append_id, stream, version, type, event_id, recorded_at, actor, session_id,
       command_id, correlation_id, causation_id, key_id, payload
FROM read_stretches($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint, $5::smallint)
