-- name: append
SELECT result, outcome FROM append_commits(
    $1::int, $2::boolean,
    $3::int[], $4::text[], $5::int[], $6::int[], $7::bytea[], $8::smallint[],
    $9::int[], $10::text[], $11::int[], $12::text[], $13::uuid[], $14::text[], $15::uuid[],
    $16::uuid[], $17::uuid[], $18::uuid[], $19::uuid[], $20::bytea[],
    $21::int[], $22::int[], $23::bytea[], $24::text[], $25::boolean[], $26::uuid[],
    $27::int[], $28::bytea[], $29::bytea[], $30::bytea[], $31::text[]
)

-- name: load_heads
SELECT version, state, state_version, at FROM load_heads($1::text[])

-- name: find_holders
SELECT version, state, state_version, at, request, holder, stream
FROM find_holders($1::int[], $2::int[], $3::bytea[], $4::int[], $5::text[], $6::int[], $7::text[])

-- name: find_outcomes
SELECT digest, outcome, exhausted FROM find_outcomes($1::bytea[], $2::text[], $3::int)

-- name: read_stream
SELECT position, append_id, stream, version, type, event_id, recorded_at, actor, session_id,
       command_id, correlation_id, causation_id, key_id, payload
FROM read_stream($1::text, $2::int, $3::int)

-- name: names_of
SELECT index_version, mac, stream FROM claim_index WHERE stream = ANY ($1::text[]) ORDER BY index_version, mac
