-- name: keep
-- A row is written once in $3 seconds at most, however often its stream is used; in one order, so that two processes cannot block each other.
INSERT INTO last_used AS known (stream, at)
SELECT used.stream, used.at FROM unnest($1::text[], $2::timestamptz[]) AS used (stream, at)
WHERE NOT EXISTS (SELECT FROM last_used l WHERE l.stream = used.stream AND l.at > used.at - $3::integer * interval '1 second')
ORDER BY used.stream
ON CONFLICT (stream) DO UPDATE SET at = excluded.at WHERE excluded.at > known.at;

-- name: read
SELECT stream, at FROM last_used WHERE stream = ANY ($1::text[]);
