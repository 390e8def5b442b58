-- name: standings
-- $1, $2: what serves, by name and generation. The set of live signals is no read model, has one generation, and is followed as they are.
SELECT s.name, s.version AS generation,
       bool_or(u.version IS NOT NULL OR s.name = 'signals') AS serving,
       bool_or(a.previous IS NOT DISTINCT FROM s.version) AS previous,
       CASE WHEN bool_and(s.status = 'live') THEN 'live' ELSE max(s.status) FILTER (WHERE s.status <> 'live') END AS status,
       max(s.reason) AS reason, min(s.position) AS position, max(s.epoch) AS epoch,
       greatest(0, max(h.size) - min(s.position)) AS lag_events,
       (SELECT count(*) FROM projection_parked p WHERE p.name = s.name AND p.version = s.version) AS parked,
       max(s.moved_at) AS moved_at
FROM projection_state s
LEFT JOIN projection_active a ON a.name = s.name
LEFT JOIN unnest($1::text[], $2::integer[]) AS u (name, version) ON u.name = s.name AND u.version = s.version
CROSS JOIN log_head h
GROUP BY s.name, s.version ORDER BY s.name, s.version

-- name: parked_streams
SELECT name, version AS generation, stream, position, reason, parked_at FROM projection_parked
ORDER BY parked_at, name, version, stream LIMIT $1
