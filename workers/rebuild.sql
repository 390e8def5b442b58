-- name: by_the_indexes
-- The runs say which rows are wanted: never a walk through all of them.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)

-- name: read
-- Positions after $1 up to $2, of streams from $3 up to, not including, $4, in slots $5 to $6. The reader sorts: they come
-- in order almost always, and a sort here would keep the first row back until the last was found. The streams are looked at
-- behind OFFSET 0: as a condition on the events they would have an index of their own, and where little is known of the runs
-- each page would be sought among all events of these streams.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.stream, e.version, e.type, e.event_id,
       e.recorded_at, e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.payload
FROM log_runs r
CROSS JOIN LATERAL (
    SELECT * FROM events i
    WHERE i.append_id >= r.append_start + greatest(0, $1::bigint + 1 - r.position_start)
        AND i.append_id <= r.append_start + least(r.n - 1, $2::bigint - r.position_start)
    OFFSET 0
) e
WHERE r.position_start >= (SELECT max(l.position_start) FROM log_runs l WHERE l.position_start <= $1::bigint + 1)
    AND r.position_start <= $2::bigint
    AND e.stream >= $3::text AND e.stream < $4::text AND e.slot BETWEEN $5::smallint AND $6::smallint

-- name: count_streams
SELECT count(*) FROM heads WHERE stream >= $1 AND stream < $2

-- name: sample_streams
-- Whole pages of the table at random, about $3 rows of it if all were of this category.
SELECT h.stream FROM heads h TABLESAMPLE SYSTEM ((
    SELECT least(100, greatest(0.01, 800.0 * $3::integer / greatest(c.reltuples, 1))) FROM pg_class c WHERE c.oid = 'heads'::regclass
)) WHERE h.stream >= $1 AND h.stream < $2 LIMIT $3

-- name: events_of
SELECT NULL::bigint AS position, stream, version, type, event_id, recorded_at, actor, session_id, command_id, correlation_id,
       causation_id, payload
FROM events WHERE stream = ANY ($1::text[]) ORDER BY stream, version

-- name: placed_events_of
-- With their positions, up to $2.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.stream, e.version, e.type, e.event_id,
       e.recorded_at, e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.payload
FROM events e
CROSS JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l
    WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r
WHERE e.stream = ANY ($1::text[]) AND e.append_id < r.append_start + r.n
    AND r.position_start + (e.append_id - r.append_start) <= $2
ORDER BY e.stream, e.version

-- name: state
SELECT min(position) AS position, max(h.size) AS size FROM projection_state s CROSS JOIN log_head h
WHERE s.name = $1 AND s.version = $2

-- name: journal_rows
SELECT * FROM {table} WHERE position > $1 AND position <= $2 ORDER BY position

-- name: periods_of
SELECT p.stream, p.what, p.name, p.number, p.until, p.from_position, p.from_at, p.from_event, p.to_position, p.to_at, p.to_event
FROM {periods} p WHERE p.stream = ANY ($1::text[]) ORDER BY p.stream, p.what, p.name, p.from_position

-- name: held_back
SELECT EXISTS (SELECT FROM projection_parked WHERE name = $1 AND version = $2 AND stream = $3)

-- name: detached
SELECT array_agg(number ORDER BY number DESC) FROM log_partitions WHERE detached_at IS NOT NULL
