-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    audience text COLLATE "C" NOT NULL,
    permissions text[] COLLATE "C" NOT NULL,
    algorithm text COLLATE "C",
    access_token_ttl integer,
    principals text[] COLLATE "C" NOT NULL,
    roles text[] COLLATE "C" NOT NULL,
    clients text[] COLLATE "C" NOT NULL,
    definition integer NOT NULL,
    description bytea,
    defined_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retired_at timestamptz
)

-- name: index
CREATE UNIQUE INDEX {name}_audience ON {table} (audience)

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY audience LIMIT {limit}

-- name: with_retired
AND (retired_at IS NOT NULL) = {value}::boolean

-- name: after
AND audience > {value}::text
