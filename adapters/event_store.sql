-- name: append
SELECT result, outcome FROM append_commits(
    $1::int, $2::boolean,
    $3::int[], $4::text[], $5::int[], $6::int[], $7::bytea[], $8::smallint[],
    $9::int[], $10::text[], $11::int[], $12::text[], $13::uuid[], $14::text[], $15::uuid[],
    $16::uuid[], $17::uuid[], $18::uuid[], $19::uuid[], $20::bytea[],
    $21::int[], $22::int[], $23::bytea[], $24::text[], $25::boolean[],
    $26::int[], $27::bytea[], $28::bytea[], $29::bytea[], $30::text[]
)

-- name: load_heads
SELECT version, state, state_version, at FROM load_heads($1::text[])

-- name: find_claims
SELECT stream FROM find_claims($1::int[], $2::bytea[])

-- name: find_outcomes
SELECT digest, outcome FROM find_outcomes($1::bytea[])

-- name: find_event_id
SELECT event_id FROM events WHERE stream = $1::text AND version = $2::int

-- name: read_stream
SELECT CASE WHEN e.append_id < r.append_start + r.n THEN r.position_start + (e.append_id - r.append_start) END AS position,
       e.append_id, e.stream, e.version, e.type, e.event_id, e.recorded_at, e.actor, e.session_id,
       e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload
FROM events e
LEFT JOIN LATERAL (
    SELECT l.position_start, l.append_start, l.n FROM log_runs l
    WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r ON true
WHERE e.stream = $1::text AND e.version > $2::int
ORDER BY e.version
