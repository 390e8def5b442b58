-- name: has_signals
SELECT to_regclass('public.signal_classes') IS NOT NULL;

-- name: signals
-- Of all classes the one that is complete up to the earliest moment, and what NATS has not acknowledged yet.
SELECT coalesce(s.status, 'live') AS status, s.reason,
       extract(epoch FROM clock_timestamp() - min(c.complete_to))::float8 AS age,
       coalesce(sum(greatest(c.count - c.sent, 0)), 0)::bigint AS waiting
FROM signal_classes c
LEFT JOIN projection_state s ON s.name = 'signals' AND s.version = 1 AND s.slot_from = 0
GROUP BY s.status, s.reason
