-- name: classes
-- How far the one that tells has come stands in `projection_state`. What is complete to longer ago than that is being caught up with.
SELECT c.class, c.epoch, c.count, c.beat, (extract(epoch FROM c.complete_to) * 1000000)::bigint AS complete_to,
       CASE WHEN s.status = 'halted' THEN 'halted'
            WHEN s.status = 'live' AND c.complete_to > clock_timestamp() - interval '3 seconds' THEN 'running'
            ELSE 'catching_up' END AS state,
       CASE WHEN c.class = 'access'
            THEN coalesce((SELECT k.note FROM log_checkpoints k ORDER BY k.epoch DESC, k.size DESC LIMIT 1), '') ELSE '' END AS checkpoint
FROM signal_classes c
LEFT JOIN projection_state s ON s.name = 'signals' AND s.version = 1 AND s.slot_from = 0
WHERE c.class = ANY ($1::text[])

-- name: completeness
-- What was committed before `complete_to` has been told where the one that tells has come to `size`. `asked_at` is before the look.
SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS asked_at,
       coalesce((extract(epoch FROM c.complete_to) * 1000000)::bigint, 0) AS complete_to, c.epoch, c.size,
       CASE WHEN s.epoch = c.epoch THEN s.position ELSE -1 END AS told
FROM log_completeness() c
LEFT JOIN projection_state s ON s.name = 'signals' AND s.version = 1 AND s.slot_from = 0

-- name: facts_after
SELECT count, fact FROM signals_after($1::text, $2::bigint, $3::bigint)
