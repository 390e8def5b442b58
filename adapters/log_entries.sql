-- name: present
-- Events after position $1 up to $2, those of them that are here. Partitions that were moved away are looked for in `detached`.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.append_id, e.stream, e.version, e.type, e.event_id, e.recorded_at,
       e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload
FROM (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l
    WHERE l.position_start >= (SELECT coalesce(max(f.position_start), 1) FROM log_runs f WHERE f.position_start <= $1::bigint + 1)
        AND l.position_start <= $2::bigint
    ORDER BY l.position_start
) r
CROSS JOIN LATERAL (
    SELECT * FROM events v
    WHERE v.append_id >= r.append_start + greatest($1::bigint + 1 - r.position_start, 0)
        AND v.append_id < r.append_start + least(r.n, $2::bigint + 1 - r.position_start)
    ORDER BY v.append_id
) e

-- name: detached
-- How many positions at most, of those from $1 to $2, are of partitions that lie elsewhere.
SELECT coalesce(sum(least(last_position, $2) - greatest(first_position, $1) + 1), 0)::bigint FROM log_partitions
WHERE detached_at IS NOT NULL AND first_position <= $2 AND last_position >= $1
