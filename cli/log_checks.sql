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
-- Seconds since the oldest event that some read model of those that serve ($1, $2: name and generation) does not have yet; one without
-- a position counts as well.
SELECT coalesce(greatest(0, extract(epoch FROM clock_timestamp() - recorded_after((
    SELECT min(s.position) FROM projection_state s
    JOIN unnest($1::text[], $2::integer[]) AS u (name, version) ON u.name = s.name AND u.version = s.version
)))), 0)::float8;

-- name: unnumbered
-- Seconds since the oldest event was recorded that has no position.
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(e.recorded_at)), 0)::float8
FROM events e WHERE e.append_id > (SELECT coalesce(max(r.append_start + r.n - 1), 0) FROM log_runs r);

-- name: partitions
-- `here`: the one being written; `last`: the last one that is ready for writers; `unsealed`: full ones that retention has not looked at.
SELECT here, last, (
    SELECT count(*) FROM generate_series(0, here - 1) n WHERE NOT EXISTS (SELECT FROM log_partitions p WHERE p.number = n)
)::integer AS unsealed
FROM (SELECT coalesce(max(append_id), 0) >> 24 AS here FROM events) e,
     (SELECT max(substring(c.relname FROM '[0-9]+$')::bigint) AS last
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass('public.events')) p;

-- name: growth
-- Bytes of the database, events in it, and how many of them came within a week.
SELECT pg_database_size(current_database()) AS bytes, h.size, h.size - position_at(clock_timestamp() - interval '7 days') AS of_week
FROM log_head h;

-- name: parked
SELECT count(*) FROM projection_parked;

-- name: leftovers
-- Seconds since the oldest answer to a repeated command was kept.
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 FROM command_results;
