-- name: read
SELECT e."position", e.version, e.recorded_at, e.event_id, e.type, e.payload FROM read_stream($1, $2, $3) e
