-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    user_id uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    roles text[] COLLATE "C" NOT NULL,
    roles_version integer NOT NULL,
    token_epoch integer NOT NULL,
    password_version integer NOT NULL,
    email bytea NOT NULL,
    email_verified boolean NOT NULL,
    username bytea,
    name bytea,
    registered_by text COLLATE "C" NOT NULL,
    registered_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    suspended_at timestamptz,
    suspend_reason text COLLATE "C",
    deleted_at timestamptz,
    delete_reason text COLLATE "C",
    restorable_until timestamptz,
    undo_until timestamptz
) WITH (fillfactor = 85)

-- name: index
CREATE UNIQUE INDEX {name}_user ON {table} (user_id);
CREATE INDEX {name}_roles ON {table} USING gin (roles);
CREATE INDEX {name}_status ON {table} (status, user_id);
CREATE INDEX {name}_verified ON {table} (email_verified, user_id);
CREATE INDEX {name}_deleted ON {table} (restorable_until) WHERE status = 'deleted';
CREATE INDEX {name}_undo ON {table} (undo_until) WHERE undo_until IS NOT NULL

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY user_id DESC LIMIT {limit}

-- name: alone
AND user_id = {value}::uuid

-- name: with_role
AND roles @> ARRAY[{value}::text]

-- name: with_status
AND status = ANY ({value}::text[])

-- name: with_verified
AND email_verified = {value}::boolean

-- name: after
AND user_id < {value}::uuid

-- name: past_restoring
SELECT user_id FROM {table} WHERE status = 'deleted' AND restorable_until <= statement_timestamp() ORDER BY restorable_until LIMIT $1

-- name: past_undoing
SELECT user_id FROM {table} WHERE undo_until <= statement_timestamp() ORDER BY undo_until LIMIT $1
