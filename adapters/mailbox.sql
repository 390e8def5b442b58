-- name: ask
SELECT wait_s FROM ask_mail($1::bytea[], $2::integer[], $3::integer[], $4::uuid, $5::text, $6::uuid, $7::bytea, $8::bytea, $9::integer)
