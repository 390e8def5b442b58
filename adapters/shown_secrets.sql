-- name: keep
INSERT INTO shown_secrets (key, answer_id, box, expires_at)
VALUES ($1, $2, $3, statement_timestamp() + $4::integer * interval '1 second')
ON CONFLICT (key, answer_id) DO NOTHING
RETURNING true

-- name: find
SELECT box FROM shown_secrets WHERE key = $1 AND answer_id = $2 AND expires_at > statement_timestamp()
