-- name: spend
INSERT INTO used_assertions (digest, expires_at) VALUES ($1::bytea, to_timestamp($2::float8))
ON CONFLICT (digest) DO NOTHING
RETURNING true
