-- name: exchange
-- Adds what one process let in to what all have, and gives the sums: seconds until each bucket is full again. In the order of the
-- keys, so that two processes that tell of the same ones wait for each other and never crosswise.
INSERT INTO rate_limits AS r (key, full_at)
SELECT key, statement_timestamp() + seconds * interval '1 second'
FROM unnest($1::bytea[], $2::double precision[]) AS used (key, seconds)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET
    full_at = greatest(r.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp())
RETURNING key, extract(epoch FROM full_at - statement_timestamp())::double precision;
