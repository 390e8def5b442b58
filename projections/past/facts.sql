-- name: create
-- `fork` is the node of an endless binary tree over the positions where an ended period hangs: the one within it that most
-- positions lie beneath. Whatever held at a position hangs on the way down to it (H.-P. Kriegel et al., VLDB 2000).
CREATE TABLE {table} (
    stream text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    number bigint,
    until timestamptz,
    from_position bigint NOT NULL,
    from_at timestamptz NOT NULL,
    from_event uuid NOT NULL,
    to_position bigint,
    to_at timestamptz,
    to_event uuid,
    fork bigint GENERATED ALWAYS AS (
        (to_position - 1) >> (length(ltrim(((from_position - 1) # (to_position - 1))::bit(64)::text, '0')) - 1)
        << (length(ltrim(((from_position - 1) # (to_position - 1))::bit(64)::text, '0')) - 1)
    ) STORED,
    PRIMARY KEY (stream, what, name, from_position),
    CHECK (to_position > from_position)
) WITH (fillfactor = 90)

-- name: index
CREATE INDEX {name}_open ON {table} (what, name, from_position) WHERE to_position IS NULL;
CREATE INDEX {name}_left ON {table} (what, name, fork, to_position) WHERE to_position IS NOT NULL;
CREATE INDEX {name}_right ON {table} (what, name, fork, from_position) WHERE to_position IS NOT NULL

-- name: index_turns
CREATE INDEX {name}_begun ON {table} (from_position);
CREATE INDEX {name}_ended ON {table} (to_position) WHERE to_position IS NOT NULL

-- name: at
-- All that held of these streams at a position.
SELECT stream, what, name, number, until, from_position, from_at, from_event, to_position, to_at, to_event
FROM {table} WHERE stream = ANY ($1::text[]) AND from_position <= $2 AND (to_position IS NULL OR to_position > $2)
ORDER BY stream, what, name

-- name: holding
-- Of which streams a fact held at position $3 and moment $4. Lane 0 has what holds still; each further lane is a node of the tree:
-- to the left of the position hangs what ended after it, to the right what began before it.
SELECT * FROM (
    (SELECT 0 AS lane, p.from_position AS place, p.* FROM {table} p
        WHERE p.what = $1 AND p.name = $2 AND p.to_position IS NULL AND p.from_position > $5 AND p.from_position <= $3
            AND (p.until IS NULL OR p.until > $4)
        ORDER BY p.from_position LIMIT $12)
    UNION ALL
    (SELECT n.lane, p.to_position AS place, p.* FROM unnest($6::integer[], $7::bigint[], $8::bigint[]) AS n (lane, node, beyond)
        CROSS JOIN LATERAL (
            SELECT * FROM {table} t
            WHERE t.what = $1 AND t.name = $2 AND t.fork = n.node AND t.to_position IS NOT NULL AND t.to_position > n.beyond
                AND (t.until IS NULL OR t.until > $4)
            ORDER BY t.to_position LIMIT $12
        ) p)
    UNION ALL
    (SELECT n.lane, p.from_position AS place, p.* FROM unnest($9::integer[], $10::bigint[], $11::bigint[]) AS n (lane, node, beyond)
        CROSS JOIN LATERAL (
            SELECT * FROM {table} t
            WHERE t.what = $1 AND t.name = $2 AND t.fork = n.node AND t.to_position IS NOT NULL
                AND t.from_position > n.beyond AND t.from_position <= $3 AND (t.until IS NULL OR t.until > $4)
            ORDER BY t.from_position LIMIT $12
        ) p)
) AS found ORDER BY lane, place LIMIT $12

-- name: known
-- Which of these facts may have held of any stream at a position. In the order of an index, so that the planner, who thinks that the first row
-- it meets will do, does not walk through all of them.
SELECT w.what, w.name FROM unnest($1::text[], $2::text[]) AS w (what, name)
WHERE (SELECT p.from_position FROM {table} p WHERE p.what = w.what AND p.name = w.name AND p.to_position IS NULL
        ORDER BY p.what, p.name, p.from_position LIMIT 1) <= $3
    OR (SELECT p.fork FROM {table} p WHERE p.what = w.what AND p.name = w.name AND p.to_position IS NOT NULL
        ORDER BY p.what, p.name, p.fork LIMIT 1) IS NOT NULL

-- name: erased
SELECT DISTINCT stream FROM {table} WHERE stream = ANY ($1::text[]) AND what = $2
