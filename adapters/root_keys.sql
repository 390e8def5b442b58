-- name: known
SELECT generation, kek_id, wrapped, kms FROM vault.root_keys ORDER BY generation DESC;

-- name: add
INSERT INTO vault.root_keys (generation, kek_id, wrapped, kms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: replace
UPDATE vault.root_keys SET wrapped = $3, kms = $4 WHERE kek_id = $1 AND wrapped = $2 RETURNING true;
