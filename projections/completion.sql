-- name: completed
SELECT h.stream, h.version AS head_version, held,
       e.version, e.type, e.event_id, e.recorded_at, e.actor, e.session_id,
       e.command_id, e.correlation_id, e.causation_id, e.payload
FROM heads h
LEFT JOIN {table} held ON held.stream = h.stream
LEFT JOIN LATERAL events_between(h.stream, coalesce(held.version, 0), h.version) e ON true
WHERE h.stream = ANY ($1::text[])
