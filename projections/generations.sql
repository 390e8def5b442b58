-- name: take_turns
-- Two programs that start together must not both make the first tables.
LOCK TABLE projection_active IN SHARE ROW EXCLUSIVE MODE

-- name: next_number
SELECT coalesce(max(version), 0) + 1 FROM projection_state WHERE name = $1

-- name: begin
INSERT INTO projection_state (name, version, slot_from, slot_to, position, epoch, status)
SELECT $1, $2, 0, 63, 0, h.epoch, $3 FROM log_head h

-- name: activate_first
INSERT INTO projection_active (name, version) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING

-- name: served
SELECT s.version FROM projection_state s
LEFT JOIN projection_active a ON a.name = s.name AND a.version = s.version
WHERE s.name = $1 AND s.status NOT IN ('building', 'retired')
    AND to_regclass(format('read.%s_v%s_g%s', s.name, $2::int, s.version)) IS NOT NULL
ORDER BY a.version IS NOT NULL DESC, s.version DESC LIMIT 1

-- name: serving
-- Of each name, as `served` has it.
SELECT DISTINCT ON (s.name) s.name, s.version FROM projection_state s
JOIN unnest($1::text[], $2::integer[]) AS p (name, fold_version) ON p.name = s.name
LEFT JOIN projection_active a ON a.name = s.name AND a.version = s.version
WHERE s.status NOT IN ('building', 'retired')
    AND to_regclass(format('read.%s_v%s_g%s', s.name, p.fold_version, s.version)) IS NOT NULL
ORDER BY s.name, a.version IS NOT NULL DESC, s.version DESC

-- name: fed
SELECT DISTINCT s.version FROM projection_state s
WHERE s.name = $1 AND s.status NOT IN ('building', 'retired')
    AND to_regclass(format('read.%s_v%s_g%s', s.name, $2::int, s.version)) IS NOT NULL
ORDER BY s.version

-- name: switch
UPDATE projection_active SET previous = version, version = $2, switched_at = clock_timestamp()
WHERE name = $1 AND version <> $2
    AND EXISTS (SELECT FROM projection_state s WHERE s.name = $1 AND s.version = $2 AND s.status NOT IN ('building', 'retired'))
RETURNING version

-- name: switch_back
UPDATE projection_active a SET previous = a.version, version = a.previous, switched_at = clock_timestamp()
WHERE a.name = $1 AND EXISTS (
    SELECT FROM projection_state s WHERE s.name = $1 AND s.version = a.previous AND s.status NOT IN ('building', 'retired'))
RETURNING version

-- name: outlived
-- Older than the serving one and not the one to go back to. A newer one may be waiting to be switched to.
SELECT DISTINCT s.version FROM projection_state s JOIN projection_active a ON a.name = s.name
WHERE s.name = $1 AND s.status <> 'building' AND s.version < a.version AND s.version IS DISTINCT FROM a.previous

-- name: abandoned
SELECT DISTINCT version FROM projection_state
WHERE name = $1 AND status = 'building' AND moved_at < clock_timestamp() - $2::integer * interval '1 second'

-- name: being_built
SELECT EXISTS (SELECT FROM projection_state WHERE name = $1 AND status = 'building')

-- name: tables
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'read' AND c.relkind = 'r' AND c.relname ~ ('^' || $1 || '_v[0-9]+_g' || $2::text || '$')

-- name: forget_state
DELETE FROM projection_state WHERE name = $1 AND version = $2

-- name: forget_parked
DELETE FROM projection_parked WHERE name = $1 AND version = $2

-- name: built_up_to
UPDATE projection_state SET moved_at = clock_timestamp() WHERE name = $1 AND version = $2 AND status = 'building' RETURNING version

-- name: goes_live
UPDATE projection_state SET status = 'live', position = $3, epoch = $4, moved_at = clock_timestamp()
WHERE name = $1 AND version = $2 AND status = 'building'
RETURNING version

-- name: without_time_limit
-- Building an index takes as long as it takes.
SET LOCAL transaction_timeout = 0
