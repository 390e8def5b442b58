-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    user_id uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz
)

-- name: index
CREATE INDEX {name}_status ON {table} (status, user_id);
CREATE INDEX {name}_due ON {table} (due_at) WHERE status = 'asked'

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY user_id DESC LIMIT {limit}

-- name: with_status
AND status = {value}::text

-- name: after
AND user_id < {value}::uuid

-- name: due
SELECT user_id FROM {table} WHERE status = 'asked' AND due_at <= statement_timestamp() ORDER BY due_at LIMIT $1
