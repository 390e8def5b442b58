-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    invitation_id uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    email bytea NOT NULL,
    name bytea,
    roles text[] COLLATE "C" NOT NULL,
    invited_by uuid,
    mailings integer NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    user_id uuid
)

-- name: index
CREATE UNIQUE INDEX {name}_invitation ON {table} (invitation_id);
CREATE INDEX {name}_status ON {table} (status, invitation_id);
CREATE INDEX {name}_accepted ON {table} (user_id) WHERE user_id IS NOT NULL

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY invitation_id DESC LIMIT {limit}

-- name: with_status
AND status = {value}::text

-- name: after
AND invitation_id < {value}::uuid

-- name: accepted_by
SELECT invitation_id FROM {table} WHERE user_id = $1 ORDER BY invitation_id
