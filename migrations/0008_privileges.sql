-- What the serving role may do. It reads the log and appends through one function; it cannot write a log table itself.

REVOKE ALL ON FUNCTION append_commits, append_keys, append_heads, append_claims, sequence_step, store_runs, committed_between, resequence,
    make_partition, ensure_partitions, load_heads, find_claims, find_outcomes FROM PUBLIC;
GRANT USAGE ON SCHEMA public, vault TO minos_app;
GRANT USAGE, CREATE ON SCHEMA read TO minos_app;

GRANT SELECT ON events, event_log, heads, claim_index, log_head, log_runs, migrations TO minos_app;
GRANT EXECUTE ON FUNCTION append_commits, sequence_step, resequence, ensure_partitions, load_heads, find_claims, find_outcomes
    TO minos_app;

-- Pruning after 72 h and erasure; rows come in through the append only.
GRANT SELECT, DELETE ON command_results TO minos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON projection_state, projection_parked, projection_active TO minos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_guard, sign_in_guard_since, sign_in_attempts, bootstrap_codes TO minos_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vault TO minos_app;
