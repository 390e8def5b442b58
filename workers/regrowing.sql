-- name: epoch
SELECT epoch FROM log_head WHERE only_row

-- name: checkpoints
-- The next of those behind what is said of each epoch.
SELECT c.epoch, c.size, c.root, c.note FROM unnest($1::integer[], $2::bigint[]) AS w (epoch, above)
JOIN log_checkpoints c ON c.epoch = w.epoch AND c.size > w.above
WHERE (c.epoch, c.size) > ($3, $4) ORDER BY c.epoch, c.size LIMIT $5

-- name: epochs
SELECT DISTINCT epoch FROM log_checkpoints

-- name: take_back
SELECT tiles, checkpoints FROM take_back_tree($1, $2, $3)
