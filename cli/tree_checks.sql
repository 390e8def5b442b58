-- name: epoch
SELECT epoch FROM log_head;

-- name: behind
-- Seconds since the first event under no checkpoint was recorded, 0 when there is none; and how many are under one.
SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - recorded_after(c.size))), 0)::float8 AS behind, c.size AS published
FROM (
    SELECT coalesce(max(k.size), 0) AS size FROM log_checkpoints k JOIN log_head h ON h.epoch = k.epoch
) c;
