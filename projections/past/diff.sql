-- name: begun
-- All facts that began after one position and up to another, as far as whole events go.
SELECT stream, from_position AS place FROM {table} WHERE from_position > $1 AND from_position <= $2
ORDER BY from_position FETCH FIRST ($3) ROWS WITH TIES

-- name: ended
SELECT stream, to_position AS place FROM {table} WHERE to_position > $1 AND to_position <= $2
ORDER BY to_position FETCH FIRST ($3) ROWS WITH TIES
