-- name: has_mail
SELECT to_regclass('public.mail_ledger') IS NOT NULL;

-- name: mail
-- What came too late is nothing an operator can mend: it is counted for a day.
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'waiting' AND created_at < clock_timestamp() - interval '15 minutes') AS late,
       count(*) FILTER (WHERE state = 'failed' AND done_at > clock_timestamp() - interval '1 day') AS failed
FROM mail_ledger
