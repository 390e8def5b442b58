-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_epoch integer NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    audiences text[] COLLATE "C" NOT NULL,
    amr text[] COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    reauthenticated_at timestamptz,
    generation integer NOT NULL,
    refreshed_at timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    network bytea,
    user_agent bytea,
    device_name bytea,
    ended_at timestamptz,
    end_reason text COLLATE "C",
    signals text[] COLLATE "C" NOT NULL,
    review text COLLATE "C"
) WITH (fillfactor = 70)

-- name: index
-- Of the columns that a refresh changes none is indexed: its update stays on its page.
CREATE UNIQUE INDEX {name}_user ON {table} (user_id, session_id);
CREATE INDEX {name}_open ON {table} (user_id, session_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX {name}_live ON {table} (session_id) WHERE ended_at IS NULL;
CREATE INDEX {name}_review ON {table} (review, session_id) WHERE review IS NOT NULL

-- name: of_user
-- $2, the user's token epoch, is not needed to list them all.
SELECT *, clock_timestamp() AS read_at FROM {table}
WHERE user_id = $1 AND $2::integer IS NOT NULL {after}
ORDER BY session_id DESC LIMIT $3

-- name: of_user_active
SELECT *, clock_timestamp() AS read_at FROM {table}
WHERE user_id = $1 AND ended_at IS NULL AND token_epoch >= $2
    AND idle_expires_at > clock_timestamp() AND expires_at > clock_timestamp() {after}
ORDER BY session_id DESC LIMIT $3

-- name: of_user_ended
SELECT *, clock_timestamp() AS read_at FROM {table}
WHERE user_id = $1 AND (ended_at IS NOT NULL OR token_epoch < $2
    OR idle_expires_at <= clock_timestamp() OR expires_at <= clock_timestamp()) {after}
ORDER BY session_id DESC LIMIT $3

-- name: after
AND session_id < $4

-- name: all_of
SELECT session_id FROM {table} WHERE user_id = $1 AND session_id > $2 ORDER BY session_id LIMIT $3

-- name: candidates
-- In the order they began, so that a walk through them comes to an end.
SELECT * FROM {table} WHERE ended_at IS NULL AND idle_expires_at > clock_timestamp() AND expires_at > clock_timestamp()
    {conditions} ORDER BY session_id LIMIT {limit}

-- name: by_user
AND user_id = {value}::uuid

-- name: for_audience
AND audiences @> ARRAY[{value}::text]

-- name: of_client
AND client_id = {value}::text

-- name: since
AND started_at >= {value}::timestamptz

-- name: until
AND started_at < {value}::timestamptz

-- name: is_suspicious
AND (review IS NOT NULL) = {value}::boolean

-- name: past
AND session_id > {value}::uuid

-- name: suspicious
SELECT * FROM {table} WHERE review IS NOT NULL {conditions} ORDER BY session_id DESC LIMIT {limit}

-- name: in_review
AND review = {value}::text

-- name: before
AND session_id < {value}::uuid

-- name: clock
SELECT clock_timestamp() AS read_at
