-- name: live
SELECT s.name, s.version, s.slot_from, s.slot_to, s.position
FROM projection_state s
JOIN unnest($1::text[], $2::integer[]) AS p (name, fold_version) ON p.name = s.name
WHERE s.status = 'live' AND to_regclass(format('read.%s_v%s_g%s', s.name, p.fold_version, s.version)) IS NOT NULL
ORDER BY s.position, s.name, s.version, s.slot_from

-- name: take
SELECT name, version, slot_from, slot_to, position, back FROM take_feeds($1::text[], $2::integer[], $3::smallint[], $4::text[])

-- name: move
UPDATE projection_state s SET position = f.position, epoch = $5, moved_at = clock_timestamp()
FROM unnest($1::text[], $2::integer[], $3::smallint[], $4::bigint[]) AS f (name, version, slot_from, position)
WHERE s.name = f.name AND s.version = f.version AND s.slot_from = f.slot_from

-- name: pause
UPDATE projection_state SET status = 'paused', reason = $4 WHERE name = $1 AND version = $2 AND slot_from = $3

-- name: resume
UPDATE projection_state SET status = 'live', reason = NULL WHERE name = ANY ($1::text[]) AND status = 'paused'

-- name: park
INSERT INTO projection_parked (name, version, stream, position, reason) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name, version, stream) DO NOTHING

-- name: divide
WITH wanted AS (
    SELECT slot_from, slot_to FROM unnest($2::smallint[], $3::smallint[]) AS w (slot_from, slot_to)
), held AS (
    SELECT * FROM projection_state WHERE name = ANY ($1::text[]) AND status <> 'retired' FOR UPDATE
), changed AS (
    SELECT name, version, min(position) AS position, min(epoch) AS epoch,
           CASE WHEN bool_and(status = 'live') THEN 'live' ELSE max(status) FILTER (WHERE status <> 'live') END AS status,
           max(reason) AS reason
    FROM held GROUP BY name, version
    HAVING count(*) <> (SELECT count(*) FROM wanted)
), gone AS (
    DELETE FROM projection_state s USING changed c
    WHERE s.name = c.name AND s.version = c.version AND s.slot_from NOT IN (SELECT slot_from FROM wanted)
)
INSERT INTO projection_state AS s (name, version, slot_from, slot_to, position, epoch, status, reason)
SELECT c.name, c.version, w.slot_from, w.slot_to, c.position, c.epoch, c.status, c.reason FROM changed c CROSS JOIN wanted w
ON CONFLICT (name, version, slot_from) DO UPDATE
SET slot_to = excluded.slot_to, position = excluded.position, epoch = excluded.epoch, status = excluded.status, reason = excluded.reason

-- name: is_parked
SELECT position FROM projection_parked WHERE name = $1 AND version = $2 AND stream = $3

-- name: stop_the_projector
SELECT FROM projection_state WHERE name = $1 AND version = $2 ORDER BY slot_from FOR UPDATE

-- name: events_from
-- Of one stream, those that have a position from $2 on.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.stream, e.version, e.type, e.event_id,
       e.recorded_at, e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.payload
FROM events e
CROSS JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l
    WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r
WHERE e.stream = $1 AND e.append_id < r.append_start + r.n
    AND r.position_start + (e.append_id - r.append_start) >= $2
ORDER BY e.version

-- name: unpark
DELETE FROM projection_parked WHERE name = $1 AND version = $2 AND stream = $3
