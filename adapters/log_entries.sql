-- name: detached
-- How many positions at most, of those from $1 to $2, are of partitions that lie elsewhere.
SELECT coalesce(sum(least(last_position, $2) - greatest(first_position, $1) + 1), 0)::bigint FROM log_partitions
WHERE detached_at IS NOT NULL AND first_position <= $2 AND last_position >= $1
