-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    token_id uuid NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    audience text COLLATE "C",
    issued_at timestamptz,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    told_at timestamptz
)

-- name: index
CREATE INDEX {name}_live ON {table} (expires_at, token_id) WHERE issued_at IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX {name}_untold ON {table} (expires_at, token_id) WHERE issued_at IS NOT NULL AND revoked_at IS NULL AND told_at IS NULL;
CREATE INDEX {name}_client ON {table} (client_id, expires_at, token_id) WHERE issued_at IS NOT NULL AND revoked_at IS NULL

-- name: page
SELECT given.* FROM {table} AS given WHERE issued_at IS NOT NULL AND revoked_at IS NULL AND expires_at > statement_timestamp() {conditions}
ORDER BY expires_at, token_id LIMIT {limit}

-- name: good
AND issued_at >= coalesce((SELECT tokens_since FROM {accounts} AS account WHERE account.stream = 'client-' || given.client_id), '-infinity')

-- name: of_client
AND client_id = {value}::text

-- name: ending
-- As domain.machine_token.tell_of_end has it, which decides.
SELECT token_id FROM {table} AS given WHERE issued_at IS NOT NULL AND revoked_at IS NULL AND told_at IS NULL
    AND expires_at > statement_timestamp() AND expires_at <= statement_timestamp() + interval '14 days'
    AND expires_at - (expires_at - issued_at) / 5 <= statement_timestamp() {good}
ORDER BY expires_at, token_id LIMIT $1

-- name: endings
SELECT (
    SELECT expires_at FROM {table} AS given WHERE issued_at IS NOT NULL AND revoked_at IS NULL AND expires_at > statement_timestamp() {good}
    ORDER BY expires_at LIMIT 1
) AS first_at, (
    SELECT count(*) FROM {table} AS given WHERE issued_at IS NOT NULL AND revoked_at IS NULL
        AND expires_at > statement_timestamp() AND expires_at <= statement_timestamp() + interval '14 days'
        AND expires_at - (expires_at - issued_at) / 5 <= statement_timestamp() {good}
) AS soon
