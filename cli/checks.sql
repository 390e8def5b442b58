-- name: role
SELECT current_user AS name,
       r.rolsuper OR r.rolcreaterole OR r.rolbypassrls AS mighty,
       EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = to_regclass('public.events') AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owns,
       current_setting('transaction_timeout') AS transaction_timeout,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('fsync') AS fsync,
       extract(epoch FROM clock_timestamp())::float8 AS clock
FROM pg_roles r WHERE r.rolname = current_user;

-- name: unguarded
-- Tables of events that some statement could still change: the table itself and every partition need the trigger, switched on.
SELECT c.relname AS name
FROM pg_class c
WHERE c.relkind IN ('r', 'p')
  AND (c.oid = to_regclass('public.events') OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('public.events')))
  AND NOT EXISTS (
      SELECT 1 FROM pg_trigger t
      WHERE t.tgrelid = c.oid AND t.tgname = 'events_stay' AND t.tgenabled IN ('O', 'A')
  )
ORDER BY c.relname;

-- name: identity_cache
SELECT s.seqcache AS size
FROM pg_sequence s
WHERE s.seqrelid = pg_get_serial_sequence('public.events', 'append_id')::regclass;

-- name: behind
-- Seconds since the oldest event that some read model in use does not have yet; one without a position counts as well.
SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - recorded_after((
    SELECT min(s.position) FROM projection_state s JOIN projection_active a ON a.name = s.name AND a.version = s.version
)))), 0)::float8;

-- name: has_mail
SELECT to_regclass('public.mail_ledger') IS NOT NULL;

-- name: mail
-- What came too late is nothing an operator can mend: it is counted for a day.
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'waiting' AND created_at < clock_timestamp() - interval '15 minutes') AS late,
       count(*) FILTER (WHERE state = 'failed' AND done_at > clock_timestamp() - interval '1 day') AS failed
FROM mail_ledger
