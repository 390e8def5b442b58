-- name: ask
SELECT wait_s FROM ask_mail($1::bytea[], $2::integer[], $3::integer[], $4::uuid, $5::text, $6::uuid, $7::bytea, $8::bytea, $9::integer)

-- name: spend
SELECT wait_s FROM spend_mail($1::bytea[], $2::integer[], $3::integer[])

-- name: hold
SELECT wait_s FROM ask_to_register($1::bytea[], $2::integer[], $3::integer[], $4::uuid, $5::text, $6::bytea, $7::bytea, $8::integer, $9::bytea)

-- name: pending
SELECT content FROM pending_registrations WHERE pending_id = $1 AND expires_at > clock_timestamp()

-- name: forget_pending
DELETE FROM pending_registrations WHERE pending_id = $1
