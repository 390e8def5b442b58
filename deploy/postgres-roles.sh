#!/bin/sh
# Run once by the PostgreSQL image: the database, its owner, and the role that serves, which owns nothing.
set -eu
psql --username postgres --dbname postgres --set ON_ERROR_STOP=1 \
    --set owner="$(cat /run/secrets/owner)" --set app="$(cat /run/secrets/app)" <<'SQL'
CREATE ROLE minos_owner LOGIN PASSWORD :'owner';
CREATE ROLE minos_app LOGIN PASSWORD :'app';
ALTER ROLE minos_app SET transaction_timeout = '5s';
CREATE DATABASE minos OWNER minos_owner;
REVOKE ALL ON DATABASE minos FROM PUBLIC;
GRANT CONNECT ON DATABASE minos TO minos_app;
SQL
