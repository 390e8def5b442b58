-- name: heads
-- The claims behind stream $1, in order.
SELECT stream, state, state_version FROM heads WHERE stream > $1 AND stream >= 'claim-' AND stream < 'claim.' ORDER BY stream LIMIT $2

-- name: names
-- What leads to the streams behind $1 up to $2.
SELECT index_version, stream, holder FROM claim_index WHERE stream > $1 AND stream <= $2 ORDER BY stream, index_version
