-- Each gives how many rows were deleted, and whether there may be more.

-- Not locked first: the serving role may delete these rows and not change them. A second reaper waits a moment and finds them gone.
-- name: command_results
WITH gone AS (
    DELETE FROM command_results WHERE key IN (
        SELECT key FROM command_results WHERE created_at < statement_timestamp() - $1::text::interval
        ORDER BY created_at LIMIT $2)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: sign_in_attempts
WITH gone AS (
    DELETE FROM sign_in_attempts WHERE id IN (
        SELECT id FROM sign_in_attempts WHERE at < statement_timestamp() - $1::text::interval
        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: sign_in_guard
WITH gone AS (
    DELETE FROM sign_in_guard WHERE (name_mac, device_mac) IN (
        SELECT name_mac, device_mac FROM sign_in_guard WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: sign_in_networks
WITH gone AS (
    DELETE FROM sign_in_networks WHERE (name_mac, network_mac) IN (
        SELECT name_mac, network_mac FROM sign_in_networks WHERE expires_at < statement_timestamp() - $1::text::interval
        LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: bootstrap_codes
WITH gone AS (
    DELETE FROM bootstrap_codes WHERE digest IN (
        SELECT digest FROM bootstrap_codes WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- Without an index on the moment, which every request would have to keep: the table holds what was asked in the last minutes.
-- name: rate_limits
WITH gone AS (
    DELETE FROM rate_limits WHERE key IN (
        SELECT key FROM rate_limits WHERE full_at < statement_timestamp() - $1::text::interval
        LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: attempts_on_nobody
WITH gone AS (
    DELETE FROM sign_in_attempts WHERE id IN (
        SELECT id FROM sign_in_attempts WHERE user_id IS NULL AND at < statement_timestamp() - $1::text::interval
        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: orphaned_keys
SELECT deleted, more FROM vault.sweep_orphaned_keys($1::text::interval, $2)

-- name: last_used_sessions
WITH gone AS (
    DELETE FROM last_used WHERE stream IN (
        SELECT stream FROM last_used WHERE stream >= 'session-' AND stream < 'session.' AND at < statement_timestamp() - $1::text::interval
        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: last_used_others
WITH gone AS (
    DELETE FROM last_used WHERE stream IN (
        SELECT stream FROM last_used WHERE NOT (stream >= 'session-' AND stream < 'session.') AND at < statement_timestamp() - $1::text::interval
        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: mails_done
WITH gone AS (
    DELETE FROM mail_ledger WHERE mail_id IN (
        SELECT mail_id FROM mail_ledger WHERE state IN ('sent', 'dropped') AND done_at < statement_timestamp() - $1::text::interval
        ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: mails_failed
WITH gone AS (
    DELETE FROM mail_ledger WHERE mail_id IN (
        SELECT mail_id FROM mail_ledger WHERE state = 'failed' AND done_at < statement_timestamp() - $1::text::interval
        ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: left_passwords
SELECT deleted, more FROM vault.sweep_left_passwords($1::text::interval, $2)

-- name: used_assertions
WITH gone AS (
    DELETE FROM used_assertions WHERE digest IN (
        SELECT digest FROM used_assertions WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: mail_budget
WITH gone AS (
    DELETE FROM mail_budget WHERE key IN (
        SELECT key FROM mail_budget WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: pending_registrations
WITH gone AS (
    DELETE FROM pending_registrations WHERE pending_id IN (
        SELECT pending_id FROM pending_registrations WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: sign_in_facts
WITH gone AS (
    DELETE FROM sign_in_facts WHERE (name_mac, fact_mac) IN (
        SELECT name_mac, fact_mac FROM sign_in_facts WHERE seen_at < statement_timestamp() - $1::text::interval
        ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: shown_secrets
WITH gone AS (
    DELETE FROM shown_secrets WHERE (key, answer_id) IN (
        SELECT key, answer_id FROM shown_secrets WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- One that was told anew meanwhile has a later end: it is looked at again when it is its turn.
-- name: live_signals
WITH gone AS (
    DELETE FROM live_signals WHERE (class, subject) IN (
        SELECT class, subject FROM live_signals WHERE until < statement_timestamp() - $1::text::interval
        ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone

-- name: live_service_tokens
WITH gone AS (
    DELETE FROM live_service_tokens WHERE token_id IN (
        SELECT token_id FROM live_service_tokens WHERE expires_at < statement_timestamp() - $1::text::interval
        ORDER BY expires_at LIMIT $2)
    RETURNING 1
) SELECT count(*), count(*) = $2 FROM gone
