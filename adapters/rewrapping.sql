-- What hangs on which key. Signing keys whose private half is gone hang on none.
-- name: hanging
SELECT 'service' AS kind, s.kek_id, count(*) AS count FROM vault.secrets s GROUP BY s.kek_id
UNION ALL
SELECT 'signing', s.kek_id, count(*) FROM vault.signing_secrets s WHERE s.wrapped <> ''::bytea GROUP BY s.kek_id
UNION ALL
SELECT 'log', s.kek_id, count(*) FROM vault.log_keys s GROUP BY s.kek_id
UNION ALL
SELECT 'subject', s.kek_id, count(*) FROM vault.subject_keys s GROUP BY s.kek_id
ORDER BY 1, 2;

-- The same of what is not among those given, from key to key of the index: a million keys of one month cost one look.
-- name: hanging_elsewhere
WITH RECURSIVE wrapping (kek_id) AS (
    (SELECT min(k.kek_id COLLATE "C") FROM vault.subject_keys k)
    UNION ALL
    SELECT (SELECT min(k.kek_id COLLATE "C") FROM vault.subject_keys k WHERE k.kek_id COLLATE "C" > w.kek_id) FROM wrapping w
    WHERE w.kek_id IS NOT NULL
)
SELECT 'service' AS kind, s.kek_id, count(*) AS count FROM vault.secrets s WHERE s.kek_id <> ALL ($1::text[]) GROUP BY s.kek_id
UNION ALL
SELECT 'signing', s.kek_id, count(*) FROM vault.signing_secrets s
WHERE s.wrapped <> ''::bytea AND s.kek_id <> ALL ($1::text[]) GROUP BY s.kek_id
UNION ALL
SELECT 'log', s.kek_id, count(*) FROM vault.log_keys s WHERE s.kek_id <> ALL ($1::text[]) GROUP BY s.kek_id
UNION ALL
SELECT 'subject', w.kek_id, (SELECT count(*) FROM vault.subject_keys k WHERE k.kek_id COLLATE "C" = w.kek_id)
FROM wrapping w WHERE w.kek_id <> ALL ($1::text[]) AND w.kek_id NOT LIKE 'mo-%'
ORDER BY 1, 2;

-- name: next_service
SELECT s.purpose || '/' || s.version, s.wrapped, s.kek_id FROM vault.secrets s
WHERE s.kek_id <> $1 ORDER BY s.purpose, s.version LIMIT $2;

-- name: move_service
UPDATE vault.secrets s SET wrapped = w.anew, kek_id = $4
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS w (name, wrapped, anew)
WHERE s.purpose || '/' || s.version = w.name AND s.wrapped = w.wrapped RETURNING true;

-- name: next_signing
SELECT s.kid, s.wrapped, s.kek_id FROM vault.signing_secrets s
WHERE s.kek_id <> $1 AND s.wrapped <> ''::bytea ORDER BY s.kid LIMIT $2;

-- name: move_signing
UPDATE vault.signing_secrets s SET wrapped = w.anew, kek_id = $4
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS w (name, wrapped, anew)
WHERE s.kid = w.name AND s.wrapped = w.wrapped RETURNING true;

-- name: next_log
SELECT s.name, s.wrapped, s.kek_id FROM vault.log_keys s WHERE s.kek_id <> $1 ORDER BY s.name LIMIT $2;

-- name: move_log
UPDATE vault.log_keys s SET wrapped = w.anew, kek_id = $4
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS w (name, wrapped, anew)
WHERE s.name = w.name AND s.wrapped = w.wrapped RETURNING true;

-- name: next_subjects
SELECT k.key_id, k.wrapped, k.kek_id FROM vault.subject_keys k
WHERE k.kek_id COLLATE "C" = $1 AND k.key_id > $2 ORDER BY k.key_id LIMIT $3;

-- name: move_subjects
SELECT vault.rewrap_subject_keys($1, $2, $3, $4, $5);

-- name: next_earlier
SELECT e.key_id, e.wrapped AS earlier, e.kek_id AS earlier_kek, k.wrapped, k.kek_id FROM vault.earlier_wrappings e
JOIN vault.subject_keys k ON k.key_id = e.key_id
WHERE e.kek_id = $1 AND e.key_id > $2 ORDER BY e.key_id LIMIT $3;

-- name: now
SELECT clock_timestamp();

-- name: next_moved
SELECT e.moved_at, e.key_id, e.wrapped AS earlier, e.kek_id AS earlier_kek, k.wrapped, k.kek_id FROM vault.earlier_wrappings e
JOIN vault.subject_keys k ON k.key_id = e.key_id
WHERE (e.moved_at, e.kek_id, e.key_id) > ($1, $2, $3) AND e.moved_at <= $4 ORDER BY e.moved_at, e.kek_id, e.key_id LIMIT $5;
