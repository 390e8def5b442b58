-- name: issue
INSERT INTO bootstrap_codes (digest, expires_at) VALUES ($1, clock_timestamp() + $2::integer * interval '1 second')
ON CONFLICT (only_row) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at, tries = 0;

-- name: count_try
UPDATE bootstrap_codes SET tries = tries + 1 WHERE tries < $1::integer AND expires_at > clock_timestamp() RETURNING digest;
