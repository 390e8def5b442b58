-- name: began
-- Where its first event was moved away with a part of the log, what is known to have held of it says that it was there.
SELECT coalesce(position_of($1, 1), (SELECT min(p.from_position) FROM {table} p WHERE p.stream = $1)) AS began
