-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    owner_id uuid,
    registered_at timestamptz NOT NULL,
    deleted_at timestamptz,
    epoch integer NOT NULL,
    tokens_since timestamptz
)

-- name: index
CREATE UNIQUE INDEX {name}_live ON {table} (client_id) WHERE deleted_at IS NULL

-- name: page
SELECT * FROM {table} WHERE deleted_at IS NULL {conditions} ORDER BY client_id LIMIT {limit}

-- name: after
AND client_id > {value}::text
