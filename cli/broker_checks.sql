-- name: log
SELECT size, epoch FROM log_head;

-- name: behind
-- Seconds since the first event after this position was recorded; 0 when there is none.
SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - recorded_after($1))), 0)::float8;
