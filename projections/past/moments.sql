-- name: of_time
SELECT p.position, least($1::timestamptz, clock_timestamp()) AS at, h.size, h.epoch, log_time(p.position) AS log_time,
       (SELECT c.size FROM log_checkpoints c WHERE c.epoch = h.epoch AND c.size >= p.position ORDER BY c.size DESC LIMIT 1) AS checkpoint
FROM log_head h CROSS JOIN LATERAL (SELECT position_at($1::timestamptz) AS position) p

-- name: of_position
SELECT $1::bigint AS position, log_time($1::bigint) AS at, h.size, h.epoch, log_time($1::bigint) AS log_time,
       (SELECT c.size FROM log_checkpoints c WHERE c.epoch = h.epoch AND c.size >= $1::bigint ORDER BY c.size DESC LIMIT 1) AS checkpoint
FROM log_head h

-- name: reached
SELECT coalesce(min(s.position), 0) AS position FROM projection_state s WHERE s.name = $1 AND s.version = $2

-- name: held_back
SELECT stream FROM projection_parked WHERE name = $1 AND version = $2 AND position <= $3 ORDER BY stream LIMIT 20
