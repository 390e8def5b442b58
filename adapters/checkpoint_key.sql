-- name: read
SELECT name, public, wrapped, kek_id FROM vault.log_keys ORDER BY created_at, name LIMIT 1;

-- name: add
INSERT INTO vault.log_keys (name, public, wrapped, kek_id)
SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM vault.log_keys) ON CONFLICT DO NOTHING;
