-- name: load
SELECT stream, version, {columns} FROM {table} WHERE stream = ANY ($1::text[])

-- name: save
INSERT INTO {table} AS kept (stream, version, {columns})
SELECT stream, version, {columns} FROM unnest($1::{table}[])
ON CONFLICT (stream) DO UPDATE SET (version, {columns}) = ROW (excluded.version, {newer})
WHERE excluded.version > kept.version

-- name: remove
DELETE FROM {table} WHERE stream = ANY ($1::text[])

-- name: write_down
INSERT INTO {table} ({columns}) SELECT {columns} FROM unnest($1::{table}[])
ON CONFLICT (position) DO NOTHING

-- name: end_periods
-- Of several ends in a batch, each period has the first one after its beginning. For each end its periods are looked up, however many there
-- are and whatever the planner thinks of it. Positions are compared by their difference: by themselves they would be looked for in an index.
UPDATE {table} AS kept SET (to_position, to_at, to_event) = ROW (first.position, first.at, first.event_id)
FROM (
    SELECT DISTINCT ON (p.stream, p.what, p.name) p.stream, p.what, p.name, p.from_position, e.position, e.at, e.event_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::uuid[])
        AS e (stream, what, name, position, at, event_id)
    CROSS JOIN LATERAL (
        SELECT t.stream, t.what, t.name, t.from_position FROM {table} t
        WHERE t.stream = e.stream AND t.what = e.what AND (e.name IS NULL OR t.name = e.name)
            AND t.to_position IS NULL AND t.from_position - e.position < 0
        OFFSET 0
    ) p
    ORDER BY p.stream, p.what, p.name, e.position
) AS first
WHERE kept.stream = first.stream AND kept.what = first.what AND kept.name = first.name AND kept.from_position = first.from_position

-- name: save_periods
INSERT INTO {table} AS kept
    (stream, what, name, number, until, from_position, from_at, from_event, to_position, to_at, to_event)
SELECT stream, what, name, number, until, from_position, from_at, from_event, to_position, to_at, to_event FROM unnest($1::{table}[])
ON CONFLICT (stream, what, name, from_position)
DO UPDATE SET (to_position, to_at, to_event) = ROW (excluded.to_position, excluded.to_at, excluded.to_event)
WHERE kept.to_position IS NULL AND excluded.to_position IS NOT NULL
