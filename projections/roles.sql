-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    role text COLLATE "C" NOT NULL,
    permissions text[] COLLATE "C" NOT NULL,
    definition integer NOT NULL,
    description bytea,
    defined_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retired_at timestamptz
)

-- name: index
CREATE UNIQUE INDEX {name}_role ON {table} (role)

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY role LIMIT {limit}

-- name: with_retired
AND (retired_at IS NOT NULL) = {value}::boolean

-- name: after
AND role > {value}::text
