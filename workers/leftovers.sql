-- name: streams_told
SELECT DISTINCT stream FROM {table} WHERE user_id = $1

-- name: sealed_events
SELECT stream, type, payload FROM events WHERE stream = ANY ($1::text[]) AND key_id IS NOT NULL AND octet_length(payload) > 0

-- name: states
SELECT state FROM heads WHERE stream = ANY ($1::text[])

-- name: keys
SELECT count(*) FROM vault.subject_keys WHERE subject = ANY ($1::text[])

-- name: tables
-- Every generation of these read models, also those that are being built.
SELECT c.relname::text AS relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'read' AND c.relkind = 'r' AND regexp_replace(c.relname, '_v[0-9]+_g[0-9]+$', '') = ANY ($1::text[])
ORDER BY c.relname

-- name: rows
SELECT count(*) FROM {table} WHERE user_id = $1

-- name: elsewhere
SELECT (SELECT count(*) FROM command_results WHERE actor = $2) AS command_results,
       (SELECT count(*) FROM mail_ledger WHERE user_id = $1) AS mail_ledger,
       (SELECT count(*) FROM sign_in_attempts WHERE user_id = $1) AS sign_in_attempts,
       (SELECT count(*) FROM sign_in_facts WHERE name_mac = ANY ($3::bytea[])) AS sign_in_facts,
       (SELECT count(*) FROM sign_in_networks WHERE name_mac = ANY ($3::bytea[])) AS sign_in_networks,
       (SELECT count(*) FROM last_used WHERE stream = ANY ($4::text[])) AS last_used
