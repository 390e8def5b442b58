-- name: server
SELECT s.fsync, s.full_page_writes, s.synchronous_commit, s.wal_level, s.autovacuum, s.track_counts, s.data_checksums,
       current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
           - current_setting('reserved_connections')::integer AS most_connections,
       (SELECT sum(numbackends) FROM pg_stat_database)::integer AS connections,
       r.rolconnlimit AS role_limit,
       age(d.datfrozenxid)::bigint AS oldest_xid, mxid_age(d.datminmxid)::bigint AS oldest_mxid,
       current_setting('autovacuum_freeze_max_age')::bigint AS freeze_at,
       (SELECT count(*) FROM pg_prepared_xacts WHERE prepared < clock_timestamp() - interval '1 hour') AS forgotten,
       pg_is_in_recovery() AS standby,
       pg_backend_pid() AS pid
FROM pg_roles r, pg_database d,
     (SELECT current_setting('fsync') = 'on' AS fsync, current_setting('full_page_writes') = 'on' AS full_page_writes,
             current_setting('synchronous_commit') AS synchronous_commit, current_setting('wal_level') AS wal_level,
             current_setting('autovacuum') = 'on' AS autovacuum, current_setting('track_counts') = 'on' AS track_counts,
             current_setting('data_checksums') = 'on' AS data_checksums) s
WHERE r.rolname = current_user AND d.datname = current_database();

-- name: slots
-- Replication slots that nobody reads, or that hold more of the write-ahead log than may be kept.
SELECT slot_name, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS held
FROM pg_replication_slots WHERE NOT active OR wal_status IN ('unreserved', 'lost') ORDER BY 1;

-- name: dead
-- Tables with more dead rows than living ones.
SELECT relname, n_dead_tup AS dead FROM pg_stat_user_tables WHERE n_dead_tup > 1000000 AND n_dead_tup > n_live_tup ORDER BY 2 DESC LIMIT 3;
