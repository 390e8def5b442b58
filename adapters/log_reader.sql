-- name: log_size
SELECT size, epoch FROM log_head WHERE only_row

-- name: read_log
SELECT position, append_id, stream, version, type, event_id, recorded_at, actor, session_id,
       command_id, correlation_id, causation_id, key_id, payload, size, epoch
FROM read_log($1::bigint, $2::bigint)
