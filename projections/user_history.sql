-- name: create
CREATE TABLE {table} (
    position bigint PRIMARY KEY,
    user_id uuid NOT NULL,
    at timestamptz NOT NULL,
    type text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    session_id uuid,
    role text COLLATE "C",
    reason text COLLATE "C",
    until timestamptz,
    stream text COLLATE "C" NOT NULL,
    network bytea,
    user_agent bytea,
    device_name bytea
)

-- name: index
CREATE UNIQUE INDEX {name}_user ON {table} (user_id, position)

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY position DESC LIMIT {limit}

-- name: of_user
AND user_id = {value}::uuid

-- name: after
AND position < {value}::bigint
