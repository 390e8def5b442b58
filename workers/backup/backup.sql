-- name: moment
-- In the transaction whose snapshot the dump is of.
SELECT h.size, h.epoch, clock_timestamp() AS made_at, current_setting('server_version_num')::integer / 10000 AS postgres,
       (SELECT max(version) FROM migrations) AS migrations, pg_export_snapshot() AS snapshot
FROM log_head h;

-- name: tables
SELECT n.nspname || '.' || c.relname AS name, format('SELECT count(*) FROM %I.%I', n.nspname, c.relname) AS counting,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
ORDER BY 1;

-- name: roles
-- Who owns something, or was given rights to it.
WITH things (owner, rights) AS (
    SELECT c.relowner, c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
    UNION ALL SELECT p.proowner, p.proacl FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
    UNION ALL SELECT n.nspowner, n.nspacl FROM pg_namespace n
    WHERE n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
)
SELECT r.rolname FROM pg_roles r
WHERE r.oid IN (SELECT owner FROM things UNION SELECT a.grantee FROM things, aclexplode(things.rights) a)
  AND NOT starts_with(r.rolname, 'pg_')
ORDER BY 1;

-- name: which
-- The same for every connection that leads to this database, and for no other.
SELECT c.system_identifier || '/' || d.oid FROM pg_control_system() c, pg_database d WHERE d.datname = current_database();

-- name: has_something
SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
);

-- name: missing_roles
SELECT w.name FROM unnest($1::text[]) AS w (name) WHERE to_regrole(quote_ident(w.name)) IS NULL;

-- name: make_role
SELECT format('CREATE ROLE %I NOLOGIN', $1::text);

-- name: strange
-- What is neither the log's owner's nor an administrator's, and would do more for whoever restores it than lie there: rows that are copied
-- into a table go through its checks and its domains with the rights of who copies them. Functions that change nothing are harmless there.
WITH trusted (owner) AS (
    SELECT oid FROM pg_roles WHERE rolsuper UNION SELECT relowner FROM pg_class WHERE oid = 'public.events'::regclass
), things (name, namespace, owner) AS (
    SELECT p.oid::regprocedure::text, p.pronamespace, p.proowner FROM pg_proc p
    UNION ALL SELECT t.oid::regtype::text, t.typnamespace, t.typowner FROM pg_type t WHERE t.typtype IN ('d', 'r')
    UNION ALL SELECT c.oid::regclass::text, c.relnamespace, c.relowner FROM pg_class c
    WHERE c.relkind NOT IN ('r', 'i', 'S') OR c.relrowsecurity
    UNION ALL SELECT c.oid::regclass::text, c.relnamespace, c.relowner
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'c' AND EXISTS (
        SELECT FROM regexp_matches(k.conbin::text, ':(?:op)?funcid (\d+)', 'g') called JOIN pg_proc p ON p.oid = called[1]::oid
        WHERE p.provolatile <> 'i'
    )
)
SELECT t.name, pg_get_userbyid(t.owner) AS owner FROM things t JOIN pg_namespace n ON n.oid = t.namespace
WHERE t.owner NOT IN (SELECT owner FROM trusted) AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
ORDER BY 1;
