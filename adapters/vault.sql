-- name: find_newest
SELECT key_id, seal_class, wrapped, kek_id FROM vault.subject_keys
WHERE subject = $1 AND seal_class = $2 ORDER BY generation DESC LIMIT 1;

-- name: add_first
-- Gives nothing where another was first, or nothing may be wrapped by that key any more: look again.
INSERT INTO vault.subject_keys (key_id, subject, seal_class, generation, wrapped, kek_id)
SELECT $1, $2, $3, 1, $4, $5
WHERE NOT EXISTS (SELECT FROM vault.subject_keks k WHERE k.kek_id = $5 AND k.closed_at IS NOT NULL)
ON CONFLICT DO NOTHING RETURNING key_id;

-- name: add_next
INSERT INTO vault.subject_keys (key_id, subject, seal_class, generation, wrapped, kek_id)
SELECT $1, $2, $3, coalesce(max(generation), 0) + 1, $4, $5
FROM vault.subject_keys WHERE subject = $2 AND seal_class = $3
HAVING NOT EXISTS (SELECT FROM vault.subject_keks k WHERE k.kek_id = $5 AND k.closed_at IS NOT NULL)
ON CONFLICT DO NOTHING RETURNING key_id;

-- name: find_keys
SELECT k.key_id, k.seal_class, k.wrapped, k.kek_id
FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (key_id, place)
LEFT JOIN vault.subject_keys k ON k.key_id = wanted.key_id
ORDER BY wanted.place;

-- name: destroy_left_passwords
SELECT vault.destroy_left_passwords($1);

-- name: keys_of
SELECT key_id FROM vault.subject_keys WHERE subject = ANY ($1::text[]) ORDER BY created_at, key_id;

-- name: destroy_keys_of_erased
SELECT vault.destroy_keys_of_erased($1);

-- name: not_erased
SELECT w.subject FROM unnest($1::text[]) AS w (subject)
WHERE NOT EXISTS (SELECT FROM vault.erased_subjects s WHERE s.subject = w.subject) ORDER BY w.subject;
