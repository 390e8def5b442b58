-- name: unclean
SELECT number, first_position, last_position FROM log_partitions WHERE NOT journals_clean ORDER BY number

-- name: being_built
SELECT EXISTS (SELECT FROM projection_state WHERE name = ANY ($1::text[]) AND status = 'building')

-- name: tables
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'read' AND c.relkind = 'r' AND c.relname ~ ('^(' || array_to_string($1::text[], '|') || ')_v[0-9]+_g[0-9]+$')

-- name: sweep
-- The table is one of ours, found under that name.
WITH gone AS (
    DELETE FROM read.{table} WHERE position IN (
        SELECT e.position FROM read_log($1, $2) e WHERE e.position <= $3 AND octet_length(e.payload) = 0)
    RETURNING 1
) SELECT count(*) FROM gone

-- name: clean
SELECT journals_are_clean($1)
