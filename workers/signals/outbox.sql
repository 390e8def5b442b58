-- name: begin
INSERT INTO projection_state (name, version, position) VALUES ('signals', 1, 0) ON CONFLICT DO NOTHING

-- name: state
SELECT s.position, s.epoch, f.life, ARRAY(SELECT substr(c.class, 7) FROM signal_classes c WHERE c.class LIKE 'roles.%' AND c.told) AS told
FROM projection_state s CROSS JOIN signal_feed f
WHERE s.name = 'signals' AND s.version = 1 AND s.slot_from = 0

-- name: halt
UPDATE projection_state SET status = 'halted', reason = $1
WHERE name = 'signals' AND version = 1 AND slot_from = 0 AND (status <> 'halted' OR reason IS DISTINCT FROM $1)

-- name: catalogue
-- Heads of every role and every audience: by their names in the index, which is in the order of bytes.
SELECT stream, version, state, state_version FROM heads WHERE stream >= 'role-' AND stream < 'role.'
UNION ALL
SELECT stream, version, state, state_version FROM heads WHERE stream >= 'audience-' AND stream < 'audience.'

-- name: fold
SELECT fold_signals(
    $1, $2, $3, $4, $5::text[], $6::boolean[], $7::text[], $8::text[], $9::bytea[], $10::bigint[],
    $11::uuid[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::uuid[]
)

-- name: completeness
SELECT size, complete_to FROM log_completeness()

-- name: beat
SELECT beat_signals($1, $2, $3)

-- name: let_go
UPDATE signal_feed SET leased_until = '-infinity' WHERE only_row AND holder = $1

-- name: due
-- Of each class how it stands, and the first rows that NATS has not acknowledged; one row without a subject where there are none. What was
-- acknowledged and is not noted yet is given, each in its epoch.
SELECT c.class, c.epoch, c.count AS newest, greatest(c.sent, k.sent) AS sent, c.sequence, c.first_sequence, c.resend_to, c.beat, c.kid,
       (extract(epoch FROM c.complete_to) * 1000000)::bigint AS complete_to, coalesce(s.status = 'halted', false) AS halted,
       CASE WHEN c.class = 'access'
            THEN coalesce((SELECT k.note FROM log_checkpoints k ORDER BY k.epoch DESC, k.size DESC LIMIT 1), '') ELSE '' END AS checkpoint,
       l.subject, l.count, l.fact, l.ttl
FROM signal_classes c
LEFT JOIN projection_state s ON s.name = 'signals' AND s.version = 1 AND s.slot_from = 0
LEFT JOIN unnest($2::text[], $3::integer[], $4::bigint[]) AS k (class, epoch, sent) ON k.class = c.class AND k.epoch = c.epoch
LEFT JOIN LATERAL signals_after(c.class, greatest(c.sent, k.sent), $1) l ON greatest(c.sent, k.sent) < c.count
ORDER BY c.class, l.count

-- name: sent
SELECT signals_sent($1::text[], $2::integer[], $3::bigint[], $4::bigint[])

-- name: newest
SELECT epoch, count FROM signal_classes WHERE class = $1

-- name: fact_of
SELECT fact FROM signals_after($1, $2::bigint - 1, 1) WHERE count = $2

-- name: holds
-- By a few seconds, in which a message may end before its row by another clock.
SELECT EXISTS (
    SELECT FROM live_signals
    WHERE class = $1::text AND count <= $2::bigint AND coalesce(until > clock_timestamp() + interval '5 seconds', true)
)

-- name: renew
-- The stream is not what was sent: all that holds goes out again, after what is there, as another epoch than any before.
UPDATE signal_classes
SET epoch = next_signal_epoch(greatest(epoch, $3::integer)), sent = 0, resend_to = count, sequence = $4::bigint, first_sequence = $4::bigint + 1
WHERE class = $1 AND epoch = $2

-- name: sign_with
-- What was sent under another key goes out again under this one, as another epoch.
UPDATE signal_classes
SET kid = $3,
    epoch = CASE WHEN kid IS NULL THEN epoch ELSE next_signal_epoch(epoch) END,
    sent = CASE WHEN kid IS NULL THEN sent ELSE 0 END,
    resend_to = CASE WHEN kid IS NULL THEN resend_to ELSE greatest(count, 1) END,
    first_sequence = CASE WHEN kid IS NULL THEN first_sequence ELSE sequence + 1 END
WHERE class = $1 AND epoch = $2 AND kid IS DISTINCT FROM $3

-- name: resume
-- The stream has more than was noted: what follows comes after it.
UPDATE signal_classes
SET sequence = $3::bigint, first_sequence = CASE WHEN resend_to > 0 AND sent = 0 THEN $3::bigint + 1 ELSE first_sequence END
WHERE class = $1 AND epoch = $2

-- name: resent
UPDATE signal_classes SET resend_to = 0 WHERE class = $1 AND epoch = $2
