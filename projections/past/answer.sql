-- name: began
SELECT position_of($1, 1) AS began
