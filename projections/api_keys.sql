-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    key_id uuid NOT NULL,
    user_id uuid,
    client_id text COLLATE "C",
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    since timestamptz NOT NULL,
    told_at timestamptz
)

-- name: index
CREATE UNIQUE INDEX {name}_live ON {table} (key_id DESC) WHERE revoked_at IS NULL;
CREATE INDEX {name}_untold ON {table} (expires_at, key_id) WHERE revoked_at IS NULL AND told_at IS NULL;
CREATE INDEX {name}_user ON {table} (user_id, key_id DESC) WHERE revoked_at IS NULL;
CREATE INDEX {name}_owner ON {table} (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX {name}_client ON {table} (client_id, key_id DESC) WHERE revoked_at IS NULL

-- name: page
SELECT * FROM {table} WHERE revoked_at IS NULL {conditions} ORDER BY key_id DESC LIMIT {limit}

-- name: of_user
AND user_id = {value}::uuid

-- name: of_client
AND client_id = {value}::text

-- name: expires_before
AND expires_at < {value}::timestamptz

-- name: after
AND key_id < {value}::uuid

-- name: ending
-- As domain.api_key.tell_of_end has it, which decides.
SELECT key_id FROM {table} WHERE revoked_at IS NULL AND told_at IS NULL
    AND expires_at > statement_timestamp() AND expires_at <= statement_timestamp() + interval '14 days'
    AND expires_at - (expires_at - since) / 5 <= statement_timestamp()
ORDER BY expires_at, key_id LIMIT $1

-- name: all_of
SELECT key_id FROM {table} WHERE user_id = $1 ORDER BY key_id
