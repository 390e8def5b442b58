-- name: keep
INSERT INTO vault.signing_secrets (kid, wrapped, kek_id) VALUES ($1, $2, $3) ON CONFLICT (kid) DO NOTHING;

-- name: list_kids
SELECT kid FROM vault.signing_secrets ORDER BY created_at, kid;

-- name: read_one
SELECT wrapped, kek_id FROM vault.signing_secrets WHERE kid = $1 AND wrapped <> ''::bytea;

-- name: destroy
UPDATE vault.signing_secrets SET wrapped = ''::bytea WHERE kid = ANY ($1::text[]) AND wrapped <> ''::bytea;
