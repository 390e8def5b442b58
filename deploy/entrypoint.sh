#!/bin/sh
# Puts the URLs of compose.yaml's servers together from secrets in files, then becomes `minos`. With URLs given, it only does the latter.
set -eu
secret() { cat "/run/secrets/$1"; }
if [ -z "${MINOS_DATABASE_URL:-}${MINOS_DATABASE_URL_FILE:-}" ]; then
    export MINOS_DATABASE_URL="postgresql://minos_app:$(secret app)@postgres/minos"
    if [ "${1:-}" = migrate ]; then export MINOS_MIGRATION_DATABASE_URL="postgresql://minos_owner:$(secret owner)@postgres/minos"; fi
fi
if [ -z "${MINOS_NATS_URL:-}${MINOS_NATS_URL_FILE:-}" ]; then
    export MINOS_NATS_URL=nats://nats:4222 MINOS_NATS_CREDENTIALS=/run/secrets/seed
    if [ "${1:-}" = serve ]; then  # which tells NATS who its connections are
        export MINOS_NATS_CALLOUT_ISSUER_FILE=/run/secrets/callout-issuer MINOS_NATS_CALLOUT_XKEY_FILE=/run/secrets/callout-xkey
    fi
fi
if [ -z "${MINOS_MASTER_KEY:-}${MINOS_MASTER_KEY_FILE:-}" ]; then
    export MINOS_MASTER_KEY_FILE=/run/secrets/master_key
fi
exec minos "$@"
