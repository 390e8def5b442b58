-- name: freshness
-- The first event not in the model is the one after its position; when it has all that are sequenced, the first that is not.
WITH model AS (
    SELECT min(s.position) AS position, max(s.epoch) AS epoch FROM projection_state s WHERE s.name = $1 AND s.version = $2
), missing AS (
    SELECT CASE WHEN m.position < h.size THEN (
        SELECT r.append_start + (m.position + 1 - r.position_start) FROM log_runs r
        WHERE r.position_start <= m.position + 1 ORDER BY r.position_start DESC LIMIT 1
    ) ELSE coalesce((
        SELECT r.append_start + r.n FROM log_runs r ORDER BY r.position_start DESC LIMIT 1
    ), 0) END AS append_id
    FROM model m, log_head h
)
SELECT m.position, m.epoch, coalesce((
    SELECT greatest(0, extract(epoch FROM clock_timestamp() - e.recorded_at) * 1000)::bigint
    FROM events e WHERE e.append_id >= (SELECT append_id FROM missing) ORDER BY e.append_id LIMIT 1
), 0) AS age_ms
FROM model m

-- name: passed
SELECT coalesce((
    SELECT r.position_start + (e.append_id - r.append_start) <= (
        SELECT min(s.position) FROM projection_state s WHERE s.name = $1 AND s.version = $2
    )
    FROM events e
    CROSS JOIN LATERAL (
        SELECT l.position_start, l.append_start, l.n FROM log_runs l
        WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
    ) r
    WHERE e.stream = $3 AND e.version = $4 AND e.append_id < r.append_start + r.n
), false) AS passed
