-- name: first_and_last
SELECT stream, first, last, last_at FROM first_and_last($1::text[], $2, $3)
