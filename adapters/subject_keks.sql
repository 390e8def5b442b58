-- name: register
INSERT INTO vault.subject_keks (kek_id, month) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: say_backup_days
UPDATE vault.backups SET days = $1 WHERE days <> $1;

-- name: all_registered
SELECT kek_id, month, clock_timestamp() - made_at AS made, clock_timestamp() - closed_at AS closed,
    clock_timestamp() - emptied_at AS emptied, clock_timestamp() - destroyed_at AS destroyed,
    make_interval(hours => 24 * b.days) AS kept_for
FROM vault.subject_keks CROSS JOIN vault.backups b ORDER BY month NULLS FIRST, kek_id;

-- name: close
SELECT vault.close_month($1);

-- name: settle
SELECT vault.settle_kek($1);

-- name: destroy
SELECT vault.destroy_kek($1);

-- name: forget
SELECT vault.forget_wrappings($1, $2);

-- From key to key of the index.
-- name: in_use
WITH RECURSIVE wrapping (kek_id) AS (
    (SELECT min(k.kek_id COLLATE "C") FROM vault.subject_keys k)
    UNION ALL
    SELECT (SELECT min(k.kek_id COLLATE "C") FROM vault.subject_keys k WHERE k.kek_id COLLATE "C" > w.kek_id) FROM wrapping w
    WHERE w.kek_id IS NOT NULL
)
SELECT kek_id FROM wrapping WHERE kek_id IS NOT NULL;
