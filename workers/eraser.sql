-- name: farewell_waits
-- Whether the mail that it has begun is still to go, and may yet: not written down, or not sent. $2 is the erasure's stream.
SELECT coalesce((
    SELECT b.recorded_at > clock_timestamp() - $3::integer * interval '1 second'
        AND (r.position < position_of($2, b.version)
             OR EXISTS (SELECT FROM mail_ledger m WHERE m.user_id = $1 AND m.letter = 'erasure_begun' AND m.state = 'waiting'))
    FROM (SELECT e.version, e.recorded_at FROM events e WHERE e.stream = $2 AND e.type = 'erasure.begun.v1' ORDER BY e.version DESC LIMIT 1) b
    CROSS JOIN reactor_state r WHERE r.name = 'mailer'
), false)

-- name: forget_uses
DELETE FROM last_used WHERE stream = ANY ($1::text[])

-- name: forget_answers
-- With the secrets that stood in them.
WITH gone AS (
    DELETE FROM command_results WHERE actor = $1 RETURNING key
) DELETE FROM shown_secrets WHERE key IN (SELECT key FROM gone)

-- name: forget_attempts
DELETE FROM sign_in_attempts WHERE user_id = $1

-- name: forget_mail
-- Also what is about them and goes to an address that is nobody's account's: the facts name them.
DELETE FROM mail_ledger WHERE user_id = $1 OR position(convert_to($1::text, 'UTF8') IN facts) > 0

-- name: forget_counters
DELETE FROM sign_in_guard WHERE name_mac = ANY ($1::bytea[])

-- name: forget_facts
DELETE FROM sign_in_facts WHERE name_mac = ANY ($1::bytea[])

-- name: forget_networks
DELETE FROM sign_in_networks WHERE name_mac = ANY ($1::bytea[])

-- name: pending
SELECT pending_id, content FROM pending_registrations

-- name: forget_pending
-- With the mail that has its link.
WITH gone AS (
    DELETE FROM pending_registrations WHERE pending_id = ANY ($1::uuid[]) RETURNING pending_id
) DELETE FROM mail_ledger WHERE mail_id IN (SELECT pending_id FROM gone)
