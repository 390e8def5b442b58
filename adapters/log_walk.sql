-- name: stretch
-- Where two moments are in the log, as the last position that is not after each; nulls for nulls.
SELECT h.size, h.epoch,
       CASE WHEN $1::timestamptz IS NOT NULL THEN position_at($1) END AS before,
       CASE WHEN $2::timestamptz IS NOT NULL THEN position_at($2) END AS last
FROM log_head h WHERE h.only_row

-- name: walk_log
-- What is wanted of the positions after $1, and how many of them there are: one row without an event where none is wanted.
WITH looked_at AS MATERIALIZED (
    SELECT * FROM read_log($1::bigint, $2::bigint)
), there AS (
    SELECT count(position) AS found, max(size) AS size, max(epoch) AS epoch FROM looked_at
)
SELECT l.position, l.append_id, l.stream, l.version, l.type, l.event_id, l.recorded_at, l.actor, l.session_id,
       l.command_id, l.correlation_id, l.causation_id, l.key_id, l.payload, there.size, there.epoch, there.found
FROM there LEFT JOIN looked_at l ON l.position IS NOT NULL
    AND ($3::text IS NULL OR l.type = $3 OR starts_with(l.type, $3 || '.'))
    AND ($4::text IS NULL OR l.actor = $4)
    AND ($5::text IS NULL OR l.stream = $5)
    AND ($6::bytea IS NULL OR position($6 IN l.payload) > 0)
ORDER BY l.position
