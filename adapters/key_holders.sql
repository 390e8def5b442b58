-- Says that a process is there and which root keys it has; gives what others have that were there within the last minute and a half.
-- name: announce
WITH said AS (
    INSERT INTO vault.key_holders (process, place, kek_ids, seen_at) VALUES ($1, $2, $3, clock_timestamp())
    ON CONFLICT (process) DO UPDATE SET kek_ids = excluded.kek_ids, seen_at = excluded.seen_at
), gone AS (
    DELETE FROM vault.key_holders WHERE seen_at < clock_timestamp() - interval '1 hour' AND process <> $1
)
SELECT place, kek_ids FROM vault.key_holders WHERE seen_at > clock_timestamp() - interval '90 seconds' AND process <> $1;

-- name: leave
DELETE FROM vault.key_holders WHERE process = $1;

-- name: present
SELECT place, kek_ids FROM vault.key_holders WHERE seen_at > clock_timestamp() - interval '90 seconds' ORDER BY place;
