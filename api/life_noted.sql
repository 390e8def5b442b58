-- name: note
UPDATE signal_feed SET life = $1 WHERE only_row AND life < $1
