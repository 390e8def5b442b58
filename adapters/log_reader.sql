-- name: log_size
SELECT size, epoch FROM log_head WHERE only_row

-- name: find_runs
SELECT size, epoch, position_start, append_start, n FROM find_runs($1::bigint, $2::bigint)

-- name: read_stretches
SELECT position, append_id, stream, version, type, event_id, recorded_at, actor, session_id,
       command_id, correlation_id, causation_id, key_id, payload
FROM read_stretches($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint, $5::smallint)
