-- name: freshness
SELECT m.position, m.epoch,
       coalesce(greatest(0, extract(epoch FROM clock_timestamp() - recorded_after(m.position)) * 1000)::bigint, 0) AS age_ms
FROM (
    SELECT min(s.position) AS position, max(s.epoch) AS epoch FROM projection_state s WHERE s.name = $1 AND s.version = $2
) m

-- name: passed
SELECT coalesce(position_of($3, $4) <= (
    SELECT min(s.position) FROM projection_state s WHERE s.name = $1 AND s.version = $2
), false) AS passed
