-- name: projections
-- $1, $2: what serves, by name and generation.
SELECT s.name, s.version AS generation, u.version IS NOT NULL AS serving, min(s.position) AS position, h.size AS log_size,
       min(s.status) AS status, min(s.moved_at) AS moved_at,
       (SELECT count(*) FROM projection_parked p WHERE p.name = s.name AND p.version = s.version) AS parked
FROM projection_state s
CROSS JOIN log_head h
LEFT JOIN unnest($1::text[], $2::integer[]) AS u (name, version) ON u.name = s.name AND u.version = s.version
GROUP BY s.name, s.version, u.version, h.size
ORDER BY s.name, s.version
