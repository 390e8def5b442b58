-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    kid text COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    algorithm text COLLATE "C" NOT NULL,
    stage text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    promoted_at timestamptz,
    retired_at timestamptz,
    verify_until timestamptz,
    revoked_at timestamptz,
    revoke_reason text COLLATE "C"
)

-- name: index
CREATE UNIQUE INDEX {name}_kid ON {table} (kid)

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY kid LIMIT {limit}

-- name: with_stage
AND stage = {value}::text

-- name: for_purpose
AND purpose = {value}::text

-- name: after
AND kid > {value}::text

-- name: active_since
SELECT purpose, min(coalesce(promoted_at, created_at)) AS since FROM {table} WHERE stage = 'active' GROUP BY purpose
