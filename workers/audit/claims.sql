-- name: heads
-- The claims behind stream $1, in order.
SELECT stream, version, state, state_version FROM heads WHERE stream > $1 AND stream >= 'claim-' AND stream < 'claim.' ORDER BY stream LIMIT $2

-- name: names
-- What leads to the streams behind $1 up to $2.
SELECT index_version, stream, holder FROM claim_index WHERE stream > $1 AND stream <= $2 ORDER BY stream, index_version

-- name: strays
-- What leads to no stream of a claim.
SELECT stream FROM claim_index WHERE stream < 'claim-' UNION ALL SELECT stream FROM claim_index WHERE stream >= 'claim.' LIMIT 100

-- name: events
-- Of these streams, in order.
SELECT stream, type, payload FROM events WHERE stream = ANY ($1::text[]) ORDER BY stream, version
