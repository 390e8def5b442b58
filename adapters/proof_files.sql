-- name: position_of
SELECT position FROM event_log WHERE event_id = $1
