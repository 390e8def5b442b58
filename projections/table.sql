-- name: load
SELECT stream, version, {columns} FROM {table} WHERE stream = ANY ($1::text[])

-- name: save
INSERT INTO {table} AS kept (stream, version, {columns})
SELECT stream, version, {columns} FROM unnest($1::{table}[])
ON CONFLICT (stream) DO UPDATE SET (version, {columns}) = ROW (excluded.version, {newer})
WHERE excluded.version > kept.version

-- name: write_down
INSERT INTO {table} ({columns}) SELECT {columns} FROM unnest($1::{table}[])
ON CONFLICT (position) DO NOTHING
