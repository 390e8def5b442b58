-- name: admit
-- Counts first, looks afterwards: of any number of attempts at once, each gets a number of its own.
-- A row past its time starts again; under a lock nothing is counted, so that poking at a locked name cannot prolong it.
-- What has a budget of its own is a known device, or else a network that the account has signed in from.
WITH clock AS (
    SELECT clock_timestamp() AS at
), mark AS (
    INSERT INTO sign_in_guard_since (since)
    SELECT at FROM clock WHERE NOT EXISTS (SELECT FROM sign_in_guard_since)
    ON CONFLICT (only_row) DO NOTHING
    RETURNING since
), known AS (
    SELECT CASE WHEN $2::bytea <> '' THEN $2
                WHEN EXISTS (SELECT FROM sign_in_networks n, clock WHERE n.name_mac = $1 AND n.network_mac = $3 AND n.expires_at > at) THEN $3
                ELSE ''::bytea END AS mac
), own AS (
    INSERT INTO sign_in_guard AS g (name_mac, device_mac, failures, expires_at)
    SELECT $1, mac, 1, at + $6::integer * interval '1 second' FROM clock, known WHERE mac <> ''
    ON CONFLICT (name_mac, device_mac) DO UPDATE SET
        failures = CASE WHEN g.expires_at <= (SELECT at FROM clock) THEN 1 ELSE least(g.failures, $4::integer) + 1 END,
        expires_at = CASE WHEN g.failures > $4::integer AND g.expires_at > (SELECT at FROM clock)
                          THEN g.expires_at ELSE excluded.expires_at END
    RETURNING failures, device_mac AS mac
), everybody AS (
    INSERT INTO sign_in_guard AS g (name_mac, device_mac, failures, locked_until, expires_at)
    SELECT $1, '', 1, CASE WHEN w.wait > 0 THEN at + w.wait * interval '1 second' END, at + $6::integer * interval '1 second'
    FROM clock, (SELECT ($5::integer[])[1] AS wait) w
    WHERE NOT EXISTS (SELECT FROM own WHERE failures <= $4::integer)
    ON CONFLICT (name_mac, device_mac) DO UPDATE SET (failures, refusals, locked_until, expires_at) = (
        SELECT n.failures, 0, CASE WHEN n.wait > 0 THEN n.at + n.wait * interval '1 second' END, excluded.expires_at
        FROM (
            SELECT f.failures, f.at, ($5::integer[])[least(f.failures, cardinality($5::integer[]))] AS wait
            FROM (SELECT at, CASE WHEN g.expires_at <= at THEN 1 ELSE g.failures + 1 END AS failures FROM clock) f
        ) n
        WHERE g.locked_until IS NULL OR g.locked_until <= n.at
        UNION ALL
        SELECT g.failures, g.refusals + 1, g.locked_until, g.expires_at FROM clock WHERE g.locked_until > at
    )
    RETURNING failures, refusals, locked_until
), facts AS (
    SELECT array_agg(f.fact_mac) AS known, count(*) FILTER (WHERE f.seen_at > clock.at - interval '1 day') = cardinality($7::bytea[]) AS fresh
    FROM sign_in_facts f, clock WHERE f.name_mac = $1 AND f.fact_mac = ANY ($7::bytea[])
)
SELECT e.failures, e.refusals > 0 AS refused, e.locked_until, clock.at,
       coalesce((SELECT since FROM mark), (SELECT since FROM sign_in_guard_since), clock.at) AS since, NULL::bytea AS own,
       facts.known, facts.fresh, facts.known IS NOT NULL OR EXISTS (SELECT FROM sign_in_facts f WHERE f.name_mac = $1) AS met
FROM everybody e, clock, facts
UNION ALL
SELECT own.failures, false, NULL, clock.at,
       coalesce((SELECT since FROM mark), (SELECT since FROM sign_in_guard_since), clock.at), own.mac,
       facts.known, facts.fresh, facts.known IS NOT NULL OR EXISTS (SELECT FROM sign_in_facts f WHERE f.name_mac = $1)
FROM own, clock, facts WHERE own.failures <= $4::integer;

-- name: forgive
-- What has a budget of its own clears that alone: what strangers tried on the name still counts against them. The network is known
-- from now on; of a name's networks the last few stay known, since each gives whoever is in it tries of their own.
WITH clock AS (
    SELECT clock_timestamp() AS at
), known AS (
    SELECT CASE WHEN $2::bytea <> '' THEN $2
                WHEN EXISTS (SELECT FROM sign_in_networks n, clock WHERE n.name_mac = $1 AND n.network_mac = $3 AND n.expires_at > at) THEN $3
                ELSE ''::bytea END AS mac
), own AS (
    DELETE FROM sign_in_guard g USING known WHERE g.name_mac = $1 AND g.device_mac = known.mac AND known.mac <> ''
    RETURNING g.failures
), remembered AS (
    INSERT INTO sign_in_networks AS n (name_mac, network_mac, expires_at)
    SELECT $1, $3, at + $5::integer * interval '1 second' FROM clock WHERE $3::bytea <> ''
    ON CONFLICT (name_mac, network_mac) DO UPDATE SET expires_at = excluded.expires_at
), noted AS (
    INSERT INTO sign_in_facts (name_mac, fact_mac, seen_at)
    SELECT $1, fact, at FROM clock, unnest($7::bytea[]) AS fact ORDER BY fact
    ON CONFLICT (name_mac, fact_mac) DO UPDATE SET seen_at = excluded.seen_at
), forgotten AS (
    DELETE FROM sign_in_networks n WHERE n.name_mac = $1 AND $3::bytea <> '' AND n.network_mac IN (
        SELECT o.network_mac FROM sign_in_networks o WHERE o.name_mac = $1 AND o.network_mac <> $3
        ORDER BY o.expires_at DESC OFFSET $6 - 1)
)
DELETE FROM sign_in_guard g USING known
WHERE g.name_mac = $1 AND g.device_mac = ''
  AND (known.mac = '' OR EXISTS (SELECT FROM own WHERE failures > $4::integer));

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

-- name: attempts_of
SELECT at, outcome, known_device FROM sign_in_attempts WHERE user_id = $1 AND at >= $2 AND at < $3 ORDER BY at DESC LIMIT $4;
