-- name: level
SELECT coalesce(max(version), 0) AS level FROM migrations
