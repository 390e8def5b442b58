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

-- name: fed
SELECT DISTINCT s.version FROM projection_state s
WHERE s.name = $1 AND s.status NOT IN ('building', 'retired')
    AND to_regclass(format('read.%s_v%s_g%s', s.name, $2::int, s.version)) IS NOT NULL
ORDER BY s.version
