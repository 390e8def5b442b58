-- name: server
-- Connections are counted as the server counts them against its limit: all but its own processes.
SELECT pg_database_size(current_database()) AS size,
       (SELECT sum(numbackends)::bigint FROM pg_stat_database) AS connections,
       current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
           - coalesce(current_setting('reserved_connections', true), '0')::bigint AS connections_most,
       (SELECT age(datfrozenxid)::bigint FROM pg_database WHERE datname = current_database()) AS oldest_xid
