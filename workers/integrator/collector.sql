-- name: newest
SELECT epoch, size, root, note, cosigned FROM log_checkpoints ORDER BY epoch DESC, size DESC LIMIT 1;

-- name: waiting
-- How many events are under a checkpoint of the newest epoch that was cosigned, and for how many seconds the next one has waited.
SELECT coalesce(c.size, 0) AS size, coalesce(greatest(0, extract(epoch FROM clock_timestamp() - n.published_at)), 0)::float8 AS waiting
FROM log_head h
LEFT JOIN LATERAL (
    SELECT k.size FROM log_checkpoints k WHERE k.epoch = h.epoch AND k.cosigned IS NOT NULL ORDER BY k.size DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT k.published_at FROM log_checkpoints k WHERE k.epoch = h.epoch AND k.size > coalesce(c.size, 0) ORDER BY k.size LIMIT 1
) n ON true;

-- name: store_cosigned
SELECT store_cosigned($1, $2, $3);
