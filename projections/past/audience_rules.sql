-- name: read
SELECT e.stream, e.type, e.payload FROM unnest($1::text[]) AS s (stream) CROSS JOIN LATERAL read_stream(s.stream, 0, 10000) e
WHERE e."position" <= $2 ORDER BY e.stream, e.version
