-- name: admit
-- Counts first, looks afterwards: of any number of attempts at once, each gets a number of its own.
-- A row past its time starts again; under a lock nothing is counted, so that poking at a locked name cannot prolong it.
WITH clock AS (
    SELECT clock_timestamp() AS at
), mark AS (
    INSERT INTO sign_in_guard_since (since)
    SELECT at FROM clock WHERE NOT EXISTS (SELECT FROM sign_in_guard_since)
    ON CONFLICT (only_row) DO NOTHING
    RETURNING since
), device AS (
    INSERT INTO sign_in_guard AS g (name_mac, device_mac, failures, expires_at)
    SELECT $1, $2, 1, at + $5::integer * interval '1 second' FROM clock WHERE $2::bytea <> ''
    ON CONFLICT (name_mac, device_mac) DO UPDATE SET
        failures = CASE WHEN g.expires_at <= (SELECT at FROM clock) THEN 1 ELSE least(g.failures, $3::integer) + 1 END,
        expires_at = CASE WHEN g.failures > $3::integer AND g.expires_at > (SELECT at FROM clock)
                          THEN g.expires_at ELSE excluded.expires_at END
    RETURNING failures
), everybody AS (
    INSERT INTO sign_in_guard AS g (name_mac, device_mac, failures, locked_until, expires_at)
    SELECT $1, '', 1, CASE WHEN w.wait > 0 THEN at + w.wait * interval '1 second' END, at + $5::integer * interval '1 second'
    FROM clock, (SELECT ($4::integer[])[1] AS wait) w
    WHERE NOT EXISTS (SELECT FROM device WHERE failures <= $3::integer)
    ON CONFLICT (name_mac, device_mac) DO UPDATE SET (failures, refusals, locked_until, expires_at) = (
        SELECT n.failures, 0, CASE WHEN n.wait > 0 THEN n.at + n.wait * interval '1 second' END, excluded.expires_at
        FROM (
            SELECT f.failures, f.at, ($4::integer[])[least(f.failures, cardinality($4::integer[]))] AS wait
            FROM (SELECT at, CASE WHEN g.expires_at <= at THEN 1 ELSE g.failures + 1 END AS failures FROM clock) f
        ) n
        WHERE g.locked_until IS NULL OR g.locked_until <= n.at
        UNION ALL
        SELECT g.failures, g.refusals + 1, g.locked_until, g.expires_at FROM clock WHERE g.locked_until > at
    )
    RETURNING failures, refusals, locked_until
), facts AS (
    SELECT array_agg(f.fact_mac) AS known, count(*) FILTER (WHERE f.seen_at > clock.at - interval '1 day') = cardinality($6::bytea[]) AS fresh
    FROM sign_in_facts f, clock WHERE f.name_mac = $1 AND f.fact_mac = ANY ($6::bytea[])
)
SELECT e.failures, e.refusals > 0 AS refused, e.locked_until, clock.at,
       coalesce((SELECT since FROM mark), (SELECT since FROM sign_in_guard_since), clock.at) AS since, false AS by_device,
       facts.known, facts.fresh, facts.known IS NOT NULL OR EXISTS (SELECT FROM sign_in_facts f WHERE f.name_mac = $1) AS met
FROM everybody e, clock, facts
UNION ALL
SELECT d.failures, false, NULL, clock.at,
       coalesce((SELECT since FROM mark), (SELECT since FROM sign_in_guard_since), clock.at), true,
       facts.known, facts.fresh, facts.known IS NOT NULL OR EXISTS (SELECT FROM sign_in_facts f WHERE f.name_mac = $1)
FROM device d, clock, facts WHERE d.failures <= $3::integer;

-- name: forgive
-- A device with a budget of its own clears that alone: what strangers tried on the name still counts against them.
WITH device AS (
    DELETE FROM sign_in_guard WHERE name_mac = $1 AND device_mac = $2 AND $2::bytea <> ''
    RETURNING failures
)
DELETE FROM sign_in_guard
WHERE name_mac = $1 AND device_mac = ''
  AND ($2::bytea = '' OR EXISTS (SELECT FROM device WHERE failures > $3::integer));

-- name: forgive_and_remember
WITH device AS (
    DELETE FROM sign_in_guard WHERE name_mac = $1 AND device_mac = $2 AND $2::bytea <> ''
    RETURNING failures
), remembered AS (
    INSERT INTO sign_in_facts (name_mac, fact_mac, seen_at)
    SELECT $1, fact, clock_timestamp() FROM unnest($4::bytea[]) AS fact ORDER BY fact
    ON CONFLICT (name_mac, fact_mac) DO UPDATE SET seen_at = excluded.seen_at
)
DELETE FROM sign_in_guard
WHERE name_mac = $1 AND device_mac = ''
  AND ($2::bytea = '' OR EXISTS (SELECT FROM device WHERE failures > $3::integer));

-- name: take_back
-- A lock that another attempt has begun since stays. What counts nothing any more is over: names that nobody has would fill the table.
UPDATE sign_in_guard SET
    failures = greatest(failures - 1, 0),
    expires_at = CASE WHEN failures > 1 THEN expires_at ELSE clock_timestamp() END,
    locked_until = CASE WHEN locked_until IS DISTINCT FROM $3::timestamptz THEN locked_until END
WHERE name_mac = $1 AND device_mac = $2;

-- name: seed
INSERT INTO sign_in_guard AS g (name_mac, device_mac, failures, expires_at)
VALUES ($1, '', $2, clock_timestamp() + $3::integer * interval '1 second')
ON CONFLICT (name_mac, device_mac) DO UPDATE SET failures = greatest(g.failures, excluded.failures);

-- name: keep_refused
INSERT INTO sign_in_attempts (name_mac, user_id, outcome, known_device) VALUES ($1, $2, $3, $4);
