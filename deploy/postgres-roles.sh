#!/bin/sh
# Run once by the PostgreSQL image: the database, its owner, and the role that serves, which owns nothing.
# psql reads the passwords itself: arguments are for every process on the machine to see.
set -eu
psql --username postgres --dbname postgres --set ON_ERROR_STOP=1 <<'SQL'
\set owner `cat /run/secrets/owner`
\set app `cat /run/secrets/app`
CREATE ROLE minos_owner LOGIN PASSWORD :'owner';
CREATE ROLE minos_app LOGIN PASSWORD :'app';
ALTER ROLE minos_app SET transaction_timeout = '5s';
CREATE DATABASE minos OWNER minos_owner;
REVOKE ALL ON DATABASE minos FROM PUBLIC;
GRANT CONNECT ON DATABASE minos TO minos_app;
SQL
