-- name: projections
SELECT s.name, s.version AS generation, a.version IS NOT NULL AS serving, min(s.position) AS position, h.size AS log_size,
       min(s.status) AS status, min(s.moved_at) AS moved_at,
       (SELECT count(*) FROM projection_parked p WHERE p.name = s.name AND p.version = s.version) AS parked
FROM projection_state s
CROSS JOIN log_head h
LEFT JOIN projection_active a ON a.name = s.name AND a.version = s.version
GROUP BY s.name, s.version, a.version, h.size
ORDER BY s.name, s.version
