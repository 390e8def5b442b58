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
    suspend_reason text COLLATE "C"
) WITH (fillfactor = 85)

-- name: index
CREATE UNIQUE INDEX {name}_user ON {table} (user_id);
CREATE INDEX {name}_roles ON {table} USING gin (roles);
CREATE INDEX {name}_status ON {table} (status, user_id)

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY user_id DESC LIMIT {limit}

-- name: with_role
AND roles @> ARRAY[{value}::text]

-- name: with_status
AND status = {value}::text

-- name: after
AND user_id < {value}::uuid
