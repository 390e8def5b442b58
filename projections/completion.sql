-- name: completed
SELECT h.stream, h.version AS head_version, held,
       e.version, e.type, e.event_id, e.recorded_at, e.actor, e.session_id,
       e.command_id, e.correlation_id, e.causation_id, e.payload
FROM heads h
LEFT JOIN {table} held ON held.stream = h.stream
LEFT JOIN events e ON e.stream = h.stream AND e.version > coalesce(held.version, 0) AND e.version <= h.version
WHERE h.stream = ANY ($1::text[])
ORDER BY h.stream, e.version
