-- name: role
SELECT current_user AS name,
       r.rolsuper OR r.rolcreaterole OR r.rolbypassrls AS mighty,
       EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = to_regclass('public.events') AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owns,
       current_setting('transaction_timeout') AS transaction_timeout,
       extract(epoch FROM clock_timestamp())::float8 AS clock
FROM pg_roles r WHERE r.rolname = current_user;

-- name: lacking
-- Some of what migrations granted, of each kind: all of it is missing after a restore without rights, or for a role of another name.
SELECT what FROM (
    SELECT 'SELECT ON ' || c.oid::regclass AS what, has_table_privilege(c.oid, 'SELECT') AS may
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'vault')
    WHERE c.relname IN ('events', 'heads', 'log_head', 'command_results', 'projection_state', 'subject_keys', 'log_keys')
    UNION ALL SELECT 'EXECUTE ON ' || p.oid::regprocedure, has_function_privilege(p.oid, 'EXECUTE')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'public'
    WHERE p.proname IN ('append_commits', 'sequence_step', 'ensure_partitions', 'read_log')
    UNION ALL SELECT privilege || ' ON SCHEMA ' || n.nspname, has_schema_privilege(n.oid, privilege)
    FROM pg_namespace n JOIN (VALUES ('public', 'USAGE'), ('vault', 'USAGE'), ('read', 'USAGE'), ('read', 'CREATE')) w (name, privilege)
        ON w.name = n.nspname
) things WHERE NOT may ORDER BY 1;

-- name: owners
-- Everything of the schema belongs to the role that owns `events`, and read models to who serves: others could not change them.
SELECT c.oid::regclass::text AS name, pg_get_userbyid(c.relowner) AS owner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class e ON e.oid = to_regclass('public.events')
WHERE c.relkind IN ('r', 'p', 'v') AND (
    n.nspname IN ('public', 'vault', 'detached') AND c.relowner <> e.relowner
    OR n.nspname = 'read' AND pg_get_userbyid(c.relowner) <> current_user
) ORDER BY 1;
