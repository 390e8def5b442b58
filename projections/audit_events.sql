-- name: create
CREATE TABLE {table} (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    type text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    event_id uuid NOT NULL,
    actor text COLLATE "C" NOT NULL,
    session_id uuid,
    user_id uuid,
    command_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid
)

-- name: index
CREATE INDEX {name}_actor ON {table} (actor, position);
CREATE INDEX {name}_type ON {table} (type, position);
CREATE INDEX {name}_stream ON {table} (stream, position);
CREATE INDEX {name}_user ON {table} (user_id, position) WHERE user_id IS NOT NULL;
CREATE INDEX {name}_correlation ON {table} (correlation_id, position);
CREATE INDEX {name}_recorded ON {table} (recorded_at)

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY position DESC LIMIT {limit}

-- name: by_actor
AND actor = {value}::text

-- name: of_type
-- Tags are lower-case words with dots; '/' is the character after '.'.
AND (type = {value}::text OR (type >= {value}::text || '.' AND type < {value}::text || '/'))

-- name: on_stream
AND stream = {value}::text

-- name: about_user
AND user_id = {value}::uuid

-- name: in_correlation
AND correlation_id = {value}::uuid

-- name: since
AND recorded_at >= {value}::timestamptz

-- name: until
AND recorded_at < {value}::timestamptz

-- name: after
AND position < {value}::bigint
