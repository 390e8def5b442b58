-- name: find_database
-- A database closed to others, the last step below, says that the making was done.
SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'minos' AND datacl IS NOT NULL);

-- name: hold_passwords
SELECT set_config('minos.owner_password', $1, false), set_config('minos.app_password', $2, false);

-- name: make_roles
DO $$
BEGIN
    IF to_regrole('minos_owner') IS NULL THEN
        CREATE ROLE minos_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    IF to_regrole('minos_app') IS NULL THEN
        CREATE ROLE minos_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    EXECUTE format('ALTER ROLE minos_owner PASSWORD %L', current_setting('minos.owner_password'));
    EXECUTE format('ALTER ROLE minos_app PASSWORD %L', current_setting('minos.app_password'));
    -- The heartbeats' promise of completeness waits for the oldest open transaction: none of ours may stay open.
    ALTER ROLE minos_app SET transaction_timeout = '5s';
END
$$;

-- name: make_database
CREATE DATABASE minos OWNER minos_owner;

-- name: close_database
REVOKE ALL ON DATABASE minos FROM PUBLIC;
GRANT CONNECT ON DATABASE minos TO minos_app;
