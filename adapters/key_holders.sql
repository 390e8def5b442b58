-- Says that a process is there and which root keys it has; gives what others have that were there within the last minute and a half. What a
-- backup brought back is of another database.
-- name: announce
WITH said AS (
    INSERT INTO vault.key_holders (process, place, kek_ids, seen_at, database)
    SELECT $1, $2, $3, clock_timestamp(), d.oid FROM pg_database d WHERE d.datname = current_database()
    ON CONFLICT (process) DO UPDATE SET kek_ids = excluded.kek_ids, seen_at = excluded.seen_at, database = excluded.database
), gone AS (
    DELETE FROM vault.key_holders WHERE seen_at < clock_timestamp() - interval '1 hour' AND process <> $1
)
SELECT h.place, h.kek_ids FROM vault.key_holders h JOIN pg_database d ON d.oid = h.database AND d.datname = current_database()
WHERE h.seen_at > clock_timestamp() - interval '90 seconds' AND h.process <> $1;

-- name: leave
DELETE FROM vault.key_holders WHERE process = $1;

-- name: present
SELECT h.place, h.kek_ids FROM vault.key_holders h JOIN pg_database d ON d.oid = h.database AND d.datname = current_database()
WHERE h.seen_at > clock_timestamp() - interval '90 seconds' ORDER BY h.place;
