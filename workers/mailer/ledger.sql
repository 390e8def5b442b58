-- name: stand
SELECT s.position, h.size FROM reactor_state s CROSS JOIN log_head h WHERE s.name = 'mailer'

-- name: read
SELECT position, append_id, stream, version, type, event_id, recorded_at, actor, session_id,
       command_id, correlation_id, causation_id, key_id, payload, size
FROM read_log_of($1::bigint, $2::bigint, $3::text[])

-- name: turn
-- The cursor moves from where the events were read on, or not at all: of two mailers one writes the rows.
WITH moved AS (
    UPDATE reactor_state SET position = $2, moved_at = clock_timestamp() WHERE name = 'mailer' AND position = $1 RETURNING 1
), put AS (
    INSERT INTO mail_ledger (mail_id, letter, user_id, facts, until, state, reason, done_at)
    SELECT w.mail_id, w.letter, w.user_id, w.facts, w.until, w.state, w.reason, CASE WHEN w.state <> 'waiting' THEN clock_timestamp() END
    FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::bytea[], $7::timestamptz[], $8::text[], $9::text[])
        AS w (mail_id, letter, user_id, facts, until, state, reason)
    WHERE EXISTS (SELECT FROM moved)
    ON CONFLICT (mail_id) DO NOTHING
)
SELECT EXISTS (SELECT FROM moved) AS moved

-- name: take
-- Moves the next try ahead before this one is made: no lock is held while a server is spoken to, and what a dead mailer took
-- comes up again. $2 and $3 are the shortest and the longest pause in seconds.
WITH due AS (
    SELECT mail_id FROM mail_ledger WHERE state = 'waiting' AND due_at <= statement_timestamp()
    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE mail_ledger m SET
    attempts = m.attempts + 1,
    due_at = clock_timestamp() + least($2::float8 * power(2, least(m.attempts, 30)), $3::float8) * (0.8 + 0.4 * random()) * interval '1 second'
FROM due WHERE m.mail_id = due.mail_id
RETURNING m.mail_id, m.letter, m.user_id, m.address, m.facts, m.attempts, m.created_at, m.until <= clock_timestamp() AS too_late

-- name: settle
-- Only by whoever took it last. What is done needs no address any more; what failed may be tried again while it is of use.
UPDATE mail_ledger SET state = $3, reason = $4, done_at = clock_timestamp(),
    address = CASE WHEN $3 = 'failed' AND until > clock_timestamp() THEN address END
WHERE mail_id = $1 AND attempts = $2 AND state = 'waiting'

-- name: put_off
UPDATE mail_ledger SET reason = $3 WHERE mail_id = $1 AND attempts = $2 AND state = 'waiting'

-- name: figures
SELECT count(*) AS waiting, coalesce(greatest(0, extract(epoch FROM clock_timestamp() - min(created_at))), 0)::float8 AS oldest_s,
       count(*) FILTER (WHERE attempts > 0) AS tried
FROM mail_ledger WHERE state = 'waiting'

-- name: list
SELECT mail_id, letter, user_id, state, reason, attempts, created_at, due_at, done_at FROM mail_ledger
WHERE $1::text IS NULL OR state = $1 ORDER BY created_at DESC LIMIT $2

-- name: counts
SELECT state, count(*) AS mails, min(created_at) AS oldest FROM mail_ledger GROUP BY state ORDER BY state

-- name: retry
-- Once more from the beginning; what is too late stays too late.
UPDATE mail_ledger SET state = 'waiting', reason = NULL, attempts = 0, due_at = clock_timestamp(), done_at = NULL
WHERE state = 'failed' AND until > clock_timestamp() AND ($1::uuid IS NULL OR mail_id = $1) RETURNING mail_id
