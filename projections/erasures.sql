-- name: create
CREATE TABLE {table} (
    stream text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    user_id uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    asked_by text COLLATE "C" NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz,
    names_until timestamptz,
    told text[] COLLATE "C" NOT NULL,
    acknowledged text[] COLLATE "C" NOT NULL,
    remind_at timestamptz
)

-- name: index
CREATE INDEX {name}_status ON {table} (status, user_id);
CREATE INDEX {name}_due ON {table} (due_at) WHERE status = 'asked';
CREATE INDEX {name}_unfinished ON {table} (ended_at) WHERE status = 'begun';
CREATE INDEX {name}_barred ON {table} (names_until) WHERE names_until IS NOT NULL;
CREATE INDEX {name}_unheard ON {table} (remind_at) WHERE remind_at IS NOT NULL

-- name: page
SELECT * FROM {table} WHERE true {conditions} ORDER BY user_id DESC LIMIT {limit}

-- name: with_status
AND status = {value}::text

-- name: awaiting
AND told @> ARRAY[{value}::text] AND NOT acknowledged @> ARRAY[{value}::text]

-- name: after
AND user_id < {value}::uuid

-- name: due
SELECT user_id FROM {table} WHERE status = 'asked' AND due_at <= statement_timestamp() ORDER BY due_at LIMIT $1

-- name: unfinished
SELECT user_id FROM {table} WHERE status = 'begun' ORDER BY ended_at LIMIT $1

-- name: past_barring
SELECT user_id FROM {table} WHERE names_until <= statement_timestamp() ORDER BY names_until LIMIT $1

-- name: unheard
SELECT user_id FROM {table} WHERE remind_at <= statement_timestamp() ORDER BY remind_at LIMIT $1

-- name: late
-- Keys of one whose keys were destroyed are there only where somebody got round what refuses them.
SELECT (SELECT count(*) FROM {table} WHERE status = 'begun' AND ended_at < statement_timestamp() - $1 * interval '1 second') AS unfinished,
       (SELECT count(*) FROM vault.erased_subjects s JOIN vault.subject_keys k ON k.subject = s.subject) AS keys
