-- name: read_all
SELECT purpose, version, wrapped, kek_id, extract(epoch FROM clock_timestamp() - created_at)::float8
FROM vault.secrets ORDER BY purpose, version;

-- name: add
INSERT INTO vault.secrets (purpose, version, wrapped, kek_id)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bytea[], $4::text[])
ON CONFLICT (purpose, version) DO NOTHING;

-- name: has_keys
SELECT EXISTS (SELECT FROM vault.secrets);
