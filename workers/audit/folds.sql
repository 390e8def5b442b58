-- name: by_the_indexes
-- In the order of streams, as the indexes have it: never a sort of all there is.
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_sort', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false),
       set_config('transaction_timeout', '0', false), set_config('default_transaction_read_only', 'on', false)

-- name: feeds
SELECT s.name, s.slot_from, s.slot_to, s.position FROM projection_state s
JOIN unnest($1::text[], $2::integer[]) AS g (name, version) ON g.name = s.name AND g.version = s.version

-- name: parked
SELECT p.name, p.stream FROM projection_parked p
JOIN unnest($1::text[], $2::integer[]) AS g (name, version) ON g.name = p.name AND g.version = p.version

-- name: events
-- In the order of streams and versions, what comes behind version $2 of stream $1, through stream $4.
SELECT CASE WHEN e.append_id < r.append_start + r.n THEN r.position_start + (e.append_id - r.append_start) END AS position,
       e.stream, e.version, e.type, e.event_id, e.recorded_at, e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id,
       e.payload
FROM events e
LEFT JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r ON true
WHERE (e.stream, e.version) > ($1::text, $2::integer) AND e.stream <= $4
ORDER BY e.stream, e.version LIMIT $3

-- name: events_of
-- The same, of these streams only.
SELECT CASE WHEN e.append_id < r.append_start + r.n THEN r.position_start + (e.append_id - r.append_start) END AS position,
       e.stream, e.version, e.type, e.event_id, e.recorded_at, e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id,
       e.payload
FROM events e
LEFT JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r ON true
WHERE e.stream = ANY ($5::text[]) AND (e.stream, e.version) > ($1::text, $2::integer) AND e.stream <= $4
ORDER BY e.stream, e.version LIMIT $3

-- name: heads
SELECT stream, version, state, state_version FROM heads WHERE stream >= $1 AND stream <= $2

-- name: heads_of
SELECT stream, version, state, state_version FROM heads WHERE stream >= $1 AND stream <= $2 AND stream = ANY ($3::text[])

-- name: rows
SELECT stream, version, {columns} FROM {table} WHERE stream > $1 AND stream <= $2

-- name: rows_of
SELECT stream, version, {columns} FROM {table} WHERE stream > $1 AND stream <= $2 AND stream = ANY ($3::text[])

-- name: periods
SELECT stream, what, name, number, until, from_position, from_at, from_event, to_position, to_at, to_event, fork FROM {table}
WHERE stream >= $1 AND stream <= $2 ORDER BY stream, what, name, from_position

-- name: periods_of
SELECT stream, what, name, number, until, from_position, from_at, from_event, to_position, to_at, to_event, fork FROM {table}
WHERE stream >= $1 AND stream <= $2 AND stream = ANY ($3::text[]) ORDER BY stream, what, name, from_position

-- name: every
-- Each $1-th stream that has a head.
SELECT stream FROM (SELECT stream, row_number() OVER (ORDER BY stream) AS number FROM heads) AS numbered WHERE number % $1 = 0

-- name: with_journals
-- Events, each with what journals have of it.
SELECT e.*{columns} FROM ({events}) e {joins} ORDER BY e.stream, e.version

-- name: strays
-- Rows of streams before $1 and from $2 on.
SELECT stream FROM {table} WHERE stream < $1 UNION ALL SELECT stream FROM {table} WHERE stream >= $2 LIMIT 100

-- name: surplus
SELECT position FROM {table} WHERE position > (SELECT size FROM log_head) OR position < 1 ORDER BY position LIMIT 100

-- name: streams_behind
SELECT DISTINCT e.stream FROM log_runs r
JOIN events e ON e.append_id >= r.append_start + greatest(0, $1::bigint + 1 - r.position_start)
    AND e.append_id <= r.append_start + least(r.n - 1, $2::bigint - r.position_start)
WHERE r.position_start >= coalesce((SELECT max(l.position_start) FROM log_runs l WHERE l.position_start <= $1::bigint + 1), 0)
    AND r.position_start <= $2::bigint
