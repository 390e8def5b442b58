-- name: database
SELECT vault.this_database();

-- name: erased
SELECT substr(s.subject, 6) AS user_id FROM vault.erased_subjects s WHERE s.subject ~ '^user-[0-9a-f-]{36}$' ORDER BY s.erased_at, s.subject;

-- name: is_read
-- Where nothing ever happened there is nobody who could be back.
SELECT EXISTS (SELECT FROM vault.erased_list_reads r WHERE r.database = $1) OR NOT EXISTS (SELECT FROM events);

-- name: note
-- False where nobody is on the list, and somebody was erased.
WITH fitting AS (
    SELECT $2::bigint > 0 OR NOT EXISTS (SELECT FROM vault.erased_subjects s WHERE s.subject LIKE 'user-%') AS is_so
), noted AS (
    INSERT INTO vault.erased_list_reads (database) SELECT $1 FROM fitting f WHERE f.is_so ON CONFLICT DO NOTHING
)
SELECT f.is_so FROM fitting f;
